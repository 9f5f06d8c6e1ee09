//! The notes that an upload makes before each step, so that the same command goes on after a kill. The server's answer counts
//! for more than these notes, which only say where to ask.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::contract::{OnCreated, PendingUpload, TransferStore, UploadHandle, UploadRequest, UploadSession};
use crate::error::Result;
use crate::model::{Entry, Protocol, RemotePath};
use crate::transfer::fingerprint::{FileFingerprint, Likeness};
use crate::transfer::folder_cache::now;

/// The time between two notes of the accepted bytes, which only people read.
const NOTE_EVERY: Duration = Duration::from_secs(5);

/// The stage that an upload had reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The next call may make something on the server. `ticket.before` holds the ids that had the name before.
    Planned,
    /// The entry is made, and no byte has reached it.
    Made,
    /// Bytes are being sent, and the last one has not left: a file that arrives as a whole (a form) can't be there.
    Sending,
    /// The last byte may have left: look first, send again only if it is not there.
    Leaving,
    /// Every byte is accepted. The request that makes the file appear may have been sent.
    Finishing,
    /// All bytes were accepted, and the file did not appear in the time that it may take: look once more, then begin anew.
    Missing,
}

/// What the next run finds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JournalRecord {
    pub stage: Stage,
    /// None before a protocol has been chosen.
    pub protocol: Option<Protocol>,
    pub ticket: UploadHandle,
    /// As in `UploadSession::note`. None: the upload can only be started over, after a look for its file.
    pub note: Option<String>,
    pub replaces: Option<Entry>,
    /// The file's name there, which `--if-exists rename` may have changed.
    pub name: String,
    /// The MD5 of the whole file, if it was computed before the first byte.
    pub md5: Option<String>,
    /// As in `UploadSession::burns_name_on_failure`. Notes of an earlier version don't say: then the name is left alone.
    #[serde(default = "yes")]
    pub spoils_name: bool,
    /// A part was sent of a source of which nothing proves that it was of this content, see [`SourceMatch::Unproven`].
    #[serde(default)]
    pub unproven: bool,
    /// The next call makes the server copy the file.
    #[serde(default)]
    pub copies: bool,
}

fn yes() -> bool {
    true
}

/// The form in which the notes are read again.
fn recorded_entry(entry: &Entry) -> Entry {
    Entry { path: RemotePath::root().join_path(&entry.path), ..entry.clone() }
}

impl JournalRecord {
    /// An upload without an offset arrives as a whole or not at all. Before its last byte has left, a file of that name and
    /// size is somebody else's.
    pub fn may_have_arrived(&self) -> bool {
        self.stage >= Stage::Leaving || (self.stage == Stage::Sending && self.note.is_some())
    }
}

/// Writes and reads the notes of one upload.
#[derive(Clone)]
pub struct Journal {
    ledger: Arc<dyn TransferStore>,
    key: String,
    /// The remote's name and the path there.
    place: (String, String),
    source: FileFingerprint,
    /// The source in a form that a later run finds: an absolute path, or `REMOTE:PATH`.
    shown: String,
    accepted: Arc<AtomicU64>,
    last: Arc<parking_lot::Mutex<Option<(JournalRecord, Instant)>>>,
    /// The last note.
    mark: Arc<AtomicU64>,
    /// What reading the source has shown.
    judged: Arc<OnceLock<SourceMatch>>,
}

impl Journal {
    /// `key`: as in [`PendingUpload::key`].
    pub fn new(ledger: Arc<dyn TransferStore>, key: String, place: (String, String), source: FileFingerprint, shown: String) -> Self {
        Journal {
            ledger,
            key,
            place,
            source,
            shown,
            accepted: Arc::default(),
            last: Arc::default(),
            mark: Arc::default(),
            judged: Arc::default(),
        }
    }

    pub fn source(&self) -> &FileFingerprint {
        &self.source
    }

    /// Returns the pending upload of this very source, or the leftover of a source that has changed since; or what this run has
    /// noted so far.
    pub fn load(&self) -> Result<Option<(JournalRecord, SourceMatch)>> {
        if let Some((begun, _)) = self.latest() {
            let freshness = self.compare(&begun, self.source.likeness(&self.source));
            return Ok(Some((begun, freshness)));
        }
        let Some(found) = self.ledger.pending_upload(&self.key)? else { return Ok(None) };
        // Notes of a later version that this version can't read count as no notes.
        let Ok(begun) = serde_json::from_str::<JournalRecord>(&found.upload) else { return Ok(None) };
        let likeness = serde_json::from_str(&found.identity).map_or(Likeness::Other, |noted| self.source.likeness(&noted));
        let freshness = self.compare(&begun, likeness);
        Ok(Some((begun, freshness)))
    }

    fn compare(&self, begun: &JournalRecord, likeness: Likeness) -> SourceMatch {
        match (self.judged.get(), likeness) {
            (Some(judged), _) => *judged,
            (None, Likeness::Same) if begun.unproven => SourceMatch::Unproven,
            (None, Likeness::Same) => SourceMatch::Same,
            (None, Likeness::Alike) => SourceMatch::Unproven,
            (None, Likeness::Touched) => SourceMatch::Touched,
            (None, Likeness::Other) => SourceMatch::Changed,
        }
    }

    /// Notes that the pending upload is of this very content: the MD5 of the whole was compared.
    pub fn judge_same(&self) {
        let _ = self.judged.set(SourceMatch::Same);
    }

    /// See [`SourceMatch::Unproven`].
    pub fn is_unproven(&self) -> bool {
        matches!(self.load(), Ok(Some((_, SourceMatch::Unproven))))
    }

    /// Notes that the next call may make something under `name`. `before` holds the ids that have this name now.
    pub fn record_planned(&self, name: &str, replaces: Option<&Entry>, before: Vec<String>) -> Result<()> {
        let ticket = UploadHandle { known_ids: before, ..UploadHandle::default() };
        let (name, replaces) = (name.to_owned(), replaces.map(recorded_entry));
        self.write(JournalRecord {
            stage: Stage::Planned,
            protocol: None,
            ticket,
            note: None,
            replaces,
            name,
            md5: None,
            spoils_name: false,
            unproven: false,
            copies: false,
        })
    }

    /// Notes that the next call makes the server copy the file, and waits until the note is on the disk.
    pub async fn record_copying(&self) -> Result<()> {
        match self.latest() {
            Some((begun, _)) if begun.stage == Stage::Planned => {
                self.write(JournalRecord { copies: true, ..begun })?;
                self.commit().await
            }
            _ => Ok(()),
        }
    }

    /// Returns the ids that the name had before an earlier run asked the server to copy this very source, if that run has noted
    /// nothing after it.
    pub fn ids_before_copy(&self) -> Result<Option<Vec<String>>> {
        let is_copying = |begun: &JournalRecord| begun.copies && begun.stage == Stage::Planned;
        Ok(self
            .load()?
            .filter(|(begun, source)| is_copying(begun) && *source == SourceMatch::Same)
            .map(|(begun, _)| begun.ticket.known_ids))
    }

    /// The value for `UploadRequest::made`.
    pub fn on_created(&self) -> OnCreated {
        let journal = self.clone();
        Arc::new(move |ticket| match journal.latest() {
            Some((begun, _)) => journal.write(JournalRecord { stage: Stage::Made, ticket: ticket.clone(), ..begun }),
            None => Ok(()),
        })
    }

    /// Notes what a later run needs by now, where that has become another thing with the last step.
    pub fn goes_on_as(&self, note: Option<String>) -> Result<()> {
        match self.latest() {
            Some((begun, _)) if begun.note != note => self.write(JournalRecord { note, ..begun }),
            _ => Ok(()),
        }
    }

    /// Waits until the last note is on the disk: called before each call that depends on the note.
    pub async fn commit(&self) -> Result<()> {
        self.ledger.commit(self.mark.load(Ordering::Relaxed)).await
    }

    /// Notes that an upload is open on the server and no byte was sent yet. `left`: the last byte may have left, or leaves with
    /// the first one.
    pub fn record_opened(&self, item: &UploadRequest, ticket: &UploadHandle, session: &dyn UploadSession, left: bool) -> Result<()> {
        let begun = JournalRecord {
            stage: if left { Stage::Leaving } else { Stage::Sending },
            protocol: Some(session.protocol()),
            ticket: ticket.clone(),
            note: session.note(),
            replaces: item.replaces.as_ref().map(recorded_entry),
            name: item.name.clone(),
            md5: item.checksum.md5.clone(),
            spoils_name: session.burns_name_on_failure(),
            unproven: false,
            copies: false,
        };
        self.accepted.store(0, Ordering::Relaxed);
        self.write(begun)
    }

    /// Notes that the pending upload goes on.
    pub fn record_resumed(&self, begun: JournalRecord) {
        *self.last.lock() = Some((begun, Instant::now()));
    }

    /// Notes that `offset` bytes are accepted.
    pub fn record_accepted(&self, offset: u64) -> Result<()> {
        self.accepted.store(offset, Ordering::Relaxed);
        match self.latest() {
            Some((begun, noted)) if noted.elapsed() >= NOTE_EVERY => self.write(begun),
            _ => Ok(()),
        }
    }

    /// Notes that the last byte is about to leave, and waits until the note is on the disk.
    pub async fn leaving(&self) -> Result<()> {
        match self.latest() {
            Some((begun, _)) if begun.stage < Stage::Leaving => {
                self.write(JournalRecord { stage: Stage::Leaving, ..begun })?;
                self.commit().await
            }
            _ => Ok(()),
        }
    }

    /// Notes that the last byte has not left after all.
    pub fn record_not_left(&self) -> Result<()> {
        match self.latest() {
            Some((begun, _)) if begun.stage == Stage::Leaving => self.write(JournalRecord { stage: Stage::Sending, ..begun }),
            _ => Ok(()),
        }
    }

    /// Notes that the next request makes the file appear. A form appears with its last byte and needs no further note.
    pub fn finishing(&self) -> Result<()> {
        match self.latest() {
            Some((begun, _)) if begun.note.is_some() || begun.stage < Stage::Leaving => {
                self.write(JournalRecord { stage: Stage::Finishing, ..begun })
            }
            _ => Ok(()),
        }
    }

    /// Notes that the user is told that nobody knows what the last step has done: the next run does it again.
    pub fn outcome_told(&self, begun: JournalRecord) -> Result<()> {
        self.write(JournalRecord { stage: Stage::Sending, ..begun })
    }

    /// As [`Journal::outcome_told`], about this run's own last step.
    pub fn is_unknown(&self) -> Result<()> {
        match self.latest() {
            Some((begun, _)) if begun.stage == Stage::Finishing => self.outcome_told(begun),
            _ => Ok(()),
        }
    }

    /// Notes that all bytes were accepted and no file appeared.
    pub fn missing(&self) -> Result<()> {
        match self.latest() {
            Some((begun, _)) => self.write(JournalRecord { stage: Stage::Missing, ..begun }),
            None => Ok(()),
        }
    }

    /// Notes that the pending upload is not resumed: the next entry takes its place in the notes.
    pub fn begins_anew(&self, begun: JournalRecord) {
        self.record_resumed(JournalRecord { protocol: None, note: None, spoils_name: false, ..begun });
    }

    /// Forgets the upload: the file is there, or the upload was aborted and left nothing.
    pub fn close(&self) -> Result<()> {
        *self.last.lock() = None;
        self.mark.store(self.ledger.forget_pending_upload(&self.key)?, Ordering::Relaxed);
        Ok(())
    }

    /// Forgets a refused upload if nothing was made on the server, as there is nothing to resume or to clear.
    pub fn forget_refused(&self) -> Result<()> {
        match self.latest() {
            Some((begun, _)) if begun.stage == Stage::Planned => self.close(),
            _ => Ok(()),
        }
    }

    fn latest(&self) -> Option<(JournalRecord, Instant)> {
        self.last.lock().clone()
    }

    fn write(&self, begun: JournalRecord) -> Result<()> {
        let upload = serde_json::to_string(&begun).unwrap_or_default();
        let unfinished = PendingUpload {
            key: self.key.clone(),
            remote: self.place.0.clone(),
            path: self.place.1.clone(),
            source: self.shown.clone(),
            identity: self.source.text(),
            upload,
            size: self.source.size,
            accepted: self.accepted.load(Ordering::Relaxed),
            at: now(),
        };
        self.mark.store(self.ledger.record_unfinished(&unfinished)?, Ordering::Relaxed);
        self.record_resumed(begun);
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceMatch {
    Same,
    /// Nothing says that the source changed, and nothing proves that it did not. The whole file must be compared at the end.
    Unproven,
    /// Something about the source changed, which may be its content.
    Touched,
    /// The source is no longer what it was: the leftover is of no use.
    Changed,
}
