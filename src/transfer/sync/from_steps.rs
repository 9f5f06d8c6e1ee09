//! FROM as a walk meets it: what is to be at TO, and what is there for another reason. Paths are seen from FROM.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Kind};
use crate::model::{Entry, RemotePath};
use crate::transfer::local_tree::LocalFound;

pub(super) enum FromStep {
    /// It is to be at TO.
    File(FromFile),
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
    Unsettled(FromFile, String),
    Rejected(Rejected),
}

impl FromStep {
    /// Where FROM has it.
    pub fn path(&self) -> Option<RemotePath> {
        match self {
            FromStep::File(file) | FromStep::Unsettled(file, _) => file.folder.join(&file.name).ok(),
            FromStep::Folder(path) | FromStep::EmptyFolder(path) => Some(path.clone()),
            FromStep::LeftOut { path, .. } | FromStep::Special { path, .. } => path.clone(),
            FromStep::Rejected(_) => None,
        }
    }
}

/// What can't be brought.
pub(super) struct Rejected {
    /// How a person calls it.
    pub shown: String,
    /// Of a remote FROM: where it is.
    pub at: Option<RemotePath>,
    pub error: Error,
    /// A folder, of which nobody knows what it holds.
    pub is_unread: bool,
}

pub(super) struct FromFile {
    pub folder: RemotePath,
    pub name: String,
    /// Bytes, as far as known.
    pub size: Option<u64>,
    pub at: FileAt,
}

pub(super) enum FileAt {
    Local(PathBuf),
    /// The file and the folder that it lies in.
    Remote(Box<Entry>, Arc<Entry>),
}

impl From<LocalFound> for FromStep {
    fn from(found: LocalFound) -> FromStep {
        match found {
            LocalFound::File { path, folder, name, size } => {
                FromStep::File(FromFile { folder, name, size: Some(size), at: FileAt::Local(path) })
            }
            LocalFound::Folder(path) => FromStep::Folder(path),
            LocalFound::EmptyFolder(path) => FromStep::EmptyFolder(path),
            LocalFound::Rejected { shown, error } => {
                let is_unread = Path::new(&shown).is_dir();
                FromStep::Rejected(Rejected { shown, at: None, error, is_unread })
            }
            LocalFound::LeftOut(note, path) => FromStep::LeftOut { path, note },
            LocalFound::Special(note, path) => FromStep::Special { path, note },
        }
    }
}

/// A line of a list that FROM has nothing for.
pub(super) fn not_there() -> Error {
    Error::new(Kind::NotFound, "the list names it, and FROM has nothing there")
}
