//! A local TO and its listing: says what TO has of FROM, and what FROM lacks.

use chrono::DateTime;

use super::local_listing::{LocalEntry, LocalKind, LocalListing};
use super::may_go::{folder_may_go, may_go};
use crate::model::{Event, RemotePath, Report};
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::Filter;
use crate::transfer::get::conflict::LocalHistory;
use crate::transfer::get::{GetOptions, GetSource};

/// What TO has and FROM lacks, by the positions in the listing.
#[derive(Default)]
pub(super) struct LackingHere {
    pub files: Vec<usize>,
    pub folders: Vec<usize>,
}

impl LackingHere {
    pub fn names(&self, listing: &LocalListing) -> Vec<String> {
        self.files.iter().filter_map(|at| listing.entries.get(*at)).map(|entry| listing.display_path(&entry.path)).collect()
    }
}

pub(super) struct LocalTarget {
    pub listing: LocalListing,
    /// By the positions in the listing: does FROM have an entry at this path?
    met: Vec<bool>,
}

impl LocalTarget {
    pub fn new(listing: LocalListing) -> LocalTarget {
        let met = vec![false; listing.entries.len()];
        LocalTarget { listing, met }
    }

    /// Returns the entry that TO has at a path of FROM; none where TO lacks the path. The entry is no longer lacking at FROM.
    pub fn advance_to(&mut self, path: &RemotePath) -> Option<&LocalEntry> {
        let (at, entry) = self.listing.get(path)?;
        if let Some(met) = self.met.get_mut(at) {
            *met = true;
        }
        Some(entry)
    }

    pub fn lacking(&self, filter: &Filter) -> LackingHere {
        let mut lacking = LackingHere::default();
        let unmet = self.listing.entries.iter().enumerate().filter(|(at, _)| self.met.get(*at) == Some(&false));
        for (at, entry) in unmet.filter(|(_, entry)| entry_may_go(filter, entry)) {
            match entry.kind {
                LocalKind::Folder => lacking.folders.push(at),
                LocalKind::File | LocalKind::Other => lacking.files.push(at),
            }
        }
        // Messages show the first names, and people look for names in order.
        let path = |at: &usize| self.listing.entries.get(*at).map(|entry| &entry.path);
        lacking.files.sort_by(|a, b| path(a).cmp(&path(b)));
        lacking
    }

    /// Returns the number of files of TO that the filter takes.
    pub fn files(&self, filter: &Filter) -> u64 {
        self.listing.entries.iter().filter(|entry| entry.kind != LocalKind::Folder && entry_may_go(filter, entry)).count() as u64
    }
}

/// May this entry of TO be deleted, as far as the filter decides?
fn entry_may_go(filter: &Filter, entry: &LocalEntry) -> bool {
    let modified = entry.state.modified_ns.map(DateTime::from_timestamp_nanos);
    match entry.kind {
        LocalKind::Folder => folder_may_go(filter, &entry.path),
        LocalKind::File | LocalKind::Other => may_go(filter, &entry.path, Some(entry.state.size), modified),
    }
}

/// Returns the notes of this machine about the files that it has downloaded from the source.
pub(super) fn local_history<'a>(source: &'a GetSource, get: &GetOptions) -> LocalHistory<'a> {
    let GetOptions { checksum, size_only, dry_run, .. } = *get;
    LocalHistory { ledger: source.ledger.as_ref(), remote: &source.key, checksum, size_only, dry_run }
}

pub(super) fn send_report(client: &RemoteClient, report: Report) {
    client.events.send(Event::Finished { id: u64::MAX, report: Box::new(report) });
}
