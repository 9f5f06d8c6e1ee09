//! An FTP server with explicit TLS, by libunftp: one user, and a folder of files.
//! - `name`: the name;
//! - `server`: the server and its folder;
//! - `stand_in`: the interface to the sandbox.

mod name;
mod server;
mod stand_in;

pub use name::{KINDS, NAME};
pub use stand_in::start;
