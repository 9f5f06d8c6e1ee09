//! Folders that a filtered `rm` or `mv` may have emptied. One goes only when nothing in it was left out, and a look just before
//! shows that nothing else came into it.

use crate::error::{Error, Kind, Result};
use crate::model::Entry;
use crate::transfer::change::ConfirmedChanges;
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::Filter;

/// The folders from the top to where a walk is.
pub(crate) struct OpenFolders {
    parent: Option<Entry>,
    open: Vec<EmptiedLevel>,
}

struct EmptiedLevel {
    folder: Entry,
    path: String,
    /// Something in it stays.
    keeps: bool,
    /// Something lies in it.
    is_filled: bool,
}

/// A folder of which all was taken.
pub(crate) struct Emptied {
    pub folder: Entry,
    /// From the source down, names divided by `/`.
    pub path: String,
    pub parent: Option<Entry>,
    /// Nothing lay in it before.
    pub was_empty: bool,
    /// Nothing in it was left to another machine.
    pub is_certain: bool,
}

impl OpenFolders {
    /// `parent`: the folder that the top lies in.
    pub fn new(top: Entry, parent: Option<Entry>) -> OpenFolders {
        OpenFolders { parent, open: vec![EmptiedLevel { folder: top, path: String::new(), keeps: false, is_filled: false }] }
    }

    /// The folder of what the walk meets at this depth (1 = directly in the top).
    pub fn at(&mut self, depth: usize) -> Option<&Entry> {
        self.close(depth);
        let level = self.open.last_mut()?;
        level.is_filled = true;
        Some(&level.folder)
    }

    /// A folder that the walk never left could not be listed: it stays.
    fn close(&mut self, depth: usize) {
        while self.open.len() > depth.max(1) {
            self.open.pop();
            self.mark_kept();
        }
    }

    pub fn enter(&mut self, folder: Entry, path: String) {
        self.open.push(EmptiedLevel { folder, path, keeps: false, is_filled: false });
    }

    /// Something in the innermost folder stays.
    pub fn mark_kept(&mut self) {
        if let Some(level) = self.open.last_mut() {
            level.keeps = true;
        }
    }

    /// The folder at this depth is done; none: it stays.
    pub fn leave(&mut self, depth: usize, filter: &Filter) -> Option<Emptied> {
        self.close(depth + 1);
        let EmptiedLevel { folder, path, keeps, is_filled } = self.open.pop()?;
        // Another machine may have taken what this one leaves to it.
        if (keeps && !filter.has_shard()) || !filter.takes_emptied_folder(&path) {
            self.mark_kept();
            return None;
        }
        let parent = self.open.last().map(|level| level.folder.clone()).or_else(|| self.parent.clone());
        Some(Emptied { folder, path, parent, is_certain: !keeps, was_empty: !is_filled })
    }
}

impl Emptied {
    /// True when it is gone. Fails when it could not be looked at, or not be removed.
    pub async fn remove(&self, client: &RemoteClient, hands: &ConfirmedChanges) -> Result<bool> {
        client.invalidate_cache().await;
        let gone = |e: Error| if e.kind() == Kind::NotFound { Ok(true) } else { Err(e) };
        match client.list_whole(&self.folder).await {
            Ok((entries, None)) if entries.is_empty() => {}
            Ok(_) => return Ok(false),
            Err(error) => return gone(error),
        }
        hands.remove(&self.folder, self.parent.as_ref()).await.map(|()| true).or_else(gone)
    }
}
