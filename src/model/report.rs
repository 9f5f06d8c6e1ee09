//! What a verb found out or did: one value with two voices, text for people and JSON for scripts (`render`).
//! The names of fields and events are the contract of the command line.
//! Over 300 lines because the events of the contract stand in one list.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::model::timecode::TimeSpan;
use crate::model::{Account, Address, Entry, EntryKind, Protocol, RemotePath};

/// What a finished transfer was checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verified {
    Md5,
    Size,
    None,
}

/// One file carried to or from a remote.
#[derive(Clone, Debug, Serialize)]
pub struct Transfer {
    /// The local path, `-` for standard input.
    pub source: String,
    pub remote: String,
    pub path: RemotePath,
    pub id: Option<String>,
    /// Bytes.
    pub size: u64,
    pub md5: Option<String>,
    pub verified: Verified,
    pub protocol: Protocol,
    /// Bytes that an earlier run had already brought there.
    pub resumed_from: u64,
    pub retries: u32,
    pub seconds: f64,
    /// What the provider told of the entry (`transfer::conflict::EntryFingerprint`), for the receipt.
    #[serde(skip)]
    pub stamp: Option<String>,
    /// The local file of a download, `-` for standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The id of the newest older entry that stays beside the new one, where a provider can't replace (ioGates).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<RemotePath>,
    pub error: FailureReason,
    /// One of many that were not tried, because of a failure that was told before.
    #[serde(skip)]
    pub untried: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct FailureReason {
    pub kind: &'static str,
    pub message: String,
    /// The HTTP or FTP code, or null.
    pub status: Option<u16>,
    pub retryable: bool,
}

impl Failure {
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

    pub fn of_source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

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

/// One entry that the server itself copied or moved.
#[derive(Clone, Debug, Serialize)]
pub struct Placed {
    /// `REMOTE:PATH` as it was.
    pub source: String,
    pub remote: String,
    pub path: RemotePath,
    pub id: Option<String>,
    pub kind: EntryKind,
    /// Bytes.
    pub size: Option<u64>,
}

/// One line of `haul remote list`, secrets left out.
#[derive(Clone, Debug, Serialize)]
pub struct RemoteLine {
    pub name: String,
    pub provider: String,
    pub url: Option<String>,
    /// `file`, `environment`, or both.
    pub origin: String,
    /// The keys that are set; a secret's value is `***`.
    pub settings: Map<String, Value>,
}

/// One comment of a file.
#[derive(Clone, Debug, Serialize)]
pub struct CommentLine {
    pub remote: String,
    pub path: Option<String>,
    pub id: String,
    pub parent: Option<String>,
    pub owner: Option<String>,
    pub created: Option<chrono::DateTime<chrono::Utc>>,
    pub text: String,
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
    pub remote: String,
    pub step: String,
    pub ok: bool,
    /// What was found, or why it failed. Holds no secret.
    pub detail: String,
}

/// One line of the table of `haul providers`.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderLine {
    pub provider: &'static str,
    pub title: &'static str,
    pub protocols: Vec<Protocol>,
    /// Ability name and whether the provider holds it, in the table's order.
    pub abilities: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Report {
    Uploaded(Transfer),
    Skipped {
        source: String,
        remote: String,
        path: RemotePath,
        id: Option<String>,
        size: Option<u64>,
        reason: String,
    },
    /// What a dry run would do: `upload`, `replace`, `create`, `rename`, `move`, `copy`, `delete`.
    Planned {
        action: &'static str,
        source: Option<String>,
        remote: String,
        path: RemotePath,
        size: Option<u64>,
    },
    Created {
        remote: String,
        path: RemotePath,
        id: Option<String>,
        kind: &'static str,
    },
    Downloaded(Transfer),
    /// A download that was not needed; `source` is `REMOTE:PATH`, `target` the local file.
    #[serde(rename = "skipped")]
    NotDownloaded {
        source: String,
        remote: String,
        path: RemotePath,
        target: String,
        id: String,
        size: Option<u64>,
        reason: String,
    },
    /// What a dry run of a download would do: `download`, `replace`.
    #[serde(rename = "planned")]
    PlannedDownload {
        action: &'static str,
        source: String,
        remote: String,
        path: RemotePath,
        target: String,
        size: Option<u64>,
    },
    /// Copied through this machine from another remote; `source` is `REMOTE:PATH`.
    #[serde(rename = "copied")]
    CopiedThrough(Transfer),
    /// As `CopiedThrough`, and the source is gone.
    #[serde(rename = "moved")]
    MovedThrough(Transfer),
    Copied(Placed),
    Moved(Placed),
    Deleted {
        remote: String,
        path: RemotePath,
        id: String,
        kind: EntryKind,
    },
    Failed(Failure),
    Entry {
        remote: String,
        #[serde(flatten)]
        entry: Entry,
    },
    About {
        remote: String,
        provider: &'static str,
        #[serde(flatten)]
        account: Box<Account>,
    },
    /// The whole size of what a path holds.
    Du {
        remote: String,
        path: RemotePath,
        /// Null where files are there and the provider tells the size of none.
        bytes: Option<u64>,
        files: u64,
        folders: u64,
    },
    /// The one report that shows a secret URL.
    Link {
        remote: String,
        path: RemotePath,
        url: String,
    },
    Import {
        remote: String,
        path: RemotePath,
        url: String,
        id: Option<String>,
        status: String,
        done: bool,
        /// The id of the file that came of it.
        file: Option<String>,
    },
    Comments(CommentLine),
    Edit {
        remote: String,
        #[serde(flatten)]
        entry: Entry,
    },
    Share {
        remote: String,
        path: RemotePath,
        with: Vec<String>,
    },
    Star {
        remote: String,
        path: RemotePath,
        starred: bool,
    },
    /// An upload that has begun and is not over.
    Transfers {
        remote: String,
        path: RemotePath,
        source: String,
        size: u64,
        accepted: u64,
        since: Option<chrono::DateTime<chrono::Utc>>,
    },
    /// One that was forgotten, and what became of what it had brought to the server.
    Cleared {
        remote: String,
        path: RemotePath,
        source: String,
        /// It had arrived as a whole, and stays.
        whole: bool,
        /// Its bytes were removed.
        removed: bool,
        /// What can't be removed, and has some of its bytes.
        stays: Option<String>,
        /// The address of the entry without bytes that can't be removed.
        empty: Option<String>,
    },
    /// A command that carries files and has not come to its end.
    Run {
        remote: String,
        path: RemotePath,
        /// The command's name and its places.
        command: Vec<String>,
        /// None: it ended before it knew.
        files: Option<u64>,
        done: u64,
        failed: u64,
        in_flight: u64,
        not_begun: Option<u64>,
        since: Option<chrono::DateTime<chrono::Utc>>,
    },
    /// What became of a file that a receipt names: `same`, `changed`, `missing`.
    Verify {
        remote: String,
        path: RemotePath,
        id: Option<String>,
        status: &'static str,
        reason: Option<String>,
    },
    /// Signed in: who we are there.
    Login {
        remote: String,
        account: Option<String>,
    },
    Logout {
        remote: String,
        revoked: bool,
    },
    Remote(RemoteLine),
    Check(CheckLine),
    Providers(ProviderLine),
    /// What a sandbox holds: one file.
    Arrived {
        provider: String,
        path: String,
        size: u64,
        md5: String,
        protocol: String,
    },
    Progress {
        files: u64,
        of_files: u64,
        bytes: u64,
        of_bytes: Option<u64>,
        bytes_per_second: f64,
        seconds_left: Option<f64>,
    },
    /// The last line of a transfer.
    Summary {
        files: u64,
        bytes: u64,
        skipped: u64,
        failed: u64,
        seconds: f64,
    },
}
