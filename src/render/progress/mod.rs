//! The listener at the end of the channel: counts events, shows progress at a calm pace, reports what is finished.

pub(crate) mod bars;
pub(crate) mod state;

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::model::{Event, Report};
use crate::render::progress::bars::Bars;
use crate::render::progress::state::ProgressState;
use crate::render::style::ProgressMode;
use crate::render::text::phrases;
use crate::render::text::units;
use crate::render::{Renderer, Tally};

/// A log wants a sign of life, not a film.
const LINES_EVERY: Duration = Duration::from_secs(10);

/// A wait that is told without `-v`, too.
const LONG_WAIT: Duration = Duration::from_secs(60);

const DRAWN_EVERY: Duration = Duration::from_millis(1000 / bars::REDRAWS as u64);

/// Events taken from the channel at once.
const BATCH: usize = 256;

impl Renderer {
    /// Shows the work until the last sender is gone; then the bars are gone too. The caller reports
    /// [`Tally::summary`] and ends with [`Tally::status`].
    pub async fn follow(&self, events: UnboundedReceiver<Event>) -> Tally {
        follow(self, events).await
    }
}

async fn follow(renderer: &Renderer, mut events: UnboundedReceiver<Event>) -> Tally {
    let progress_mode = renderer.style().progress_mode();
    let started = Instant::now();
    let mut board = ProgressState::new(started);
    let mut tally = Tally::default();
    let mut untried = NotAttempted::default();
    if progress_mode == ProgressMode::Bars {
        renderer.screen().show(Bars::on_stderr(renderer.style().terminal.width));
    }
    let shown = BarsGuard(renderer);
    let pace = if progress_mode == ProgressMode::Bars { DRAWN_EVERY } else { LINES_EVERY };
    let mut ticks = interval_at(tokio::time::Instant::now() + pace, pace);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);

    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            taken = events.recv_many(&mut batch, BATCH) => {
                if taken == 0 {
                    break;
                }
                let now = Instant::now();
                for event in batch.drain(..) {
                    print_event(renderer, &board, &event);
                    board.apply(&event, now);
                    if let Event::Finished { report, .. } = &event {
                        tally.add(report);
                        untried.add(report);
                        renderer.report(report);
                    }
                }
            }
            _ = ticks.tick(), if progress_mode != ProgressMode::Silent => show(renderer, progress_mode, &mut board, Instant::now()),
        }
    }
    drop(shown);
    untried.tell(renderer);
    tally.took = started.elapsed();
    tally
}

/// Files that were left out because of a failure that was told: a thousand lines of them would hide it.
#[derive(Default)]
struct NotAttempted {
    files: u64,
    why: String,
}

impl NotAttempted {
    fn add(&mut self, report: &Report) {
        if let Report::Failed(failure) = report
            && failure.untried
        {
            self.files += 1;
            self.why.clone_from(&failure.error.message);
        }
    }

    fn tell(&self, renderer: &Renderer) {
        if self.files > 0 && renderer.style().verbose == 0 {
            let files = if self.files == 1 { "file" } else { "files" };
            renderer.failure(&format!("{} {files} {}", self.files, self.why));
        }
    }
}

/// The bars go when the work is over, and also when it is given up (a signal).
struct BarsGuard<'a>(&'a Renderer);

impl Drop for BarsGuard<'_> {
    fn drop(&mut self) {
        self.0.screen().hide();
    }
}

/// Shows how far the work is.
fn show(renderer: &Renderer, progress_mode: ProgressMode, board: &mut ProgressState, now: Instant) {
    board.look(now);
    match progress_mode {
        ProgressMode::Bars => renderer.screen().draw(board, now),
        ProgressMode::Events => renderer.report(&board.progress()),
        ProgressMode::Lines => {
            let waiting = board.waiting().map(|wait| format!(", {}", bars::waiting(wait, now))).unwrap_or_default();
            renderer.aside(&format!("{}{waiting}", phrases::progress(&board.progress())));
        }
        ProgressMode::Silent => {}
    }
}

/// Events that are worth a line.
fn print_event(renderer: &Renderer, board: &ProgressState, event: &Event) {
    let name = |id: &u64| board.flights.get(id).map(|flight| format!("{}: ", flight.name)).unwrap_or_default();
    match event {
        Event::Waiting { id, attempt, of, wait, why } => {
            let name = id.as_ref().map(name).unwrap_or_default();
            let line = format!("{name}waiting {}: {why} (try {attempt} of {of})", units::span(wait.as_secs_f64()));
            if *wait >= LONG_WAIT { renderer.warning(&line) } else { renderer.note(&line) }
        }
        Event::StartedOver { id, left_behind: None } => renderer.note(&format!("{}starting over from the first byte", name(id))),
        Event::StartedOver { id, left_behind: Some(what) } => {
            renderer.warning(&format!("{}starting over from the first byte; {what} is left on the server", name(id)));
        }
        Event::Warning(text) => renderer.warning(text),
        Event::Note(text) => renderer.note(text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::style::{Progress, Style};
    use crate::render::testing;
    use crate::render::testing::captured;
    use tokio::sync::mpsc::unbounded_channel;

    fn finished(id: u64, report: Report) -> Event {
        Event::Finished { id, report: Box::new(report) }
    }

    #[tokio::test]
    async fn results_go_out_and_are_counted() {
        let (renderer, out, err) = captured(Style { verbose: 1, ..Style::default() });
        let (sender, receiver) = unbounded_channel();
        for event in [
            Event::Planned { files: 2, bytes: 8 },
            Event::Started { id: 1, name: "a".into(), size: Some(5) },
            Event::Waiting { id: Some(1), attempt: 2, of: 5, wait: Duration::from_secs(4), why: "the server is busy".into() },
            Event::StartedOver { id: 1, left_behind: Some("@9".into()) },
            Event::Sent { id: 1, bytes: 5 },
            finished(1, Report::Uploaded(testing::transfer("a", "/a", 5))),
            finished(2, Report::Failed(testing::failure("b", "/b"))),
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
             haul: note: fell back to FTPS\n"
        );
    }

    #[test]
    fn a_line_now_and_then_where_nobody_watches() {
        let (renderer, out, err) = captured(Style::default());
        let start = Instant::now();
        let mut board = ProgressState::new(start);
        board.apply(&Event::Planned { files: 2, bytes: 4096 }, start);
        board.apply(&Event::Started { id: 1, name: "a".into(), size: Some(2048) }, start);
        board.apply(&Event::Sent { id: 1, bytes: 1024 }, start);
        let now = start + Duration::from_secs(1);
        show(&renderer, ProgressMode::Lines, &mut board, now);
        let waiting = Event::Waiting { id: Some(1), attempt: 3, of: 5, wait: Duration::from_secs(2), why: "line cut".into() };
        board.apply(&waiting, now);
        show(&renderer, ProgressMode::Lines, &mut board, now);
        assert_eq!(
            err.text(),
            "0 of 2 files, 1.0 KiB of 4.0 KiB, 1.0 KiB/s, 3.0s left\n\
             0 of 2 files, 1.0 KiB of 4.0 KiB, 1.0 KiB/s, 3.0s left, waiting 2s: line cut (try 3 of 5)\n"
        );
        assert_eq!(out.text(), "");
    }

    #[test]
    fn progress_for_scripts_only_when_asked() {
        let (renderer, out, err) = captured(Style { json: true, progress: Progress::Plain, ..Style::default() });
        let mut board = ProgressState::new(Instant::now());
        show(&renderer, renderer.style().progress_mode(), &mut board, Instant::now());
        assert_eq!(
            out.text(),
            "{\"schema\":1,\"event\":\"progress\",\"files\":0,\"of_files\":0,\"bytes\":0,\"of_bytes\":null,\"bytes_per_second\":0.0,\"seconds_left\":null}\n"
        );
        assert_eq!(err.text(), "");
    }

    #[tokio::test]
    async fn a_flood_of_events_is_only_counted() {
        let (renderer, out, err) = captured(Style::default());
        let (sender, receiver) = unbounded_channel();
        sender.send(Event::Started { id: 1, name: "a".into(), size: Some(100_000) }).unwrap();
        (0..100_000).for_each(|_| sender.send(Event::Sent { id: 1, bytes: 1 }).unwrap());
        drop(sender);
        assert_eq!(renderer.follow(receiver).await.status(), 0);
        assert_eq!((out.text(), err.text()), (String::new(), String::new()));
    }
}
