//! What this machine records of the files that it has put, so that the same command, typed again, sends no file a second time.
//! Of a place of a remote that lists nothing the id is noted, and the server is asked by that id whether it is still there.

use std::sync::Arc;

use super::conflict::seen_as;
use super::plan::PutItem;
use super::run::PutRun;
use crate::contract::{CompletedTransfer, place_key};
use crate::error::{Kind, Result};
use crate::model::similar_names::is_numbered;
use crate::model::{Entry, Event, Place, RemotePath, Root};
use crate::transfer::fingerprint::{EntryFingerprint, FileFingerprint};
use crate::transfer::folder_cache::{ListedFolder, now_in_ms};

/// Before an id in the place of a stored name.
const BY_ID: &str = "@";

impl PutRun {
    fn lists_nothing(&self) -> bool {
        self.job.client.has(|can| can.browse.is_none() && can.lookup.is_some())
    }

    /// `folder`, and in it what was put under `name` before. Where everything is listed, `folder` as it is.
    pub(super) async fn with_remembered(&self, folder: Arc<ListedFolder>, name: &str) -> Result<Arc<ListedFolder>> {
        if !self.lists_nothing() {
            return Ok(folder);
        }
        let path = folder.entry.path.join(name)?;
        let stored = self.job.ledger.stored_name_of(&place_key(&self.job.remote_key, &path))?;
        let Some(id) = stored.and_then(|stored| stored.strip_prefix(BY_ID).map(str::to_owned)) else { return Ok(folder) };
        let entry = match self.job.client.stat(&Place { root: Root::Id(id), path: RemotePath::root() }).await {
            Ok(entry) => Entry { name: name.to_owned(), path, ..entry },
            Err(error) if error.kind().is_transient() || matches!(error.kind(), Kind::Auth | Kind::Cancelled) => return Err(error),
            // Gone, or nothing that this server still talks about.
            Err(_) => return Ok(folder),
        };
        Ok(Arc::new(folder.with_child(entry)))
    }

    /// For the next run.
    pub(super) fn remember_id(&self, path: &RemotePath, entry: &Entry) -> Result<()> {
        if !self.lists_nothing() || entry.id.is_empty() {
            return Ok(());
        }
        let stored = format!("{BY_ID}{}", entry.id);
        self.job.ledger.record_stored_as(&place_key(&self.job.remote_key, path), &stored).map(drop)
    }

    /// The bytes of a file of another remote told its MD5, which the next run compares where no provider tells one.
    pub(super) fn learn_original(&self, item: &PutItem, copy: &Entry, md5: Option<&String>) -> Result<()> {
        let (Some(original), Some(md5)) = (item.origin.original().filter(|original| original.md5.is_none()), md5) else { return Ok(()) };
        let known = self.job.ledger.completed_transfer(&original.remote, &original.entry.id)?;
        if original.moves || known.is_some_and(|known| known.md5.is_some() && EntryFingerprint::of(&original.entry).matches(&known.stamp)) {
            return Ok(());
        }
        self.record(&CompletedTransfer {
            source: format!("{}|@{}", self.job.remote_key, copy.id),
            source_size: original.entry.size.unwrap_or_default(),
            ..record_of(&original.remote, &original.entry, Some(md5.clone()))
        });
        Ok(())
    }

    /// Records the name that the server gave the file, for the next run. Not a name with a number: there another file has the
    /// wished name.
    pub(super) fn learn(&self, path: &RemotePath, wished: &str, stored: &str) -> Result<()> {
        self.job.client.events.send(Event::Warning(format!("{}: stored as {stored:?}", self.job.client.address(path))));
        if is_numbered(stored, wished) {
            return Ok(());
        }
        self.job.ledger.record_stored_as(&place_key(&self.job.remote_key, path), stored).map(drop)
    }

    pub(in crate::transfer) fn remember(&self, entry: &Entry, md5: Option<String>, source: FileFingerprint) {
        self.record(&seen_as(record_of(&self.job.remote_key, entry, md5), source));
    }

    pub(super) fn record(&self, finished: &CompletedTransfer) {
        if let Err(e) = self.job.ledger.record_finished(finished) {
            self.job.client.events.send(Event::Warning(format!("this upload could not be recorded: {e}")));
        }
    }
}

/// Makes the record of a file at a remote, without a source.
fn record_of(remote: &str, entry: &Entry, md5: Option<String>) -> CompletedTransfer {
    CompletedTransfer {
        remote: remote.to_owned(),
        id: entry.id.clone(),
        stamp: EntryFingerprint::of(entry).text(),
        size: entry.size,
        md5,
        source: String::new(),
        source_size: 0,
        source_mtime_ns: 0,
        source_inode: None,
        source_version: None,
        source_device: None,
        at: now_in_ms(),
    }
}
