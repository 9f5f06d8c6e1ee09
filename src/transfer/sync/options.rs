//! The options and the outcome of a sync.

use super::actions::Action;
use crate::error::Error;

/// The options of a sync, beside those of its transfers.
#[derive(Clone, Debug, Default)]
pub struct SyncOptions {
    /// FROM as typed.
    pub from: String,
    /// TO as typed.
    pub to: String,
    /// Deletes at TO what FROM lacks.
    pub delete: bool,
    /// The greatest number of files that may be deleted; none = half of the files that TO has.
    pub max_delete: Option<u64>,
    /// Moves a file at TO that moved at FROM.
    pub track_renames: bool,
    /// Returns the actions of a dry run, as the caller writes a plan.
    pub plan: bool,
}

/// The number of files that a sync with deletions keeps back before its transfers begin. So the guards stop a small sync before it
/// changes anything, and a large sync need not wait for the end of the comparison.
pub(super) const KEPT_BACK: usize = 1000;

/// How a sync ended. The outcome of each file is an event.
#[derive(Debug, Default)]
pub struct SyncOutcome {
    /// The number of files that TO had and that are provably equal.
    pub equal: u64,
    /// The number of files and folders that were deleted.
    pub deleted: u64,
    /// The number of files that FROM lacks and TO still has.
    pub left: u64,
    /// The error that stopped the deletions after the transfers.
    pub refused: Option<Error>,
    /// The actions that a dry run would do, where a plan is wanted.
    pub actions: Vec<Action>,
    /// All failures are parts of FROM that can't be read.
    pub only_unread: bool,
}

/// The number of steps after which a comparison lets the transfers of the same task run.
pub(super) const STEPS_AT_A_TIME: u64 = 64;
