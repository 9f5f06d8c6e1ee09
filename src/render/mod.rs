//! The only room that prints. Verbs and the engine hand over values (reports, events, errors); here they get a
//! voice: text for people, JSON for scripts, bars, lines for logs, annotations for CI, and in the end an exit status.
//! Results go to standard output, everything else to standard error. No secret and no control character gets through.

mod bars;
mod block;
mod board;
pub mod ci;
pub mod exit;
mod follow;
mod job_page;
mod json;
mod log;
mod mask;
mod pipe;
mod renderer;
#[cfg(test)]
mod samples;
mod screen;
pub mod style;
mod table;
pub mod tally;
mod text;
mod units;

pub use ci::Ci;
pub use log::{LogWriter, mask_panics};
pub use pipe::Pipe;
pub use renderer::Renderer;
pub use style::{Progress, Style, Terminal, View};
pub use table::providers_markdown;
pub use tally::Tally;
