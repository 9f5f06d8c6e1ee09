//! Lists a folder on a remote once, with all folders below it. The entries stay as small in memory as their listings keep them.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::contract::Entries;
use crate::contract::entry_list::Rows;
use crate::error::{Error, Result};
use crate::model::{Entry, RemotePath};
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::Filter;
use crate::transfer::walk::{check_depth, is_fatal};

#[derive(Default)]
pub(super) struct RemoteTree {
    /// The top comes first. Each folder comes after the folder that holds it.
    pub folders: Vec<TreeFolder>,
    by_path: HashMap<RemotePath, usize>,
    /// The folders that can't be listed, or not whole, and the folders whose name can't be used.
    pub unread: Vec<(Entry, Error)>,
}

pub(super) struct TreeFolder {
    pub entry: Entry,
    /// The path relative to the top.
    pub path: RemotePath,
    /// The position of the folder above; none for the top.
    pub above: Option<usize>,
    /// Sorted by name.
    pub entries: Entries,
}

/// The position of an entry: the position of its folder in the tree, and the position of the entry in the folder's listing.
pub(super) type At = (usize, usize);

impl RemoteTree {
    /// Lists everything below `top`, `jobs` folders at the same time. Folders in which the filter can take nothing are not listed.
    /// Fails where all further listings would fail alike; any other failure is noted in `unread`.
    pub async fn list(client: &RemoteClient, top: Entry, jobs: usize, filter: &Filter) -> Result<RemoteTree> {
        let mut tree = RemoteTree::default();
        let mut waiting = VecDeque::from([(top, RemotePath::root(), None)]);
        let mut asked = FuturesUnordered::new();
        loop {
            while asked.len() < jobs.max(1)
                && let Some((folder, path, above)) = waiting.pop_front()
            {
                let client = client.clone();
                asked.push(async move {
                    let listed = client.list_whole(&folder).await;
                    (folder, path, above, listed)
                });
            }
            let Some((folder, path, above, listed)) = asked.next().await else { break };
            let (mut entries, left_out) = match listed {
                Ok(listed) => listed,
                Err(error) if is_fatal(error.kind()) => return Err(error),
                Err(error) => {
                    tree.unread.push((folder, error));
                    continue;
                }
            };
            tree.unread.extend(left_out.map(|error| (folder.clone(), error)));
            entries.sort();
            let at = tree.folders.len();
            tree.by_path.entry(path.clone()).or_insert(at);
            let below: Vec<Entry> = (0..entries.len()).filter(|n| entries.is_folder(*n)).filter_map(|n| entries.get(n)).collect();
            tree.folders.push(TreeFolder { entry: folder, path: path.clone(), above, entries });
            for folder in below {
                let ids = tree.chain(at).map(|above| above.entry.id.as_str());
                match check_depth(&folder, ids).and_then(|()| path.join(&folder.name)) {
                    Ok(path) if filter.closes(&text_of(&path)).is_some() => {}
                    Ok(path) => waiting.push_back((folder, path, Some(at))),
                    Err(error) => tree.unread.push((folder, error)),
                }
            }
        }
        Ok(tree)
    }

    /// Returns a folder and the folders above it, up to the top.
    pub fn chain(&self, at: usize) -> impl Iterator<Item = &TreeFolder> {
        let above = |folder: &&TreeFolder| folder.above.and_then(|at| self.folders.get(at));
        std::iter::successors(self.folders.get(at), above)
    }

    /// Returns the folder at a path relative to the top. Where two folders have the path, the first one is returned.
    pub fn folder(&self, path: &RemotePath) -> Option<(usize, &TreeFolder)> {
        let at = *self.by_path.get(path)?;
        self.folders.get(at).map(|folder| (at, folder))
    }

    pub fn entry(&self, (folder, n): At) -> Option<Entry> {
        self.folders.get(folder)?.entries.get(n)
    }

    /// Adds a folder without entries; `fill` adds the entries later.
    pub fn begin_folder(&mut self, entry: Entry, path: RemotePath, above: Option<usize>) {
        let entries = Entries::all(Rows::default(), Arc::default(), &entry.path, |path, _, _| path.clone());
        self.folders.push(TreeFolder { entry, path, above, entries });
    }

    pub fn fill(&mut self, at: usize, entries: Entries) {
        if let Some(folder) = self.folders.get_mut(at) {
            folder.entries = entries;
        }
    }

    /// Removes a folder, if the folder is the last of the tree.
    pub fn drop_last(&mut self, at: usize) {
        if at + 1 == self.folders.len() {
            self.folders.pop();
        }
    }
}

impl TreeFolder {
    /// Returns the positions of the entries of a name.
    pub fn find_by_name(&self, name: &str) -> Range<usize> {
        self.entries.sorted_positions(name)
    }
}

/// Returns a path as the filter needs it: the names divided by `/`.
pub(super) fn text_of(path: &RemotePath) -> String {
    path.names().join("/")
}
