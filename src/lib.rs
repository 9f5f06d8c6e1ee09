//! haul: one command for several file hosts. The house has five floors; a file uses its own room and lower floors only
//! (`tests/floors.rs` keeps it so).
//!
//! ```text
//! floor 4   main, cli                                                     wires everything; one verb = one file
//! floor 3   providers │ transfer │ state │ config │ render │ sandbox      neighbours that never look at each other
//! floor 2   protocols                                                     tus, plupload, ftps, multipart, http
//! floor 1   contract                                                      what providers and protocols promise
//! floor 0   error, model                                                  plain values, no I/O
//!           ownership                                                     whose a file of ours is, who holds it locked
//! ```

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
#[cfg(test)]
pub(crate) mod testing;
pub mod transfer;

pub use error::{Error, Kind, Result};
