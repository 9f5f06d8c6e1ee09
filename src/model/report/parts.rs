//! The structs that reports consist of.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::model::timecode::TimeSpan;
use crate::model::{Address, EntryKind, Protocol, RemotePath};

/// What a finished transfer was checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    /// The MD5 of the content.
    Md5,
    /// The size alone.
    Size,
    /// Nothing: the provider reports neither.
    None,
}

/// What became of a batch's lines.
#[derive(Clone, Debug, Serialize)]
pub struct BatchSummary {
    /// Lines that were run.
    pub lines: u64,
    /// Lines of these that did not end with 0.
    pub failed: u64,
    /// Lines that were not begun, as far as they were read.
    pub not_run: u64,
    /// Seconds that the command took.
    pub seconds: f64,
}

/// One file carried to or from a remote.
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
    /// What the result was compared by.
    pub verified: Verified,
    /// The protocol that carried the bytes.
    pub protocol: Protocol,
    /// Bytes that an earlier run had already brought there.
    pub resumed_from: u64,
    /// Requests that were sent again.
    pub retries: u32,
    /// Seconds from the first to the last byte.
    pub seconds: f64,
    /// What the provider told of the entry (`transfer::fingerprint::EntryFingerprint`), for the receipt.
    #[serde(skip)]
    pub stamp: Option<String>,
    /// The local file of a download, `-` for standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The address that the provider tells of an uploaded file, secrets masked when shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The id of the newest older entry that stays beside the new one, where a provider can't replace (ioGates).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// What a sync says beside what every transfer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SyncCounts {
    /// Files that were there and are provably the same.
    pub equal: u64,
    /// Files that were brought, moved ones included.
    pub sent: u64,
    /// Files and folders that were deleted.
    pub deleted: u64,
    /// Files at the target that the source lacks, and that are still there.
    pub left: u64,
}

/// Why something failed, and what it was about.
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
    /// What went wrong.
    pub error: FailureReason,
    /// One of many that were not tried, because of a failure that was told before.
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
        let message = crate::model::secret::masked(&error.to_string()).into_owned();
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
    /// Bytes of these files that this run carried.
    pub bytes: u64,
    /// Files that were left alone.
    pub skipped: u64,
    /// Files that failed.
    pub failed: u64,
    /// Seconds that the command took.
    pub seconds: f64,
    /// Files that a dry run would carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned: Option<u64>,
    /// Bytes of these files, as far as they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub planned_bytes: Option<u64>,
    /// Bytes of files that the server itself copied or moved, where it told them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_on_server: Option<u64>,
    /// A signal ended the work.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Files that were known of when it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_files: Option<u64>,
    /// Of a sync.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncCounts>,
    /// What a dry run would do, and how often: `upload`, `replace`, `delete`.
    #[serde(skip)]
    pub would: Vec<(&'static str, u64)>,
    /// Entries that the server itself copied or moved, by what it did: `copied`, `moved`.
    #[serde(skip)]
    pub on_server: Vec<(&'static str, u64)>,
}

/// One entry that the server itself copied or moved.
#[derive(Clone, Debug, Serialize)]
pub struct Placed {
    /// `REMOTE:PATH` as it was.
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
    /// The address of the server, where the provider has no address of its own.
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
    /// Who wrote the comment.
    pub owner: Option<String>,
    /// When the comment was written.
    pub created: Option<chrono::DateTime<chrono::Utc>>,
    /// The text.
    pub text: String,
    /// The comment was removed.
    pub removed: bool,
    /// Where in the film the comment's first span begins: `hours:minutes:seconds:frames` from its first frame. Null where
    /// the comment is about the whole file, or the file has no frames.
    pub timecode: Option<String>,
    /// Where that span ends; null for a single place.
    pub timecode_out: Option<String>,
    /// Where it begins in the timecode of the source.
    pub source_timecode: Option<String>,
    /// All spans as the server tells them, in milliseconds.
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
    /// What was found, or why it failed. Holds no secret.
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
    /// Ability name and whether the provider holds it, in the table's order.
    pub abilities: Map<String, Value>,
}
