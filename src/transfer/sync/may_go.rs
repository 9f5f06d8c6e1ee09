//! Decides which files of TO a sync may delete: only the files that the filter takes. A file that the filter leaves out is neither
//! transferred nor deleted.

use super::remote_tree::text_of;
use crate::model::{Entry, RemotePath};
use crate::transfer::filter::{Candidate, Filter};
use chrono::{DateTime, Utc};

/// May the file that TO has at this path be deleted, as far as the filter decides? No, where the filter leaves the file out, and
/// where the filter needs a size or time that is not known.
pub(super) fn may_go(filter: &Filter, path: &RemotePath, size: Option<u64>, modified: Option<DateTime<Utc>>) -> bool {
    let path = text_of(path);
    filter.decide(&Candidate { path: &path, is_source: false, is_folder: false, size, modified }).takes()
}

/// As `may_go`, for an entry on a remote.
pub(super) fn entry_may_go(filter: &Filter, path: &RemotePath, entry: &Entry) -> bool {
    may_go(filter, path, entry.size, entry.modified)
}

/// As `may_go`, for a folder whose files are deleted before the folder.
pub(super) fn folder_may_go(filter: &Filter, path: &RemotePath) -> bool {
    filter.takes_emptied_folder(&text_of(path))
}
