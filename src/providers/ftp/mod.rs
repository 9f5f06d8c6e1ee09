//! Any FTP(S) server (providers.md sections 6 and 12). This file is the index of the trait: each method is one line that names
//! where its work is done. An entry's id is its path on the server.

mod arrival;
mod changes;
mod entry;
mod remote;
mod replace;
mod resolve;
mod settings;
mod upload;

use std::sync::Arc;

use tokio::time::Instant;

use self::remote::FtpRemote;
use crate::contract::{
    Abilities, AnyProvider, BoxFuture, Browse, Download, Downloads, Entries, FindUploaded, Lookup, Provider, ProviderContext, ProviderInfo,
    Replacement, Result, Resumption, Upload, UploadHandle, UploadRequest,
};
use crate::model::{Account, Entry, Place, Protocol, RemotePath};

pub static INFO: ProviderInfo = ProviderInfo {
    id: "ftp",
    aliases: &["ftps"],
    title: "FTP",
    default_url: None,
    sample_url: "ftps://ftp.example.com",
    settings: settings::SETTINGS,
    protocols: &[Protocol::Ftps, Protocol::Ftp],
    open,
};

fn open(opening: ProviderContext) -> Result<AnyProvider> {
    Ok(Arc::new(FtpRemote::new(opening)?))
}

impl Provider for FtpRemote {
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
            folders: Some(self),
            deletions: Some(self),
            moves: Some(self),
            // FTP has no command that copies.
            copies: None,
            links: None,
            comments: None,
            imports: None,
            shares: None,
            stars: None,
            edits: None,
            second_factor: None,
            batch_creation: None,
            metadata: None,
            stored_names: None,
            replacement: Some(Replacement::AfterUpload(self)),
            token_contention: None,
            takes_md5: false,
            opening_makes_nothing: true,

            allows_duplicate_names: false,
            copies_folders: false,
            listings_lack_mtime: false,
        }
    }
    fn origin(&self) -> BoxFuture<'_, Result<String>> {
        // Ids are paths from the server's root as this user sees it.
        let settings::Settings { top, user, .. } = &self.settings;
        let place = top.path_of(&RemotePath::root());
        Box::pin(async move { Ok(format!("{}/{place}#{user}", self.settings.origin())) })
    }
    fn reach(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async { self.unsigned_pool().greet().await })
    }
    fn probe(&self, _: Protocol) -> BoxFuture<'_, Result<String>> {
        // Uploads go to the same server as every other command.
        self.reach()
    }
    fn sign_in(&self) -> BoxFuture<'_, Result<Account>> {
        Box::pin(self.account())
    }
    fn renew_token(&self) -> BoxFuture<'_, Result<()>> {
        // FTP has no tokens: each connection signs in.
        Box::pin(async { self.account().await.map(drop) })
    }
    fn sign_out(&self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async { Ok(false) })
    }
    fn open_upload<'a>(&'a self, item: &'a UploadRequest) -> BoxFuture<'a, Result<Upload>> {
        Box::pin(self.upload(item))
    }
    fn check_name(&self, name: &str) -> Result<()> {
        upload::check_name(name)
    }
}

impl Lookup for FtpRemote {
    fn stat<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(self.find(at))
    }
}

impl Browse for FtpRemote {
    fn list<'a>(&'a self, folder: &'a Entry) -> BoxFuture<'a, Result<Entries>> {
        Box::pin(self.listing(folder))
    }
    fn invalidate_cache(&self) -> BoxFuture<'_, ()> {
        // There is no cache.
        Box::pin(async {})
    }
}

impl Downloads for FtpRemote {
    fn open_download<'a>(&'a self, file: &'a Entry, from: u64) -> BoxFuture<'a, Result<Download>> {
        Box::pin(self.download(file, from))
    }
}

impl FindUploaded for FtpRemote {
    fn find_uploaded<'a>(&'a self, ticket: &'a UploadHandle, _: Instant) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.find_uploaded(ticket))
    }
}

impl Resumption for FtpRemote {
    fn resume_upload<'a>(
        &'a self,
        item: &'a UploadRequest,
        ticket: &'a UploadHandle,
        note: &'a str,
    ) -> BoxFuture<'a, Result<Option<Upload>>> {
        Box::pin(self.resume(item, ticket, note))
    }
    fn adopt_empty_entry<'a>(&'a self, _: &'a Entry) -> BoxFuture<'a, Result<Option<UploadHandle>>> {
        // An empty file at an FTP server is complete, and no upload in progress.
        Box::pin(async { Ok(None) })
    }
}
