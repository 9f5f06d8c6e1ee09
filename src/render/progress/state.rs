//! The state of the work in progress: which files are in flight, their offsets, speeds and remaining times. This module only
//! computes; others draw. An event costs one addition, so thousands of events per second cost little.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::model::escape::escape_control;
use crate::model::event::FileId;
use crate::model::{Event, Report};

/// Speeds are averages of about the last five seconds: steadier than the network, and faster to change than an average of the
/// whole run.
const MEMORY: Duration = Duration::from_secs(5);

/// Bytes per second; older values lose weight with time.
#[derive(Debug)]
pub(crate) struct Speed {
    unseen: u64,
    looked: Instant,
    average: f64,
    weight: f64,
}

impl Speed {
    pub(crate) fn new(now: Instant) -> Speed {
        Speed { unseen: 0, looked: now, average: 0.0, weight: 0.0 }
    }

    pub(crate) fn add(&mut self, bytes: u64) {
        self.unseen = self.unseen.saturating_add(bytes);
    }

    pub(crate) fn refresh(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.looked).as_secs_f64();
        if passed <= 0.0 {
            return;
        }
        let keep = (-passed / MEMORY.as_secs_f64()).exp();
        self.average = self.average * keep + self.unseen as f64 / passed * (1.0 - keep);
        self.weight = self.weight * keep + (1.0 - keep);
        (self.unseen, self.looked) = (0, now);
    }

    pub(crate) fn per_second(&self) -> f64 {
        if self.weight > 0.0 { self.average / self.weight } else { 0.0 }
    }

    /// Seconds for `bytes` more; none while no bytes are sent.
    pub(crate) fn seconds_for(&self, bytes: u64) -> Option<f64> {
        (self.per_second() >= 1.0).then(|| bytes as f64 / self.per_second())
    }
}

/// A pause before the next try.
#[derive(Debug)]
pub(crate) struct Wait {
    pub until: Instant,
    pub attempt: u32,
    pub of: u32,
    /// Escaped, ready to be shown.
    pub why: String,
}

#[derive(Debug)]
pub(crate) enum FileState {
    Moving,
    Waiting(Wait),
    /// The content is read for its checksum; bytes so far.
    Hashing {
        done: u64,
    },
    /// All bytes are sent, and the provider is asked whether the file is complete.
    Confirming,
}

/// One file in progress.
#[derive(Debug)]
pub(crate) struct FileProgress {
    /// Escaped, ready to be shown.
    pub name: String,
    /// Bytes; none for standard input before its end.
    pub size: Option<u64>,
    /// Bytes that were sent; after a failure the bytes that the server has accepted.
    pub at: u64,
    pub speed: Speed,
    pub doing: FileState,
}

#[derive(Debug)]
pub(crate) struct ProgressState {
    /// Files and bytes of the whole work, once they are known.
    planned: Option<(u64, u64)>,
    /// Bytes of the plan that will not be sent: those of files that were skipped or failed.
    dropped: u64,
    /// Bytes of the finished files.
    landed: u64,
    files_over: u64,
    /// The number of finished files that failed.
    pub failed: u64,
    pub flights: BTreeMap<FileId, FileProgress>,
    pub speed: Speed,
    /// The reason why the whole work waits (a sign-in).
    waiting: Option<Wait>,
}

impl ProgressState {
    pub(crate) fn new(now: Instant) -> ProgressState {
        ProgressState {
            planned: None,
            dropped: 0,
            landed: 0,
            files_over: 0,
            failed: 0,
            flights: BTreeMap::new(),
            speed: Speed::new(now),
            waiting: None,
        }
    }

    pub(crate) fn apply(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Planned { files, bytes } => self.planned = Some((*files, *bytes)),
            Event::Started { id, name, size } => {
                self.flights.insert(*id, new_file_progress(name, *size, now));
            }
            Event::Hashing { id, name, size, done } => {
                self.flights.entry(*id).or_insert_with(|| new_file_progress(name, *size, now)).doing = FileState::Hashing { done: *done };
            }
            Event::Sent { id, bytes } => {
                self.speed.add(*bytes);
                self.moving(*id, |flight| {
                    flight.speed.add(*bytes);
                    flight.at = flight.at.saturating_add(*bytes);
                });
            }
            Event::Accepted { id, offset } => self.moving(*id, |flight| flight.at = *offset),
            Event::StartedOver { id, .. } => self.moving(*id, |flight| flight.at = 0),
            Event::Waiting { id, attempt, of, wait, why, .. } => {
                let until = now.checked_add(*wait).unwrap_or(now);
                let wait = Wait { until, attempt: *attempt, of: *of, why: escape_control(why).into_owned() };
                match id.and_then(|id| self.flights.get_mut(&id)) {
                    Some(flight) => flight.doing = FileState::Waiting(wait),
                    None => self.waiting = Some(wait),
                }
            }
            Event::Checking { id } => {
                if let Some(flight) = self.flights.get_mut(id) {
                    flight.doing = FileState::Confirming;
                }
            }
            Event::Finished { id, report } => self.finish_file(*id, report),
            Event::Warning(_) | Event::Note(_) => {}
        }
    }

    fn moving(&mut self, id: FileId, change: impl FnOnce(&mut FileProgress)) {
        if let Some(flight) = self.flights.get_mut(&id) {
            flight.doing = FileState::Moving;
            change(flight);
        }
    }

    fn finish_file(&mut self, id: FileId, report: &Report) {
        let flight = self.flights.remove(&id);
        match report {
            Report::Transferred { transfer, .. } => self.landed = self.landed.saturating_add(transfer.size),
            Report::Skipped { size, .. } => self.dropped = self.dropped.saturating_add(size.unwrap_or(0)),
            Report::Failed(_) => {
                self.failed = self.failed.saturating_add(1);
                self.dropped = self.dropped.saturating_add(flight.and_then(|f| f.size).unwrap_or(0));
            }
            // Other reports, for example about a new folder, do not count as files of the plan.
            _ => return,
        }
        self.files_over = self.files_over.saturating_add(1);
    }

    /// Updates the speeds; called before each drawing.
    pub(crate) fn refresh(&mut self, now: Instant) {
        self.speed.refresh(now);
        self.flights.values_mut().for_each(|flight| flight.speed.refresh(now));
        if self.waiting.as_ref().is_some_and(|wait| wait.until <= now) {
            self.waiting = None;
        }
    }

    /// Bytes so far, including those of finished files.
    pub(crate) fn bytes(&self) -> u64 {
        self.flights.values().fold(self.landed, |sum, flight| sum.saturating_add(flight.at))
    }

    /// Bytes of the whole work; none while a part of it has no known size.
    pub(crate) fn of_bytes(&self) -> Option<u64> {
        let (_, planned) = self.planned?;
        let known = self.flights.values().all(|flight| flight.size.is_some());
        known.then(|| planned.saturating_sub(self.dropped).max(self.bytes()))
    }

    /// True when the amount of work is known.
    pub(crate) fn is_planned(&self) -> bool {
        self.planned.is_some()
    }

    /// For the files that are read for their checksums: bytes read so far, and bytes in total.
    pub(crate) fn hashing(&self) -> Option<(u64, u64)> {
        let read = self.flights.values().filter_map(|flight| match flight.doing {
            FileState::Hashing { done } => Some((done, flight.size.unwrap_or(done))),
            _ => None,
        });
        read.reduce(|(done, of), (more, more_of)| (done.saturating_add(more), of.saturating_add(more_of)))
    }

    /// Finished files, and files in total.
    pub(crate) fn files(&self) -> (u64, u64) {
        let seen = self.files_over.saturating_add(self.flights.len() as u64);
        (self.files_over, self.planned.map_or(seen, |(files, _)| files.max(seen)))
    }

    pub(crate) fn progress(&self) -> Report {
        let (files, of_files) = self.files();
        let (bytes, of_bytes) = (self.bytes(), self.of_bytes());
        let seconds_left = of_bytes.and_then(|all| self.speed.seconds_for(all.saturating_sub(bytes)));
        Report::Progress { files, of_files, bytes, of_bytes, bytes_per_second: self.speed.per_second(), seconds_left }
    }

    /// The wait of the whole work, else that of the first waiting file.
    pub(crate) fn waiting(&self) -> Option<&Wait> {
        let of_a_file = self.flights.values().find_map(|flight| match &flight.doing {
            FileState::Waiting(wait) => Some(wait),
            _ => None,
        });
        self.waiting.as_ref().or(of_a_file)
    }
}

fn new_file_progress(name: &str, size: Option<u64>, now: Instant) -> FileProgress {
    FileProgress { name: escape_control(name).into_owned(), size, at: 0, speed: Speed::new(now), doing: FileState::Moving }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::TransferKind;
    use crate::render::testing;

    fn started_event(id: FileId, size: Option<u64>) -> Event {
        Event::Started { id, name: "a\u{1b}".into(), size }
    }

    fn totals(board: &ProgressState) -> (u64, u64, u64, Option<u64>) {
        let (files, of_files) = board.files();
        (files, of_files, board.bytes(), board.of_bytes())
    }

    #[test]
    fn a_file_falls_back_to_what_was_accepted() {
        let now = Instant::now();
        let mut board = ProgressState::new(now);
        let mut at = |event| {
            board.apply(&event, now);
            (board.flights[&1].at, board.bytes())
        };
        assert_eq!(at(started_event(1, Some(100))), (0, 0));
        assert_eq!(at(Event::Accepted { id: 1, offset: 20 }), (20, 20));
        assert_eq!(at(Event::Sent { id: 1, bytes: 50 }), (70, 70));
        assert_eq!(at(Event::Accepted { id: 1, offset: 40 }), (40, 40));
        assert_eq!(at(Event::StartedOver { id: 1, left_behind: None }), (0, 0));
        assert_eq!(at(Event::Sent { id: 1, bytes: u64::MAX }), (u64::MAX, u64::MAX));
        assert_eq!(at(Event::Sent { id: 1, bytes: 9 }), (u64::MAX, u64::MAX));
    }

    #[test]
    fn files_that_do_not_move_leave_the_total() {
        let now = Instant::now();
        let mut board = ProgressState::new(now);
        board.apply(&Event::Planned { files: 4, bytes: 1000 }, now);
        board.apply(&started_event(1, Some(400)), now);
        board.apply(&started_event(2, Some(300)), now);
        board.apply(&Event::Sent { id: 1, bytes: 100 }, now);
        assert_eq!(totals(&board), (0, 4, 100, Some(1000)));
        let failed = Box::new(Report::Failed(testing::failure("a", "/a")));
        board.apply(&Event::Finished { id: 1, report: failed }, now);
        assert_eq!(totals(&board), (1, 4, 0, Some(600)));
        let uploaded = Box::new(Report::Transferred { how: TransferKind::Uploaded, transfer: testing::transfer("b", "/b", 300) });
        board.apply(&Event::Finished { id: 2, report: uploaded }, now);
        assert_eq!(totals(&board), (2, 4, 300, Some(600)));
        board.apply(&started_event(3, None), now);
        assert_eq!(totals(&board), (2, 4, 300, None));
        board.apply(&Event::Sent { id: 99, bytes: 5 }, now);
        assert_eq!(totals(&board), (2, 4, 300, None));
    }

    #[test]
    fn waiting_ends_with_the_next_byte() {
        let now = Instant::now();
        let mut board = ProgressState::new(now);
        board.apply(&started_event(1, Some(9)), now);
        let wait = |id| Event::Waiting { id, attempt: 2, of: 5, wait: Duration::from_secs(4), why: "busy\n".into(), is_no_answer: false };
        board.apply(&wait(Some(1)), now);
        assert_eq!(board.waiting().unwrap().why, "busy\\n");
        board.apply(&Event::Sent { id: 1, bytes: 1 }, now);
        assert!(board.waiting().is_none());
        board.apply(&wait(None), now);
        board.refresh(now + Duration::from_secs(3));
        assert!(board.waiting().is_some());
        board.refresh(now + Duration::from_secs(4));
        assert!(board.waiting().is_none());
    }

    #[test]
    fn speed_forgets_and_tells_the_time_left() {
        let start = Instant::now();
        let mut speed = Speed::new(start);
        assert_eq!((speed.per_second(), speed.seconds_for(1)), (0.0, None));
        for second in 1..=20 {
            speed.add(1000);
            speed.refresh(start + Duration::from_secs(second));
        }
        assert!((speed.per_second() - 1000.0).abs() < 1e-6);
        assert_eq!(speed.seconds_for(5000).map(f64::round), Some(5.0));
        speed.refresh(start + Duration::from_secs(80));
        assert_eq!(speed.seconds_for(5000), None);
    }
}
