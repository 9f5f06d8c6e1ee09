//! A walk over all that is below a folder on a remote: depth first, each folder sorted, with a few folders listed ahead. The open
//! levels and those listings are in memory, never the whole tree. A folder that can't be listed is reported, and the walk goes
//! on.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::client::RemoteClient;
use crate::contract::{Entries, EntryOrder};
use crate::error::{Error, Kind, Result};
use crate::model::Entry;

/// The largest depth of a walk, deeper than any tree that people make: a server may invent a folder in each folder.
const MAX_DEPTH: usize = 1000;

/// What the walk finds.
pub enum WalkEvent {
    /// `depth` 1 = directly in the top; `last` = nothing follows it in its folder.
    Entry { entry: Entry, depth: usize, last: bool },
    /// All entries of this folder have been returned. The top (depth 0) comes last.
    Left { folder: Entry, depth: usize },
    /// This folder could not be listed, or not all of it; the walk goes on.
    Failed { folder: Entry, depth: usize, error: Error },
}

/// Decides whether a folder at a depth is listed, too. Called for folders ahead, in any order.
pub type Into = Arc<dyn Fn(&Entry, usize) -> bool + Send + Sync>;

pub struct TreeWalk {
    client: RemoteClient,
    /// The number of listings at once, the awaited one included.
    jobs: usize,
    folders_only: bool,
    into: Into,
    /// The folder that the next step lists.
    coming: Option<Pending>,
    /// The open levels, from the top down.
    levels: Vec<TreeLevel>,
    /// Entries that can't be read are a failure of their folder, not a warning.
    all: bool,
    /// Such a failure, which is returned before the other entries of the folder.
    left_out: Option<Error>,
    /// None: by the bytes of the names.
    order: Option<EntryOrder>,
}

pub(super) type FolderListing = AbortOnDropHandle<Result<(Entries, Option<Error>)>>;

struct Pending {
    folder: Entry,
    listing: Option<FolderListing>,
}

struct TreeLevel {
    folder: Entry,
    /// The entries that the walk has not passed yet, by name.
    entries: Entries,
    /// The number of entries from the front that were searched for folders to list ahead.
    looked: usize,
    /// The listings asked for ahead, in the order of their folders.
    ahead: VecDeque<FolderListing>,
}

impl TreeWalk {
    /// Begins at the folder `top`, which is listed by the first step.
    pub fn new(client: RemoteClient, top: Entry, jobs: usize, into: impl Fn(&Entry, usize) -> bool + Send + Sync + 'static) -> TreeWalk {
        let coming = Some(Pending { folder: top, listing: None });
        TreeWalk {
            client,
            jobs,
            folders_only: false,
            into: Arc::new(into),
            coming,
            levels: Vec::new(),
            all: false,
            left_out: None,
            order: None,
        }
    }

    /// Leaves files out.
    pub fn folders_only(mut self, yes: bool) -> TreeWalk {
        self.folders_only = yes;
        self
    }

    /// In an order for people.
    pub fn with_order(mut self, order: EntryOrder) -> TreeWalk {
        self.order = Some(order);
        self
    }

    /// Reports a folder with unreadable entries as failed, too: for callers that take or compare all entries.
    pub fn all(mut self) -> TreeWalk {
        self.all = true;
        self
    }

    /// Returns the next find; none at the end. Fails where every further folder would fail alike.
    pub async fn next(&mut self) -> Result<Option<WalkEvent>> {
        if let Some(Pending { folder, listing }) = self.coming.take() {
            let depth = self.levels.len();
            match self.open(&folder, listing).await {
                Ok(entries) => {
                    self.levels.push(TreeLevel { folder: folder.clone(), entries, looked: 0, ahead: VecDeque::new() });
                    if let Some(error) = self.left_out.take() {
                        return Ok(Some(WalkEvent::Failed { folder, depth, error }));
                    }
                }
                Err(error) if is_fatal(error.kind()) => return Err(error),
                Err(error) => return Ok(Some(WalkEvent::Failed { folder, depth, error })),
            }
        }
        Ok(self.step())
    }

    fn step(&mut self) -> Option<WalkEvent> {
        let depth = self.levels.len();
        let level = self.levels.last_mut()?;
        let Some(entry) = level.entries.pop_front() else {
            let TreeLevel { folder, .. } = self.levels.pop()?;
            return Some(WalkEvent::Left { folder, depth: depth - 1 });
        };
        let looked_at = level.looked > 0;
        level.looked = level.looked.saturating_sub(1);
        let last = level.entries.is_empty();
        if entry.is_folder() && (self.into)(&entry, depth) {
            let listing = if looked_at { level.ahead.pop_front() } else { None };
            self.coming = Some(Pending { folder: entry.clone(), listing });
        }
        Some(WalkEvent::Entry { entry, depth, last })
    }

    async fn open(&mut self, folder: &Entry, listing: Option<FolderListing>) -> Result<Entries> {
        check_depth(folder, self.levels.iter().map(|level| level.folder.id.as_str()))?;
        let listing = listing.unwrap_or_else(|| self.ask(folder.clone()));
        self.prefetch();
        let listed = listing.await.map_err(|e| Error::new(Kind::Other, "the listing broke off").with_cause(e))?;
        let mut entries;
        (entries, self.left_out) = listed?;
        if self.folders_only {
            entries.only_folders();
        }
        match self.order {
            Some(order) => order.sort(&mut entries),
            None => entries.sort(),
        }
        Ok(entries)
    }

    fn ask(&self, folder: Entry) -> FolderListing {
        let (client, all) = (self.client.clone(), self.all);
        AbortOnDropHandle::new(tokio::spawn(async move {
            match all {
                true => client.list_whole(&folder).await,
                false => client.list(&folder).await.map(|entries| (entries, None)),
            }
        }))
    }

    /// Requests the listings that the walk needs next: the deepest level first, each level from its front.
    fn prefetch(&mut self) {
        let mut free = self.jobs.saturating_sub(1 + self.levels.iter().map(|level| level.ahead.len()).sum::<usize>());
        for at in (0..self.levels.len()).rev() {
            while free > 0 {
                let Some(level) = self.levels.get_mut(at) else { break };
                if level.looked >= level.entries.len() {
                    break;
                }
                level.looked += 1;
                // No `Entry` is built for a file.
                let folder = if level.entries.is_folder(level.looked - 1) { level.entries.get(level.looked - 1) } else { None };
                let Some(folder) = folder.filter(|folder| (self.into)(folder, at + 1)) else { continue };
                let listing = self.ask(folder);
                if let Some(level) = self.levels.get_mut(at) {
                    level.ahead.push_back(listing);
                }
                free -= 1;
            }
        }
    }
}

/// Fails with `Protocol` for a folder that would never end: it lies in itself, or deeper than any. `above`: the ids of the
/// folders that a walk has come through.
pub fn check_depth<'a>(folder: &Entry, above: impl Iterator<Item = &'a str>) -> Result<()> {
    let mut depth = 0;
    for id in above {
        depth += 1;
        if id == folder.id {
            return Err(Error::new(Kind::Protocol, "the server lists this folder inside itself"));
        }
    }
    match depth > MAX_DEPTH {
        true => Err(Error::new(Kind::Protocol, format!("the server lists folders more than {MAX_DEPTH} levels deep"))),
        false => Ok(()),
    }
}

/// Would every further request to this remote fail alike?
pub fn is_fatal(kind: Kind) -> bool {
    matches!(kind, Kind::Auth | Kind::Expired | Kind::Unreachable | Kind::Untrusted | Kind::Busy | Kind::Cancelled)
}
