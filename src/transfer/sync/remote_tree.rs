//! All that a folder on a remote holds, listed once: a few listings at a time, and each row as small as its listing keeps it.

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
    /// The top comes first, and each folder behind the one that it lies in.
    pub folders: Vec<TreeFolder>,
    by_path: HashMap<RemotePath, usize>,
    /// What could not be listed, or not all of it.
    pub unread: Vec<(Entry, Error)>,
}

pub(super) struct TreeFolder {
    pub entry: Entry,
    /// Seen from the top.
    pub path: RemotePath,
    /// The folder that it lies in.
    pub above: Option<usize>,
    /// Sorted by name.
    pub entries: Entries,
}

/// Where an entry stands: its folder, and its place in that.
pub(super) type At = (usize, usize);

impl RemoteTree {
    /// Lists everything below `top`, `jobs` folders at once, but for folders in which the filter can take nothing. Fails where
    /// every further listing would.
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

    /// The folder and those above it, up to the top.
    pub fn chain(&self, at: usize) -> impl Iterator<Item = &TreeFolder> {
        let above = |folder: &&TreeFolder| folder.above.and_then(|at| self.folders.get(at));
        std::iter::successors(self.folders.get(at), above)
    }

    /// The folder at a path, seen from the top. Of two of one path the first.
    pub fn folder(&self, path: &RemotePath) -> Option<(usize, &TreeFolder)> {
        let at = *self.by_path.get(path)?;
        self.folders.get(at).map(|folder| (at, folder))
    }

    pub fn entry(&self, (folder, n): At) -> Option<Entry> {
        self.folders.get(folder)?.entries.get(n)
    }

    /// A folder that is listed later.
    pub fn begin_folder(&mut self, entry: Entry, path: RemotePath, above: Option<usize>) {
        let entries = Entries::all(Rows::default(), Arc::default(), &entry.path, |path, _, _| path.clone());
        self.folders.push(TreeFolder { entry, path, above, entries });
    }

    pub fn fill(&mut self, at: usize, entries: Entries) {
        if let Some(folder) = self.folders.get_mut(at) {
            folder.entries = entries;
        }
    }

    /// Drops a folder that is the last one.
    pub fn drop_last(&mut self, at: usize) {
        if at + 1 == self.folders.len() {
            self.folders.pop();
        }
    }
}

impl TreeFolder {
    /// Where the entries of a name stand.
    pub fn find_by_name(&self, name: &str) -> Range<usize> {
        self.entries.sorted_positions(name)
    }
}

/// As a filter wants a path: names divided by `/`.
pub(super) fn text_of(path: &RemotePath) -> String {
    path.names().join("/")
}
