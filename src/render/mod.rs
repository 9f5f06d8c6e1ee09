//! The only module that prints. Commands and the engine pass values (reports, events, errors), and here they become text for
//! people, JSON for scripts, progress bars, lines of logs, annotations for CI, and at the end an exit status. Results go to
//! standard output, everything else to standard error. No secret and no control character is printed.

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
