//! ioGates (providers.md 1): a JSON API for entries, and TUS, plupload or FTP(S) for their bytes. An upload first makes an
//! entry, then sends the bytes under the name that the server returned. The API can't remove or rename an entry, or make a
//! folder.

mod account;
mod answer;
mod api;
mod auth;
mod comments;
mod diagnostics;
mod download;
mod entry;
mod php_json;
mod remote;
mod second_factor;
mod settings;
#[cfg(test)]
mod tests;
mod tree;
mod upload;
mod wire;

use std::sync::Arc;

use tokio::time::Instant;

use self::remote::IoGates;
use crate::contract::{
    Abilities, AnyProvider, BoxFuture, Browse, Download, Downloads, Entries, FindUploaded, KeptMetadata, Links, Lookup, Metadata, Provider,
    ProviderContext, ProviderInfo, Result, Resumption, Upload, UploadHandle, UploadRequest,
};
use crate::model::{Account, Entry, Place, Protocol, RemotePath, Secret};

pub static INFO: ProviderInfo = ProviderInfo {
    id: "iogates",
    aliases: &[],
    title: "ioGates",
    default_url: Some(settings::DEFAULT_URL),
    sample_url: "https://localhost",
    settings: settings::SETTINGS,
    protocols: &[Protocol::Tus, Protocol::Plupload, Protocol::Ftps, Protocol::Ftp],
    open,
};

/// Fails with `Usage` when a setting makes no sense. Reads no secret and sends nothing.
fn open(opening: ProviderContext) -> Result<AnyProvider> {
    Ok(Arc::new(IoGates::new(opening)?))
}

impl Provider for IoGates {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }
    fn abilities(&self) -> Abilities<'_> {
        Abilities {
            lookup: Some(self),
            browse: Some(self),
            downloads: Some(self),
            find_uploaded: Some(self),
            resumption: Some(self),
            folders: None,
            deletions: None,
            moves: None,
            copies: None,
            links: Some(self),
            comments: Some(self),
            imports: None,
            shares: None,
            stars: None,
            edits: None,
            second_factor: Some(self),
            batch_creation: Some(self),
            metadata: Some(self),
            stored_names: None,
            replacement: None,
            token_contention: self.api.token_contention(),
            takes_md5: true,
            opening_makes_nothing: false,
            allows_duplicate_names: true,
            copies_folders: false,
            listings_lack_mtime: false,
        }
    }
    fn origin(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(diagnostics::origin(self))
    }
    fn reach(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(diagnostics::reach(self))
    }
    fn probe(&self, protocol: Protocol) -> BoxFuture<'_, Result<String>> {
        Box::pin(diagnostics::probe(self, protocol))
    }
    fn sign_in(&self) -> BoxFuture<'_, Result<Account>> {
        Box::pin(account::sign_in(self))
    }
    fn renew_token(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.renew_token())
    }
    fn sign_out(&self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(self.forget_token())
    }
    fn open_upload<'a>(&'a self, item: &'a UploadRequest) -> BoxFuture<'a, Result<Upload>> {
        Box::pin(upload::open(self, item))
    }
    fn check_name(&self, name: &str) -> Result<()> {
        RemotePath::root().join(name).map(drop)
    }
}

impl Lookup for IoGates {
    fn stat<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(async { self.listing.current(&self.api).await?.stat(at) })
    }
}

impl Browse for IoGates {
    fn list<'a>(&'a self, folder: &'a Entry) -> BoxFuture<'a, Result<Entries>> {
        Box::pin(async { self.listing.current(&self.api).await?.list(folder) })
    }
    fn invalidate_cache(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.listing.forget())
    }
}

impl Downloads for IoGates {
    fn open_download<'a>(&'a self, file: &'a Entry, from: u64) -> BoxFuture<'a, Result<Download>> {
        Box::pin(download::open(self, file, from))
    }
}

impl FindUploaded for IoGates {
    fn find_uploaded<'a>(&'a self, ticket: &'a UploadHandle, _: Instant) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(upload::find_uploaded(self, ticket))
    }
}

impl Resumption for IoGates {
    fn resume_upload<'a>(
        &'a self,
        item: &'a UploadRequest,
        ticket: &'a UploadHandle,
        note: &'a str,
    ) -> BoxFuture<'a, Result<Option<Upload>>> {
        Box::pin(upload::resume(self, item, ticket, note))
    }
    fn adopt_empty_entry<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<UploadHandle>>> {
        Box::pin(upload::adopt(self, entry))
    }
}

impl KeptMetadata for IoGates {
    fn metadata_of(&self, file: &Entry) -> Metadata {
        entry::metadata_of(file)
    }
}

impl Links for IoGates {
    fn link<'a>(&'a self, file: &'a Entry) -> BoxFuture<'a, Result<Secret>> {
        Box::pin(download::link(self, file))
    }
}
