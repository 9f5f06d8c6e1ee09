//! The stand-in of giga0, a YetiShare site with API v2 (providers.md, section 2).
//! - `name`, `params`, `fields`, `reply`: the name, the parameters of a call, values and envelopes of answers;
//! - `state`: the state of the stand-in; `seed` fills a folder at once;
//! - `account`, `files`, `folders`, `upload`, `download`, `remote`: the calls;
//! - `routes`: the handler of each request;
//! - `stand_in`: the interface to the sandbox.

mod account;
mod download;
mod fields;
mod files;
mod folders;
mod name;
mod params;
mod remote;
mod reply;
mod routes;
mod seed;
mod stand_in;
mod state;
mod upload;

pub use name::{KINDS, NAME};
pub use stand_in::start;
pub use state::{Giga0, LoginKind, Package};
