//! The steps of a walk over FROM: what is to be at TO, and what stays out of TO. Paths are relative to FROM.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Kind};
use crate::model::{Entry, RemotePath};
use crate::transfer::local_tree::LocalFound;

pub(super) enum FromStep {
    /// The file is to be at TO.
    File(FromFile),
    /// FROM has this folder. The steps of its content follow.
    Folder(RemotePath),
    /// The folder is to be at TO, and no file in it makes it there.
    EmptyFolder(RemotePath),
    /// The filter leaves this entry of FROM out. As FROM has the entry, TO keeps its own entry of that path. `note`: the message
    /// about the entry.
    LeftOut {
        path: Option<RemotePath>,
        note: String,
    },
    /// As `LeftOut`, for a file that can't be sent (a pipe, a socket, a device).
    Special {
        path: Option<RemotePath>,
        note: String,
    },
    /// The file changed a moment ago, and is left for the next run. The text says why.
    Unsettled(FromFile, String),
    Rejected(Rejected),
}

impl FromStep {
    /// Returns the path of the step's file or folder; none where there is no such path.
    pub fn path(&self) -> Option<RemotePath> {
        match self {
            FromStep::File(file) | FromStep::Unsettled(file, _) => file.folder.join(&file.name).ok(),
            FromStep::Folder(path) | FromStep::EmptyFolder(path) => Some(path.clone()),
            FromStep::LeftOut { path, .. } | FromStep::Special { path, .. } => path.clone(),
            FromStep::Rejected(_) => None,
        }
    }
}

/// A file or folder of FROM that can't be read or sent.
pub(super) struct Rejected {
    /// Its path or address, for messages.
    pub shown: String,
    /// Its path on the remote; none for a local FROM.
    pub at: Option<RemotePath>,
    pub error: Error,
    /// This is a folder whose content is not known, or not whole.
    pub is_unread: bool,
}

pub(super) struct FromFile {
    pub folder: RemotePath,
    pub name: String,
    /// The size in bytes, where it is known.
    pub size: Option<u64>,
    pub at: FileAt,
}

pub(super) enum FileAt {
    Local(PathBuf),
    /// The file, and the folder that the file lies in.
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

/// Makes the error for a line of a list that names nothing in FROM.
pub(super) fn not_there() -> Error {
    Error::new(Kind::NotFound, "the list names it, and FROM has nothing there")
}
