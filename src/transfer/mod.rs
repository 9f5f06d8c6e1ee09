//! The engine: what will be moved (`plan`), where it lands (`folders`, `conflict`), the one loop that carries a file
//! (`upload`), how many at once (`queue`), and the walk over a remote (`scan`). It knows the contract and no provider.

pub(crate) mod change;
pub(crate) mod resolve;

mod breaker;
pub mod client;
pub mod download;
mod effort;
pub mod fingerprint;
pub mod folder_cache;
pub mod get;
pub mod if_exists;
pub mod import;
pub mod learned_names;
mod listing;
pub mod lock_wait;
pub mod put;
pub mod rate_limit;
pub mod remote_ops;
pub mod sleep;
pub mod source;
pub mod stall;
pub mod stored_names;
pub mod task_set;
pub mod upload;
pub mod walk;

pub use client::{RemoteClient, RemoteProvider, RetryPolicy};
pub use if_exists::IfExists;
