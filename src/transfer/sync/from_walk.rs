//! Walks over FROM, on this machine or on a remote.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::from_steps::FromStep;
use super::remote_from::RemoteFrom;
use crate::error::{Error, Kind, Result};
use crate::model::RemotePath;
use crate::transfer::filter::Filter;
use crate::transfer::local_tree::{LocalFound, LocalTree};
use crate::transfer::source::file::unreadable;
use crate::transfer::steps_ahead::StepsAhead;

/// A walk over FROM, folder by folder. The entries of each folder are sorted by name.
pub(super) enum FromWalk {
    /// The walk runs in its own thread.
    Local(PathBuf, StepsAhead<LocalFound>),
    Remote(Box<RemoteFrom>),
}

impl FromWalk {
    /// Begins a walk over a local folder. `filter`: the filter with the `.haulignore` files of the folder.
    pub fn local(top: &Path, filter: Arc<Filter>) -> FromWalk {
        let (tree, root) = (top.to_owned(), RemotePath::root());
        let walk = move || LocalTree::new(&tree, &root).with_filter(filter, String::new()).telling_folders();
        FromWalk::Local(top.to_owned(), StepsAhead::of(walk))
    }

    /// Returns the next step; none at the end. Fails where the next steps would fail alike.
    pub async fn next(&mut self) -> Result<Option<FromStep>> {
        match self {
            FromWalk::Remote(walk) => walk.next().await,
            FromWalk::Local(_, walk) => {
                let broken = |e| Error::new(Kind::Other, "the source could not be read to its end").with_cause(e);
                Ok(walk.next().await.map_err(broken)?.map(FromStep::from))
            }
        }
    }

    /// Returns the path or address of FROM, for messages.
    pub fn display(&self) -> String {
        match self {
            FromWalk::Local(top, _) => top.display().to_string(),
            FromWalk::Remote(walk) => walk.display(),
        }
    }
}

/// Checks that a local FROM is a folder that can be read. Fails with `NotFound` or `Local` for a path that can't be looked at, with
/// `Usage` for a file, and with `Refused` for a folder that can't be listed.
pub(super) fn check_local(path: &Path) -> Result<()> {
    let meta = std::fs::metadata(path).map_err(|e| unreadable(path, e))?;
    let shown = path.display().to_string();
    if !meta.is_dir() {
        let hint = format!("`haul put` carries single files: haul put {shown} …");
        return Err(Error::new(Kind::Usage, "sync takes a folder, and this is not a folder").on_local(shown).with_hint(hint));
    }
    match std::fs::read_dir(path) {
        Ok(_) => Ok(()),
        Err(e) => Err(Error::new(Kind::Refused, "the source can't be read, so nothing was done").on_local(shown).with_cause(e)),
    }
}
