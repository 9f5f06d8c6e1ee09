//! The way of `tracing` lines to standard error.

use std::io::{self, Write};

use crate::model::text::visible;
use crate::render::Renderer;

/// See [`Renderer::log_writer`].
#[derive(Clone)]
pub struct LogWriter(pub(super) Renderer);

impl Write for LogWriter {
    /// Takes whole lines, as `tracing_subscriber` writes them.
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(lines);
        text.lines().for_each(|line| self.0.aside(&visible(line)));
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Secret;
    use crate::render::Style;
    use crate::render::samples::captured;

    #[test]
    fn logs_are_masked_line_by_line() {
        let secret = Secret::new("log-test-s3cret");
        let (renderer, _, err) = captured(Style::default());
        let written = renderer.log_writer().write(format!("GET /{}\x07\nsecond\n", secret.expose()).as_bytes()).unwrap();
        assert_eq!((written, err.text().as_str()), (29, "GET /***\\u{7}\nsecond\n"));
    }
}
