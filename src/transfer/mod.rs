//! The engine. It knows the contract and no provider.
//! - [`RemoteClient`]: one remote, with the only place that repeats a call;
//! - [`put`]: local files to a remote (`put::plan`: what is sent and where each file lands; `put::conflict`: what becomes of
//!   a name that is taken);
//! - `upload`: the one loop that sends a file;
//! - [`get`]: files of a remote to this machine (`download`: one file);
//! - [`filter`]: which files are meant;
//! - `remote_ops`: copies, moves and removals on the server; `walk`: goes through the folders of a remote.

mod backoff;
pub(crate) mod breaker;
pub(crate) mod change;
pub mod client;
pub(crate) mod download;
mod effort;
pub(crate) mod files_at_once;
pub mod filter;
#[doc(hidden)]
pub mod fingerprint;
#[doc(hidden)]
pub mod folder_cache;
pub mod get;
pub(crate) mod if_exists;
pub(crate) mod import;
pub(crate) mod learned_names;
mod listing;
#[doc(hidden)]
pub mod local_tree;
pub(crate) mod lock_wait;
mod processing_time;
pub mod put;
pub(crate) mod rate_limit;
pub(crate) mod recorded_entries;
pub(crate) mod remote_ops;
pub(crate) mod resolve;
pub(crate) mod sleep;
#[doc(hidden)]
pub mod source;
pub(crate) mod spans;
pub(crate) mod stall;
pub(crate) mod steps_ahead;
pub(crate) mod stored_names;
pub mod sync;
pub(crate) mod task_set;
#[doc(hidden)]
pub mod upload;
pub(crate) mod walk;
pub(crate) mod wildcards;

pub use backoff::RetryPolicy;
pub use client::{RemoteClient, RemoteProvider};
pub use if_exists::IfExists;
