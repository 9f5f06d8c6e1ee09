//! Lists a folder on a remote from the top down. Only the sorted listings of the open folders, and those of a few folders ahead, are
//! in memory. The caller says which folder comes next.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::remote_tree::text_of;
use crate::contract::Entries;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath};
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::Filter;
use crate::transfer::walk::{FolderListing, check_depth};

/// The greatest number of listings ahead, running or finished, for each listing that may run at the same time.
const WAITING: usize = 4;

pub(super) struct RemoteLevels {
    pub client: RemoteClient,
    /// The number of listings that run at the same time.
    jobs: usize,
    /// A folder in which the filter can take nothing is not listed ahead.
    filter: Arc<Filter>,
    levels: Vec<RemoteLevel>,
}

/// An open folder.
pub(super) struct RemoteLevel {
    pub entry: Entry,
    /// The path relative to the top.
    pub path: RemotePath,
    /// Sorted by name.
    pub entries: Entries,
    /// By the positions of the entries: has the caller come to this entry?
    pub met: Vec<bool>,
    /// The folders before this position are listed ahead, or need not be.
    looked: usize,
    ahead: HashMap<usize, FolderListing>,
}

impl RemoteLevel {
    fn new(entry: Entry, path: RemotePath, mut entries: Entries) -> RemoteLevel {
        entries.sort();
        let met = vec![false; entries.len()];
        RemoteLevel { entry, path, entries, met, looked: 0, ahead: HashMap::new() }
    }

    /// Marks an entry: the caller has come to the entry.
    pub fn meet(&mut self, n: usize) {
        if let Some(met) = self.met.get_mut(n) {
            *met = true;
        }
    }

    /// Returns the first folder from a position on that the caller has not come to.
    pub fn unmet_folder(&self, from: usize) -> Option<usize> {
        (from..self.entries.len()).find(|n| self.entries.is_folder(*n) && self.met.get(*n) == Some(&false))
    }

    /// Does another folder beside the folder at this position have the same name?
    pub fn has_double(&self, n: usize) -> bool {
        let Some(entry) = self.entries.get(n) else { return false };
        self.entries.sorted_positions(&entry.name).filter(|at| self.entries.is_folder(*at)).count() > 1
    }
}

impl RemoteLevels {
    /// Lists the top. Also returns the error for the part of the top that can't be read. Fails where the top can't be listed.
    pub async fn open(client: RemoteClient, top: Entry, jobs: usize, filter: Arc<Filter>) -> Result<(RemoteLevels, Option<Error>)> {
        let (entries, left_out) = client.list_whole(&top).await?;
        let top = RemoteLevel::new(top, RemotePath::root(), entries);
        let mut levels = RemoteLevels { client, jobs, filter, levels: vec![top] };
        levels.list_ahead();
        Ok((levels, left_out))
    }

    /// Returns the innermost open folder.
    pub fn innermost(&self) -> Option<&RemoteLevel> {
        self.levels.last()
    }

    pub fn innermost_mut(&mut self) -> Option<&mut RemoteLevel> {
        self.levels.last_mut()
    }

    /// Returns the path of an entry of the innermost folder, relative to the top. Fails with `Refused` where the entry's name can be
    /// no name.
    pub fn path_of(&self, entry: &Entry) -> Result<RemotePath> {
        self.innermost().map_or_else(RemotePath::root, |level| level.path.clone()).join(&entry.name)
    }

    /// Leaves the innermost folder, and returns the folder.
    pub fn leave(&mut self) -> Option<RemoteLevel> {
        self.levels.pop()
    }

    /// Enters a folder of the innermost folder. Also returns the error for the part of the folder that can't be read. Fails with
    /// `Protocol` for a folder that lies in itself or too deep, with `Refused` as `path_of`, and where the folder can't be listed.
    pub async fn enter(&mut self, n: usize) -> Result<Option<Error>> {
        let gone = || Error::new(Kind::Other, "no such entry");
        let folder = self.innermost().and_then(|level| level.entries.get(n)).ok_or_else(gone)?;
        let path = self.path_of(&folder)?;
        check_depth(&folder, self.levels.iter().map(|level| level.entry.id.as_str()))?;
        let level = self.innermost_mut().ok_or_else(gone)?;
        level.meet(n);
        level.looked = level.looked.max(n + 1);
        let asked = level.ahead.remove(&n);
        let listing = asked.unwrap_or_else(|| self.ask(folder.clone()));
        self.list_ahead();
        let listed = listing.await.map_err(|e| Error::new(Kind::Other, "the listing broke off").with_cause(e))?;
        let (entries, left_out) = listed?;
        self.levels.push(RemoteLevel::new(folder, path, entries));
        self.list_ahead();
        Ok(left_out)
    }

    /// Says that the caller comes next to the folders of the innermost folder that the caller has passed over: they are listed
    /// ahead again.
    pub fn turn_back(&mut self) {
        if let Some(level) = self.innermost_mut() {
            level.looked = 0;
        }
        self.list_ahead();
    }

    fn ask(&self, folder: Entry) -> FolderListing {
        let client = self.client.clone();
        AbortOnDropHandle::new(tokio::spawn(async move { client.list_whole(&folder).await }))
    }

    /// Asks for the listings that are needed next: first for the next folders in the innermost folder, then for
    /// the next folders further up.
    fn list_ahead(&mut self) {
        let all = || self.levels.iter().flat_map(|level| level.ahead.values());
        let (asked, waiting) = (all().filter(|listing| !listing.is_finished()).count(), all().count());
        let mut free = self.jobs.max(1).saturating_sub(asked).min((self.jobs * WAITING).saturating_sub(waiting));
        for at in (0..self.levels.len()).rev() {
            while free > 0 {
                let Some(level) = self.levels.get_mut(at) else { break };
                let n = level.looked;
                if n >= level.entries.len() {
                    break;
                }
                level.looked += 1;
                // No `Entry` is built for a file.
                if !level.entries.is_folder(n) || level.met.get(n) != Some(&false) || level.ahead.contains_key(&n) {
                    continue;
                }
                let Some(folder) = level.entries.get(n) else { continue };
                let is_closed = |path| self.filter.closes(&text_of(&path)).is_some();
                if level.path.join(&folder.name).map_or(true, is_closed) {
                    continue;
                }
                let listing = self.ask(folder);
                if let Some(level) = self.levels.get_mut(at) {
                    level.ahead.insert(n, listing);
                }
                free -= 1;
            }
        }
    }
}
