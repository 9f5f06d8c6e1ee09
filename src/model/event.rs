//! The events that the transfer engine sends while work goes on. Sent and accepted are two numbers: bytes handed to the network
//! may still be lost, bytes that the server has accepted are not.

use std::time::Duration;

use crate::model::Report;

/// The number of a file in one run.
pub type FileId = u64;

/// One fact about work in progress.
#[derive(Debug)]
pub enum Event {
    /// The totals of the work, as far as they are known.
    Planned {
        /// Files.
        files: u64,
        /// Bytes of these files.
        bytes: u64,
    },
    /// The work on a file begins.
    Started {
        /// The file.
        id: FileId,
        /// The name of the source for the user.
        name: String,
        /// Bytes; none for standard input before its end.
        size: Option<u64>,
    },
    /// A file is read for its checksum: before it is sent, or to decide whether it must be sent. Sent from time to time.
    Hashing {
        /// The file.
        id: FileId,
        /// The name of the source for the user.
        name: String,
        /// Bytes, if they are known.
        size: Option<u64>,
        /// Bytes read so far.
        done: u64,
    },
    /// More bytes were handed to the network.
    Sent {
        /// The file.
        id: FileId,
        /// Bytes since the last event of this kind.
        bytes: u64,
    },
    /// The server holds the file up to this offset; after a failure the progress bar returns to it.
    Accepted {
        /// The file.
        id: FileId,
        /// Bytes from the start of the file.
        offset: u64,
    },
    /// A transient failure: another try begins after a wait.
    Waiting {
        /// The file; none for a call that belongs to no single file.
        id: Option<FileId>,
        /// The number of the try that comes next.
        attempt: u32,
        /// The maximum number of tries.
        of: u32,
        /// How long the wait is.
        wait: Duration,
        /// What failed.
        why: String,
        /// The server can't be reached, or does not answer at all.
        is_no_answer: bool,
    },
    /// The upload starts again from its first byte.
    StartedOver {
        /// The file.
        id: FileId,
        /// What is left on the server, if anything.
        left_behind: Option<String>,
    },
    /// All bytes are sent; the provider is asked whether the file is complete.
    Checking {
        /// The file.
        id: FileId,
    },
    /// The work on this file has ended, with success or failure.
    Finished {
        /// The file.
        id: FileId,
        /// The result of the file, to be shown.
        report: Box<Report>,
    },
    /// A line on standard error.
    Warning(String),
    /// A line on standard error with `-v`.
    Note(String),
}

impl Event {
    /// A wait for a server that does not answer.
    pub(crate) fn is_no_answer(&self) -> bool {
        matches!(self, Event::Waiting { is_no_answer: true, .. })
    }
}
