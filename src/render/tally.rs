//! The results of the files of one run, and its exit status.

use std::time::Duration;

use crate::error::{Error, Kind};
use crate::model::Report;
use crate::model::report::{Failure, Summary, SyncCounts};
use crate::render::exit;

/// Planned actions of a dry run that transfer no file.
const NO_FILES: &[&str] = &["create", "delete"];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Files that were transferred.
    pub files: u64,
    /// Bytes that this run transferred, without those of an earlier run.
    pub bytes: u64,
    pub skipped: u64,
    pub failed: u64,
    /// The kinds of the failures, each once.
    pub kinds: Vec<Kind>,
    pub took: Duration,
    /// The planned actions of a dry run, each with its number.
    would: Vec<(&'static str, u64)>,
    would_bytes: u64,
    /// The actions of the server itself, each with its number.
    on_server: Vec<(&'static str, u64)>,
    /// None while a size is missing.
    bytes_on_server: Option<u64>,
    /// The additional counts of a sync; its `sent` is `files`.
    pub sync: Option<SyncCounts>,
    /// The reason why a guard stopped the deletions of a sync, if nothing else failed; it decides the status.
    pub stopped: Option<Kind>,
}

/// Adds to the count of that name.
fn count(counts: &mut Vec<(&'static str, u64)>, name: &'static str, more: u64) {
    match counts.iter_mut().find(|(counted, _)| *counted == name) {
        Some((_, count)) => *count = count.saturating_add(more),
        None => counts.push((name, more)),
    }
}

impl Tally {
    pub(super) fn add(&mut self, report: &Report) {
        match report {
            Report::Planned { action, size, .. } | Report::PlannedHere { action, size, .. } => {
                count(&mut self.would, action, 1);
                self.would_bytes = self.would_bytes.saturating_add(size.unwrap_or(0));
            }
            Report::Transferred { transfer, .. } => {
                self.files = self.files.saturating_add(1);
                self.bytes = self.bytes.saturating_add(transfer.size.saturating_sub(transfer.resumed_from));
            }
            // The server did the work: no byte went through this machine.
            Report::Copied(placed) => self.add_on_server("copied", placed.size),
            Report::Moved(placed) => self.add_on_server("moved", placed.size),
            Report::MovedHere { .. } => self.files = self.files.saturating_add(1),
            Report::Skipped { .. } => self.skipped = self.skipped.saturating_add(1),
            Report::Failed(failure) => {
                self.failed = self.failed.saturating_add(1);
                // A report contains the name of the kind; kinds of one name have one status.
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == failure.error.kind).unwrap_or(Kind::Other);
                if !self.kinds.contains(&kind) {
                    self.kinds.push(kind);
                }
            }
            _ => {}
        }
    }

    fn add_on_server(&mut self, what: &'static str, size: Option<u64>) {
        self.files = self.files.saturating_add(1);
        self.bytes_on_server = match (self.on_server.is_empty(), self.bytes_on_server, size) {
            (true, _, size) => size,
            (false, Some(sum), Some(size)) => Some(sum.saturating_add(size)),
            _ => None,
        };
        count(&mut self.on_server, what, 1);
    }

    /// Counts a failure that no report contains.
    pub fn count(&mut self, error: &Error) {
        self.add(&Report::Failed(Failure::new(error)));
    }

    /// Adds the counts of another run of the same command.
    pub fn merge(&mut self, other: Tally) {
        self.files = self.files.saturating_add(other.files);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.failed = self.failed.saturating_add(other.failed);
        self.took = self.took.saturating_add(other.took);
        self.bytes_on_server = match (self.on_server.is_empty(), other.on_server.is_empty()) {
            (true, _) => other.bytes_on_server,
            (_, true) => self.bytes_on_server,
            _ => self.bytes_on_server.zip(other.bytes_on_server).map(|(sum, more)| sum.saturating_add(more)),
        };
        self.would_bytes = self.would_bytes.saturating_add(other.would_bytes);
        other.would.into_iter().for_each(|(name, more)| count(&mut self.would, name, more));
        other.on_server.into_iter().for_each(|(name, more)| count(&mut self.on_server, name, more));
        self.stopped = self.stopped.or(other.stopped);
        for kind in other.kinds {
            if !self.kinds.contains(&kind) {
                self.kinds.push(kind);
            }
        }
    }

    /// The last line of the transfer.
    pub fn summary(&self) -> Report {
        Report::Summary(self.sum())
    }

    /// The summary of a transfer that a signal ended, with the number of files that were known.
    pub(super) fn interrupted_summary(&self, of_files: Option<u64>) -> Report {
        Report::Summary(Summary { interrupted: true, of_files, ..self.sum() })
    }

    fn sum(&self) -> Summary {
        let Tally { files, bytes, skipped, failed, bytes_on_server, .. } = *self;
        let planned =
            (!self.would.is_empty()).then(|| self.would.iter().filter(|(what, _)| !NO_FILES.contains(what)).map(|(_, n)| n).sum());
        Summary {
            files,
            bytes,
            skipped,
            failed,
            seconds: self.took.as_secs_f64(),
            planned,
            planned_bytes: planned.map(|_| self.would_bytes),
            bytes_on_server,
            interrupted: false,
            of_files: None,
            sync: self.sync.map(|sync| SyncCounts { sent: files, ..sync }),
            would: self.would.clone(),
            on_server: self.on_server.clone(),
        }
    }

    /// The exit status of the transfer.
    pub fn status(&self) -> u8 {
        if let Some(kind) = self.stopped {
            return exit::status(kind);
        }
        exit::merge(self.files.saturating_add(self.skipped), &self.kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::model::report::Failure;
    use crate::render::testing;

    fn failed_report(kind: Kind) -> Report {
        Report::Failed(Failure::new(&Error::new(kind, "no")))
    }

    #[test]
    fn counts_and_status() {
        let mut tally = Tally::default();
        assert_eq!(tally.status(), 0);
        tally.add(&failed_report(Kind::Busy));
        tally.add(&failed_report(Kind::Unreachable));
        assert_eq!((tally.status(), tally.kinds.len()), (5, 1));
        for report in testing::all() {
            tally.add(&report);
        }
        assert_eq!((tally.files, tally.bytes, tally.skipped, tally.failed), (1, 3_650_722_201 - (1 << 30), 1, 3));
        assert_eq!(tally.status(), 9);
    }

    #[test]
    fn every_kind_ends_with_its_own_status() {
        for kind in Kind::ALL {
            let mut tally = Tally::default();
            tally.add(&failed_report(kind));
            assert_eq!(tally.status(), exit::status(kind), "{kind:?}");
        }
    }
}
