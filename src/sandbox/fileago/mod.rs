//! The stand-in of FileAgo (providers.md, section 3).
//! - `name`, `reply`: the name, and the envelope of answers;
//! - `tree`, `state`: nodes, and the whole state of the stand-in; `seed` fills a folder at once;
//! - `sign_in`, `nodes`, `upload`, `download`: the calls;
//! - `routes`: the handler of each request;
//! - `stand_in`: the interface to the sandbox.

mod download;
mod name;
mod nodes;
mod reply;
mod routes;
mod seed;
mod sign_in;
mod stand_in;
mod state;
mod tree;
mod upload;

pub use name::{KINDS, NAME};
pub use stand_in::start;
pub use state::Fileago;
