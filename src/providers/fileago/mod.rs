//! FileAgo, on a server of one's own (providers.md section 3). The trait as an index: each method is one line and says
//! where its work is done.

mod answer;
mod api;
mod arrival;
mod auth;
mod changes;
mod download;
mod entry;
mod jwt;
mod listing_cache;
mod names;
mod remote;
mod resolve;
mod upload;
mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use self::remote::FileAgo;
use crate::contract::AnyProvider;
use crate::contract::{
    BatchCreation, BoxFuture, Comments, Copies, Deletions, Download, Edits, Entries, Folders, Imports, Links, Moves, Provider,
    ProviderContext, ProviderInfo, Replacements, Result, SecondFactor, Setting, Shares, Stars, TokenContention, Upload, UploadHandle,
    UploadRequest,
};
use crate::model::{Account, Entry, Place, Protocol};

pub static INFO: ProviderInfo = ProviderInfo {
    id: "fileago",
    aliases: &[],
    title: "FileAgo",
    default_url: None,
    settings: &[
        Setting { key: "url", help: "the address of your FileAgo server", secret: false, required: true },
        Setting { key: "username", help: "your email address there", secret: false, required: true },
        Setting { key: "password", help: "your password there", secret: true, required: true },
        Setting { key: "download_path", help: download::HELP, secret: false, required: false },
        Setting { key: "ca_file", help: "PEM file of certificates to trust besides the system's", secret: false, required: false },
        Setting { key: "insecure", help: "true allows plain http", secret: false, required: false },
    ],
    protocols: &[Protocol::Multipart],
    takes_md5: false,
    takes_metadata: false,
    uploads_create_revisions: true,
    listings_lack_mtime: false,
    open,
};

fn open(opening: ProviderContext) -> Result<AnyProvider> {
    Ok(Arc::new(FileAgo::new(opening)?))
}

impl Provider for FileAgo {
    fn info(&self) -> &'static ProviderInfo {
        &INFO
    }
    fn origin(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(async { Ok(self.api.base.origin().ascii_serialization()) })
    }
    fn reach(&self) -> BoxFuture<'_, Result<String>> {
        Box::pin(self.api.http.reach(&self.api.base))
    }
    fn probe(&self, _: Protocol) -> BoxFuture<'_, Result<String>> {
        // Files go to the same server as every other call.
        self.reach()
    }
    fn sign_in(&self) -> BoxFuture<'_, Result<Account>> {
        Box::pin(self.account())
    }
    fn renew_token(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.api.renew())
    }
    fn token_contention(&self) -> Option<&TokenContention> {
        Some(self.api.rivalry())
    }
    fn sign_out(&self) -> BoxFuture<'_, Result<bool>> {
        // No call that ends a session is public.
        Box::pin(async { self.api.forget().await.map(|()| false) })
    }
    fn stat<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(self.find(at))
    }
    fn list<'a>(&'a self, folder: &'a Entry) -> BoxFuture<'a, Result<Entries>> {
        Box::pin(self.listing(folder))
    }
    fn invalidate_cache(&self) -> BoxFuture<'_, ()> {
        // Nothing is remembered.
        Box::pin(async {})
    }
    fn open_upload<'a>(&'a self, item: &'a UploadRequest) -> BoxFuture<'a, Result<Upload>> {
        Box::pin(self.upload(item))
    }
    fn resume_upload<'a>(&'a self, _: &'a UploadRequest, _: &'a UploadHandle, _: &'a str) -> BoxFuture<'a, Result<Option<Upload>>> {
        // A form is sent whole or not at all.
        Box::pin(async { Ok(None) })
    }
    fn adopt_empty_entry<'a>(&'a self, _: &'a Entry) -> BoxFuture<'a, Result<Option<UploadHandle>>> {
        // Nothing is made before the bytes.
        Box::pin(async { Ok(None) })
    }
    fn find_uploaded<'a>(&'a self, ticket: &'a UploadHandle) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(self.look_for(ticket))
    }
    fn check_name(&self, name: &str) -> Result<()> {
        upload::check_name(name)
    }
    fn stored_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        // What it makes of quotes and blanks is not known (providers.md 3.5): the list tells.
        Cow::Borrowed(name)
    }
    fn folders(&self) -> Option<&dyn Folders> {
        Some(self)
    }
    fn swapping(&self) -> Option<&dyn Replacements> {
        None
    }
    fn open_download<'a>(&'a self, file: &'a Entry, from: u64) -> BoxFuture<'a, Result<Download>> {
        Box::pin(self.download(file, from))
    }
    fn removal(&self) -> Option<&dyn Deletions> {
        Some(self)
    }
    fn moves(&self) -> Option<&dyn Moves> {
        Some(self)
    }
    fn copies(&self) -> Option<&dyn Copies> {
        Some(self)
    }
    fn links(&self) -> Option<&dyn Links> {
        // Its download address holds the user's own key, which opens every file: nothing to give away.
        None
    }
    fn comments(&self) -> Option<&dyn Comments> {
        None
    }
    fn importing(&self) -> Option<&dyn Imports> {
        None
    }
    fn sharing(&self) -> Option<&dyn Shares> {
        Some(self)
    }
    fn stars(&self) -> Option<&dyn Stars> {
        Some(self)
    }
    fn editing(&self) -> Option<&dyn Edits> {
        Some(self)
    }
    fn second_factor(&self) -> Option<&dyn SecondFactor> {
        None
    }
    fn preparing(&self) -> Option<&dyn BatchCreation> {
        None
    }
}

impl Folders for FileAgo {
    fn create<'a>(&'a self, parent: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(self.make_folder(parent, name))
    }
}

#[cfg(test)]
mod tests;
