//! haul uploads files to file hosts that other tools do not know, and downloads them.
//!
//! The command is thin: what it does can be done from Rust, too. For others are
//! - [`providers`]: the registry of providers;
//! - [`transfer`]: a client of a remote, [`put`](transfer::put::put) and [`get`](transfer::get::get);
//! - [`contract`]: the traits of a provider, of a source of bytes, and of what is kept between runs;
//! - [`state`]: what is kept between runs, in one SQLite file;
//! - [`model`] and [`error`]: entries, addresses, progress events, reports, and the one error type.
//!
//! `examples/list.rs` lists a folder, `examples/upload.rs` uploads a file and shows its progress. All other modules serve
//! the command and may change at any time.
//!
//! # How the modules lie
//!
//! A file uses its own module and lower layers only, and no two files import each other; `tests/house/` keeps it so.
//! `docs/architecture.md` follows one upload through the code.
//!
//! ```text
//! layer 4   main, cli                                                     wires everything; one command = one file
//! layer 3   providers │ transfer │ state │ config │ render │ sandbox      neighbours that do not use each other
//! layer 2   protocols                                                     http, tus, plupload, ftp, multipart, tls
//! layer 1   contract                                                      what providers and protocols promise
//! layer 0   error, model                                                  plain values, no I/O
//!           ownership                                                     whose a file of ours is, who holds it locked
//! ```

// Help texts are doc comments, and addresses in them stand as they are typed. Private items are documented for readers of the source.
#![allow(rustdoc::bare_urls, rustdoc::private_intra_doc_links)]
#![warn(missing_docs)]

#[doc(hidden)]
pub mod cli;
pub(crate) mod config;
pub mod contract;
pub mod error;
pub mod model;
pub(crate) mod ownership;
#[doc(hidden)]
pub mod protocols;
pub mod providers;
pub(crate) mod render;
#[cfg(feature = "sandbox")]
#[doc(hidden)]
pub mod sandbox;
pub mod state;
// The suite in `tests/` needs the sandbox, too.
#[cfg(any(test, feature = "sandbox"))]
#[doc(hidden)]
pub mod testing;
pub mod transfer;

pub use error::{Error, Kind, Result};
