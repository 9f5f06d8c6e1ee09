//! From a path to an entry by listing one folder after another, for providers that address by id.

use super::{Browse, Error, Kind, Result};
use crate::model::{Entry, EntryKind, RemotePath};

/// Walks `path` down from `top`. Fails with `NotFound` and the first missing step, or with `Ambiguous` and the ids.
pub async fn walk(remote: &dyn Browse, top: Entry, path: &RemotePath) -> Result<Entry> {
    let whole = top.path.join_path(path);
    let mut here = top;
    for (depth, name) in path.names().iter().enumerate() {
        let more = depth + 1 < path.names().len();
        let found = one_named(remote.list(&here).await?.find_by_name(name)?, name, more, &here.path)?;
        here = found.ok_or_else(|| not_found(&whole))?;
    }
    Ok(here)
}

/// The entry of that name among `entries`; `as_folder` ignores files, as a step inside a path can't be one.
///
/// # Errors
/// `Ambiguous` when two fit: giga0 and ioGates allow two entries with one name in one folder.
pub fn one_named(entries: Vec<Entry>, name: &str, as_folder: bool, within: &RemotePath) -> Result<Option<Entry>> {
    let mut fitting: Vec<Entry> = entries.into_iter().filter(|e| e.name == name && (!as_folder || e.is_folder())).collect();
    if fitting.len() > 1 {
        let ids: Vec<String> = fitting.iter().map(address_of).collect();
        return Err(Error::new(Kind::Ambiguous, format!("{} entries have this name: {}", fitting.len(), ids.join(", ")))
            .with_subject(within.join(name).map_or_else(|_| format!("{name:?}"), |path| path.to_string()))
            .with_hint("name the one you mean by its id, as in REMOTE:@ID"));
    }
    Ok(fitting.pop())
}

/// Chooses among files of one name where none can be removed (ioGates): the newest file that has content. An aborted upload
/// leaves an empty file, which nobody means. Nothing is chosen where one of the entries is a folder.
pub fn newest_filled(mut entries: Vec<Entry>) -> Vec<Entry> {
    let all = entries.len();
    if entries.iter().any(|entry| !entry.incomplete) {
        entries.retain(|entry| !entry.incomplete);
    }
    if entries.iter().any(Entry::is_folder) {
        return entries;
    }
    let at = newest(&entries.iter().collect::<Vec<_>>());
    let chosen = at.and_then(|at| entries.into_iter().nth(at));
    chosen.map(|entry| Entry { passed_over: all - 1, ..entry }).into_iter().collect()
}

/// Orders entries by their time, where each has one, else by the id: ioGates counts ids upwards, and its times are whole
/// seconds.
pub fn newest(entries: &[&Entry]) -> Option<usize> {
    let timed = entries.iter().all(|entry| entry.modified.is_some());
    // The number with more digits is greater.
    let age = |at: &usize| entries.get(*at).map(|entry| (entry.modified.filter(|_| timed), entry.id.len(), entry.id.clone()));
    (0..entries.len()).max_by_key(age)
}

/// The failure for a path that does not exist.
pub fn not_found(path: &RemotePath) -> Error {
    Error::new(Kind::NotFound, "there is no such file or folder").with_subject(path.to_string())
}

/// How the id is typed after `REMOTE:`.
fn address_of(entry: &Entry) -> String {
    let kind = match entry.kind {
        EntryKind::File => "file",
        EntryKind::Folder => "folder",
    };
    format!("@{} ({kind})", entry.id)
}
