//! The two output streams and the order of their use: every write first removes the bars.

use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::error::{Error, Kind, Result};
use crate::render::progress::bars::Bars;
use crate::render::progress::spinner::Spinner;
use crate::render::progress::state::ProgressState;
use crate::render::style::Terminal;

type Stream = Box<dyn Write + Send>;

pub(super) struct Streams {
    // Locked in this order: bars, still, out, err.
    bars: Mutex<Foot>,
    out: Mutex<OutputState>,
    err: Mutex<Stream>,
    still: Mutex<PromptState>,
}

/// What stands at the foot of the terminal: bars, or a spinner while nothing else is shown.
#[derive(Default)]
struct Foot {
    bars: Option<Bars>,
    spinner: Spinner,
    /// The terminal that the spinner was drawn in.
    spins_in: Option<Terminal>,
}

impl Foot {
    /// What to write so that something else can be written.
    fn clear(&mut self) -> String {
        let spinner = self.spins_in.map(|terminal| self.spinner.clear(terminal, Instant::now()));
        let bars = self.bars.as_mut().map(Bars::clear);
        spinner.into_iter().chain(bars).collect()
    }
}

/// While the user types, no other output may use the terminal.
#[derive(Default)]
struct PromptState {
    questions: usize,
    /// Messages that wait until the question is answered.
    held: String,
    /// When the first of the open questions was asked.
    since: Option<Instant>,
    answering: Duration,
}

struct OutputState {
    to: BufWriter<Stream>,
    /// Why nothing more is written: the reader is gone, or the disk is full.
    failed: Option<io::Error>,
}

impl Streams {
    pub(super) fn new(out: Stream, err: Stream) -> Streams {
        let out = OutputState { to: BufWriter::new(out), failed: None };
        Streams { bars: Mutex::default(), out: Mutex::new(out), err: Mutex::new(err), still: Mutex::default() }
    }

    pub(super) fn show(&self, bars: Bars) {
        let mut foot = self.bars.lock();
        self.write(&foot.clear());
        foot.bars = Some(bars);
    }

    pub(super) fn hide(&self) {
        let mut foot = self.bars.lock();
        self.write(&foot.clear());
        foot.bars = None;
    }

    /// The next frame of the spinner, where nothing else is drawn.
    pub(super) fn spin(&self, terminal: Terminal, now: Instant) {
        let mut foot = self.bars.lock();
        if foot.bars.is_none() && !self.is_still() {
            foot.spins_in = Some(terminal);
            self.write(&foot.spinner.draw(terminal, now));
        }
    }

    pub(super) fn draw(&self, board: &ProgressState, now: Instant) {
        let mut foot = self.bars.lock();
        if let Some(bars) = foot.bars.as_mut().filter(|_| !self.is_still()) {
            self.write(&bars.draw(board, now));
        }
    }

    /// Writes to standard error. A failure is ignored: there is no other place to report it, and the work must go on without a
    /// terminal.
    fn write(&self, text: &str) {
        if !text.is_empty() {
            let mut err = self.err.lock();
            let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
        }
    }

    /// Prepares a question: removes the bars, and holds messages back until the answer (or the end of the program).
    pub(super) fn ask(&self) {
        let mut foot = self.bars.lock();
        let mut still = self.still.lock();
        still.questions += 1;
        still.since.get_or_insert_with(Instant::now);
        drop(still);
        self.write(&foot.clear());
    }

    pub(super) fn note_answer(&self) {
        let held = {
            let mut foot = self.bars.lock();
            let mut still = self.still.lock();
            still.questions = still.questions.saturating_sub(1);
            if still.questions == 0 {
                let since = still.since.take();
                still.answering += since.map_or(Duration::ZERO, |since| since.elapsed());
                // The server is awaited from now on.
                foot.spinner.wait_from(Instant::now());
                std::mem::take(&mut still.held)
            } else {
                String::new()
            }
        };
        self.message(&held);
    }

    /// The total time of all answers.
    pub(super) fn time_of_answers(&self) -> Duration {
        self.still.lock().answering
    }

    fn is_still(&self) -> bool {
        self.still.lock().questions > 0
    }

    /// Writes in place of the bars; the next frame is drawn below.
    fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        let mut foot = self.bars.lock();
        if !self.is_still() {
            self.write(&foot.clear());
        }
        write()
    }

    /// Writes text to standard output. With `now` it is flushed, because a reader waits for it.
    pub(super) fn result(&self, text: &str, now: bool) {
        self.aside(|| {
            let mut out = self.out.lock();
            if out.failed.is_none() {
                let written = out.to.write_all(text.as_bytes()).and_then(|()| if now { out.to.flush() } else { Ok(()) });
                out.failed = written.err();
            }
        });
    }

    /// Bytes of a file for standard output.
    pub(super) fn bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = self.out.lock();
        let written = out.to.write_all(bytes).and_then(|()| out.to.flush());
        if let Err(cause) = &written {
            out.failed.get_or_insert(cause.kind().into());
        }
        written
    }

    /// Writes text to standard error, in one write, so that lines of several threads don't mix. A failure is ignored.
    pub(super) fn message(&self, text: &str) {
        {
            let mut still = self.still.lock();
            if still.questions > 0 {
                still.held.push_str(text);
                return;
            }
        }
        if text.is_empty() {
            return;
        }
        self.aside(|| self.write(text));
    }

    pub(super) fn fail(&self, cause: io::Error) {
        self.out.lock().failed.get_or_insert(cause);
    }

    /// True when the reader of standard output is gone (`haul ls | head`).
    pub(super) fn is_closed(&self) -> bool {
        self.out.lock().failed.as_ref().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Flushes everything. Fails with `Local` when standard output did not take all of it; a reader that is gone wanted no
    /// more, which is no failure.
    pub(super) fn flush(&self) -> Result<()> {
        // Open questions will get no answer any more.
        while self.is_still() {
            self.note_answer();
        }
        self.hide();
        let mut out = self.out.lock();
        if out.failed.is_none() {
            out.failed = out.to.flush().err();
        }
        match &out.failed {
            Some(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::new(Kind::Local, format!("standard output can't be written: {cause}")))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing;
    use crate::render::testing::Failing;
    use crate::render::{Renderer, Style};

    #[test]
    fn a_reader_that_left_is_no_failure_but_a_full_disk_is() {
        let renderer = |kind| Renderer::onto(Style::default(), Box::new(Failing(kind)), Box::new(io::sink()));
        let left = renderer(io::ErrorKind::BrokenPipe);
        testing::all().iter().for_each(|report| left.report(report));
        assert!(left.is_closed());
        left.finish().unwrap();
        let full = renderer(io::ErrorKind::StorageFull);
        full.report(&testing::entry_report(testing::entry()));
        assert!(!full.is_closed());
        assert_eq!(full.finish().unwrap_err().kind(), Kind::Local);
    }

    #[test]
    fn nothing_is_said_while_a_person_types() {
        let (renderer, _, err) = testing::capture(Style::default());
        renderer.screen().show(Bars::new(Terminal::default(), false));
        let typed = renderer.while_a_person_types(|| {
            renderer.warning("the first");
            renderer.screen().draw(&ProgressState::new(Instant::now()), Instant::now());
            renderer.while_a_person_types(|| renderer.warning("the second"));
            err.text()
        });
        assert_eq!(typed, "");
        assert_eq!(err.text(), "haul: warning: the first\nhaul: warning: the second\n");
        renderer.screen().ask();
        renderer.warning("interrupted");
        renderer.finish().unwrap();
        assert!(err.text().ends_with("interrupted\n"), "{}", err.text());
    }
}
