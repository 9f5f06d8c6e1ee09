//! Deletes on a remote what FROM lacks: first the files, then the folders. A file is deleted only when a fresh listing shows the
//! file as it was, and a folder only when it is empty.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::{StreamExt, stream};

use super::local_listing::changed_folder_error;
use super::remote_tree::{At, RemoteTree};
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{Entry, Event, RemotePath, Report};
use crate::transfer::change::ConfirmedChanges;
use crate::transfer::client::RemoteClient;
use crate::transfer::fingerprint::EntryFingerprint;
use crate::transfer::walk::is_fatal;

pub(super) struct RemoteDeletions<'a> {
    pub client: &'a RemoteClient,
    pub tree: &'a RemoteTree,
    /// The number of deletions that run at the same time.
    pub jobs: usize,
    pub fail_fast: bool,
}

/// The progress of the deletions.
#[derive(Default)]
struct DeleteProgress {
    files: AtomicU64,
    all: AtomicU64,
    stopped: AtomicBool,
}

/// The numbers of what was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Deleted {
    pub files: u64,
    /// Files and folders.
    pub all: u64,
}

impl RemoteDeletions<'_> {
    /// Deletes `files`, then `folders`, and returns how many were deleted. Both are given by their positions in the tree. Each
    /// outcome is an event; a failure is no error of the call.
    pub async fn run(&self, files: &[At], folders: &[usize]) -> Deleted {
        let progress = DeleteProgress::default();
        let mut by_folder: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (folder, n) in files {
            by_folder.entry(*folder).or_default().push(*n);
        }
        self.client.invalidate_cache().await;
        let progress = &progress;
        let looked = stream::iter(by_folder)
            .map(|(folder, files)| async move { (folder, self.as_they_were(folder, &files, progress).await) })
            .buffer_unordered(self.jobs.max(1));
        let doomed = looked.flat_map(|(folder, entries)| stream::iter(entries.into_iter().map(move |entry| (folder, entry))));
        doomed.for_each_concurrent(self.jobs.max(1), |(folder, entry)| self.file(folder, entry, progress)).await;
        self.folders(folders, progress).await;
        Deleted { files: progress.files.load(Ordering::Relaxed), all: progress.all.load(Ordering::Relaxed) }
    }

    /// Lists a folder again, and returns the entries of `files` that have not changed since the tree was listed. A file that is
    /// gone is skipped. A file that has changed stays, and is reported as failed.
    async fn as_they_were(&self, folder: usize, files: &[usize], progress: &DeleteProgress) -> Vec<Entry> {
        let Some(listed) = self.tree.folders.get(folder).filter(|_| !progress.stopped.load(Ordering::Relaxed)) else { return Vec::new() };
        let now = match self.client.list(&listed.entry).await {
            Ok(now) => now,
            Err(error) if error.kind() == Kind::NotFound => return Vec::new(),
            Err(error) => {
                self.report_failure(&listed.entry, &error, progress);
                return Vec::new();
            }
        };
        let then = files.iter().filter_map(|n| listed.entries.get(*n)).map(|entry| (entry.id.clone(), entry));
        let mut then: HashMap<String, Entry> = then.collect();
        let mut same = Vec::new();
        for now in now {
            let Some(then) = then.remove(&now.id) else { continue };
            let is_same = now.name == then.name && now.kind == then.kind;
            if is_same && EntryFingerprint::of(&now).matches(&EntryFingerprint::of(&then).text()) {
                same.push(now);
            } else {
                self.report_failure(&then, &changed_folder_error(), progress);
            }
        }
        same
    }

    async fn file(&self, folder: usize, entry: Entry, progress: &DeleteProgress) {
        if progress.stopped.load(Ordering::Relaxed) {
            return;
        }
        let parent = self.tree.folders.get(folder).map(|folder| &folder.entry);
        match self.remove(&entry, parent).await {
            Ok(()) => {
                progress.files.fetch_add(1, Ordering::Relaxed);
                self.report_deleted(&entry, progress);
            }
            Err(error) => self.report_failure(&entry, &error, progress),
        }
    }

    async fn remove(&self, entry: &Entry, parent: Option<&Entry>) -> Result<()> {
        ConfirmedChanges::new(self.client.clone()).remove(entry, parent).await
    }

    /// Deletes the folders that are empty. The deepest folders come first: once they are gone, the folder above may be empty.
    async fn folders(&self, folders: &[usize], progress: &DeleteProgress) {
        let depth = |at: &usize| self.tree.folders.get(*at).map_or(0, |folder| folder.path.names().len());
        let mut by_depth: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in folders {
            by_depth.entry(depth(at)).or_default().push(*at);
        }
        for level in by_depth.into_values().rev() {
            self.client.invalidate_cache().await;
            stream::iter(level).for_each_concurrent(self.jobs.max(1), |at| self.folder(at, progress)).await;
        }
    }

    async fn folder(&self, at: usize, progress: &DeleteProgress) {
        let Some(folder) = self.tree.folders.get(at).filter(|_| !progress.stopped.load(Ordering::Relaxed)) else { return };
        let Some(parent) = folder.above.and_then(|above| self.tree.folders.get(above)) else { return };
        let is_empty = match self.client.list(&folder.entry).await {
            Ok(held) => held.is_empty() && held.faults.is_empty(),
            Err(error) if error.kind() == Kind::NotFound => return,
            Err(error) => return self.report_failure(&folder.entry, &error, progress),
        };
        if !is_empty {
            let text = format!("{}: something is in it, so it stays", self.client.address(&folder.entry.path));
            return self.client.events.send(Event::Note(text));
        }
        match self.remove(&folder.entry, Some(&parent.entry)).await {
            Ok(()) => self.report_deleted(&folder.entry, progress),
            Err(error) => self.report_failure(&folder.entry, &error, progress),
        }
    }

    fn report_deleted(&self, entry: &Entry, progress: &DeleteProgress) {
        progress.all.fetch_add(1, Ordering::Relaxed);
        let (remote, path) = (self.client.remote.clone(), entry.path.clone());
        self.send_report(Report::Deleted { remote, path, id: entry.id.clone(), kind: entry.kind });
    }

    fn report_failure(&self, entry: &Entry, error: &Error, progress: &DeleteProgress) {
        if self.fail_fast || is_fatal(error.kind()) {
            progress.stopped.store(true, Ordering::Relaxed);
        }
        self.send_report(Report::Failed(Failure::new(error).at(self.client.remote.clone(), entry.path.clone())));
    }

    fn send_report(&self, report: Report) {
        self.client.events.send(Event::Finished { id: u64::MAX, report: Box::new(report) });
    }
}

/// Reports a deletion that a dry run plans.
pub(super) fn plan_deletion(client: &RemoteClient, path: RemotePath, size: Option<u64>) {
    let report = Report::Planned { action: "delete", source: None, remote: client.remote.clone(), path, target: None, size };
    client.events.send(Event::Finished { id: u64::MAX, report: Box::new(report) });
}
