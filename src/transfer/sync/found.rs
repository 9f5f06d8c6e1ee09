//! FROM as a walk meets it: what is to be at TO, and what is there for another reason. Paths are seen from FROM.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::remote_from::RemoteFrom;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath};
use crate::transfer::filter::Filter;
use crate::transfer::local_tree::{LocalFound, LocalTree};
use crate::transfer::source::file::unreadable;
use crate::transfer::steps_ahead::StepsAhead;

pub(super) enum Found {
    /// It is to be at TO.
    File(FoundFile),
    /// FROM has this folder.
    Folder(RemotePath),
    /// It is to be at TO, and no file makes it.
    EmptyFolder(RemotePath),
    /// FROM has it, and it is not wanted: it is not what FROM lacks. What is to be told of it.
    LeftOut {
        path: Option<RemotePath>,
        note: String,
    },
    /// As `LeftOut`, of what nobody can bring (a pipe, a socket, a device).
    Special {
        path: Option<RemotePath>,
        note: String,
    },
    /// It changed a moment ago, and is left for the next run.
    Unsettled(FoundFile, String),
    Unfit(Unfit),
}

/// What can't be brought.
pub(super) struct Unfit {
    /// How a person calls it.
    pub shown: String,
    /// Of a remote FROM: where it is.
    pub at: Option<RemotePath>,
    pub error: Error,
    /// A folder, of which nobody knows what it holds.
    pub is_unread: bool,
}

pub(super) struct FoundFile {
    pub folder: RemotePath,
    pub name: String,
    /// Bytes, as far as known.
    pub size: Option<u64>,
    pub at: FoundAt,
}

pub(super) enum FoundAt {
    Local(PathBuf),
    /// The file and the folder that it lies in.
    Remote(Box<Entry>, Arc<Entry>),
}

/// A walk over FROM: folder by folder, each sorted by name.
pub(super) enum From {
    /// In a thread of its own.
    Local(PathBuf, StepsAhead<LocalFound>),
    Remote(Box<RemoteFrom>),
}

impl From {
    /// What is in a local folder. `filter`: with the files of patterns in it.
    pub fn local(top: &Path, filter: Arc<Filter>) -> From {
        let (tree, root) = (top.to_owned(), RemotePath::root());
        let walk = move || LocalTree::new(&tree, &root).filtered(filter, String::new()).telling_folders();
        From::Local(top.to_owned(), StepsAhead::of(walk))
    }

    /// None at the end. Fails where every further step would.
    pub async fn next(&mut self) -> Result<Option<Found>> {
        match self {
            From::Remote(walk) => walk.next().await,
            From::Local(_, walk) => {
                let broken = |e| Error::new(Kind::Other, "the source could not be read to its end").with_cause(e);
                Ok(walk.next().await.map_err(broken)?.map(Found::from))
            }
        }
    }

    /// How a person calls FROM.
    pub fn shown(&self) -> String {
        match self {
            From::Local(top, _) => top.display().to_string(),
            From::Remote(walk) => walk.shown(),
        }
    }
}

impl std::convert::From<LocalFound> for Found {
    fn from(found: LocalFound) -> Found {
        match found {
            LocalFound::File { path, folder, name, size } => {
                Found::File(FoundFile { folder, name, size: Some(size), at: FoundAt::Local(path) })
            }
            LocalFound::Folder(path) => Found::Folder(path),
            LocalFound::EmptyFolder(path) => Found::EmptyFolder(path),
            LocalFound::Unfit { shown, error } => {
                let is_unread = Path::new(&shown).is_dir();
                Found::Unfit(Unfit { shown, at: None, error, is_unread })
            }
            LocalFound::LeftOut(note, path) => Found::LeftOut { path, note },
            LocalFound::Special(note, path) => Found::Special { path, note },
        }
    }
}

/// Fails with `Usage` for what is no folder, and with `Refused` for one that can't be read.
pub(super) fn check_local(path: &Path) -> Result<()> {
    let meta = std::fs::metadata(path).map_err(|e| unreadable(path, e))?;
    let shown = path.display().to_string();
    if !meta.is_dir() {
        let hint = format!("`haul put` carries single files: haul put {shown} …");
        return Err(Error::new(Kind::Usage, "sync takes a folder, and this is none").on_local(shown).with_hint(hint));
    }
    match std::fs::read_dir(path) {
        Ok(_) => Ok(()),
        Err(e) => Err(Error::new(Kind::Refused, "the source can't be read, so nothing was done").on_local(shown).with_cause(e)),
    }
}
