//! What must survive a run: which files this machine has put where, so that `--if-exists update` can leave alone what is
//! provably the same without reading it again; and which uploads have begun, so that the next run takes them up.

use std::time::Duration;

use super::{BoxFuture, Result};
use crate::model::RemotePath;

/// One file that this machine has put on a remote, complete and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedTransfer {
    /// Origin and account of the remote: stays true when the user renames the remote.
    pub remote: String,
    /// The provider's id of the entry.
    pub id: String,
    /// The provider's mark of the entry (version, time of change): another mark means that somebody changed it.
    pub stamp: String,
    /// Bytes of the entry; none where the provider does not tell.
    pub size: Option<u64>,
    /// Lower-case hex, when it is known.
    pub md5: Option<String>,
    /// The local path; of a copy between two remotes the account and id of the original.
    pub source: String,
    /// Bytes of the source.
    pub source_size: u64,
    /// Time of the source's last change in nanoseconds since 1970, negative before.
    pub source_mtime_ns: i64,
    /// None where the file system has no inodes.
    pub source_inode: Option<u64>,
    /// What changed with the source's content whatever else was put back (`transfer::source::FileFingerprint`); none where nothing
    /// is known to: then the content alone proves something.
    pub source_version: Option<String>,
    /// The device that the source lay on.
    pub source_device: Option<u64>,
    /// When the upload was verified, in milliseconds since 1970.
    pub at: i64,
}

/// One upload that has begun and is not known to be over. On the disk before each remote call that depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingUpload {
    /// Where it goes: origin and account of the remote, and the path there. One upload at a time goes to one place.
    pub key: String,
    /// The remote's name, for people and for the command that takes it up.
    pub remote: String,
    /// The path there, as in an address.
    pub path: String,
    /// The local path, absolute; `REMOTE:PATH` of a copy between two remotes.
    pub source: String,
    /// What made the source that very file (`transfer::source`), as text.
    pub identity: String,
    /// The upload: ticket, what the session noted, what is to be replaced (`transfer::journal`), as text; may hold a token.
    pub upload: String,
    /// Bytes of the source.
    pub size: u64,
    /// Bytes that the server had accepted when this was written; its own word wins.
    pub accepted: u64,
    /// Seconds since 1970.
    pub at: i64,
}

/// The right to put something to one place, held until it is dropped; no other process has it meanwhile.
pub struct PlaceLock {
    /// Another one was busy there when it was asked for: what was listed before is no longer true.
    pub waited: bool,
    /// What holds the lock; dropping this value lets the place go.
    pub held: Box<dyn Send>,
}

/// Whoever has a claim that was asked for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// None where it can't be told.
    pub process: Option<u32>,
    /// Since its last sign of life: one that is suspended gives none.
    pub silent: Duration,
}

/// Where something goes: `remote` is origin and account. As in [`PendingUpload::key`].
pub fn place_key(remote: &str, path: &RemotePath) -> String {
    format!("{remote}|{path}")
}

/// The number of a note, by which it is waited for ([`TransferStore::commit`]).
pub type NoteMark = u64;

/// Kept by `state`. What is noted is read from then on, and on the disk soon; before a call that depends on it, it is waited
/// for with [`TransferStore::commit`]. A note is never on the disk before an earlier one. A ledger that can't be read or
/// written is empty, never a failed transfer: whoever keeps it tells
/// the user of it.
pub trait TransferStore: Send + Sync {
    /// What this machine last put at the entry `id` of `remote` (as in [`CompletedTransfer::remote`]).
    ///
    /// # Errors
    /// Any failure of the store.
    fn finished(&self, remote: &str, id: &str) -> Result<Option<CompletedTransfer>>;

    /// Replaces what was recorded for the same entry.
    ///
    /// # Errors
    /// Any failure of the store.
    fn record_finished(&self, finished: &CompletedTransfer) -> Result<NoteMark>;

    /// Has this machine put `source` (a local path) somewhere on `remote` at or after this moment (milliseconds since
    /// 1970)?
    ///
    /// # Errors
    /// Any failure of the store.
    fn finished_since(&self, remote: &str, source: &str, moment: i64) -> Result<bool>;

    /// The name under which the server stored what was put to `key` (as in [`PendingUpload::key`]), where it is another one.
    ///
    /// # Errors
    /// Any failure of the store.
    fn stored_as(&self, key: &str) -> Result<Option<String>>;

    /// Notes the name under which the server has stored the file of `key`.
    ///
    /// # Errors
    /// Any failure of the store.
    fn record_stored_as(&self, key: &str, name: &str) -> Result<NoteMark>;

    /// What has begun towards `key` (as in [`PendingUpload::key`]).
    ///
    /// # Errors
    /// Any failure of the store.
    fn unfinished(&self, key: &str) -> Result<Option<PendingUpload>>;

    /// Everything that has begun, the oldest first.
    ///
    /// # Errors
    /// Any failure of the store.
    fn all_unfinished(&self) -> Result<Vec<PendingUpload>>;

    /// Replaces what was recorded under the same key.
    ///
    /// # Errors
    /// Any failure of the store.
    fn record_unfinished(&self, unfinished: &PendingUpload) -> Result<NoteMark>;

    /// Forgets the upload of `key`.
    ///
    /// # Errors
    /// Any failure of the store.
    fn forget_unfinished(&self, key: &str) -> Result<NoteMark>;

    /// The note and all before it are on the disk when this is done, and survive a power cut. Many that wait at once wait for
    /// one write.
    fn commit(&self, note: NoteMark) -> BoxFuture<'_, Result<()>>;

    /// The right to work on `key`. None: another process or worker has it. Whoever waits for it (`transfer::lock_wait`) must
    /// hold no other.
    fn lock_place<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<PlaceLock>>>;

    /// Who has the claim of `key` now. None: nobody.
    fn holder(&self, key: &str) -> Option<Holder>;
}
