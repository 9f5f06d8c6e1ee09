//! The stand-in of ioGates (providers.md, section 1).
//! - `name`, `model`, `reply`: the name, the values of the state, and the envelope of a refusal;
//! - `state`, `entries`: the state of the stand-in, and its files and folders; `seed` fills a folder at once;
//! - `api`, `files`, `comments`, `share`: the sign-in and the calls of the API;
//! - `tus`, `tus_upload`, `plupload`, `ftp`: the upload protocols;
//! - `routes`: the handler of each request;
//! - `stand_in`: the interface to the sandbox.

mod api;
mod comments;
mod entries;
mod files;
mod ftp;
mod model;
mod name;
mod plupload;
mod reply;
mod routes;
mod seed;
mod share;
mod stand_in;
mod state;
mod tus;
mod tus_upload;

pub use model::{FtpElsewhere, Settings};
pub use name::{KINDS, NAME};
pub use stand_in::start;
pub use state::Iogates;
