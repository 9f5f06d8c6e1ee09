//! FileAgo, on a server that the user's organisation runs (providers.md section 3). This file is the index of the trait: each
//! method is one line that names where its work is done.

mod answer;
mod api;
mod arrival;
mod auth;
mod changes;
mod download;
mod entry;
mod jwt;
mod names;
mod remote;
mod resolve;
mod upload;
mod wire;

use std::sync::Arc;

use tokio::time::Instant;

use self::remote::FileAgo;
use crate::contract::{
    Abilities, AnyProvider, BoxFuture, Browse, Download, Downloads, Entries, FindUploaded, Folders, Lookup, Provider, ProviderContext,
    ProviderInfo, Replacement, Result, Setting, Upload, UploadHandle, UploadRequest,
};
use crate::model::{Account, Entry, Place, Protocol};

pub static INFO: ProviderInfo = ProviderInfo {
    id: "fileago",
    aliases: &[],
    title: "FileAgo",
    default_url: None,
    sample_url: "https://files.example.com",
    settings: &[
        Setting { key: "url", help: "the address of your FileAgo server", secret: false, required: true, identifies: false },
        Setting { key: "username", help: "your email address there", secret: false, required: true, identifies: false },
        Setting { key: "password", help: "your password there", secret: true, required: true, identifies: false },
        Setting { key: "download_path", help: download::HELP, secret: false, required: false, identifies: false },
        Setting {
            key: "ca_file",
            help: "PEM file of certificates to trust besides the system's",
            secret: false,
            required: false,
            identifies: false,
        },
        Setting { key: "insecure", help: "true allows plain http", secret: false, required: false, identifies: false },
    ],
    protocols: &[Protocol::Multipart],
    open,
};

fn open(opening: ProviderContext) -> Result<AnyProvider> {
    Ok(Arc::new(FileAgo::new(opening)?))
}

impl Provider for FileAgo {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }
    fn abilities(&self) -> Abilities<'_> {
        Abilities {
            lookup: Some(self),
            browse: Some(self),
            downloads: Some(self),
            find_uploaded: Some(self),
            // A form is sent in one request, and nothing is made on the server before its bytes.
            resumption: None,
            folders: Some(self),
            deletions: Some(self),
            moves: Some(self),
            copies: Some(self),
            // The download URL contains the user's own key, which opens every file: the user must not pass it on.
            links: None,
            comments: None,
            imports: None,
            shares: Some(self),
            stars: Some(self),
            edits: Some(self),
            second_factor: None,
            batch_creation: None,
            metadata: None,
            // How the server reads quotes and blanks is not known (providers.md 3.5): the listing shows the stored name.
            stored_names: None,
            replacement: Some(Replacement::ByUpload),
            token_contention: Some(self.api.token_contention()),
            takes_md5: false,
            opening_makes_nothing: true,
            // The server prevents them from 2.0 on (providers.md 3.4).
            allows_duplicate_names: false,
            copies_folders: true,
            listings_lack_mtime: false,
        }
    }
    fn origin(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async { Ok(self.api.base.origin().ascii_serialization()) })
    }
    fn reach(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(self.api.http.reach(&self.api.base))
    }
    fn probe(&self, _: Protocol) -> BoxFuture<'_, Result<String>> {
        // Uploads go to the same server as every other call.
        self.reach()
    }
    fn sign_in(&self) -> BoxFuture<'_, Result<Account>> {
        Box::pin(self.account())
    }
    fn renew_token(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.api.renew())
    }
    fn sign_out(&self) -> BoxFuture<'_, Result<bool>> {
        // The API has no public call that ends a session.
        Box::pin(async { self.api.forget().await.map(|()| false) })
    }
    fn open_upload<'a>(&'a self, item: &'a UploadRequest) -> BoxFuture<'a, Result<Upload>> {
        Box::pin(self.upload(item))
    }
    fn check_name(&self, name: &str) -> Result<()> {
        upload::check_name(name)
    }
}

impl Lookup for FileAgo {
    fn stat<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(self.find(at))
    }
}

impl Browse for FileAgo {
    fn list<'a>(&'a self, folder: &'a Entry) -> BoxFuture<'a, Result<Entries>> {
        Box::pin(self.listing(folder))
    }
    fn invalidate_cache(&self) -> BoxFuture<'_, ()> {
        // There is no cache.
        Box::pin(async {})
    }
}

impl Downloads for FileAgo {
    fn open_download<'a>(&'a self, file: &'a Entry, from: u64) -> BoxFuture<'a, Result<Download>> {
        Box::pin(self.download(file, from))
    }
}

impl FindUploaded for FileAgo {
    fn find_uploaded<'a>(&'a self, ticket: &'a UploadHandle, since: Instant) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.find_uploaded(ticket, since))
    }
}

impl Folders for FileAgo {
    fn create<'a>(&'a self, parent: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(self.make_folder(parent, name))
    }
}

#[cfg(test)]
mod tests;
