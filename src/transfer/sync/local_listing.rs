//! Lists a local TO before the first file comes into it, and deletes files and folders in it. Deletions go by the open folder: they
//! never follow a link, and never leave the folder that the user named.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use cap_fs_ext::MetadataExt;
use cap_std::fs::Metadata;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::model::RemotePath;
use crate::transfer::download::open_folder::{LocalFolder, Target, display_path};
use crate::transfer::download::part_file::is_reserved;
use crate::transfer::source::change_time::ns_since_1970;

/// The facts that show whether a local file has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalState {
    /// The size in bytes.
    pub size: u64,
    /// The time of the last change of the content, in nanoseconds since 1970.
    pub modified_ns: Option<i64>,
    /// The time of the last change of the inode, in nanoseconds since 1970; none where the system does not tell the time.
    pub changed_ns: Option<i64>,
    /// The inode number of the file.
    pub inode: u64,
}

impl LocalState {
    /// Returns the state that the metadata of an entry of an open folder tells.
    pub fn of(meta: &Metadata) -> LocalState {
        let modified = meta.modified().ok().map(cap_std::time::SystemTime::into_std);
        LocalState { size: meta.len(), modified_ns: modified.map(ns_since_1970), changed_ns: ctime_ns(meta), inode: meta.ino() }
    }

    /// Opens the file that a path leads to, links followed, and returns its state.
    pub(super) fn at(path: &Path) -> io::Result<LocalState> {
        Metadata::from_file(&std::fs::File::open(path)?).map(|meta| LocalState::of(&meta))
    }
}

#[cfg(unix)]
fn ctime_ns(meta: &Metadata) -> Option<i64> {
    use cap_std::fs::MetadataExt;
    meta.ctime().checked_mul(1_000_000_000)?.checked_add(meta.ctime_nsec())
}

#[cfg(not(unix))]
fn ctime_ns(_: &Metadata) -> Option<i64> {
    None
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LocalKind {
    File,
    Folder,
    /// A link, a device or a socket.
    Other,
}

#[derive(Debug)]
pub(super) struct LocalEntry {
    /// The path relative to the top.
    pub path: RemotePath,
    pub kind: LocalKind,
    pub state: LocalState,
}

pub(super) struct LocalListing {
    top: PathBuf,
    pub entries: Vec<LocalEntry>,
    by_path: HashMap<RemotePath, usize>,
    /// The folders that can't be read.
    pub unread: Vec<(PathBuf, Error)>,
}

impl LocalListing {
    /// Makes a listing without entries, which only turns paths into local paths.
    pub fn unread(top: &Path) -> LocalListing {
        LocalListing { top: top.to_owned(), entries: Vec::new(), by_path: HashMap::new(), unread: Vec::new() }
    }

    /// Lists the folder `top` with all folders below it. The listing is empty where there is no such folder. Fails where `top`
    /// can't be opened; a folder below `top` that can't be read is noted in `unread`.
    pub fn read(top: &Path) -> Result<LocalListing> {
        let mut listing = LocalListing::unread(top);
        let mut open = vec![(LocalFolder::open(top, false)?, RemotePath::root())];
        while let Some((folder, path)) = open.pop() {
            let listed = match folder.list() {
                Ok(listed) => listed,
                Err(e) => {
                    listing.unread.push((listing.local(&path), Error::new(Kind::Local, "it can't be read").with_cause(e)));
                    continue;
                }
            };
            for (name, meta) in listed {
                // No entry on a remote can have such a name, so this run neither replaces nor deletes the file.
                let Some(at) = name.to_str().filter(|name| !is_reserved(name)).and_then(|name| path.join(name).ok()) else { continue };
                let kind = if meta.is_dir() {
                    LocalKind::Folder
                } else if meta.is_file() {
                    LocalKind::File
                } else {
                    LocalKind::Other
                };
                if kind == LocalKind::Folder {
                    match folder.enter(at.name().unwrap_or_default(), false) {
                        Ok(inner) => open.push((inner, at.clone())),
                        Err(error) => listing.unread.push((listing.local(&at), error)),
                    }
                }
                listing.by_path.insert(at.clone(), listing.entries.len());
                listing.entries.push(LocalEntry { path: at, kind, state: LocalState::of(&meta) });
            }
        }
        Ok(listing)
    }

    pub fn get(&self, path: &RemotePath) -> Option<(usize, &LocalEntry)> {
        let at = *self.by_path.get(path)?;
        self.entries.get(at).map(|entry| (at, entry))
    }

    pub fn local(&self, path: &RemotePath) -> PathBuf {
        path.names().iter().fold(self.top.clone(), |at, name| at.join(name))
    }

    pub fn display_path(&self, path: &RemotePath) -> String {
        display_path(&self.local(path))
    }
}

/// Deletes a file that has not changed, or a folder that is empty. False: nothing was deleted, as the path is gone or the folder is
/// not empty. Fails with `Exists` for a file that has changed, with `Refused` where a link is on the way, and with `Local` where the
/// system can't delete.
pub(super) fn delete(top: &LocalFolder, path: &RemotePath, kind: LocalKind, state: &LocalState) -> Result<bool> {
    let Some(target) = target(top, path)? else { return Ok(false) };
    let failed = |e: io::Error| Error::new(Kind::Local, "it can't be deleted").on_local(display_path(&target.path())).with_cause(e);
    let now = match target.metadata() {
        Ok(now) => now,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(failed(e)),
    };
    if kind == LocalKind::Folder {
        return match target.delete_empty_folder() {
            Ok(()) => Ok(true),
            Err(e) if matches!(e.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotFound) => Ok(false),
            Err(e) => Err(failed(e)),
        };
    }
    if now.is_dir() || LocalState::of(&now) != *state {
        return Err(changed_folder_error().on_local(display_path(&target.path())));
    }
    target.delete().map(|()| true).map_err(failed)
}

/// Returns the place of `path` below the open folder; none where a folder on the way is gone. Fails with `Refused` where a link is
/// on the way, and with `Exists` where a file is on the way.
pub(super) fn target(top: &LocalFolder, path: &RemotePath) -> Result<Option<Target>> {
    let Some((name, above)) = path.names().split_last() else { return Ok(None) };
    let folder = above.iter().try_fold(top.clone(), |here, name| here.enter(name, false))?;
    Ok(folder.is_open().then(|| folder.at(name)))
}

pub(super) fn changed_folder_error() -> Error {
    Error::new(Kind::Exists, "it has changed since it was looked at, so it stays")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::parse(text).unwrap()
    }

    #[test]
    fn what_is_there_is_listed_and_links_are_not_entered() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("top");
        std::fs::create_dir_all(top.join("a/b")).unwrap();
        std::fs::create_dir(dir.path().join("away")).unwrap();
        for name in ["top/a/b/f", "top/g", "top/.x.haul-part", "away/victim"] {
            std::fs::write(dir.path().join(name), "1").unwrap();
        }
        symlink(dir.path().join("away"), top.join("link")).unwrap();
        let listing = LocalListing::read(&top).unwrap();
        let mut told: Vec<_> = listing.entries.iter().map(|entry| (entry.path.to_string(), entry.kind)).collect();
        told.sort_by(|a, b| a.0.cmp(&b.0));
        let (file, folder, other) = (LocalKind::File, LocalKind::Folder, LocalKind::Other);
        let wanted = [("/a", folder), ("/a/b", folder), ("/a/b/f", file), ("/g", file), ("/link", other)];
        assert_eq!(told, wanted.map(|(path, kind)| (path.to_owned(), kind)));
        assert!(LocalListing::read(&dir.path().join("none")).unwrap().entries.is_empty());
    }

    #[test]
    fn only_what_is_as_it_was_goes_and_never_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (top, away) = (dir.path().join("top"), dir.path().join("away"));
        std::fs::create_dir_all(top.join("d")).unwrap();
        std::fs::create_dir(&away).unwrap();
        for name in ["top/d/f", "top/g", "away/f"] {
            std::fs::write(dir.path().join(name), "1").unwrap();
        }
        symlink(away.join("f"), top.join("link")).unwrap();
        let listing = LocalListing::read(&top).unwrap();
        let open = LocalFolder::open(&top, false).unwrap();
        let delete = |at: &str| {
            let (_, entry) = listing.get(&path(at)).unwrap();
            delete(&open, &entry.path, entry.kind, &entry.state).map_err(|e| e.kind())
        };
        assert_eq!(delete("/d"), Ok(false), "it holds something");
        std::fs::write(top.join("g"), "22").unwrap();
        assert_eq!(delete("/g"), Err(Kind::Exists), "it has changed");
        assert_eq!(delete("/link"), Ok(true), "the link itself");
        // Somebody puts a link in the place of the folder.
        std::fs::rename(top.join("d"), top.join("e")).unwrap();
        symlink(&away, top.join("d")).unwrap();
        assert_eq!(delete("/d/f"), Err(Kind::Refused));
        assert!(away.join("f").exists() && top.join("e/f").exists() && top.join("g").exists());
        std::fs::remove_file(top.join("d")).unwrap();
        assert_eq!(delete("/d/f"), Ok(false), "it is gone");
    }
}
