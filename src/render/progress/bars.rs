//! The moving part of a terminal: a total, and below it a bar for each file in flight. The only file that knows indicatif.
//! Over 300 lines with its tests.

use std::collections::BTreeMap;
use std::time::Instant;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::model::event::FileId;
use crate::render::progress::state::{FileProgress, FileState, ProgressState, Speed, Wait};
use crate::render::text::units;

/// Frames in a second.
pub(crate) const REDRAWS: u8 = 10;

/// What indicatif may draw by itself in a second, in the middle of a frame; the frames are drawn by force.
const STRAY_DRAWS: u8 = 1;

/// More bars than this tell a person nothing; the total counts the rest.
const MOST_BARS: usize = 8;

/// Columns that the numbers take at most: they come before a nice bar, and before a whole name.
const NUMBERS: u16 = 44;

/// Assumed where the width is not known.
const USUAL_WIDTH: u16 = 80;

pub(crate) struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    files: BTreeMap<FileId, ProgressBar>,
    sized: ProgressStyle,
    endless: ProgressStyle,
    /// Columns of a name.
    name: u16,
}

impl Bars {
    /// On the terminal of standard error. `width` in columns.
    pub(crate) fn on_stderr(width: Option<u16>) -> Bars {
        Bars::new(ProgressDrawTarget::stderr_with_hz(STRAY_DRAWS), width)
    }

    fn new(target: ProgressDrawTarget, width: Option<u16>) -> Bars {
        let width = width.unwrap_or(USUAL_WIDTH);
        let name = (width / 4).clamp(8, 40);
        let bar = match width.saturating_sub(NUMBERS).saturating_sub(name) {
            0..8 => String::new(),
            room => format!("{{bar:{}}} ", (room - 2).min(30)),
        };
        // Both templates are fixed texts: they parse.
        let style = |template: String| ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let sized = style(format!("{{prefix:{name}!}} {bar}{{wide_msg}}")).progress_chars("━╸─");
        let endless = style(format!("{{prefix:{name}!}} {{spinner}} {{wide_msg}}"));
        let all = MultiProgress::with_draw_target(target);
        let total = all.add(ProgressBar::no_length().with_style(endless.clone()).with_prefix("total"));
        Bars { all, total, files: BTreeMap::new(), sized, endless, name }
    }

    pub(crate) fn draw(&mut self, board: &ProgressState, now: Instant) {
        let shown: Vec<_> = board.flights.iter().take(MOST_BARS).collect();
        self.files.retain(|id, bar| {
            let stays = shown.iter().any(|(shown, _)| *shown == id);
            if !stays {
                self.all.remove(bar);
            }
            stays
        });
        for (id, flight) in shown {
            let bar = self.files.entry(*id).or_insert_with(|| {
                let style = if flight.size.is_some() { &self.sized } else { &self.endless };
                let bar = ProgressBar::no_length().with_style(style.clone()).with_prefix(short(&flight.name, self.name).to_owned());
                self.all.add(bar)
            });
            set(bar, flight.at, flight.size, message(flight, now));
        }
        let more = board.flights.len().saturating_sub(MOST_BARS);
        let style = if board.of_bytes().is_some() { &self.sized } else { &self.endless };
        self.total.set_style(style.clone());
        let (files, of_files) = board.files();
        self.total.set_prefix(format!("total {files}/{of_files}"));
        set(&self.total, board.bytes(), board.of_bytes(), total(board, more, now));
        self.total.force_draw();
    }

    /// Takes the bars from the terminal until they are drawn again.
    pub(crate) fn clear(&self) {
        let _ = self.all.clear();
    }

    /// Clears the bars, lets `write` use the terminal, and draws them again. Not `MultiProgress::suspend`: that one
    /// panics when the terminal is gone, and an upload must outlive its terminal.
    pub(crate) fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        let _ = self.all.clear();
        let result = write();
        self.total.force_draw();
        result
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.files.values().for_each(|bar| self.all.remove(bar));
        self.all.remove(&self.total);
        let _ = self.all.clear();
    }
}

/// Where a path does not fit, its end tells more than its beginning.
fn short(name: &str, columns: u16) -> &str {
    if name.chars().count() <= usize::from(columns) {
        return name;
    }
    name.rsplit(['/', std::path::MAIN_SEPARATOR]).next().unwrap_or(name)
}

fn set(bar: &ProgressBar, at: u64, size: Option<u64>, message: String) {
    // An empty file is whole: a length of 0 would be drawn as nothing done.
    let (at, size) = if size == Some(0) { (1, Some(1)) } else { (at, size) };
    bar.update(|state| {
        state.set_pos(at);
        match size {
            Some(size) => state.set_len(size.max(at)),
            None => state.set_len(at.saturating_add(1)),
        }
    });
    bar.set_message(message);
}

fn message(flight: &FileProgress, now: Instant) -> String {
    match &flight.doing {
        FileState::Moving => numbers(flight.at, flight.size, &flight.speed),
        FileState::Waiting(wait) => waiting(wait, now),
        FileState::Checking => "checking".to_owned(),
    }
}

fn total(board: &ProgressState, more: usize, now: Instant) -> String {
    // Of a file that waits its own bar tells.
    if let Some(wait) = board.waiting().filter(|_| board.flights.is_empty()) {
        return waiting(wait, now);
    }
    let more = if more > 0 { format!("  … and {more} more") } else { String::new() };
    numbers(board.bytes(), board.of_bytes(), &board.speed) + &more
}

/// `waiting 4s: the server is busy (try 2 of 5)`
pub(crate) fn waiting(wait: &Wait, now: Instant) -> String {
    let left = wait.until.saturating_duration_since(now).as_secs_f64().ceil();
    format!("waiting {left}s: {} (try {} of {})", wait.why, wait.attempt, wait.of)
}

/// ` 35%  1.2 GiB/3.4 GiB  43.0 MiB/s  52s`: the last is the time left.
fn numbers(at: u64, size: Option<u64>, speed: &Speed) -> String {
    let rate = units::rate(speed.per_second());
    let Some(size) = size else { return format!("{}  {rate}", units::size(at)) };
    let percent = if size == 0 { 100 } else { u128::from(at.min(size)) * 100 / u128::from(size) };
    let left = speed.seconds_for(size.saturating_sub(at)).map(|left| format!("  {}", units::span(left))).unwrap_or_default();
    format!("{percent:>3}%  {}/{}  {rate}{left}", units::size(at), units::size(size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Event, Report};
    use crate::render::testing;
    use indicatif::TermLike;
    use parking_lot::Mutex;
    use std::io;
    use std::sync::Arc;
    use std::time::Duration;

    const WIDTH: u16 = 80;

    /// A terminal that keeps the lines of its last frame.
    #[derive(Clone, Debug, Default)]
    struct Frames {
        drawing: Arc<Mutex<String>>,
        last: Arc<Mutex<String>>,
        gone: bool,
    }

    impl Frames {
        fn lines(&self) -> Vec<String> {
            let frame = self.last.lock().clone();
            let chars: Vec<char> = frame.chars().collect();
            chars.chunks(WIDTH.into()).map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect()
        }
    }

    impl TermLike for Frames {
        fn width(&self) -> u16 {
            WIDTH
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, s: &str) -> io::Result<()> {
            self.write_str(s)
        }
        fn write_str(&self, s: &str) -> io::Result<()> {
            self.drawing.lock().push_str(s);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            if self.gone {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            *self.last.lock() = std::mem::take(&mut self.drawing.lock());
            Ok(())
        }
    }

    fn bars(frames: &Frames) -> Bars {
        Bars::new(ProgressDrawTarget::term_like(Box::new(frames.clone())), Some(WIDTH))
    }

    #[test]
    fn a_bar_for_each_file_and_a_total() {
        let (frames, start) = (Frames::default(), Instant::now());
        let (mut bars, mut board) = (bars(&frames), ProgressState::new(start));
        for event in [
            Event::Planned { files: 3, bytes: 4096 },
            Event::Started { id: 1, name: "a\u{1b}[31m.mov".into(), size: Some(2048) },
            Event::Started { id: 2, name: "b.mov".into(), size: Some(1024) },
            Event::Started { id: 3, name: "c.mov".into(), size: Some(1024) },
            Event::Sent { id: 1, bytes: 1024 },
            Event::Waiting { id: Some(2), attempt: 2, of: 5, wait: Duration::from_secs(5), why: "the server is busy".into() },
            Event::Checking { id: 3 },
        ] {
            board.apply(&event, start);
        }
        let now = start + Duration::from_secs(1);
        board.look(now);
        bars.draw(&board, now);
        let wanted = [
            "total 0/3            ━━━╸──────────  25%  1.0 KiB/4.0 KiB  1.0 KiB/s  3.0s",
            "a\\u{1b}[31m.mov      ━━━━━━━╸──────  50%  1.0 KiB/2.0 KiB  1.0 KiB/s  1.0s",
            "b.mov                ────────────── waiting 4s: the server is busy (try 2 of 5)",
            "c.mov                ────────────── checking",
        ];
        assert_eq!(frames.lines(), wanted);

        let report = Box::new(Report::Uploaded(testing::transfer("c.mov", "/c.mov", 1024)));
        board.apply(&Event::Finished { id: 3, report }, now);
        board.apply(&Event::Accepted { id: 1, offset: 0 }, now);
        bars.draw(&board, now);
        assert_eq!(frames.lines().len(), 3);
        assert!(frames.lines()[1].contains("  0%  0 B/2.0 KiB"), "{:?}", frames.lines());
        drop(bars);
        assert_eq!(frames.lines(), Vec::<String>::new());
    }

    #[test]
    fn never_more_bars_than_a_person_reads() {
        let (frames, now) = (Frames::default(), Instant::now());
        let (mut bars, mut board) = (bars(&frames), ProgressState::new(now));
        (0..30).for_each(|id| board.apply(&Event::Started { id, name: format!("f{id}"), size: None }, now));
        bars.draw(&board, now);
        assert_eq!(frames.lines().len(), 1 + MOST_BARS);
        assert!(frames.lines()[0].ends_with(" 0 B  0 B/s  … and 22 more"), "{:?}", frames.lines());
    }

    #[test]
    fn long_names_are_cut_and_never_wrap() {
        let (frames, now) = (Frames::default(), Instant::now());
        let (mut bars, mut board) = (bars(&frames), ProgressState::new(now));
        board.apply(&Event::Started { id: 1, name: "日".repeat(300), size: Some(0) }, now);
        let why = "x".repeat(300);
        board.apply(&Event::Waiting { id: Some(1), attempt: 1, of: 5, wait: Duration::ZERO, why }, now);
        bars.draw(&board, now);
        let drawn = frames.last.lock().clone();
        assert_eq!(drawn.matches('日').count(), 10);
        assert_eq!(drawn.matches('x').count(), usize::from(WIDTH) - 20 - 2 - 14 - "waiting 0s: ".len());
    }

    #[test]
    fn of_a_long_path_the_name_is_shown() {
        assert_eq!(short("reel/take 1.mov", 20), "reel/take 1.mov");
        assert_eq!(short("2026/harbour/reel/take 1.mov", 20), "take 1.mov");
    }

    #[test]
    fn writing_goes_on_when_the_terminal_is_gone() {
        let frames = Frames { gone: true, ..Frames::default() };
        let (mut bars, board) = (bars(&frames), ProgressState::new(Instant::now()));
        bars.draw(&board, Instant::now());
        assert_eq!(bars.aside(|| 7), 7);
    }

    #[test]
    fn sizes_that_lie_do_no_harm() {
        let speed = Speed::new(Instant::now());
        assert_eq!(numbers(u64::MAX, Some(1), &speed), "100%  16.0 EiB/1 B  0 B/s");
        assert_eq!(numbers(0, Some(0), &speed), "100%  0 B/0 B  0 B/s");
        assert_eq!(numbers(2048, None, &speed), "2.0 KiB  0 B/s");
    }
}
