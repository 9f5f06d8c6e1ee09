//! The lines at the bottom of a terminal that are redrawn. Each line is shorter than the terminal is wide, so that a terminal
//! which re-wraps its lines after a resize keeps them apart. The rows of the last frame are counted with the current width.

use std::fmt::Write;

/// The lines that the terminal shows now.
#[derive(Default)]
pub(super) struct Frame {
    /// Width of each line, in columns.
    shown: Vec<usize>,
    /// Columns of the terminal at that time.
    terminal: usize,
}

/// A line and its width in columns; escape sequences take none.
pub(super) struct FrameLine {
    pub(super) text: String,
    pub(super) columns: usize,
}

impl Frame {
    /// Returns the text that draws `lines` in place of the last frame, in a terminal of that many columns. The cursor stays at
    /// the begin of the last line: there the terminal shows what the user types (`^C`), and no line wraps.
    pub(super) fn draw(&mut self, lines: &[FrameLine], columns: usize) -> String {
        let mut out = self.back_to_top(columns);
        if columns != self.terminal && !self.shown.is_empty() {
            // The rows are erased first: a row that is only overwritten stays joined to the row that it was wrapped to.
            out.push_str("\x1b[J");
        }
        self.terminal = columns;
        for (number, line) in lines.iter().enumerate() {
            let _ = write!(out, "{}\x1b[0m\x1b[K{}", line.text, if number + 1 < lines.len() { "\r\n" } else { "" });
        }
        out.push_str("\x1b[J\r");
        self.shown = lines.iter().map(|line| line.columns).collect();
        out
    }

    /// Returns the text that removes the last frame.
    pub(super) fn clear(&mut self, columns: usize) -> String {
        if self.shown.is_empty() {
            return String::new();
        }
        let out = self.back_to_top(columns) + "\x1b[J";
        self.shown.clear();
        out
    }

    fn back_to_top(&self, columns: usize) -> String {
        let Some((_, above)) = self.shown.split_last() else { return String::new() };
        match above.iter().map(|line| line.div_ceil(columns.max(1)).max(1)).sum() {
            0_usize => "\r".to_owned(),
            rows => format!("\r\x1b[{rows}A"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(columns: &[usize]) -> Vec<FrameLine> {
        columns.iter().map(|columns| FrameLine { text: "x".repeat(*columns), columns: *columns }).collect()
    }

    #[test]
    fn a_frame_takes_the_place_of_the_last() {
        let mut frame = Frame::default();
        assert_eq!(frame.clear(80), "");
        assert_eq!(frame.draw(&lines(&[2, 1]), 80), "xx\x1b[0m\x1b[K\r\nx\x1b[0m\x1b[K\x1b[J\r");
        assert_eq!(frame.draw(&lines(&[1]), 80), "\r\x1b[1Ax\x1b[0m\x1b[K\x1b[J\r");
        assert_eq!((frame.clear(80).as_str(), frame.clear(80).as_str()), ("\r\x1b[J", ""));
    }

    #[test]
    fn a_narrower_window_has_wrapped_what_was_drawn() {
        let mut frame = Frame::default();
        frame.draw(&lines(&[79, 79, 0]), 80);
        assert!(frame.draw(&lines(&[39]), 40).starts_with("\r\x1b[4A\x1b[J"), "2 + 2 rows above the last");
        frame.draw(&lines(&[39, 39]), 40);
        assert_eq!(frame.clear(0), "\r\x1b[39A\x1b[J", "a terminal that tells no width is no reason to panic");
    }
}
