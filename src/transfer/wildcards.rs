//! Wildcards in remote paths. haul expands them, as a shell can't see a remote. And remotes that fail while several addresses are
//! looked up.

use std::collections::{HashMap, HashSet};

use super::client::RemoteClient;
use super::filter::{PathPattern, is_pattern};
use super::walk::{TreeWalk, WalkEvent, is_fatal};
use crate::error::{Error, Kind, Result};
use crate::model::{Address, Entry, EntryKind, Place, RemotePath};

/// The number of folders that are listed at once while a pattern is expanded.
const JOBS: usize = 4;

/// The entries that `address` names, sorted by path: those that fit its wildcards, or the entry at its path. Where an entry has
/// the pattern itself as its name, only that entry is meant. A file that the server keeps under another name than the one it was
/// put under fits by either. `literal` takes every character as it stands. Fails with `NotFound` when there is no such entry.
/// After `**` an entry may lie in another one: see [`drop_nested`].
pub async fn expand(client: &RemoteClient, address: &Address, literal: bool) -> Result<Vec<Entry>> {
    let place = &address.place;
    let names = place.path.names();
    let Some(plain) = names.iter().position(|name| is_pattern(name)).filter(|_| !literal) else {
        return Ok(vec![client.stat(place).await?]);
    };
    let (plain, wild) = names.split_at(plain);
    let base = client.stat(&Place { root: place.root.clone(), path: RemotePath::parse(&plain.join("/"))? }).await?;
    let wished = client.learned.as_ref().map(|learned| learned.below(&base.path)).unwrap_or_default();
    let pattern = PathPattern::new(wild);
    let mut scan = {
        let (top, pattern) = (base.path.clone(), pattern.clone());
        TreeWalk::new(client.clone(), base.clone(), JOBS, move |folder, _| pattern.can_match_below(&folder.path, &top))
    };
    let (mut found, mut by_wish, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    let mut like_the_pattern = false;
    while let Some(step) = scan.next().await? {
        match step {
            WalkEvent::Entry { entry, depth, .. } => {
                like_the_pattern |= depth == 1 && wild.first() == Some(&entry.name);
                if pattern.fits(&entry.path, &base.path) {
                    if !wished.is_empty() {
                        seen.insert(entry.path.clone());
                    }
                    if entry.is_folder() || !address.folder {
                        found.push(entry);
                    }
                } else if let Some(wish) = wished.get(&entry.path).filter(|wish| pattern.fits(wish, &base.path))
                    && !entry.is_folder()
                    && !address.folder
                {
                    by_wish.push((wish, entry));
                }
            }
            // A folder that was removed meanwhile counts as empty.
            WalkEvent::Failed { error, depth, .. } if error.kind() == Kind::NotFound && depth > 0 => {}
            WalkEvent::Failed { error, .. } => return Err(error),
            WalkEvent::Left { .. } => {}
        }
    }
    if like_the_pattern {
        match client.stat(place).await {
            Err(error) if error.kind() == Kind::NotFound => {}
            literally => return literally.map(|entry| vec![entry]),
        }
    }
    // A file that has the wished name itself is the one that is meant.
    let by_wish: Vec<Entry> = by_wish.into_iter().filter(|(wish, _)| !seen.contains(*wish)).map(|(_, entry)| entry).collect();
    if !by_wish.is_empty() {
        found.extend(by_wish);
        found.sort_by(|a, b| a.path.cmp(&b.path));
    }
    if found.is_empty() {
        return Err(Error::new(Kind::NotFound, "nothing there matches these wildcards").with_subject(address.to_string()));
    }
    Ok(found)
}

/// Remotes that can't be reached, each with its failure: further places on them fail alike, without another try.
pub struct FailedRemotes {
    several: bool,
    remotes: HashMap<String, Error>,
}

impl FailedRemotes {
    /// `addresses`: how many there are to be looked up.
    pub fn of(addresses: usize) -> FailedRemotes {
        FailedRemotes { several: addresses > 1, remotes: HashMap::new() }
    }

    /// The inner failure belongs to this address. The outer failure ends the command: there is no other address, or the user
    /// has stopped the work.
    ///
    /// # Errors
    /// The outer failure.
    pub async fn ask<T>(&mut self, address: &Address, ask: impl AsyncFnOnce() -> Result<T>) -> Result<Result<T>> {
        let remote = address.remote.to_lowercase();
        if let Some(why) = self.remotes.get(&remote) {
            return Ok(Err(why.duplicate()));
        }
        match ask().await {
            Err(error) if !self.several || error.kind() == Kind::Cancelled => Err(error),
            Err(error) => {
                if is_fatal(error.kind()) {
                    self.remotes.insert(remote, error.duplicate());
                }
                Ok(Err(error.with_remote(&address.remote).with_subject(address.to_string())))
            }
            found => Ok(found),
        }
    }
}

/// Leaves out entries that lie in another entry of the list: for commands that treat folders as a whole.
pub fn drop_nested(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        let inside =
            |folder: &Entry| folder.kind == EntryKind::Folder && folder.path != entry.path && entry.path.below(&folder.path).is_some();
        if !kept.last().is_some_and(inside) {
            kept.push(entry);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::parse(text).unwrap()
    }

    #[test]
    fn what_lies_in_another_is_left_out() {
        let entry = |kind, text: &str| Entry::new(kind, text, path(text));
        let (file, folder) = (|t| entry(EntryKind::File, t), |t| entry(EntryKind::Folder, t));
        let kept = drop_nested(vec![file("/a/b/c"), file("/a b"), folder("/a"), file("/ab"), file("/x"), file("/x"), folder("/a/b")]);
        assert_eq!(kept.iter().map(|e| e.path.to_string()).collect::<Vec<_>>(), ["/a", "/a b", "/ab", "/x", "/x"]);
    }
}
