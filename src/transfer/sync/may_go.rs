//! Which files of TO a sync has to do with: only what the filter would take there. What is left out on either side is neither
//! brought nor deleted.

use super::remote_tree::text_of;
use crate::model::{Entry, RemotePath};
use crate::transfer::filter::{Candidate, Filter};
use chrono::{DateTime, Utc};

/// May a file that TO has at this path be deleted, as far as the filter goes? Not where the filter leaves the path out, nor
/// where nobody can tell.
pub(super) fn may_go(filter: &Filter, path: &RemotePath, size: Option<u64>, modified: Option<DateTime<Utc>>) -> bool {
    let path = text_of(path);
    filter.decide(&Candidate { path: &path, is_source: false, is_folder: false, size, modified }).takes()
}

/// As `may_go`, of an entry of a remote.
pub(super) fn entry_may_go(filter: &Filter, path: &RemotePath, entry: &Entry) -> bool {
    may_go(filter, path, entry.size, entry.modified)
}

/// As `may_go`, of a folder that is empty by then.
pub(super) fn folder_may_go(filter: &Filter, path: &RemotePath) -> bool {
    filter.takes_emptied_folder(&text_of(path))
}
