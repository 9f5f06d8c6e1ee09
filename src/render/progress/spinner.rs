//! What a terminal shows while nothing else is drawn and an answer is awaited.

use std::time::{Duration, Instant};

use crate::render::progress::frame::{Frame, FrameLine};
use crate::render::style::Terminal;
use crate::render::text::columns::{cut, width};

/// Most answers come sooner: a spinner that flashes tells nothing.
const DRAWN_AFTER: Duration = Duration::from_millis(500);
pub(super) const REDRAWN_EVERY: Duration = Duration::from_millis(100);
const FACES: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

#[derive(Default)]
pub(crate) struct Spinner {
    frame: Frame,
    /// When something else was written last.
    written: Option<Instant>,
}

impl Spinner {
    /// What to write to the terminal now.
    pub(crate) fn draw(&mut self, terminal: Terminal, now: Instant) -> String {
        let waited = now.saturating_duration_since(*self.written.get_or_insert(now));
        if waited < DRAWN_AFTER {
            return String::new();
        }
        let columns = terminal.size_now().0;
        let face = FACES.iter().cycle().nth((waited.as_millis() / REDRAWN_EVERY.as_millis()) as usize).unwrap_or(&"");
        let line = cut(
            &format!("{face} waiting for the server, {}", humantime::format_duration(Duration::from_secs(waited.as_secs()))),
            columns.saturating_sub(1),
        );
        let columns_of_line = width(&line);
        self.frame.draw(&[FrameLine { text: line, columns: columns_of_line }], columns)
    }

    /// The wait begins at `now`.
    pub(crate) fn wait_from(&mut self, now: Instant) {
        self.written = Some(now);
    }

    /// What to write so that something else can be written in place of the spinner.
    pub(crate) fn clear(&mut self, terminal: Terminal, now: Instant) -> String {
        self.wait_from(now);
        self.frame.clear(terminal.size_now().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spinner_comes_after_half_a_second_and_leaves_nothing() {
        let (mut spinner, start) = (Spinner::default(), Instant::now());
        let mut at = |millis: u64| spinner.draw(Terminal::default(), start + Duration::from_millis(millis));
        assert_eq!((at(0), at(499)), (String::new(), String::new()));
        assert!(at(500).starts_with("⠴ waiting for the server, 0"), "{:?}", at(500));
        assert!(at(3600).contains("waiting for the server, 3"));
        let now = start + Duration::from_secs(4);
        assert_eq!(spinner.clear(Terminal::default(), now), "\r\x1b[J");
        assert_eq!(spinner.draw(Terminal::default(), now + Duration::from_millis(100)), "", "something was just written");
    }
}
