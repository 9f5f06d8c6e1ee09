//! A local TO, listed, and what FROM has for it.

use std::collections::HashSet;

use chrono::DateTime;

use super::choose::{folder_may_go, may_go};
use super::local_listing::{LocalEntry, LocalKind, LocalListing};
use super::remote_tree::{At, RemoteTree, Selection};
use crate::model::{Event, RemotePath, Report};
use crate::transfer::client::RemoteClient;
use crate::transfer::fingerprint::Signs;
use crate::transfer::get::conflict::LocalHistory;
use crate::transfer::get::{GetOptions, GetSource};

/// What is here and FROM lacks, by its place in the listing.
#[derive(Default)]
pub(super) struct Extra {
    pub files: Vec<usize>,
    pub folders: Vec<usize>,
}

impl Extra {
    pub fn names(&self, listing: &LocalListing) -> Vec<String> {
        self.files.iter().filter_map(|at| listing.entries.get(*at)).map(|entry| listing.shown(&entry.path)).collect()
    }
}

pub(super) struct ToLocal {
    pub source: GetSource,
    pub tree: RemoteTree,
    pub listing: LocalListing,
    pub get: GetOptions,
    pub signs: Signs,
}

impl ToLocal {
    pub fn extra(&self, selection: &Selection) -> Extra {
        let mut wanted: HashSet<usize> = HashSet::new();
        let mut want = |path: &RemotePath| wanted.extend(self.listing.get(path).map(|(at, _)| at));
        for at in &selection.folders {
            self.tree.folders.get(*at).iter().for_each(|folder| want(&folder.path));
        }
        for at in selection.files.iter().chain(&selection.left_out) {
            self.place(*at).iter().for_each(&mut want);
        }
        let mut extra = Extra::default();
        for (at, entry) in self.listing.entries.iter().enumerate().filter(|(at, entry)| !wanted.contains(at) && self.may_go(entry)) {
            match entry.kind {
                LocalKind::Folder => extra.folders.push(at),
                LocalKind::File | LocalKind::Other => extra.files.push(at),
            }
        }
        // As people look for them.
        let path = |at: &usize| self.listing.entries.get(*at).map(|entry| &entry.path);
        extra.files.sort_by(|a, b| path(a).cmp(&path(b)));
        extra
    }

    /// As far as the filter goes.
    pub fn may_go(&self, entry: &LocalEntry) -> bool {
        let modified = entry.state.modified_ns.map(DateTime::from_timestamp_nanos);
        match entry.kind {
            LocalKind::Folder => folder_may_go(&self.get.filter, &entry.path),
            LocalKind::File | LocalKind::Other => may_go(&self.get.filter, &entry.path, Some(entry.state.size), modified),
        }
    }

    pub fn known(&self) -> LocalHistory<'_> {
        let GetSource { ledger, key, .. } = &self.source;
        let GetOptions { checksum, size_only, dry_run, .. } = self.get;
        LocalHistory { ledger: ledger.as_ref(), remote: key, checksum, size_only, dry_run }
    }

    /// Where a file lands, seen from the top.
    pub fn place(&self, (folder, n): At) -> Option<RemotePath> {
        let folder = self.tree.folders.get(folder)?;
        folder.path.join(&folder.entries.get(n)?.name).ok()
    }
}

pub(super) fn tell(client: &RemoteClient, report: Report) {
    client.events.tell(Event::Finished { id: u64::MAX, report: Box::new(report) });
}
