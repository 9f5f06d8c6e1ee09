//! Any TUS 1.0.0 endpoint (providers.md sections 5 and 11): it accepts uploads, and knows neither names nor folders. This file
//! is the index of the trait: each method is one line that names where its work is done. An entry's id is the upload's address.

mod ahead;
mod batch;
mod entry;
mod headers;
mod remote;
mod settings;
mod upload;

use std::sync::Arc;

use self::remote::TusRemote;
use crate::contract::{
    Abilities, AnyProvider, BoxFuture, Deletions, Lookup, Provider, ProviderContext, ProviderInfo, Result, Resumption, Upload,
    UploadHandle, UploadRequest,
};
use crate::model::{Account, Entry, Place, Protocol};

pub static INFO: ProviderInfo = ProviderInfo {
    id: "tus",
    aliases: &[],
    title: "TUS",
    default_url: None,
    sample_url: "https://uploads.example.com/files/",
    settings: settings::SETTINGS,
    protocols: &[Protocol::Tus],
    open,
};

/// Fails with `Usage` when a setting makes no sense. Reads no secret and sends nothing.
fn open(opening: ProviderContext) -> Result<AnyProvider> {
    Ok(Arc::new(TusRemote::new(opening)?))
}

impl Provider for TusRemote {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }
    fn abilities(&self) -> Abilities<'_> {
        Abilities {
            // Finds an upload by its address only.
            lookup: Some(self),
            browse: None,
            downloads: None,
            // The server's own offset shows whether everything has arrived.
            find_uploaded: None,
            resumption: Some(self),
            folders: None,
            deletions: Some(self),
            moves: None,
            copies: None,
            links: None,
            comments: None,
            imports: None,
            shares: None,
            stars: None,
            edits: None,
            second_factor: None,
            batch_creation: Some(self),
            metadata: None,
            stored_names: None,
            replacement: None,
            token_contention: None,
            takes_md5: false,
            // The server knows no names.
            allows_duplicate_names: true,
            copies_folders: false,
            listings_lack_mtime: false,
            opening_makes_nothing: false,
        }
    }
    fn origin(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async { Ok(self.settings.endpoint.origin().ascii_serialization()) })
    }
    fn reach(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(self.http.reach(&self.settings.endpoint))
    }
    fn probe(&self, _: Protocol) -> BoxFuture<'_, Result<String>> {
        Box::pin(self.describe())
    }
    fn sign_in(&self) -> BoxFuture<'_, Result<Account>> {
        Box::pin(self.account())
    }
    fn renew_token(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Err(self.no_new_token()) })
    }
    fn sign_out(&self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async { Ok(false) })
    }
    fn open_upload<'a>(&'a self, item: &'a UploadRequest) -> BoxFuture<'a, Result<Upload>> {
        Box::pin(upload::open(self, item))
    }
    fn check_name(&self, _: &str) -> Result<()> {
        // TUS sends names Base64-encoded, so any name works.
        Ok(())
    }
}

impl Lookup for TusRemote {
    fn stat<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(self.stat_place(at))
    }
}

impl Resumption for TusRemote {
    fn resume_upload<'a>(
        &'a self,
        item: &'a UploadRequest,
        ticket: &'a UploadHandle,
        note: &'a str,
    ) -> BoxFuture<'a, Result<Option<Upload>>> {
        Box::pin(upload::resume(self, item, ticket, note))
    }
    fn adopt_empty_entry<'a>(&'a self, _: &'a Entry) -> BoxFuture<'a, Result<Option<UploadHandle>>> {
        Box::pin(async { Ok(None) })
    }
}

impl Deletions for TusRemote {
    fn is_top(&self, _: &Entry) -> bool {
        false
    }
    fn remove<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.terminate(entry))
    }
}
