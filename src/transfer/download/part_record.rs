//! Whose bytes a download in progress holds, and which are missing. A record that is torn or of another entry only costs a
//! new start.

use std::io;

use serde::{Deserialize, Serialize};

use super::open_folder::Target;
use crate::model::Entry;
use crate::transfer::fingerprint::EntryFingerprint;

/// The very content that the bytes are of.
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

/// Bytes `[at, end)` that are still missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteRange {
    pub at: u64,
    pub end: u64,
}

#[derive(Serialize, Deserialize)]
pub struct Record {
    pub whose: ContentId,
    /// Empty while there is one stream: then the part's length tells.
    pub missing: Vec<ByteRange>,
    /// As in `Download::version`, of the bytes that are here.
    #[serde(default)]
    pub version: Option<String>,
    /// The process that has put it down; 0 where an earlier version did.
    #[serde(default)]
    pub process: u32,
    /// Bytes written since it was last put down.
    #[serde(skip)]
    pub unnoted: u64,
}

impl Record {
    pub fn of(whose: ContentId) -> Record {
        Record { whose, missing: Vec::new(), version: None, process: 0, unnoted: 0 }
    }

    /// Does a part of that length go with it?
    pub fn is_about(&self, length: u64) -> bool {
        match self.missing.last() {
            Some(last) => last.end == length && self.missing.iter().all(|span| span.at <= span.end && span.end <= length),
            None => true,
        }
    }

    /// None when there is none, or a torn one.
    pub fn read(place: &Target) -> Option<Record> {
        serde_json::from_slice(&place.read().ok()?).ok()
    }

    pub fn write(&mut self, place: &Target) -> io::Result<()> {
        (self.unnoted, self.process) = (0, std::process::id());
        place.replace_with(&serde_json::to_vec(self)?)
    }
}
