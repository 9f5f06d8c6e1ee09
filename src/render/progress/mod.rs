//! The receiver of events: counts them, shows progress at a slow rate, and prints reports of finished files.

pub(crate) mod bars;
mod failures;
mod fold;
mod frame;
pub(crate) mod spinner;
pub(crate) mod state;

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval, interval_at};

use self::failures::PrintedFailures;
use self::fold::Fold;
use crate::model::{Event, Report};
use crate::render::progress::bars::Bars;
use crate::render::progress::state::ProgressState;
use crate::render::style::{ProgressMode, Style};
use crate::render::text::phrases;
use crate::render::text::units;
use crate::render::{Renderer, Tally};

/// The interval of progress lines in a log.
const LINES_EVERY: Duration = Duration::from_secs(10);

/// A wait of this length is reported without `-v`, too.
const NOTICE_AFTER: Duration = Duration::from_secs(60);

const DRAWN_EVERY: Duration = Duration::from_millis(1000 / bars::REDRAWS as u64);

/// The largest number of events that are taken from the channel at once.
const BATCH: usize = 256;

/// In a log each file has a line if there are at most this many files: more lines would hide the failures.
const MAX_LINES: u64 = 100;

/// Files are sent while folders are still being read. The number of files counts as known when it did not grow for this time.
const SETTLED: Duration = Duration::from_millis(500);

impl Renderer {
    /// Shows the work until the last sender is dropped, then removes the bars. The caller prints [`Tally::summary`] and exits
    /// with [`Tally::status`]. If the future is dropped earlier (a signal), the summary is printed here.
    pub async fn follow(&self, events: UnboundedReceiver<Event>) -> Tally {
        Following::new(self, events, true).until_over().await
    }

    /// As `follow`, for work that does not result in a list of files: shows only bars and failures.
    pub async fn watch(&self, events: UnboundedReceiver<Event>) -> Tally {
        Following::new(self, events, false).until_over().await
    }

    /// Is there a terminal where a spinner helps?
    pub fn has_spinner(&self) -> bool {
        self.style().progress_mode() == ProgressMode::Bars
    }

    /// Draws the spinner whenever nothing else was written for half a second. Ends with the program.
    pub async fn spin(self) {
        let mut ticks = interval(spinner::REDRAWN_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.screen().spin(self.style().terminal, Instant::now());
        }
    }
}

/// The state of the work, from the events so far.
struct Following<'a> {
    renderer: &'a Renderer,
    events: UnboundedReceiver<Event>,
    mode: ProgressMode,
    board: ProgressState,
    tally: Tally,
    failures: PrintedFailures,
    /// Finished files that may get a line: the total number of files is not known yet.
    held: Vec<Report>,
    /// The last time when the number of files grew.
    grown: Instant,
    /// The folded section of the log that contains these lines.
    fold: Option<Fold>,
    /// A summary is printed at the end, also when the future is dropped.
    sums_up: bool,
    /// True after the user has read that a server can't be reached.
    is_told_unreachable: bool,
    is_over: bool,
    started: Instant,
}

impl<'a> Following<'a> {
    fn new(renderer: &'a Renderer, events: UnboundedReceiver<Event>, sums_up: bool) -> Following<'a> {
        let (mode, started) = (renderer.style().progress_mode(), Instant::now());
        if mode == ProgressMode::Bars {
            renderer.screen().show(Bars::new(renderer.style().terminal, renderer.style().colour));
        }
        let (board, tally, failures) = (ProgressState::new(started), Tally::default(), PrintedFailures::default());
        Following {
            renderer,
            events,
            mode,
            board,
            tally,
            failures,
            held: Vec::new(),
            grown: started,
            fold: None,
            sums_up,
            is_told_unreachable: false,
            is_over: false,
            started,
        }
    }

    async fn until_over(mut self) -> Tally {
        let pace = if self.mode == ProgressMode::Bars { DRAWN_EVERY } else { LINES_EVERY };
        let mut ticks = interval_at(tokio::time::Instant::now() + pace, pace);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                taken = self.events.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        break;
                    }
                    batch.drain(..).for_each(|event| self.take(&event));
                }
                _ = ticks.tick(), if self.mode != ProgressMode::Silent => self.show(Instant::now()),
            }
        }
        self.conclude();
        std::mem::take(&mut self.tally)
    }

    fn take(&mut self, event: &Event) {
        self.print(event);
        let files = self.board.files().1;
        self.board.apply(event, Instant::now());
        if matches!(event, Event::Planned { .. }) && self.board.files().1 > files {
            self.grown = Instant::now();
        }
        if let Event::Finished { report, .. } = event {
            self.tally.add(report);
            self.print_report(report);
        }
    }

    fn print_report(&mut self, report: &Report) {
        if let Report::Failed(failure) = report {
            self.failures.add(failure);
            self.renderer.report(report);
            return;
        }
        match self.has_line(report) {
            Some(true) => self.print_line(report),
            Some(false) => self.renderer.record(report),
            None => self.held.push(report.clone()),
        }
        self.release();
    }

    fn print_line(&mut self, report: &Report) {
        self.failures.mark_buried();
        self.open_fold();
        self.renderer.report(report);
    }

    /// Whether a finished file has a line. If bars and results are on one terminal, the bars show the file already. None:
    /// decided when the number of files is known.
    fn has_line(&self, report: &Report) -> Option<bool> {
        let Style { json, verbose, terminal, .. } = self.renderer.style();
        match self.mode {
            _ if *json || *verbose > 0 || is_planned(report) => Some(true),
            ProgressMode::Bars if terminal.out => Some(false),
            _ if self.board.files().1 > MAX_LINES => Some(false),
            _ => None,
        }
    }

    /// Prints the lines that were held back, once the number of files is known; no lines if there are too many files.
    fn release(&mut self) {
        let is_many = self.board.files().1 > MAX_LINES;
        if is_many || self.is_over || self.grown.elapsed() >= SETTLED {
            for report in std::mem::take(&mut self.held) {
                if is_many { self.renderer.record(&report) } else { self.print_line(&report) }
            }
        }
    }

    /// Shows the current progress.
    fn show(&mut self, now: Instant) {
        self.board.refresh(now);
        self.release();
        match self.mode {
            ProgressMode::Bars => self.renderer.screen().draw(&self.board, now),
            ProgressMode::Events => self.renderer.report(&self.board.progress()),
            ProgressMode::Lines => {
                self.failures.mark_buried();
                self.renderer.aside(&progress_line(&self.board, now));
            }
            ProgressMode::Silent => {}
        }
    }

    /// Prints the events that have a line.
    fn print(&mut self, event: &Event) {
        let is_dead = self.mode != ProgressMode::Bars && event.is_no_answer();
        // Bars show a wait; elsewhere the first one tells that the server can't be reached.
        let is_first_sign = is_dead && !std::mem::replace(&mut self.is_told_unreachable, true);
        let name = |id: &u64| self.board.flights.get(id).map(|flight| format!("{}: ", flight.name)).unwrap_or_default();
        let (text, is_warning) = match event {
            Event::Waiting { id, attempt, of, wait, why, .. } => {
                let name = id.as_ref().map(name).unwrap_or_default();
                let line = format!("{name}waiting {}: {why} (try {attempt} of {of})", units::span(wait.as_secs_f64()));
                (line, is_first_sign || *wait >= NOTICE_AFTER)
            }
            Event::StartedOver { id, left_behind: None } => (format!("{}starting over from the first byte", name(id)), false),
            Event::StartedOver { id, left_behind: Some(what) } => {
                (format!("{}starting over from the first byte; {what} is left on the server", name(id)), true)
            }
            Event::Warning(text) => (text.clone(), true),
            Event::Note(text) => (text.clone(), false),
            _ => return,
        };
        if is_warning || self.renderer.style().verbose > 0 {
            self.failures.mark_buried();
        }
        if is_warning { self.renderer.warning(&text) } else { self.renderer.note(&text) }
    }

    /// Folds the lines of files, where a log supports that: the files that succeeded then hide no message.
    fn open_fold(&mut self) {
        let Style { folds, json, quiet, .. } = self.renderer.style();
        if *folds && !json && !quiet && self.fold.is_none() {
            let fold = Fold::new();
            self.renderer.screen().message(&fold.begin());
            self.fold = Some(fold);
        }
    }

    /// Prints the last lines before the summary.
    fn conclude(&mut self) {
        self.is_over = true;
        self.renderer.screen().hide();
        self.release();
        if let Some(fold) = self.fold.take() {
            self.renderer.screen().message(&fold.end());
            // The failures may be inside the folded section.
            self.failures.mark_buried();
        }
        self.failures.print(self.renderer);
        self.tally.took = self.started.elapsed().saturating_sub(self.renderer.screen().time_of_answers());
    }
}

/// Removes the bars at the end of the work, also after a signal; then the files that are done are reported.
impl Drop for Following<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        while let Ok(event) = self.events.try_recv() {
            self.take(&event);
        }
        self.conclude();
        if self.sums_up {
            let known = self.board.is_planned().then(|| self.board.files().1);
            self.renderer.report(&self.tally.interrupted_summary(known));
        }
    }
}

/// True for a line of a dry run, which is always printed, because the user asked for it.
fn is_planned(report: &Report) -> bool {
    matches!(report, Report::Planned { .. })
}

fn progress_line(board: &ProgressState, now: Instant) -> String {
    let hashing = board.hashing().map(|(done, of)| format!(", hashing {} of {}", units::size(done), units::size(of))).unwrap_or_default();
    let waiting = board.waiting().map(|wait| format!(", {}", bars::waiting(wait, now))).unwrap_or_default();
    format!("{}{hashing}{waiting}", phrases::progress(&board.progress()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::TransferKind;
    use crate::render::style::{Progress, Style, Terminal};
    use crate::render::testing;
    use crate::render::testing::capture;
    use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

    fn finished_event(id: u64, report: Report) -> Event {
        Event::Finished { id, report: Box::new(report) }
    }

    #[tokio::test]
    async fn results_go_out_and_are_counted() {
        let (renderer, out, err) = capture(Style { verbose: 1, ..Style::default() });
        let (sender, receiver) = unbounded_channel();
        for event in [
            Event::Planned { files: 2, bytes: 8 },
            Event::Started { id: 1, name: "a".into(), size: Some(5) },
            Event::Waiting {
                id: Some(1),
                attempt: 2,
                of: 5,
                wait: Duration::from_secs(4),
                why: "the server is busy".into(),
                is_no_answer: false,
            },
            Event::StartedOver { id: 1, left_behind: Some("@9".into()) },
            Event::Sent { id: 1, bytes: 5 },
            finished_event(1, Report::Transferred { how: TransferKind::Uploaded, transfer: testing::transfer("a", "/a", 5) }),
            finished_event(2, Report::Failed(testing::failure("b", "/b"))),
            Event::Warning("the share ends tomorrow".into()),
            Event::Note("fell back to FTPS".into()),
        ] {
            sender.send(event).unwrap();
        }
        drop(sender);
        let tally = renderer.follow(receiver).await;
        assert_eq!((tally.files, tally.bytes, tally.skipped, tally.failed, tally.status()), (1, 5, 0, 1, 9));
        assert_eq!(out.text(), format!("uploaded  a -> studio:/a  (5 B, md5 {})\n", testing::MD5));
        assert_eq!(
            err.text(),
            "haul: note: a: waiting 4.0s: the server is busy (try 2 of 5)\n\
             haul: warning: a: starting over from the first byte; @9 is left on the server\n\
             haul: b: the account is full; delete something\n\
             haul: warning: the share ends tomorrow\n\
             haul: note: fell back to FTPS\n\
             1 file failed:\n  b: the account is full; delete something\n"
        );
    }

    fn following(renderer: &Renderer) -> (Following<'_>, UnboundedSender<Event>) {
        let (sender, receiver) = unbounded_channel();
        (Following::new(renderer, receiver, true), sender)
    }

    fn uploaded_event(name: &str) -> Event {
        finished_event(1, Report::Transferred { how: TransferKind::Uploaded, transfer: testing::transfer(name, "/x", 5) })
    }

    #[test]
    fn a_line_now_and_then_where_nobody_watches() {
        let start = Instant::now();
        let mut board = ProgressState::new(start);
        board.apply(&Event::Planned { files: 2, bytes: 4096 }, start);
        board.apply(&Event::Started { id: 1, name: "a".into(), size: Some(2048) }, start);
        board.apply(&Event::Sent { id: 1, bytes: 1024 }, start);
        let now = start + Duration::from_secs(1);
        board.refresh(now);
        assert_eq!(progress_line(&board, now), "0 of 2 files, 1.0 KiB of 4.0 KiB, 1.0 KiB/s, 3.0s left");
        let waiting =
            Event::Waiting { id: Some(1), attempt: 3, of: 5, wait: Duration::from_secs(2), why: "line cut".into(), is_no_answer: false };
        board.apply(&waiting, now);
        assert!(progress_line(&board, now).ends_with(" 3.0s left, waiting 2s (try 3 of 5): line cut"));
        board.apply(&Event::Hashing { id: 1, name: "a".into(), size: Some(2048), done: 512 }, now);
        assert!(progress_line(&board, now).ends_with(" 3.0s left, hashing 512 B of 2.0 KiB"));
    }

    #[test]
    fn progress_for_scripts_only_when_asked() {
        let (renderer, out, err) = capture(Style { json: true, progress: Progress::Plain, ..Style::default() });
        let (mut work, _sender) = following(&renderer);
        work.show(Instant::now());
        assert_eq!(
            out.text(),
            "{\"schema\":1,\"event\":\"progress\",\"files\":0,\"of_files\":0,\"bytes\":0,\"of_bytes\":null,\"bytes_per_second\":0.0,\"seconds_left\":null}\n"
        );
        assert_eq!(err.text(), "");
    }

    /// Each file has a line, depending on the terminal.
    #[test]
    fn each_file_has_a_line_where_that_helps() {
        let on = |out| Terminal { out, err: true, ..Terminal::default() };
        let lines = |style: Style, files: u64| {
            let (renderer, out, _) = capture(style);
            let (mut work, _sender) = following(&renderer);
            work.take(&Event::Planned { files, bytes: 5 });
            (0..files).for_each(|n| work.take(&uploaded_event(&n.to_string())));
            work.conclude();
            out.text().lines().count() as u64
        };
        assert_eq!(lines(Style::default(), 100), 100);
        assert_eq!(lines(Style::default(), 101), 0);
        assert_eq!(lines(Style { verbose: 1, ..Style::default() }, 101), 101);
        assert_eq!(lines(Style { json: true, ..Style::default() }, 101), 101);
        assert_eq!(lines(Style { terminal: on(true), ..Style::default() }, 3), 0, "the bars tell");
        assert_eq!(lines(Style { terminal: on(true), verbose: 1, ..Style::default() }, 3), 3);
        assert_eq!(lines(Style { terminal: on(true), progress: Progress::None, ..Style::default() }, 3), 3);
        assert_eq!(lines(Style { terminal: on(false), ..Style::default() }, 3), 3, "they go to a file");
        assert_eq!(lines(Style { quiet: true, ..Style::default() }, 3), 0);
    }

    #[test]
    fn lines_wait_until_the_number_of_files_is_known() {
        let (renderer, out, _) = capture(Style::default());
        let (mut work, _sender) = following(&renderer);
        let lines = || out.text().lines().count();
        work.take(&Event::Planned { files: 2, bytes: 5 });
        work.take(&uploaded_event("a"));
        assert_eq!(lines(), 0, "there may be a thousand");
        work.grown -= SETTLED;
        work.take(&uploaded_event("b"));
        assert_eq!(lines(), 2);
        work.take(&Event::Planned { files: 1000, bytes: 5 });
        (0..998).for_each(|n| work.take(&uploaded_event(&n.to_string())));
        work.conclude();
        assert_eq!(lines(), 2);
    }

    #[test]
    fn work_that_is_given_up_is_summed_up() {
        for json in [false, true] {
            let (renderer, out, err) = capture(Style { json, ..Style::default() });
            let (mut work, sender) = following(&renderer);
            work.take(&Event::Planned { files: 20, bytes: 100 });
            sender.send(finished_event(1, Report::Failed(testing::failure("b", "/b")))).unwrap();
            sender.send(uploaded_event("a")).unwrap();
            drop(work);
            match json {
                true => {
                    assert!(
                        out.text().lines().last().unwrap().contains(r#""event":"summary","files":1,"bytes":5,"skipped":0,"failed":1,"#)
                    );
                    assert!(out.text().ends_with("\"interrupted\":true,\"of_files\":20}\n"), "{}", out.text());
                }
                false => {
                    let last: Vec<String> = err.text().lines().skip(1).map(str::to_owned).collect();
                    assert_eq!(&last[..2], ["1 file failed:", "  b: the account is full; delete something"]);
                    assert!(last[2].starts_with("1 of 20 files done, 5 B in ") && last[2].ends_with(", 1 failed, interrupted"), "{last:?}");
                }
            }
        }
        let (renderer, out, err) = capture(Style::default());
        let (_sender, receiver) = unbounded_channel();
        drop(Following::new(&renderer, receiver, false));
        assert_eq!((out.text(), err.text()), (String::new(), String::new()), "what is only watched has no summary");
    }

    #[test]
    fn a_server_that_is_not_reached_is_told_once_at_the_first_try() {
        let (renderer, _, err) = capture(Style::default());
        let (mut work, _sender) = following(&renderer);
        let wait = Duration::from_millis(500);
        for (attempt, is_no_answer) in [(2, false), (2, true), (3, true)] {
            work.take(&Event::Waiting { id: None, attempt, of: 5, wait, why: "no answer".into(), is_no_answer });
        }
        assert_eq!(err.text(), "haul: warning: waiting 0.5s: no answer (try 2 of 5)\n");
        work.conclude();
    }

    #[test]
    fn a_log_of_gitlab_is_folded_around_the_files() {
        let (renderer, out, err) = capture(Style { folds: true, ..Style::default() });
        let (mut work, _sender) = following(&renderer);
        work.take(&uploaded_event("a"));
        work.grown -= SETTLED;
        work.release();
        work.take(&finished_event(2, Report::Failed(testing::failure("b", "/b"))));
        work.conclude();
        let err = err.text();
        let parts: Vec<&str> = err.split("\x1b[0K").filter(|part| !part.is_empty()).collect();
        assert!(parts[0].starts_with("section_start:") && parts[0].ends_with("[collapsed=true]\r"), "{parts:?}");
        assert_eq!(parts[1], "haul: the files\nhaul: b: the account is full; delete something\n");
        let name = |part: &str| part.split([':', '[', '\r']).nth(2).unwrap().to_owned();
        assert_eq!((name(parts[0]), parts[2].starts_with("section_end:")), (name(parts[2]), true));
        assert_eq!(parts[3], "\n1 file failed:\n  b: the account is full; delete something\n", "what failed is not folded");
        assert_eq!(out.text().lines().count(), 1);
    }

    #[test]
    fn failures_that_stand_last_are_not_repeated() {
        let failing = |work: &mut Following<'_>| {
            (0..30).for_each(|n| work.take(&finished_event(n, Report::Failed(testing::failure(&n.to_string(), "/b")))));
        };
        let (renderer, _, err) = capture(Style::default());
        let (mut work, _sender) = following(&renderer);
        failing(&mut work);
        work.conclude();
        assert_eq!(err.text().lines().count(), 30);

        let (renderer, _, err) = capture(Style::default());
        let (mut work, _sender) = following(&renderer);
        failing(&mut work);
        work.take(&uploaded_event("a"));
        work.conclude();
        assert!(err.text().ends_with("\n  … and 5 more; `--failed-to FILE` lists them all\n"), "{}", err.text());
        assert_eq!(err.text().lines().count(), 30 + 1 + 25 + 1);
    }

    #[tokio::test]
    async fn a_flood_of_events_is_only_counted() {
        let (renderer, out, err) = capture(Style::default());
        let (sender, receiver) = unbounded_channel();
        sender.send(Event::Started { id: 1, name: "a".into(), size: Some(100_000) }).unwrap();
        (0..100_000).for_each(|_| sender.send(Event::Sent { id: 1, bytes: 1 }).unwrap());
        drop(sender);
        assert_eq!(renderer.follow(receiver).await.status(), 0);
        assert_eq!((out.text(), err.text()), (String::new(), String::new()));
    }
}
