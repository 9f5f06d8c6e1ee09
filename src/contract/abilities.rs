//! Optional abilities: a provider holds one or does not (rclone's function pointers, tusd's composer, in Rust).

use super::{BoxFuture, Result};
use crate::model::Entry;

pub trait Folders: Send + Sync {
    /// Makes one folder in `parent`. The caller has looked: no folder of that name is there. After `Interrupted` the
    /// caller looks again before it repeats (giga0 makes a second folder of the same name).
    fn create<'a>(&'a self, parent: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>>;
}

pub trait Swapping: Send + Sync {
    /// `new` is complete and verified: removes `old`, then gives `new` the name `name` (providers.md OQ-20). An error
    /// says which of the two copies are left, under which names.
    fn swap<'a>(&'a self, old: &'a Entry, new: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>>;
}
