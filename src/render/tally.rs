//! What became of the files of one run, and how the run ends.

use std::time::Duration;

use crate::error::{Error, Kind};
use crate::model::Report;
use crate::model::report::Failure;
use crate::render::exit;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Files that are there now and were not before.
    pub files: u64,
    /// Bytes that this run carried; what an earlier run had brought is not among them.
    pub bytes: u64,
    pub skipped: u64,
    pub failed: u64,
    /// How they failed; each way once.
    pub kinds: Vec<Kind>,
    pub took: Duration,
}

impl Tally {
    pub(super) fn add(&mut self, report: &Report) {
        match report {
            Report::Uploaded(transfer)
            | Report::Downloaded(transfer)
            | Report::CopiedThrough(transfer)
            | Report::MovedThrough(transfer) => {
                self.files = self.files.saturating_add(1);
                self.bytes = self.bytes.saturating_add(transfer.size.saturating_sub(transfer.resumed_from));
            }
            // The server's own work: no byte went through here.
            Report::Copied(_) | Report::Moved(_) => self.files = self.files.saturating_add(1),
            Report::Skipped { .. } | Report::NotDownloaded { .. } => self.skipped = self.skipped.saturating_add(1),
            Report::Failed(failure) => {
                self.failed = self.failed.saturating_add(1);
                // A report carries the name of the kind; kinds of one name have one status.
                let kind = Kind::ALL.into_iter().find(|kind| kind.name() == failure.error.kind).unwrap_or(Kind::Other);
                if !self.kinds.contains(&kind) {
                    self.kinds.push(kind);
                }
            }
            _ => {}
        }
    }

    /// A failure that no report told.
    pub fn count(&mut self, error: &Error) {
        self.add(&Report::Failed(Failure::new(error)));
    }

    /// Another run of the same command.
    pub fn merge(&mut self, other: Tally) {
        self.files = self.files.saturating_add(other.files);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.failed = self.failed.saturating_add(other.failed);
        self.took = self.took.saturating_add(other.took);
        for kind in other.kinds {
            if !self.kinds.contains(&kind) {
                self.kinds.push(kind);
            }
        }
    }

    /// The last line of the transfer.
    pub fn summary(&self) -> Report {
        let Tally { files, bytes, skipped, failed, .. } = *self;
        Report::Summary { files, bytes, skipped, failed, seconds: self.took.as_secs_f64() }
    }

    /// The exit status of the transfer.
    pub fn status(&self) -> u8 {
        exit::merge(self.files.saturating_add(self.skipped), &self.kinds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::model::report::Failure;
    use crate::render::testing;

    fn failed(kind: Kind) -> Report {
        Report::Failed(Failure::new(&Error::new(kind, "no")))
    }

    #[test]
    fn counts_and_status() {
        let mut tally = Tally::default();
        assert_eq!(tally.status(), 0);
        tally.add(&failed(Kind::Busy));
        tally.add(&failed(Kind::Unreachable));
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
            tally.add(&failed(kind));
            assert_eq!(tally.status(), exit::status(kind), "{kind:?}");
        }
    }
}
