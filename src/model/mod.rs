//! Plain values that every module may use. No I/O in here.
//! - `location`, `url_place`, `place_text`: remotes, paths and ids as the command line writes them, and places as URLs;
//! - `entry`, `account`: what a provider reports about a file, a folder or an account;
//! - `event`, `report`: events while work goes on, and the results of the work;
//! - `byte_size`, `timecode`: sizes as users type them, and positions in a film;
//! - `secret`, `escape`: what no output shows, and what an output shows only in a harmless form;
//! - `similar_names`: names that a server may have made from one another.

pub mod account;
pub mod byte_size;
pub mod entry;
pub mod escape;
pub mod event;
pub mod location;
pub mod place_text;
pub mod report;
pub mod secret;
pub(crate) mod similar_names;
pub mod timecode;
pub mod url_place;

pub use account::{Account, Limits, Protocol, Quota};
pub use entry::{Entry, EntryKind};
pub use event::Event;
pub use location::{Address, Place, RemotePath, Root};
pub use report::Report;
pub use secret::Secret;
