//! What tests share, in place of the real thing: settings, tokens, sources, a server that answers as a function says, and input
//! made at random. Nothing of the program uses it; the suite in `tests/` does.

mod settings;
mod source;
mod tokens;
mod upload;

#[cfg(test)]
pub mod arbitrary;
#[cfg(test)]
pub mod minimal_provider;
#[cfg(test)]
pub mod server;

pub use settings::MapSettings;
pub use source::{MemorySource, bytes};
pub use tokens::MemoryTokens;
pub use upload::upload_request;
