//! All that a folder on a remote holds, listed once: a few listings at a time, and each row as small as its listing keeps it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::Range;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::contract::Entries;
use crate::contract::walk::newest_filled;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event, RemotePath};
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

    pub fn is_listed(&self) -> bool {
        !self.folders.is_empty()
    }

    /// The folder at a path, seen from the top. Of two of one path the first.
    pub fn folder(&self, path: &RemotePath) -> Option<(usize, &TreeFolder)> {
        let at = *self.by_path.get(path)?;
        self.folders.get(at).map(|folder| (at, folder))
    }

    /// Folders whose path another one has, too.
    pub fn doubles(&self) -> impl Iterator<Item = &TreeFolder> {
        self.folders.iter().enumerate().filter(|(at, folder)| self.by_path.get(&folder.path) != Some(at)).map(|(_, folder)| folder)
    }

    pub fn entry(&self, (folder, n): At) -> Option<Entry> {
        self.folders.get(folder)?.entries.get(n)
    }

    /// Files that count: those that never got their bytes don't.
    pub fn files(&self) -> impl Iterator<Item = (At, Entry)> + '_ {
        self.folders.iter().enumerate().flat_map(|(folder, listed)| {
            let files = (0..listed.entries.len()).filter(|n| !listed.entries.is_folder(*n));
            files.filter_map(move |n| listed.entries.get(n).map(|entry| ((folder, n), entry)))
        })
    }

    /// Is a folder of that id in it?
    pub fn has_folder(&self, id: &str) -> bool {
        self.folders.iter().any(|folder| folder.entry.id == id)
    }
}

impl TreeFolder {
    /// Where the entries of a name stand.
    pub fn named(&self, name: &str) -> Range<usize> {
        self.entries.sorted_positions(name)
    }
}

/// What of a tree is to be brought elsewhere.
#[derive(Default)]
pub(super) struct Selection {
    /// In the order of their folders.
    pub files: Vec<At>,
    /// By their places in the tree; the top is not among them.
    pub folders: Vec<usize>,
    /// Entries that can't be brought, each with its reason.
    pub unfit: Vec<(Entry, Error)>,
    /// Files that the filter leaves out: FROM has them, so they are not what it lacks.
    pub left_out: Vec<At>,
    /// Of these the ones that changed a moment ago, each with its reason.
    pub unsettled: Vec<(Entry, String)>,
    pub bytes: u64,
}

/// All of it that can be brought. Two entries of one name can't: the second would take the place of the first. Where nothing
/// can be removed the newest is meant. `check`: may something have this name there?
pub(super) fn select(tree: &RemoteTree, client: &RemoteClient, check: impl Fn(&str) -> Result<()>) -> Selection {
    let piles_up = client.has(|can| can.keeps_every_version());
    let mut selection = Selection::default();
    // Folders that are left out, with all that lies in them.
    let mut out: HashSet<usize> = HashSet::new();
    let mut refused: HashSet<(usize, String)> = HashSet::new();
    for (at, folder) in tree.folders.iter().enumerate() {
        if let Some(above) = folder.above {
            if out.contains(&above) || refused.contains(&(above, folder.entry.id.clone())) {
                out.insert(at);
                continue;
            }
            selection.folders.push(at);
        }
        let mut n = 0;
        while n < folder.entries.len() {
            let mut end = n + 1;
            while folder.entries.has_same_name(n, end) {
                end += 1;
            }
            let mut named: Vec<(usize, Entry)> = (n..end).filter_map(|n| folder.entries.get(n).map(|entry| (n, entry))).collect();
            n = end;
            for (_, entry) in named.iter().filter(|(_, entry)| entry.incomplete) {
                client.events.tell(Event::Note(format!("{}: an upload that never ended, left out", entry.path)));
            }
            named.retain(|(_, entry)| !entry.incomplete);
            if piles_up && named.len() > 1 {
                let chosen = newest_filled(named.iter().map(|(_, entry)| entry.clone()).collect());
                chosen.iter().for_each(|entry| client.tell_passed_over(entry));
                named.retain(|(_, entry)| chosen.iter().any(|chosen| chosen.id == entry.id));
            }
            let ids: Vec<String> = named.iter().map(|(_, entry)| format!("@{}", entry.id)).collect();
            for (n, entry) in named {
                let fits = match ids.len() {
                    1 => folder.path.join(&entry.name).and_then(|_| check(&entry.name)),
                    many => Err(Error::new(Kind::Ambiguous, format!("{many} entries have this name: {}", ids.join(", ")))
                        .with_hint("give each a name of its own, or bring them one by one by their ids")),
                };
                match fits {
                    Ok(()) if entry.is_folder() => {}
                    Ok(()) => {
                        selection.bytes = selection.bytes.saturating_add(entry.size.unwrap_or(0));
                        selection.files.push((at, n));
                    }
                    Err(error) => {
                        if entry.is_folder() {
                            refused.insert((at, entry.id.clone()));
                        }
                        selection.unfit.push((entry, error));
                    }
                }
            }
        }
    }
    selection
}

/// As a filter wants a path: names divided by `/`.
pub(super) fn text_of(path: &RemotePath) -> String {
    path.names().join("/")
}
