//! The progress bars of a terminal: a total, and below it a bar for each file in progress. The layout is computed anew for each
//! frame, because the window may change its size.

use std::time::Instant;

use crate::render::progress::frame::{Frame, FrameLine};
use crate::render::progress::state::{FileProgress, FileState, ProgressState, Speed, Wait};
use crate::render::style::Terminal;
use crate::render::text::columns::{bar, cut, pad, padded_left, shorten, width};
use crate::render::text::units;

/// Frames per second.
pub(crate) const REDRAWS: u8 = 10;

/// The largest number of bars; the total counts the other files.
const MAX_BARS: usize = 8;

/// The largest useful width of a name, in columns.
const MAX_NAME: usize = 48;
/// The largest useful width of a bar, in columns.
const MAX_BAR: usize = 40;

/// A shorter bar shows no more than the percentage.
const LEAST_BAR: usize = 6;

const GREEN: &str = "\x1b[32m";
const CYAN: &str = "\x1b[36m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";

pub(crate) struct Bars {
    frame: Frame,
    terminal: Terminal,
    colour: bool,
}

impl Bars {
    pub(crate) fn new(terminal: Terminal, colour: bool) -> Bars {
        Bars { frame: Frame::default(), terminal, colour }
    }

    /// Returns the text that draws the next frame.
    pub(crate) fn draw(&mut self, board: &ProgressState, now: Instant) -> String {
        let (columns, rows) = self.terminal.size_now();
        let rows = rows.saturating_sub(2).min(1 + MAX_BARS);
        self.frame.draw(&lines(board, now, (columns, rows), self.colour), columns)
    }

    /// Returns the text that removes all bars.
    pub(crate) fn clear(&mut self) -> String {
        self.frame.clear(self.terminal.size_now().0)
    }
}

/// One line before the layout.
struct BarRow<'a> {
    name: String,
    name_colour: &'static str,
    /// Bytes so far, and the size, for the bar.
    at: u64,
    size: Option<u64>,
    bar_colour: &'static str,
    says: BarText<'a>,
}

enum BarText<'a> {
    /// Percentage, bytes, rate or current action, time left.
    Numbers([String; 4], &'static str),
    Waiting(&'a Wait),
    Words(&'static str),
}

fn lines(board: &ProgressState, now: Instant, (columns, rows): (usize, usize), colour: bool) -> Vec<FrameLine> {
    let (shown, foot) = board.foot(rows.saturating_sub(1));
    let mut table = vec![total(board)];
    table.extend(board.flights.values().take(shown).map(file));
    let layout = Layout::of(&table, columns);
    let mut lines: Vec<FrameLine> = table.iter().map(|row| layout.bar_line(row, now, colour)).collect();
    if !foot.is_empty() {
        let mut line = layout.begin(colour);
        foot.iter().for_each(|(text, shade)| line.add(text, shade));
        lines.push(line.out);
    }
    lines
}

impl ProgressState {
    /// The number of bars that fit into `bars` lines; and the last line, `… and 22 more in flight, 2 failed`, if it is needed.
    fn foot(&self, bars: usize) -> (usize, Vec<(String, &'static str)>) {
        let is_needed = self.failed > 0 || self.flights.len() > bars;
        let shown = bars.saturating_sub(usize::from(is_needed));
        let hidden = self.flights.len().saturating_sub(shown);
        let more = (hidden > 0).then(|| (format!("… and {hidden} more in flight"), DIM));
        let comma = (hidden > 0 && self.failed > 0).then(|| (", ".to_owned(), DIM));
        let failed = (self.failed > 0).then(|| (format!("{} failed", self.failed), RED));
        (shown, more.into_iter().chain(comma).chain(failed).collect())
    }
}

fn total(board: &ProgressState) -> BarRow<'_> {
    let (files, of_files) = board.files();
    let (at, size) = (board.bytes(), board.of_bytes());
    let (name, says) = match board.waiting().filter(|_| board.flights.is_empty()) {
        _ if !board.is_planned() && board.flights.is_empty() && board.waiting().is_none() => {
            ("total".to_owned(), BarText::Words("preparing"))
        }
        // A file that waits shows that in its own bar.
        Some(wait) => ("total".to_owned(), BarText::Waiting(wait)),
        None => (format!("{files} of {}", units::count(of_files, "file")), BarText::Numbers(numbers(at, size, &board.speed), "")),
    };
    BarRow { name, name_colour: BOLD, at, size, bar_colour: GREEN, says }
}

fn file(flight: &FileProgress) -> BarRow<'_> {
    let (mut at, size) = (flight.at, flight.size);
    let stage = |at: u64, doing: &str| [percent(at, size), amount(at, size), doing.to_owned(), String::new()];
    let (bar_colour, says) = match &flight.doing {
        FileState::Moving => (CYAN, BarText::Numbers(numbers(at, size, &flight.speed), "")),
        FileState::Waiting(wait) => (YELLOW, BarText::Waiting(wait)),
        FileState::Hashing { done } => {
            at = *done;
            (DIM, BarText::Numbers(stage(*done, "hashing"), YELLOW))
        }
        FileState::Confirming => (GREEN, BarText::Numbers(stage(at, "confirming"), GREEN)),
    };
    BarRow { name: flight.name.clone(), name_colour: "", at, size, bar_colour, says }
}

/// The columns of one frame: names, bar, and as many of the numbers as fit.
struct Layout {
    columns: usize,
    name: usize,
    bar: usize,
    numbers: [usize; 4],
}

impl Layout {
    fn of(table: &[BarRow<'_>], columns: usize) -> Layout {
        let columns = columns.saturating_sub(1).max(1);
        // The columns have room for the usual numbers, so that they rarely move.
        let mut numbers = [4, 17, 11, 0];
        for row in table {
            if let BarText::Numbers(cells, _) = &row.says {
                numbers.iter_mut().zip(cells).for_each(|(most, cell)| *most = width(cell).max(*most));
            }
        }
        let needs = |numbers: &[usize; 4]| numbers.iter().filter(|cell| **cell > 0).map(|cell| cell + 2).sum::<usize>();
        // In a narrow window percentage and time left are shown longest.
        for dropped in [1, 2, 3] {
            if needs(&numbers) + 12 > columns
                && let Some(cell) = numbers.get_mut(dropped)
            {
                *cell = 0;
            }
        }
        let rest = columns.saturating_sub(needs(&numbers));
        let bar = match rest * 3 / 10 {
            0..LEAST_BAR => 0,
            _ => (rest * 3 / 10).max((rest - 1).saturating_sub(MAX_NAME)).min(MAX_BAR),
        };
        let name = rest.saturating_sub(if bar > 0 { bar + 1 } else { 0 }).min(MAX_NAME);
        Layout { columns, name, bar, numbers }
    }

    fn begin(&self, colour: bool) -> LineBuilder {
        LineBuilder { out: FrameLine { text: String::new(), columns: 0 }, columns: self.columns, colour }
    }

    fn bar_line(&self, row: &BarRow<'_>, now: Instant, colour: bool) -> FrameLine {
        let mut line = self.begin(colour);
        line.add(&pad(&shorten(&row.name, self.name), self.name), row.name_colour);
        let has_bar = self.bar > 0 && !matches!(row.says, BarText::Waiting(_) | BarText::Words(_));
        if has_bar {
            let (full, empty) = bar(row.at, row.size, self.bar);
            line.add(" ", "");
            line.add(&full, row.bar_colour);
            line.add(&empty, DIM);
        }
        match &row.says {
            BarText::Numbers(cells, stage) => {
                for (number, (cell, room)) in cells.iter().zip(self.numbers).enumerate().filter(|(_, (_, room))| *room > 0) {
                    let text = if number < 3 { padded_left(cell, room) } else { pad(cell, room) };
                    line.add("  ", "");
                    line.add(&text, if number == 2 { stage } else { "" });
                }
            }
            BarText::Waiting(wait) => line.add(&format!("  {}", waiting(wait, now)), YELLOW),
            BarText::Words(words) => line.add(&format!("  {words}"), DIM),
        }
        line.out
    }
}

/// A line that is cut at the width of the window.
struct LineBuilder {
    out: FrameLine,
    columns: usize,
    colour: bool,
}

impl LineBuilder {
    fn add(&mut self, text: &str, shade: &str) {
        let text = cut(text, self.columns.saturating_sub(self.out.columns));
        self.out.columns += width(&text);
        match self.colour && !shade.is_empty() && !text.is_empty() {
            true => self.out.text.push_str(&format!("{shade}{text}\x1b[0m")),
            false => self.out.text.push_str(&text),
        }
    }
}

/// `waiting 4s (try 2 of 5): the server is busy`
pub(crate) fn waiting(wait: &Wait, now: Instant) -> String {
    let left = wait.until.saturating_duration_since(now).as_secs_f64().ceil();
    format!("waiting {left}s (try {} of {}): {}", wait.attempt, wait.of, wait.why)
}

/// `35%`, `1.2 GiB/3.4 GiB`, `43.0 MiB/s`, `52s left`.
fn numbers(at: u64, size: Option<u64>, speed: &Speed) -> [String; 4] {
    let left = size.and_then(|size| speed.seconds_for(size.saturating_sub(at)));
    let left = left.map(|left| format!("{} left", units::span(left))).unwrap_or_default();
    [percent(at, size), amount(at, size), units::rate(speed.per_second()), left]
}

fn percent(at: u64, size: Option<u64>) -> String {
    match size {
        None => String::new(),
        Some(0) => "100%".to_owned(),
        Some(size) => format!("{}%", u128::from(at.min(size)) * 100 / u128::from(size)),
    }
}

fn amount(at: u64, size: Option<u64>) -> String {
    match size {
        None => units::size(at),
        Some(size) => format!("{}/{}", units::size(at), units::size(size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::TransferKind;
    use crate::model::{Event, Report};
    use crate::render::testing;
    use std::time::Duration;

    fn drawn_lines(board: &ProgressState, now: Instant, columns: usize, rows: usize) -> Vec<String> {
        let lines = lines(board, now, (columns, rows), false);
        for line in &lines {
            assert!(line.columns < columns.max(2) && width(&line.text) == line.columns, "{columns}: {:?}", line.text);
        }
        lines.into_iter().map(|line| line.text.trim_end().to_owned()).collect()
    }

    fn working(start: Instant) -> (ProgressState, Instant) {
        let mut board = ProgressState::new(start);
        for event in [
            Event::Planned { files: 3, bytes: 4096 },
            Event::Started { id: 1, name: "a\u{1b}[31m.mov".into(), size: Some(2048) },
            Event::Started { id: 2, name: "b.mov".into(), size: Some(1024) },
            Event::Started { id: 3, name: "c.mov".into(), size: Some(1024) },
            Event::Hashing { id: 4, name: "d.mov".into(), size: Some(1 << 30), done: 256 << 20 },
            Event::Sent { id: 1, bytes: 1024 },
            Event::Waiting {
                id: Some(2),
                attempt: 2,
                of: 5,
                wait: Duration::from_secs(5),
                why: "the server is busy".into(),
                is_no_answer: false,
            },
            Event::Accepted { id: 3, offset: 1024 },
            Event::Checking { id: 3 },
        ] {
            board.apply(&event, start);
        }
        let now = start + Duration::from_secs(1);
        board.refresh(now);
        (board, now)
    }

    #[test]
    fn a_bar_for_each_file_and_a_total() {
        let (mut board, now) = working(Instant::now());
        let wanted = [
            "0 of 4 files         ━━━━╸────   50%    2.0 KiB/4.0 KiB    1.0 KiB/s  2.0s left",
            "a\\u{1b}[31m.mov      ━━━━╸────   50%    1.0 KiB/2.0 KiB    1.0 KiB/s  1.0s left",
            "b.mov                 waiting 4s (try 2 of 5): the server is busy",
            "c.mov                ━━━━━━━━━  100%    1.0 KiB/1.0 KiB   confirming",
            "d.mov                ━━╸──────   25%  256.0 MiB/1.0 GiB      hashing",
        ];
        assert_eq!(drawn_lines(&board, now, 80, 9), wanted);

        let report = Box::new(Report::Transferred { how: TransferKind::Uploaded, transfer: testing::transfer("c.mov", "/c.mov", 1024) });
        board.apply(&Event::Finished { id: 3, report }, now);
        board.apply(&Event::Finished { id: 2, report: Box::new(Report::Failed(testing::failure("b.mov", "/b.mov"))) }, now);
        let lines = drawn_lines(&board, now, 120, 9);
        assert_eq!((lines.len(), lines[3].as_str()), (4, "1 failed"));
        assert!(lines[0].starts_with("2 of 4 files "), "{lines:?}");
    }

    #[test]
    fn never_more_bars_than_a_person_reads_or_the_window_has_rows() {
        let now = Instant::now();
        let mut board = ProgressState::new(now);
        (0..30).for_each(|id| board.apply(&Event::Started { id, name: format!("f{id}"), size: None }, now));
        let lines = drawn_lines(&board, now, 80, 1 + MAX_BARS);
        assert_eq!(lines.len(), 1 + MAX_BARS);
        assert!(lines[0].contains(" 0 B "), "{lines:?}");
        assert_eq!(lines[MAX_BARS], "… and 23 more in flight");
        let failed = Event::Finished { id: 0, report: Box::new(Report::Failed(testing::failure("b", "/b"))) };
        board.apply(&failed, now);
        assert_eq!(drawn_lines(&board, now, 80, 9)[MAX_BARS], "… and 22 more in flight, 1 failed");
        (8..30).for_each(|id| board.apply(&Event::Finished { id, report: Box::new(testing::summary()) }, now));
        assert_eq!(drawn_lines(&board, now, 80, 9)[MAX_BARS], "1 failed", "and seven bars");
        for rows in 0..4 {
            assert_eq!(drawn_lines(&board, now, 80, rows).len(), rows.max(2), "the total and the failures at least");
        }
    }

    #[test]
    fn every_window_has_lines_that_do_not_wrap() {
        let (mut board, now) = working(Instant::now());
        board.apply(&Event::Started { id: 9, name: "日".repeat(300), size: Some(0) }, now);
        let why = "x".repeat(300);
        board.apply(&Event::Waiting { id: Some(2), attempt: 1, of: 5, wait: Duration::ZERO, why, is_no_answer: false }, now);
        (0..250).for_each(|columns| assert_eq!(drawn_lines(&board, now, columns, 9).len(), 6));
        let narrow = drawn_lines(&board, now, 40, 9);
        assert!(narrow[0].contains("50%") && narrow[0].ends_with("2.0s left"), "{narrow:?}");
    }

    #[test]
    fn before_anything_is_known() {
        let now = Instant::now();
        let mut board = ProgressState::new(now);
        assert!(drawn_lines(&board, now, 80, 9)[0].ends_with("  preparing"));
        board.apply(
            &Event::Waiting { id: None, attempt: 2, of: 5, wait: Duration::from_secs(2), why: "busy".into(), is_no_answer: false },
            now,
        );
        assert!(drawn_lines(&board, now, 80, 9)[0].ends_with("  waiting 2s (try 2 of 5): busy"));
    }

    #[test]
    fn sizes_that_lie_do_no_harm() {
        let speed = Speed::new(Instant::now());
        assert_eq!(numbers(u64::MAX, Some(1), &speed), ["100%", "16.0 EiB/1 B", "0 B/s", ""]);
        assert_eq!(numbers(0, Some(0), &speed), ["100%", "0 B/0 B", "0 B/s", ""]);
        assert_eq!(numbers(2048, None, &speed), ["", "2.0 KiB", "0 B/s", ""]);
        assert_eq!(bar(u64::MAX, Some(1), 4), ("━━━━".to_owned(), String::new()));
        assert_eq!(bar(1, Some(u64::MAX), 4), ("╸".to_owned(), "───".to_owned()));
    }
}
