//! What must survive a run: which files this machine has put where, so that `--if-exists update` recognises an unchanged file
//! without reading it again; and which uploads have begun, so that the next run resumes them.

use std::time::Duration;

use super::{BoxFuture, Result};
use crate::model::RemotePath;

/// One file that this machine has put on a remote, complete and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedTransfer {
    /// Origin and account of the remote, which stay the same when the user renames the remote.
    pub remote: String,
    /// The provider's id of the entry.
    pub id: String,
    /// The provider's mark of the entry (version, time of change). Another mark means that the entry was changed.
    pub stamp: String,
    /// Bytes of the entry; none where the provider does not tell.
    pub size: Option<u64>,
    /// Lower-case hex, when it is known.
    pub md5: Option<String>,
    /// The local path; for a copy between two remotes the account and id of the original.
    pub source: String,
    /// Bytes of the source.
    pub source_size: u64,
    /// Time of the source's last change in nanoseconds since 1970, negative before.
    pub source_mtime_ns: i64,
    /// None where the file system has no inodes.
    pub source_inode: Option<u64>,
    /// A value that changes with the content even if size and time were set back (`transfer::source::FileFingerprint`). None
    /// where the file system has no such value: then only the content proves that a file is unchanged.
    pub source_version: Option<String>,
    /// The device that the source lay on.
    pub source_device: Option<u64>,
    /// When the upload was verified, in milliseconds since 1970.
    pub at: i64,
}

/// One upload that has begun and is not known to be over. On the disk before each remote call that depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingUpload {
    /// The target: origin and account of the remote, and the path there. One upload at a time goes to one target.
    pub key: String,
    /// The remote's name, for people and for the command that takes it up.
    pub remote: String,
    /// The path there, as in an address.
    pub path: String,
    /// The local path, absolute; `REMOTE:PATH` of a copy between two remotes.
    pub source: String,
    /// The fingerprint of the source (`transfer::source`), as text.
    pub identity: String,
    /// The upload's handle, what the session noted, and what is to be replaced (`transfer::journal`), as text. The text may
    /// hold a token.
    pub upload: String,
    /// Bytes of the source.
    pub size: u64,
    /// Bytes that the server had accepted when this was written. The server's own answer counts for more.
    pub accepted: u64,
    /// Seconds since 1970.
    pub at: i64,
}

/// The lock of one target, held until this value is dropped. No other process holds it meanwhile.
pub struct PlaceLock {
    /// Another run held the lock when it was asked for, so listings from before may be out of date.
    pub waited: bool,
    /// The value that holds the lock; dropping it releases the target.
    pub held: Box<dyn Send>,
}

/// The process that holds a lock which was asked for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// None where it is not known.
    pub process: Option<u32>,
    /// The time since its last sign of life. A suspended process gives none.
    pub silent: Duration,
}

/// Where something goes: `remote` is origin and account. As in [`PendingUpload::key`].
pub fn place_key(remote: &str, path: &RemotePath) -> String {
    format!("{remote}|{path}")
}

/// The number of a note, by which it is waited for ([`TransferStore::commit`]).
pub type NoteMark = u64;

/// The store of notes, kept by `state`. A note can be read at once and is on the disk soon. Before a call that depends on a
/// note, the caller waits for it with [`TransferStore::commit`]. A note is never on the disk before an earlier one. A store
/// that can't be read or written counts as empty and fails no transfer; the store itself warns the user.
pub trait TransferStore: Send + Sync {
    /// What this machine last put at the entry `id` of `remote` (as in [`CompletedTransfer::remote`]).
    ///
    /// # Errors
    /// Any failure of the store.
    fn completed_transfer(&self, remote: &str, id: &str) -> Result<Option<CompletedTransfer>>;

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
    fn has_completed_since(&self, remote: &str, source: &str, moment: i64) -> Result<bool>;

    /// The name under which the server stored what was put to `key` (as in [`PendingUpload::key`]), where it is another one.
    ///
    /// # Errors
    /// Any failure of the store.
    fn stored_name_of(&self, key: &str) -> Result<Option<String>>;

    /// The keys that begin with `prefix`, which ends in a slash, each with the name as in [`TransferStore::stored_name_of`].
    ///
    /// # Errors
    /// Any failure of the store.
    fn stored_names_below(&self, prefix: &str) -> Result<Vec<(String, String)>>;

    /// Notes the name under which the server has stored the file of `key`.
    ///
    /// # Errors
    /// Any failure of the store.
    fn record_stored_as(&self, key: &str, name: &str) -> Result<NoteMark>;

    /// The pending upload to `key` (as in [`PendingUpload::key`]).
    ///
    /// # Errors
    /// Any failure of the store.
    fn pending_upload(&self, key: &str) -> Result<Option<PendingUpload>>;

    /// All pending uploads, the oldest first.
    ///
    /// # Errors
    /// Any failure of the store.
    fn pending_uploads(&self) -> Result<Vec<PendingUpload>>;

    /// Replaces what was recorded under the same key.
    ///
    /// # Errors
    /// Any failure of the store.
    fn record_unfinished(&self, unfinished: &PendingUpload) -> Result<NoteMark>;

    /// Forgets the upload of `key`.
    ///
    /// # Errors
    /// Any failure of the store.
    fn forget_pending_upload(&self, key: &str) -> Result<NoteMark>;

    /// Waits until this note and all before it are on the disk, where they survive a power cut. Many callers that wait at once
    /// share one write.
    ///
    /// # Errors
    /// Any failure of the store.
    fn commit(&self, note: NoteMark) -> BoxFuture<'_, Result<()>>;

    /// Takes the lock of `key`. None: another process or worker holds it. Whoever waits for the lock (`transfer::lock_wait`)
    /// must hold no other lock.
    ///
    /// # Errors
    /// Any failure of the store.
    fn lock_place<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<PlaceLock>>>;

    /// Returns the process that holds the lock of `key` now. None: the lock is free.
    fn holder(&self, key: &str) -> Option<Holder>;
}
