//! How a sync proceeds, and how it ended.

use super::actions::Action;
use crate::error::Error;

/// How a sync proceeds, besides what its transfers are told.
#[derive(Clone, Debug, Default)]
pub struct SyncOptions {
    /// FROM as typed.
    pub from: String,
    /// TO as typed.
    pub to: String,
    /// Deletes at TO what FROM lacks.
    pub delete: bool,
    /// At most so many files; none = half of what TO has.
    pub max_delete: Option<u64>,
    /// A file that moved at FROM is moved at TO.
    pub track_renames: bool,
    /// Of a dry run: the actions are wanted, to be written down.
    pub plan: bool,
}

/// Files that are to be sent and kept back where something may be deleted: so a small sync is stopped by its guards before
/// anything is done, and a large one begins at once.
pub(super) const KEPT_BACK: usize = 1000;

/// How a sync ended; what became of each file is an event.
#[derive(Debug, Default)]
pub struct SyncOutcome {
    /// Files that were there and are provably the same.
    pub equal: u64,
    /// Files and folders.
    pub deleted: u64,
    /// Files at TO that FROM lacks, and that are still there.
    pub left: u64,
    /// Why nothing was deleted, after the transfers.
    pub refused: Option<Error>,
    /// Of a dry run: what would be done.
    pub actions: Vec<Action>,
    /// The only failures are parts of FROM that can't be read.
    pub only_unread: bool,
}

/// Steps of a comparison, after which the transfers beside it get their turn.
pub(super) const STEPS_AT_A_TIME: u64 = 64;
