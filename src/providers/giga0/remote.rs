//! One giga0 remote while it is open: its API, what is cached between the calls, and operations that take several calls.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use super::api::Api;
use super::arrival::ArrivalTracker;
use super::{account, names, upload};
use crate::contract::walk::not_found;
use crate::contract::{Entries, ProviderContext, Result, Upload, UploadHandle, UploadRequest};
use crate::model::{Account, Entry, EntryKind, Limits};
use crate::protocols::multipart;
use crate::providers::adapter::listing_cache::ListingCache;

pub const DEFAULT_URL: &str = "https://cloud.giga0.com";

pub struct Giga0 {
    pub(super) api: Arc<Api>,
    /// The package's limits, requested once.
    pub(super) limits: OnceCell<Limits>,
    pub(super) lists: ListingCache,
    pub(super) ours: Arc<ArrivalTracker>,
}

impl Giga0 {
    pub(super) fn new(opening: ProviderContext) -> Result<Giga0> {
        Ok(Giga0 {
            api: Arc::new(Api::new(opening, DEFAULT_URL)?),
            limits: OnceCell::new(),
            lists: ListingCache::default(),
            ours: Arc::default(),
        })
    }

    pub(super) async fn account(&self) -> Result<Account> {
        let info = self.api.account_info().await?;
        let account = account::account(info, self.api.account_package().await?);
        // A second answer would hold the same limits.
        let _ = self.limits.set(account.limits.clone());
        Ok(account)
    }

    pub(super) async fn listing(&self, folder: &Entry) -> Result<Entries> {
        if !folder.is_folder() {
            return Err(not_found(&folder.path).with_hint("this is a file, not a folder"));
        }
        self.api.folder_listing(folder).await.map_err(|e| e.with_subject(folder.path.to_string()))
    }

    pub(super) async fn upload(&self, item: &UploadRequest) -> Result<Upload> {
        let (target, size) = self.prepare(item).await?;
        let ticket = target.ticket.clone();
        Ok(Upload { ticket, session: Box::new(multipart::open(&self.api.http, Arc::new(target), size)) })
    }

    /// Everything before the form: the package's limits are requested if they are not known yet.
    pub(super) async fn prepare(&self, item: &UploadRequest) -> Result<(upload::UploadForm, u64)> {
        let ask = || async { self.api.account_package().await.map(|p| account::limits(&p)) };
        let size = upload::admit(item, self.limits.get_or_try_init(ask).await?)?;
        let ticket = upload::ticket(item, size)?;
        self.ours.record_start(&ticket);
        let (name, folder) = (item.name.clone(), item.folder.path.clone());
        let (api, ours) = (self.api.clone(), self.ours.clone());
        Ok((upload::UploadForm { api, ours, ticket, name, folder, used: Mutex::default() }, size))
    }

    pub(super) async fn find_uploaded(&self, ticket: &UploadHandle, since: Instant) -> Result<Option<Entry>> {
        if let Some(answered) = ticket.confirmed_entry.get() {
            return Ok(Some(answered.clone()));
        }
        let path = ticket.path.parent().unwrap_or_default();
        let folder = Entry::new(EntryKind::Folder, ticket.folder.as_deref().unwrap_or_default(), path);
        let listed = self.lists.newer_than(&folder.id, since, self.listing(&folder)).await?;
        let wished = ticket.path.name().unwrap_or_default();
        let stored = names::apply_site_rules(wished);
        Ok(self.ours.match_listing(ticket, listed.candidates(&[wished, &stored]).collect()))
    }
}
