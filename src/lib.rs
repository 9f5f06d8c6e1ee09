//! haul uploads files to file hosts that other tools do not know, and downloads them.
//!
//! The command is a thin layer: Rust programs can use the same functions. The public modules are
//! - [`providers`]: the registry of providers;
//! - [`transfer`]: a client of a remote, [`put`](transfer::put::put) and [`get`](transfer::get::get);
//! - [`contract`]: the traits of a provider, of a source of bytes, and of the store between runs;
//! - [`state`]: the store between runs, in one SQLite file;
//! - [`model`] and [`error`]: entries, addresses, progress events, reports, and the one error type.
//!
//! `examples/list.rs` lists a folder, `examples/upload.rs` uploads a file and shows its progress. All other modules belong to
//! the command and may change at any time.
//!
//! # Layers of the modules
//!
//! A file uses only its own module and lower layers, and no two files import each other; `tests/house/` checks that.
//! `docs/architecture.md` follows one upload through the code.
//!
//! ```text
//! layer 4   main, cli                                                     connects all modules; each command is one file
//! layer 3   providers │ transfer │ state │ config │ render │ sandbox      neighbours that do not use each other
//! layer 2   protocols                                                     http, tus, plupload, ftp, multipart, tls
//! layer 1   contract                                                      what providers and protocols promise
//! layer 0   error, model                                                  plain values, no I/O
//!           ownership                                                     who owns a file, and who holds its lock
//! ```

// Help texts are doc comments, and contain bare URLs. Private items are documented for readers of the source.
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
