//! Wildcards in remote paths. haul expands them, as a shell can't see a remote.

use std::collections::HashMap;

use super::abilities::{LIST, require};
use super::connection::Connection;
use super::context::{Context, OpenRemote};
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{Address, Entry, EntryKind, Place, RemotePath, Report, Root};
use crate::transfer::filter::{PathPattern, is_pattern};
use crate::transfer::walk::{TreeWalk, WalkEvent, is_fatal};

/// The number of folders that are listed at once while a pattern is expanded.
const JOBS: usize = 4;

/// The entries that `address` names, sorted by path: those that fit its wildcards, or the entry at its path. Where an entry has
/// the pattern itself as its name, only that entry is meant. `literal` takes every character as it stands. Fails with
/// `NotFound` when there is no such entry. After `**` an entry may lie in another one: see [`drop_nested`].
pub async fn expand(context: &Context, remote: &OpenRemote, address: &Address, literal: bool) -> Result<Vec<Entry>> {
    let calls = context.client(remote);
    let stat = async |place: &Place| calls.stat(place).await;
    let place = &address.place;
    let names = place.path.names();
    let Some(plain) = names.iter().position(|name| is_pattern(name)).filter(|_| !literal) else {
        return Ok(vec![stat(place).await?]);
    };
    let (plain, wild) = names.split_at(plain);
    let base = stat(&Place { root: place.root.clone(), path: RemotePath::parse(&plain.join("/"))? }).await?;
    let pattern = PathPattern::new(wild);
    let mut scan = {
        let (top, pattern) = (base.path.clone(), pattern.clone());
        TreeWalk::new(calls.clone(), base.clone(), JOBS, move |folder, _| pattern.can_match_below(&folder.path, &top))
    };
    let mut found = Vec::new();
    let mut like_the_pattern = false;
    while let Some(step) = scan.next().await? {
        match step {
            WalkEvent::Entry { entry, depth, .. } => {
                like_the_pattern |= depth == 1 && wild.first() == Some(&entry.name);
                if pattern.fits(&entry.path, &base.path) && (entry.is_folder() || !address.folder) {
                    found.push(entry);
                }
            }
            // A folder that was removed meanwhile counts as empty.
            WalkEvent::Failed { error, depth, .. } if error.kind() == Kind::NotFound && depth > 0 => {}
            WalkEvent::Failed { error, .. } => return Err(error),
            WalkEvent::Left { .. } => {}
        }
    }
    if like_the_pattern {
        match stat(place).await {
            Err(error) if error.kind() == Kind::NotFound => {}
            literally => return literally.map(|entry| vec![entry]),
        }
    }
    if found.is_empty() {
        return Err(Error::new(Kind::NotFound, "nothing there fits these wildcards").with_subject(address.to_string()));
    }
    Ok(found)
}

/// The entries that several addresses name. An address that names nothing is one failed place, and the rest is done.
#[derive(Default)]
pub struct Places {
    pub found: Vec<Address>,
    pub failed: Vec<(Address, Error)>,
}

/// The addresses, with each pattern replaced by the outermost entries that fit it: for commands that treat folders as a whole.
/// A single address that names nothing fails with `NotFound`.
pub async fn places(context: &Context, addresses: Vec<Address>, literal: bool, connection: Connection) -> Result<Places> {
    let mut lost = FailedRemotes::of(addresses.len());
    let mut places = Places::default();
    for address in addresses {
        if literal || !address.place.path.names().iter().any(|name| is_pattern(name)) {
            places.found.push(address);
            continue;
        }
        let remote = context.open(&address.remote, connection)?;
        require(&remote, &LIST)?;
        let entries = match lost.ask(&address, async || expand(context, &remote, &address, literal).await).await? {
            Ok(entries) => drop_nested(entries),
            Err(error) => {
                places.failed.push((address, error));
                continue;
            }
        };
        for entry in entries {
            // The path of an entry below an id does not begin at the root, so the entry's own id names it.
            let place = match &address.place.root {
                Root::Top => Place::at(entry.path),
                Root::Id(_) => Place { root: Root::Id(entry.id), path: RemotePath::root() },
            };
            places.found.push(Address { remote: address.remote.clone(), place, folder: false });
        }
    }
    Ok(places)
}

/// Remotes that can't be reached, each with its failure: further places on them fail alike, without another try.
pub struct FailedRemotes {
    several: bool,
    remotes: HashMap<String, Error>,
}

impl FailedRemotes {
    pub fn of(addresses: usize) -> FailedRemotes {
        FailedRemotes { several: addresses > 1, remotes: HashMap::new() }
    }

    /// The inner failure belongs to this address. The outer failure ends the command: there is no other address, or the user
    /// has stopped the work.
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

/// A failed place, for reports.
pub fn failure(address: &Address, error: &Error) -> Report {
    let path = address.place.display_path(&address.place.path);
    Report::Failed(Failure::new(error).of_source(address.to_string()).at(address.remote.clone(), path))
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
