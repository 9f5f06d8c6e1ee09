//! `sync`: TO gets what is in FROM, as `put`, `get` and `cp` bring files, and loses what FROM lacks if that is wanted.
//! - `to_remote`, `to_local`: the two directions; both sides are walked together, what is provably equal is passed over, and the rest
//!   goes to the engines of `put` and `get` while the walk goes on;
//! - `from_walk`, `from_steps`, `remote_from`: FROM, folder by folder; `remote_levels`: a remote's folders, listed a few ahead;
//! - `remote_target`, `local_target`, `local_listing`: TO; `compare_remote`, `compare_local`: the two sides, compared;
//! - `may_go`: what of TO the filter takes; `guard`: what stops deletions; `delete_remote`: deletions on a remote;
//! - `renames`: which files only moved; `moves_there`, `moves_here`: their moves;
//! - `actions`, `planned_actions`: a sync that is only planned; `apply`, `apply_local`, `remote_tree`: its execution.

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
