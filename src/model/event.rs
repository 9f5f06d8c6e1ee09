//! What the outside may learn while work goes on. Sent and accepted are two numbers: bytes handed to the network may
//! still be lost, bytes the server has accepted are not.

use std::time::Duration;

use crate::model::Report;

/// Counts the files of one run.
pub type FileId = u64;

/// One fact about work in progress.
#[derive(Debug)]
pub enum Event {
    /// The whole of the work, as far as it is known.
    Planned {
        /// Files.
        files: u64,
        /// Bytes of these files.
        bytes: u64,
    },
    /// A file begins.
    Started {
        /// The file.
        id: FileId,
        /// How a person calls the source.
        name: String,
        /// Bytes; none while standard input has no end yet.
        size: Option<u64>,
    },
    /// A file is read for its checksum, before anything of it is sent or to see whether it must be; told now and then.
    Hashing {
        /// The file.
        id: FileId,
        /// How a person calls the source.
        name: String,
        /// Bytes, where they are known.
        size: Option<u64>,
        /// Bytes read so far.
        done: u64,
    },
    /// So many more bytes were handed to the network.
    Sent {
        /// The file.
        id: FileId,
        /// Bytes since the last event of this kind.
        bytes: u64,
    },
    /// The server holds the file up to here; bars fall back to it after a failure.
    Accepted {
        /// The file.
        id: FileId,
        /// Bytes from the start of the file.
        offset: u64,
    },
    /// A failure that may pass: another try begins after a wait.
    Waiting {
        /// The file; none where the call is about no single file.
        id: Option<FileId>,
        /// The number of the try that comes next.
        attempt: u32,
        /// Tries in all.
        of: u32,
        /// How long the wait is.
        wait: Duration,
        /// What failed.
        why: String,
    },
    /// The upload begins again from its first byte.
    StartedOver {
        /// The file.
        id: FileId,
        /// What was left on the server, if something was.
        left_behind: Option<String>,
    },
    /// All bytes are there; the provider is asked whether the file is.
    Checking {
        /// The file.
        id: FileId,
    },
    /// This file is over, well or not.
    Finished {
        /// The file.
        id: FileId,
        /// What became of the file; to be shown.
        report: Box<Report>,
    },
    /// Something worth a line on standard error.
    Warning(String),
    /// Something worth a line with `-v`.
    Note(String),
}
