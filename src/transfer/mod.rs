//! The engine: what will be moved (`plan`), where it lands (`folders`, `conflict`), the one loop that carries a file
//! (`upload`) and how many at once (`queue`). It knows the contract and no provider.

pub mod conflict;
pub mod crew;
pub mod folders;
pub mod limit;
pub mod meter;
pub mod plan;
pub mod put;
pub mod retry;
pub mod source;
pub mod stdin;
pub mod upload;
pub mod wait;
pub mod watch;

pub use conflict::IfExists;
pub use retry::{Desk, Policy};
