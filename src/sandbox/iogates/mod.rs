//! The stand-in of ioGates (providers.md, section 1).
//! - `name`, `model`, `reply`: the name, the values that are remembered, and the envelope of a refusal;
//! - `state`, `entries`: what the stand-in remembers, and its files and folders; `seed` fills a folder at once;
//! - `api`, `files`, `comments`, `share`: signing in and the calls of the API;
//! - `tus`, `tus_upload`, `plupload`, `ftp`: the upload protocols;
//! - `routes`: which request goes where;
//! - `stand_in`: what the sandbox asks of it.

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
