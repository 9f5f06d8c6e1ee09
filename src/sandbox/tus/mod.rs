//! A TUS server of its own, in layers that depend on nothing below them:
//! - `name`: the name;
//! - `state`: uploads, and all that the stand-in remembers;
//! - `requests`: OPTIONS, creation, HEAD, DELETE; `append`: the bytes of a PATCH or a creation;
//! - `stand_in`: what the sandbox asks of it, and which request goes where.

mod name;
mod requests;
mod stand_in;
mod state;

pub use name::{KINDS, NAME};
pub use stand_in::start;
pub use state::TusHost;
