//! The structs that reports consist of.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::model::timecode::TimeSpan;
use crate::model::{Address, EntryKind, Protocol, RemotePath};

/// How a finished transfer was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// By the MD5 of the content.
    Md5,
    /// By the size alone.
    Size,
    /// Not at all: the provider reports neither.
    None,
}

/// The result of a batch.
#[derive(Clone, Debug, Serialize)]
pub struct BatchSummary {
    /// Lines that were run.
    pub lines: u64,
    /// Lines of these that did not end with 0.
    pub failed: u64,
    /// Lines that were not started, as far as they were read.
    pub not_run: u64,
    /// Seconds that the command took.
    pub seconds: f64,
}

/// From where to where a file was carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TransferKind {
    /// From this machine to a remote.
    Uploaded,
    /// From a remote to this machine.
    Downloaded,
    /// From one remote to another, through this machine.
    Copied,
    /// As `Copied`, and the source is gone.
    Moved,
}

impl TransferKind {
    /// Each of them.
    pub const ALL: [TransferKind; 4] = [TransferKind::Uploaded, TransferKind::Downloaded, TransferKind::Copied, TransferKind::Moved];

    /// The word for people and scripts.
    pub fn name(self) -> &'static str {
        match self {
            TransferKind::Uploaded => "uploaded",
            TransferKind::Downloaded => "downloaded",
            TransferKind::Copied => "copied",
            TransferKind::Moved => "moved",
        }
    }
}

/// One uploaded or downloaded file.
#[derive(Clone, Debug, Serialize)]
pub struct Transfer {
    /// The local path, `-` for standard input.
    pub source: String,
    /// The remote's name.
    pub remote: String,
    /// The path on the remote.
    pub path: RemotePath,
    /// The provider's id of the entry.
    pub id: Option<String>,
    /// Bytes.
    pub size: u64,
    /// The MD5 of the content in lower-case hex, where it was computed.
    pub md5: Option<String>,
    /// How the result was verified.
    pub verified: Verified,
    /// The protocol that carried the bytes.
    pub protocol: Protocol,
    /// Bytes that an earlier run had already transferred.
    pub resumed_from: u64,
    /// Requests that were sent again.
    pub retries: u32,
    /// Seconds from the first to the last byte.
    pub seconds: f64,
    /// The provider's facts about the entry (`transfer::fingerprint::EntryFingerprint`), for the receipt.
    #[serde(skip)]
    pub stamp: Option<String>,
    /// The local file of a download, `-` for standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The address that the provider reports for an uploaded file; secrets are masked when it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The id of the newest older entry that stays beside the new one, where a provider can't replace (ioGates).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// Additional counts of a sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SyncCounts {
    /// Files that the target had, with provably the same content.
    pub equal: u64,
    /// Files that were transferred, moved ones included.
    pub sent: u64,
    /// Files and folders that were deleted.
    pub deleted: u64,
    /// Files at the target that the source lacks, and that were not deleted.
    pub left: u64,
}

/// Why something failed, and on what.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The source of the transfer that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The remote's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// The path on the remote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<RemotePath>,
    /// What failed.
    pub error: FailureReason,
    /// True for a file that was not attempted, because of a failure that was reported before.
    #[serde(skip)]
    pub untried: bool,
}

/// The error of a [`Failure`].
#[derive(Clone, Debug, Serialize)]
pub struct FailureReason {
    /// The name of the kind ([`Kind::name`](crate::Kind::name)).
    pub kind: &'static str,
    /// The message and the hint, without secrets.
    pub message: String,
    /// The HTTP or FTP code, or null.
    pub status: Option<u16>,
    /// The same request may succeed later.
    pub retryable: bool,
}

impl Failure {
    /// The report of that error, without secrets.
    pub fn new(error: &Error) -> Self {
        let message = crate::model::secret::mask(&error.to_string()).into_owned();
        let at = error.place().and_then(place_in);
        let (remote, path) = at.map_or((None, None), |(remote, path)| (Some(remote), Some(path)));
        Failure {
            source: error.source_path().map(str::to_owned),
            remote,
            path,
            error: FailureReason {
                kind: error.kind().name(),
                message,
                status: error.status_code(),
                retryable: error.kind().is_transient(),
            },
            untried: error.is_not_attempted(),
        }
    }

    /// Names the source of the transfer.
    pub fn of_source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Names the place on the remote.
    pub fn at(mut self, remote: impl Into<String>, path: RemotePath) -> Self {
        self.remote = Some(remote.into());
        self.path = Some(path);
        self
    }
}

/// Remote and path in `REMOTE:/PATH` and `REMOTE:@ID/PATH`; none in a host's `NAME:PORT`.
fn place_in(subject: &str) -> Option<(String, RemotePath)> {
    let (_, place) = subject.split_once(':')?;
    let address = Address::parse(subject).ok().flatten().filter(|_| place.starts_with(['/', '@']))?;
    Some((address.remote, address.place.path))
}

/// The last line of a transfer.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Files that were transferred.
    pub files: u64,
    /// Bytes of these files that this run transferred.
    pub bytes: u64,
    /// Files that were not changed.
    pub skipped: u64,
    /// Files that failed.
    pub failed: u64,
    /// Seconds that the command took.
    pub seconds: f64,
    /// Files that a dry run would transfer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<u64>,
    /// Bytes of these files, as far as they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_bytes: Option<u64>,
    /// Bytes of files that the server itself copied or moved, if it reports them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_on_server: Option<u64>,
    /// A signal ended the work.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Files that were known when the work ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_files: Option<u64>,
    /// The counts of a sync.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncCounts>,
    /// The actions of a dry run, each with its number: `upload`, `replace`, `delete`.
    #[serde(skip)]
    pub would: Vec<(&'static str, u64)>,
    /// Entries that the server itself copied or moved, by the action: `copied`, `moved`.
    #[serde(skip)]
    pub on_server: Vec<(&'static str, u64)>,
}

/// One entry that the server itself copied or moved.
#[derive(Clone, Debug, Serialize)]
pub struct Placed {
    /// `REMOTE:PATH` before the action.
    pub source: String,
    /// The remote's name.
    pub remote: String,
    /// The path on the remote.
    pub path: RemotePath,
    /// The provider's id of the entry.
    pub id: Option<String>,
    /// `file` or `folder`.
    pub kind: EntryKind,
    /// Bytes.
    pub size: Option<u64>,
}

/// One line of `haul remote list`, secrets left out.
#[derive(Clone, Debug, Serialize)]
pub struct RemoteLine {
    /// The remote's name.
    pub name: String,
    /// The provider's id.
    pub provider: String,
    /// The URL of the server; none where the provider's default is used.
    pub url: Option<String>,
    /// `file`, `environment`, or both.
    pub origin: String,
    /// The keys that are set; a secret's value is `***`.
    pub settings: Map<String, Value>,
}

/// One comment of a file.
#[derive(Clone, Debug, Serialize)]
pub struct CommentLine {
    /// The remote's name.
    pub remote: String,
    /// The path of the file.
    pub path: Option<String>,
    /// The provider's id of the comment.
    pub id: String,
    /// The id of the comment that this one answers.
    pub parent: Option<String>,
    /// The author of the comment.
    pub owner: Option<String>,
    /// When the comment was written.
    pub created: Option<chrono::DateTime<chrono::Utc>>,
    /// The text.
    pub text: String,
    /// The comment was removed.
    pub removed: bool,
    /// The position of the begin of the comment's first span, from the film's first frame: `hours:minutes:seconds:frames`. Null
    /// for a comment on the whole file, or when the file has no frames.
    pub timecode: Option<String>,
    /// The end of that span; null for a single frame.
    pub timecode_out: Option<String>,
    /// The begin in the timecode of the source.
    pub source_timecode: Option<String>,
    /// All spans as the server reports them, in milliseconds.
    pub times: Vec<TimeSpan>,
}

/// One step of `haul remote check`.
#[derive(Clone, Debug, Serialize)]
pub struct CheckLine {
    /// The remote's name.
    pub remote: String,
    /// What was checked.
    pub step: String,
    /// The step succeeded.
    pub ok: bool,
    /// What was found, or why the check failed. Contains no secret.
    pub detail: String,
}

/// One line of the table of `haul providers`.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderLine {
    /// The provider's id.
    pub provider: &'static str,
    /// The provider's name for people.
    pub title: &'static str,
    /// The upload protocols, the best first.
    pub protocols: Vec<Protocol>,
    /// Each ability's name and whether the provider has it, in the table's order.
    pub abilities: Map<String, Value>,
}
