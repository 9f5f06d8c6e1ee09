//! The engine: what will be moved (`plan`), where it lands (`folders`, `conflict`), the one loop that carries a file
//! (`upload`), how many at once (`queue`), and the walk over a remote (`scan`). It knows the contract and no provider.

pub mod across;
pub mod arrange;
pub mod batch;
pub mod berths;
mod change_time;
mod confirm;
pub mod conflict;
pub mod crew;
mod doubt;
pub mod download;
mod earlier;
mod effort;
pub mod folders;
pub mod get;
pub mod import;
pub mod journal;
pub mod limit;
mod listing;
pub mod meter;
pub mod one;
pub mod origin;
mod parts;
pub mod plan;
pub mod put;
pub mod remote;
pub mod resume;
pub mod retry;
pub mod scan;
pub mod source;
pub mod stdin;
mod still;
mod stop;
pub mod stored;
mod sums;
pub mod turns;
pub mod upload;
pub mod wait;
pub mod watch;

pub use conflict::IfExists;
pub use retry::{Desk, Policy};
