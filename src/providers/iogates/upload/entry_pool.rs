//! The entries that this run has made: those that no upload has filled yet, and those whose request has an unknown outcome.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use parking_lot::Mutex;

use crate::providers::iogates::tree::Tree;

/// The place of an entry in the request to make it: a path from the root, or a name in the folder `parent`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntrySlot {
    pub name: String,
    pub parent: Option<String>,
}

/// An entry that waits for its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct EmptyEntry {
    pub id: String,
    pub upload_name: String,
    /// The size and MD5 that the request stated: the server refuses other bytes.
    pub size: Option<u64>,
    pub md5: Option<String>,
}

#[derive(Default)]
pub struct EntryPool {
    /// Entries that were made, but no session was opened for them.
    pub(super) spare: Mutex<HashMap<EntrySlot, EmptyEntry>>,
    /// Requests whose answer was lost, while the listing is still to be searched.
    pub(super) doubts: Mutex<HashMap<EntrySlot, UncertainCreate>>,
    /// Ids of all entries made in this run.
    pub(super) ours: Mutex<HashSet<String>>,
    /// Ids of entries that `batch` received and could not use.
    pub strays: Mutex<Vec<String>>,
    /// The server can't make several entries by one request.
    pub one_by_one: AtomicBool,
}

#[derive(Clone)]
pub struct UncertainCreate {
    /// The listing before the request; none when the token may not list.
    pub before: Option<Arc<Tree>>,
    pub since: Instant,
}

impl EntryPool {
    /// Returns an unused entry to the pool. The next try for the same slot takes it.
    pub fn release(&self, spot: EntrySlot, made: EmptyEntry) {
        self.spare.lock().insert(spot, made);
    }

    pub fn has_free(&self, spot: &EntrySlot) -> bool {
        self.spare.lock().contains_key(spot)
    }

    /// Returns the ids of the entries that no upload will use any more, each id once.
    pub fn orphans(&self) -> Vec<String> {
        let spare = std::mem::take(&mut *self.spare.lock()).into_values().map(|made| made.id);
        let mut ids: Vec<String> = std::mem::take(&mut *self.strays.lock()).into_iter().chain(spare).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Notes that the server may have made an entry for this slot. The next upload for the slot searches the listing first.
    pub fn record_uncertain(&self, spot: EntrySlot, before: Option<Arc<Tree>>) {
        self.doubts.lock().insert(spot, UncertainCreate { before, since: Instant::now() });
    }
}
