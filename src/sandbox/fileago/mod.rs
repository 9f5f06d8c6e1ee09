//! The stand-in of FileAgo (providers.md, section 3).
//! - `name`, `reply`: the name, and the envelope of answers;
//! - `tree`, `state`: nodes, and all that the stand-in remembers; `seed` fills a folder at once;
//! - `sign_in`, `nodes`, `upload`, `download`: the calls;
//! - `routes`: which request goes where;
//! - `stand_in`: what the sandbox asks of it.

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
