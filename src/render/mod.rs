//! The only room that prints. Verbs and the engine hand over values (reports, events, errors); here they get a
//! voice: text for people, JSON for scripts, bars, lines for logs, annotations for CI, and in the end an exit status.
//! Results go to standard output, everything else to standard error. No secret and no control character gets through.

pub mod exit;
pub mod github;
mod json;
mod log;
mod log_file;
mod mask;
mod page;
mod pipe;
mod progress;
mod renderer;
mod streams;
pub mod style;
pub mod tally;
#[cfg(test)]
mod testing;
mod text;

pub use log::mask_panics;
pub use log_file::LogFile;
pub use page::{Delivered, Delivery};
pub use renderer::Renderer;
pub use style::{Ci, Progress, Style, Terminal, View};
pub use tally::Tally;
pub use text::table::providers_markdown;
pub use text::units;
