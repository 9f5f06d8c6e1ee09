//! A TUS server of its own, in layers that depend on nothing below them:
//! - `name`: the name;
//! - `state`: uploads, and the whole state of the stand-in;
//! - `requests`: OPTIONS, creation, HEAD, DELETE; the bytes of a PATCH or a creation go to `tus_append`;
//! - `stand_in`: the interface to the sandbox, and the handler of each request.

mod name;
mod requests;
mod stand_in;
mod state;

pub use name::{KINDS, NAME};
pub use stand_in::start;
pub use state::TusHost;
