//! Writes `tracing` lines, and the message of a panic, to standard error.

use std::io::{self, Write};

use chrono::Local;

use crate::model::escape::escape_control;
use crate::model::secret::mask;
use crate::render::Renderer;
use crate::render::log_file::LogFile;

/// See [`Renderer::log_writer`].
#[derive(Clone)]
pub struct LogWriter(Renderer);

impl Renderer {
    /// The time of day, to the millisecond.
    pub fn clock() -> String {
        Local::now().format("%H:%M:%S%.3f").to_string()
    }

    /// The file of `--log-file`.
    pub fn log_file(&self) -> Option<LogFile> {
        self.style().log_file.clone()
    }

    /// For the lines of `tracing`, above the bars and with secrets masked:
    /// `.with_ansi(false).with_writer(move || renderer.log_writer())`.
    pub fn log_writer(&self) -> LogWriter {
        LogWriter(self.clone())
    }
}

impl Write for LogWriter {
    /// Takes whole lines, as `tracing_subscriber` writes them.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(lines);
        text.lines().for_each(|line| self.0.aside(&escape_control(line)));
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on the message of a panic is printed without secrets, because it may contain anything. It bypasses `Streams`, as
/// the panicking thread may hold its lock.
pub fn mask_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let trace = std::backtrace::Backtrace::capture();
        let trace = if trace.status() == std::backtrace::BacktraceStatus::Captured { format!("\n{trace}") } else { String::new() };
        let _ = writeln!(io::stderr(), "{}", last_words(&format!("{panic}{trace}")));
    }));
}

fn last_words(text: &str) -> String {
    let lines: Vec<String> = mask(text).lines().map(|line| escape_control(line).into_owned()).collect();
    format!("haul: a defect of haul: {}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;
    use crate::render::Style;
    use crate::render::testing::capture;

    #[test]
    fn last_words_hold_no_secret() {
        let secret = Secret::new("panic-test-s3cret");
        let words = last_words(&format!("panicked at src/x.rs:1:\nno {}\x1b[2J", secret.expose()));
        assert_eq!(words, "haul: a defect of haul: panicked at src/x.rs:1:\nno ***\\u{1b}[2J");
    }

    #[test]
    fn logs_are_masked_line_by_line() {
        let secret = Secret::new("log-test-s3cret");
        let (renderer, _, err) = capture(Style::default());
        let written = renderer.log_writer().write(format!("GET /{}\x07\nsecond\n", secret.expose()).as_bytes()).unwrap();
        assert_eq!((written, err.text().as_str()), (29, "GET /***\\u{7}\nsecond\n"));
    }
}
