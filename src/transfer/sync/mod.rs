//! `sync`: copies the files of FROM to TO, with the transfers of `put`, `get` and `cp`, and deletes at TO what FROM lacks if the user
//! wants that.
//! - `to_remote`, `to_local`: the two directions. FROM and TO are compared folder by folder. Files that are provably equal are
//!   skipped; the other files are transferred by `put` and `get` while the walk goes on;
//! - `from_walk`, `from_steps`, `remote_from`: walk over FROM; `remote_levels`: lists the folders of a remote, a few of them ahead;
//! - `remote_target`, `local_target`, `local_listing`: list TO; `compare_remote`, `compare_local`: compare the two sides;
//! - `may_go`: which files of TO the filter takes; `guard`: stops deletions; `delete_remote`: deletes on a remote;
//! - `renames`: finds the files that only moved; `moves_there`, `moves_here`: move them at TO;
//! - `actions`, `planned_actions`: the plan of a sync; `apply`, `apply_local`, `remote_tree`: carry out a plan.

pub mod actions;
mod apply;
mod apply_local;
mod compare_local;
mod compare_remote;
mod delete_remote;
mod from_steps;
mod from_walk;
mod guard;
mod local_listing;
mod local_target;
mod may_go;
mod moves_here;
mod moves_there;
mod options;
mod planned_actions;
mod remote_from;
mod remote_levels;
mod remote_target;
mod remote_tree;
mod renames;
mod to_local;
mod to_remote;
mod watch;

pub use self::apply::apply_to_remote;
pub use self::apply_local::apply_to_local;
pub use self::options::{SyncOptions, SyncOutcome};
pub use self::to_local::sync_to_local;
pub use self::to_remote::{SyncFrom, sync_to_remote};
