//! Plain values that every room speaks of. No I/O in here.

pub mod account;
pub mod entry;
pub mod escape;
pub mod event;
pub mod location;
pub mod report;
pub mod secret;
pub mod similar_names;
pub mod timecode;

pub use account::{Account, Limits, Protocol, Quota};
pub use entry::{Entry, EntryKind};
pub use event::Event;
pub use location::{Address, Place, RemotePath, Root};
pub use report::Report;
pub use secret::Secret;
