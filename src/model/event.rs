//! What the outside may learn while work goes on. Sent and accepted are two numbers: bytes handed to the network may
//! still be lost, bytes the server has accepted are not.

use std::time::Duration;

use crate::model::Report;

/// Counts the files of one run.
pub type FileId = u64;

#[derive(Debug)]
pub enum Event {
    /// The whole of the work, as far as it is known.
    Planned { files: u64, bytes: u64 },
    /// `size` in bytes; none while standard input has no end yet.
    Started { id: FileId, name: String, size: Option<u64> },
    /// So many more bytes were handed to the network.
    Sent { id: FileId, bytes: u64 },
    /// The server holds the file up to here; bars fall back to it after a failure.
    Accepted { id: FileId, offset: u64 },
    /// A failure that may pass; try number `attempt` of `of` begins after `wait`.
    Waiting { id: Option<FileId>, attempt: u32, of: u32, wait: Duration, why: String },
    /// The upload begins again from its first byte; what was left on the server, if something was.
    StartedOver { id: FileId, left_behind: Option<String> },
    /// All bytes are there; the provider is asked whether the file is.
    Checking { id: FileId },
    /// This file is over, well or not; the report is to be shown.
    Finished { id: FileId, report: Box<Report> },
    /// Something worth a line on standard error.
    Warning(String),
    /// Something worth a line with `-v`.
    Note(String),
}
