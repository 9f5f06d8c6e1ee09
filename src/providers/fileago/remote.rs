//! One FileAgo remote while it is open: its API, what is cached between the calls, and operations that take several calls.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::api::Api;
use super::arrival::ArrivalTracker;
use super::{entry, names, upload};
use crate::contract::lookup::known_fields;
use crate::contract::walk::{not_found, one_named};
use crate::contract::{Entries, Error, Kind, ProviderContext, Result, Upload, UploadHandle, UploadRequest};
use crate::model::{Account, Entry, EntryKind, Protocol};
use crate::protocols::multipart;
use crate::providers::adapter::listing_cache::ListingCache;

/// The built-in administrator has no storage of its own (providers.md 3.1).
const ADMIN: &str = "admin";

pub struct FileAgo {
    pub(super) api: Arc<Api>,
    pub(super) lists: ListingCache,
    pub(super) renamed: ArrivalTracker,
}

impl FileAgo {
    pub(super) fn new(opening: ProviderContext) -> Result<FileAgo> {
        Ok(FileAgo { api: Arc::new(Api::new(opening)?), lists: ListingCache::default(), renamed: ArrivalTracker::default() })
    }

    pub(super) async fn account(&self) -> Result<Account> {
        let username = self.api.username()?;
        let mut account = Account { protocols: vec![Protocol::Multipart], ..Account::default() };
        // The token may be an old one: a call checks it.
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

    /// Name and uuid of each group: what follows `@home:`, and whom to share with. None on a server that has no such call. The
    /// groups are only shown, so another failure is a warning.
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

    pub(super) async fn listing(&self, folder: &Entry) -> Result<Entries> {
        if !folder.is_folder() {
            return Err(not_found(&folder.path).with_hint("this is a file, not a folder"));
        }
        let mut listed = entry::Listed::default();
        self.api.dirlist(&folder.id, |node| listed.add(node)).await.map_err(|e| e.with_subject(folder.path.to_string()))?;
        listed.entries(folder)
    }

    /// Makes a folder. In most versions the answer has no uuid (OQ-24), so the listing is read. A refusal may mean that another
    /// client made the folder first: if the folder is there, that is a success.
    pub(super) async fn make_folder(&self, parent: &Entry, name: &str) -> Result<Entry> {
        let refused = match self.api.make_folder(&parent.id, name).await {
            Ok(()) => None,
            Err(e) if matches!(e.kind(), Kind::Exists | Kind::Refused) => Some(e),
            Err(e) => return Err(e),
        };
        let found = match self.listing(parent).await {
            Ok(listed) => one_named(listed.find_by_name(name)?, name, true, &parent.path)?,
            // The folder is made by now, so a retry must look first.
            Err(e) if refused.is_none() && e.kind().is_transient() => return Err(e.with_kind(Kind::Interrupted)),
            Err(e) => return Err(refused.unwrap_or(e)),
        };
        found.ok_or_else(|| {
            refused.unwrap_or_else(|| Error::new(Kind::Protocol, "the server made the folder, but does not list it").with_subject(name))
        })
    }

    pub(super) async fn upload(&self, item: &UploadRequest) -> Result<Upload> {
        let (ticket, target, size) = self.prepare(item)?;
        self.renamed.note(item);
        Ok(Upload { ticket, session: Box::new(multipart::open(&self.api.http, Arc::new(target), size)) })
    }

    /// Everything before the request for an upload token.
    pub(super) fn prepare(&self, item: &UploadRequest) -> Result<(UploadHandle, upload::UploadForm, u64)> {
        let size = upload::admit(item)?;
        let ticket = upload::ticket(item, size)?;
        // A revision is sent under the current name of its file: whether another name would rename the file is not known.
        let target = item.replaces.as_ref().unwrap_or(&item.folder);
        let name = item.replaces.as_ref().map_or(&item.name, |file| &file.name);
        let target = upload::UploadForm { api: self.api.clone(), path: ticket.path.clone(), node: target.id.clone(), name: name.clone() };
        Ok((ticket, target, size))
    }

    pub(super) async fn find_uploaded(&self, ticket: &UploadHandle, since: Instant) -> Result<Option<Entry>> {
        let path = ticket.path.parent().unwrap_or_default();
        let folder = Entry::new(EntryKind::Folder, ticket.folder.as_deref().unwrap_or_default(), path);
        let listed = self.lists.newer_than(&folder.id, since, self.listing(&folder)).await?;
        let [name, escaped] = names::forms(ticket.path.name().unwrap_or_default());
        let escaped = Some(escaped).filter(|escaped| *escaped != name);
        let named = listed.find_by_name(&name).chain(escaped.iter().flat_map(|escaped| listed.find_by_name(escaped)));
        let found = upload::find_arrival(ticket, named);
        if found.as_ref().is_some_and(|entry| ticket.has_size_of(entry)) {
            return Ok(found);
        }
        // A revision keeps the name of its file, which may differ from the wished one.
        let elsewhere = match &ticket.id {
            Some(id) => upload::find_arrival(ticket, listed.with_id(id)),
            None => {
                let origins = names::origins(&name);
                self.renamed.match_listing(ticket, listed.candidates(&origins))
            }
        };
        Ok(elsewhere.or(found))
    }
}
