//! Writes a file's bytes to standard output.

use std::io::{self, Write};

use crate::render::Renderer;

/// See [`Renderer::pipe`].
pub struct Pipe(Renderer);

impl Renderer {
    /// Standard output for the bytes of files: neither masked nor escaped.
    pub fn pipe(&self) -> Pipe {
        Pipe(self.clone())
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.screen().bytes(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Style;
    use crate::render::testing::{Failing, capture};

    #[test]
    fn bytes_pass_as_they_are_and_a_reader_that_left_is_known() {
        let (renderer, out, _) = capture(Style::default());
        renderer.pipe().write_all(b"\x1b[2J\0\n").unwrap();
        assert_eq!(out.text(), "\x1b[2J\0\n");
        let left = Renderer::onto(Style::default(), Box::new(Failing(io::ErrorKind::BrokenPipe)), Box::new(io::sink()));
        assert_eq!(left.pipe().write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(left.is_closed());
    }
}
