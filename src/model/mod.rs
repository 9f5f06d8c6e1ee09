//! Plain values that every room speaks of. No I/O in here.

pub mod account;
pub mod alike;
pub mod entry;
pub mod event;
#[cfg(test)]
pub mod noise;
pub mod place;
pub mod report;
pub mod secret;
pub mod text;
pub mod timecode;

pub use account::{Account, Limits, Protocol, Quota};
pub use entry::{Entry, EntryKind};
pub use event::Event;
pub use place::{Address, Place, RemotePath, Root};
pub use report::Report;
pub use secret::Secret;
