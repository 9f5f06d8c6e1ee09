//! giga0, and any site with the YetiShare API v2 (providers.md section 2). This file is the index of the trait: each method is
//! one line that names where its work is done.

mod account;
mod answer;
mod api;
mod arrival;
mod auth;
mod changes;
mod download;
mod edits;
mod entry;
mod imports;
mod listing;
mod names;
mod remote;
mod replace;
mod resolve;
mod upload;
mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use tokio::time::Instant;

use self::remote::{DEFAULT_URL, Giga0};
use crate::contract::{
    Abilities, AnyProvider, BoxFuture, Browse, Download, Downloads, Entries, FindUploaded, Folders, Links, Lookup, Provider,
    ProviderContext, ProviderInfo, Replacement, Replacements, Result, Setting, StoredNames, Upload, UploadHandle, UploadRequest,
};
use crate::model::{Account, Entry, Place, Protocol, Secret};

pub static INFO: ProviderInfo = ProviderInfo {
    id: "giga0",
    aliases: &["yetishare"],
    title: "giga0",
    default_url: Some(DEFAULT_URL),
    sample_url: "https://files.example.com",
    settings: &[
        Setting { key: "url", help: "the site's address, with or without /api/v2", secret: false, required: false, identifies: false },
        Setting { key: "username", help: "the account's user name", secret: false, required: false, identifies: false },
        Setting { key: "password", help: "the account's password", secret: true, required: false, identifies: false },
        Setting { key: "key1", help: "first API key, where the site signs in with keys", secret: true, required: false, identifies: true },
        Setting { key: "key2", help: "second API key", secret: true, required: false, identifies: false },
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
    Ok(Arc::new(Giga0::new(opening)?))
}

impl Provider for Giga0 {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }
    fn abilities(&self) -> Abilities<'_> {
        Abilities {
            lookup: Some(self),
            browse: Some(self),
            downloads: Some(self),
            find_uploaded: Some(self),
            // A form is sent in one request, and nothing is made on the site before its bytes.
            resumption: None,
            folders: Some(self),
            deletions: Some(self),
            moves: Some(self),
            copies: Some(self),
            links: Some(self),
            comments: None,
            imports: Some(self),
            shares: None,
            stars: None,
            edits: Some(self),
            second_factor: None,
            batch_creation: None,
            metadata: None,
            stored_names: Some(self),
            replacement: Some(Replacement::AfterUpload(self)),
            token_contention: self.api.token_contention(),
            takes_md5: false,
            opening_makes_nothing: true,
            allows_duplicate_names: true,
            copies_folders: false,
            listings_lack_mtime: true,
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
        Box::pin(self.api.sign_out())
    }
    fn open_upload<'a>(&'a self, item: &'a UploadRequest) -> BoxFuture<'a, Result<Upload>> {
        Box::pin(self.upload(item))
    }
    fn check_name(&self, name: &str) -> Result<()> {
        names::check(name)
    }
}

impl Lookup for Giga0 {
    fn stat<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(self.find(at))
    }
}

impl Browse for Giga0 {
    fn list<'a>(&'a self, folder: &'a Entry) -> BoxFuture<'a, Result<Entries>> {
        Box::pin(self.listing(folder))
    }
    fn invalidate_cache(&self) -> BoxFuture<'_, ()> {
        // There is no cache.
        Box::pin(async {})
    }
}

impl Downloads for Giga0 {
    fn open_download<'a>(&'a self, file: &'a Entry, from: u64) -> BoxFuture<'a, Result<Download>> {
        Box::pin(self.download(file, from))
    }
}

impl FindUploaded for Giga0 {
    fn find_uploaded<'a>(&'a self, ticket: &'a UploadHandle, since: Instant) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.find_uploaded(ticket, since))
    }
}

impl StoredNames for Giga0 {
    fn stored_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        names::stored_name(name)
    }
}

impl Folders for Giga0 {
    fn create<'a>(&'a self, parent: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(async { entry::of_folder(self.api.folder_create(&parent.id, name).await?, Some(&parent.path)) })
    }
}

impl Links for Giga0 {
    fn link<'a>(&'a self, file: &'a Entry) -> BoxFuture<'a, Result<Secret>> {
        Box::pin(self.download_link(file))
    }
}

impl Replacements for Giga0 {
    fn replace<'a>(&'a self, old: &'a Entry, new: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(self.replace_entry(old, new, name))
    }
}

#[cfg(test)]
mod tests;
