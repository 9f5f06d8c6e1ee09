//! What must survive a run. Today: which files this machine has put where, so that `--if-exists update` can leave
//! alone what is provably the same without reading it again.

use super::Result;

/// One file that this machine has put on a remote, complete and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
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
    /// The local path.
    pub source: String,
    /// Bytes of the source.
    pub source_size: u64,
    /// Time of the source's last change in nanoseconds since 1970, negative before.
    pub source_mtime_ns: i64,
    /// None where the file system has no inodes.
    pub source_inode: Option<u64>,
    /// When the upload was verified, in seconds since 1970.
    pub at: i64,
}

/// Kept by `state`. A ledger that can't be read or written is empty, never a failed transfer: whoever keeps it tells
/// the user of it.
pub trait Ledger: Send + Sync {
    /// What this machine last put at the entry `id` of `remote` (as in [`Finished::remote`]).
    fn finished(&self, remote: &str, id: &str) -> Result<Option<Finished>>;

    /// Replaces what was recorded for the same entry.
    fn record_finished(&self, finished: &Finished) -> Result<()>;
}
