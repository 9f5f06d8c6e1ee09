//! The entries that this run has made: those that no upload has filled yet, and those of which nobody knows whether they
//! were made.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use parking_lot::Mutex;

use crate::providers::iogates::tree::Tree;

/// What ioGates is asked to make: a path from the root, or a name in the folder `parent`.
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
    /// What the server was told, and will insist on.
    pub size: Option<u64>,
    pub md5: Option<String>,
}

#[derive(Default)]
pub struct EntryPool {
    /// Made, but no session was opened for them.
    pub(super) spare: Mutex<HashMap<EntrySlot, EmptyEntry>>,
    /// The answer was lost, and the listing could not be asked yet.
    pub(super) doubts: Mutex<HashMap<EntrySlot, UncertainCreate>>,
    /// Ids of all entries made in this run.
    pub(super) ours: Mutex<HashSet<String>>,
    /// Entries that `batch` got and could not use.
    pub strays: Mutex<Vec<String>>,
    /// The server does not make several entries at once.
    pub one_by_one: AtomicBool,
}

#[derive(Clone)]
pub struct UncertainCreate {
    /// What there was before; none when the token may not list.
    pub before: Option<Arc<Tree>>,
    pub since: Instant,
}

impl EntryPool {
    /// This entry was not used after all; the next try for the same spot takes it.
    pub fn release(&self, spot: EntrySlot, made: EmptyEntry) {
        self.spare.lock().insert(spot, made);
    }

    pub fn has_free(&self, spot: &EntrySlot) -> bool {
        self.spare.lock().contains_key(spot)
    }

    /// Ids of the entries that nobody will use any more; each is told once.
    pub fn left_over(&self) -> Vec<String> {
        let spare = std::mem::take(&mut *self.spare.lock()).into_values().map(|made| made.id);
        let mut ids: Vec<String> = std::mem::take(&mut *self.strays.lock()).into_iter().chain(spare).collect();
        ids.sort();
        ids.dedup();
        ids
    }

    /// Something may have been made for this spot just now: whoever needs it looks first.
    pub fn doubt(&self, spot: EntrySlot, before: Option<Arc<Tree>>) {
        self.doubts.lock().insert(spot, UncertainCreate { before, since: Instant::now() });
    }
}
