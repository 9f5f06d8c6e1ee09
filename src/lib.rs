//! haul: one command for several file hosts. A file uses its own module and lower layers only, and no two files import each
//! other; `tests/house/` keeps it so. `docs/architecture.md` follows one upload through the code.
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

pub mod cli;
pub mod config;
pub mod contract;
pub mod error;
pub mod model;
pub mod ownership;
pub mod protocols;
pub mod providers;
pub mod render;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod state;
// The suite in `tests/` needs the sandbox, too.
#[cfg(any(test, feature = "sandbox"))]
#[doc(hidden)]
pub mod testing;
pub mod transfer;

pub use error::{Error, Kind, Result};
