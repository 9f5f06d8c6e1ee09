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
mod resolve;
mod upload;
mod wire;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};

use self::api::Api;
use self::arrival::ArrivalTracker;
use self::listing_cache::ListingCache;
use crate::contract::AnyProvider;
use crate::contract::lookup::known_fields;
use crate::contract::walk::{not_found, one_named};
use crate::contract::{
    BatchCreation, BoxFuture, Comments, Copies, Deletions, Download, Edits, Entries, Error, Folders, Imports, Kind, Links, Moves, Provider,
    ProviderContext, ProviderInfo, Replacements, Result, SecondFactor, Setting, Shares, Stars, TokenContention, Upload, UploadHandle,
    UploadRequest,
};
use crate::model::{Account, Entry, EntryKind, Place, Protocol};
use crate::protocols::multipart;

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

/// The built-in administrator has no storage of its own (providers.md 3.1).
const ADMIN: &str = "admin";

fn open(opening: ProviderContext) -> Result<AnyProvider> {
    Ok(Arc::new(FileAgo::new(opening)?))
}

struct FileAgo {
    api: Arc<Api>,
    lists: ListingCache,
    renamed: ArrivalTracker,
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

impl FileAgo {
    fn new(opening: ProviderContext) -> Result<FileAgo> {
        Ok(FileAgo { api: Arc::new(Api::new(opening)?), lists: ListingCache::default(), renamed: ArrivalTracker::default() })
    }

    async fn account(&self) -> Result<Account> {
        let username = self.api.username()?;
        let mut account = Account { protocols: vec![Protocol::Multipart], ..Account::default() };
        // The token may be an old one: a call proves it.
        match self.api.details("home").await {
            Ok(home) => {
                account.extra = known_fields([
                    ("fullname", home.owner_fullname.map(Into::into)),
                    ("uuid", home.owner_uuid.map(Into::into)),
                    ("groups", self.groups(&mut account.warnings).await?),
                ]);
            }
            Err(e) if username == ADMIN && matches!(e.kind(), Kind::NotFound | Kind::Refused | Kind::Protocol) => {}
            Err(e) => return Err(e),
        }
        if username == ADMIN {
            account.warnings.push("the built-in admin has no storage: commands on files will fail".to_owned());
        }
        account.account = Some(username);
        Ok(account)
    }

    /// Name and uuid of each: what follows `@home:`, and whom to share with. None on a server that has no such call. They
    /// are only for show: what keeps them from us keeps nobody from working, and is a warning.
    async fn groups(&self, warnings: &mut Vec<String>) -> Result<Option<Value>> {
        match self.api.groups().await {
            Ok(groups) => Ok(Some(groups.into_iter().map(|g| json!({"name": g.name, "uuid": g.uuid})).collect())),
            Err(e) if matches!(e.kind(), Kind::NotFound | Kind::Refused | Kind::Protocol) => Ok(None),
            Err(e) if e.kind().is_transient() => {
                warnings.push(format!("the groups can't be told now: {}", e.message()));
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    async fn listing(&self, folder: &Entry) -> Result<Entries> {
        if !folder.is_folder() {
            return Err(not_found(&folder.path).with_hint("this is a file, not a folder"));
        }
        let mut listed = entry::Listed::default();
        self.api.dirlist(&folder.id, |node| listed.add(node)).await.map_err(|e| e.with_subject(folder.path.to_string()))?;
        listed.entries(folder)
    }

    /// The answer names no uuid in most versions (OQ-24), so the list tells. A refusal may mean that somebody was faster:
    /// a folder that is there is what was asked for.
    async fn make_folder(&self, parent: &Entry, name: &str) -> Result<Entry> {
        let refused = match self.api.make_folder(&parent.id, name).await {
            Ok(()) => None,
            Err(e) if matches!(e.kind(), Kind::Exists | Kind::Refused) => Some(e),
            Err(e) => return Err(e),
        };
        let found = match self.listing(parent).await {
            Ok(listed) => one_named(listed.named(name)?, name, true, &parent.path)?,
            // It is made by now: whoever waits and asks again must look first.
            Err(e) if refused.is_none() && e.kind().is_transient() => return Err(e.with_kind(Kind::Interrupted)),
            Err(e) => return Err(refused.unwrap_or(e)),
        };
        found.ok_or_else(|| {
            refused.unwrap_or_else(|| Error::new(Kind::Protocol, "the server made the folder, but does not list it").with_subject(name))
        })
    }

    async fn upload(&self, item: &UploadRequest) -> Result<Upload> {
        let (ticket, target, size) = self.prepare(item)?;
        self.renamed.note(item);
        Ok(Upload { ticket, session: Box::new(multipart::open(&self.api.http, Arc::new(target), size)) })
    }

    /// All that comes before the token.
    fn prepare(&self, item: &UploadRequest) -> Result<(UploadHandle, upload::UploadForm, u64)> {
        let size = upload::admit(item)?;
        let ticket = upload::ticket(item, size)?;
        // A revision is sent under the name that the file has: whether another would rename it is not known.
        let target = item.replaces.as_ref().unwrap_or(&item.folder);
        let name = item.replaces.as_ref().map_or(&item.name, |file| &file.name);
        let target = upload::UploadForm { api: self.api.clone(), path: ticket.path.clone(), node: target.id.clone(), name: name.clone() };
        Ok((ticket, target, size))
    }

    async fn look_for(&self, ticket: &UploadHandle) -> Result<Option<Entry>> {
        let path = ticket.path.parent().unwrap_or_default();
        let folder = Entry::new(EntryKind::Folder, ticket.folder.as_deref().unwrap_or_default(), path);
        let listed = self.lists.now(&folder.id, async { Ok(self.listing(&folder).await?.collect()) }).await?;
        let [name, escaped] = names::forms(ticket.path.name().unwrap_or_default());
        let escaped = Some(escaped).filter(|escaped| *escaped != name);
        let named = listed.named(&name).chain(escaped.iter().flat_map(|escaped| listed.named(escaped)));
        let found = upload::arrived(ticket, named);
        if found.as_ref().is_some_and(|entry| ticket.has_size_of(entry)) {
            return Ok(found);
        }
        // A revision keeps its file's name, which may be another than the wished one.
        let elsewhere = match &ticket.id {
            Some(id) => upload::arrived(ticket, listed.entries.iter().filter(|entry| entry.id == *id)),
            None => self.renamed.found(ticket, &listed.entries),
        };
        Ok(elsewhere.or(found))
    }
}

#[cfg(test)]
mod tests;
