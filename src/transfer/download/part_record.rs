//! The record of a download in progress: to which content its bytes belong, and which are missing. After a torn record, or one
//! of another entry, the download begins anew.

use std::io;

use serde::{Deserialize, Serialize};

use super::open_folder::Target;
use crate::model::Entry;
use crate::transfer::fingerprint::EntryFingerprint;

/// The content that the bytes belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentId {
    pub remote: String,
    pub id: String,
    /// As in `CompletedTransfer::stamp`.
    pub stamp: String,
}

impl ContentId {
    /// `remote`: origin and account, as in `CompletedTransfer::remote`.
    pub fn of(file: &Entry, remote: &str) -> ContentId {
        ContentId { remote: remote.to_owned(), id: file.id.clone(), stamp: EntryFingerprint::of(file).text() }
    }
}

/// A span: the bytes `[at, end)` are still missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteRange {
    pub at: u64,
    pub end: u64,
}

#[derive(Serialize, Deserialize)]
pub struct Record {
    pub whose: ContentId,
    /// The missing spans; empty while there is one stream, as the part's length tells then.
    pub missing: Vec<ByteRange>,
    /// The server's mark of the bytes that are here, as in `Download::version`.
    #[serde(default)]
    pub version: Option<String>,
    /// The id of the process that wrote the record; 0 in records of an earlier version.
    #[serde(default)]
    pub process: u32,
    /// Bytes written since the record was last written.
    #[serde(skip)]
    pub unnoted: u64,
}

impl Record {
    pub fn of(whose: ContentId) -> Record {
        Record { whose, missing: Vec::new(), version: None, process: 0, unnoted: 0 }
    }

    /// Does the record belong to a part of that length?
    pub fn is_about(&self, length: u64) -> bool {
        match self.missing.last() {
            Some(last) => last.end == length && self.missing.iter().all(|span| span.at <= span.end && span.end <= length),
            None => true,
        }
    }

    /// Reads the record; none where it is missing or torn.
    pub fn read(place: &Target) -> Option<Record> {
        serde_json::from_slice(&place.read().ok()?).ok()
    }

    pub fn write(&mut self, place: &Target) -> io::Result<()> {
        (self.unnoted, self.process) = (0, std::process::id());
        place.replace_with(&serde_json::to_vec(self)?)
    }
}
