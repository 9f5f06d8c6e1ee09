//! `sync`: TO gets what is in FROM, as `put`, `get` and `cp` bring files, and loses what FROM lacks if that is wanted.
//! - `to_remote`, `to_local`: the two directions; both sides are listed, what is provably equal is passed over, the rest goes
//!   to the engines of `put` and `get`;
//! - `remote_tree`, `local_listing`: what a side holds; `source_plan`: FROM as it is to be at TO; `remote_side`, `local_side`: TO, compared
//!   with that;
//! - `choose`: which files of both sides the filter takes;
//! - `guard`: what stops deletions; `delete_remote`: deletions on a remote;
//! - `renames`: which files only moved; `moves_there`, `moves_here`: their moves;
//! - `actions`, `paper`: a sync on paper; `apply`, `apply_local`: its execution.

pub mod actions;
mod apply;
mod apply_local;
mod choose;
mod delete_remote;
mod guard;
mod local_listing;
mod local_side;
mod moves_here;
mod moves_there;
mod options;
mod paper;
mod remote_side;
mod remote_tree;
mod renames;
mod source_plan;
mod to_local;
mod to_remote;
mod watch;

pub use self::apply::apply_to_remote;
pub use self::apply_local::apply_to_local;
pub use self::options::{SyncOptions, SyncOutcome};
pub use self::source_plan::SyncFrom;
pub use self::to_local::sync_to_local;
pub use self::to_remote::sync_to_remote;
