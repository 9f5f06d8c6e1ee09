//! The results of commands: one value, shown as text for people and as JSON for scripts (`render`). The names of fields and
//! events are the contract of the command line. `parts` holds the structs, this file the list of events.

mod parts;

pub use self::parts::{
    BatchSummary, CheckLine, CommentLine, Failure, FailureReason, Placed, ProviderLine, RemoteLine, Summary, SyncCounts, Transfer,
    TransferKind, Verified,
};

use serde::Serialize;

use crate::model::{Account, Entry, EntryKind, RemotePath};

/// The result of a command or of one step. As JSON, `event` names the variant.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Report {
    /// A file was not transferred, because the target has the same content or must not be changed.
    Skipped {
        /// The source: a local path, `-` for standard input, or `REMOTE:PATH`.
        source: String,
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// Of a download: the local file, `-` for standard output.
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        /// The provider's id of the entry.
        id: Option<String>,
        /// Bytes.
        size: Option<u64>,
        /// The reason, as text for people.
        reason: String,
    },
    /// What a dry run would do: `upload`, `download`, `replace`, `create`, `rename`, `move`, `copy`, `delete`.
    Planned {
        /// The verb of the planned action.
        action: &'static str,
        /// The source: a local path, `-` for standard input, or `REMOTE:PATH`.
        source: Option<String>,
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// Of a download: the local file, `-` for standard output.
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<String>,
        /// Bytes.
        size: Option<u64>,
    },
    /// A folder was made.
    Created {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The provider's id of the entry.
        id: Option<String>,
        /// `folder`.
        kind: &'static str,
    },
    /// The server copied an entry.
    Copied(Placed),
    /// The server moved or renamed an entry.
    Moved(Placed),
    /// An entry was removed.
    Deleted {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The provider's id of the entry.
        id: String,
        /// `file` or `folder`.
        kind: EntryKind,
    },
    /// A file or folder on this machine was removed.
    #[serde(rename = "deleted")]
    DeletedHere {
        /// The path relative to the synced folder.
        path: RemotePath,
        /// The local file or folder.
        target: String,
        /// `file` or `folder`.
        kind: EntryKind,
    },
    /// A file on this machine was moved, as the file on the other side was.
    #[serde(rename = "moved")]
    MovedHere {
        /// The local file before the move.
        source: String,
        /// The path relative to the synced folder.
        path: RemotePath,
        /// The local file after the move.
        target: String,
        /// Bytes.
        size: Option<u64>,
    },
    /// What a dry run would do on this machine: `delete`, `move`.
    #[serde(rename = "planned")]
    PlannedHere {
        /// The verb of the planned action.
        action: &'static str,
        /// The path relative to the synced folder.
        path: RemotePath,
        /// The local file or folder.
        target: String,
        /// Bytes.
        size: Option<u64>,
    },
    /// Something failed.
    Failed(Failure),
    /// One entry of a listing.
    Entry {
        /// The remote's name.
        remote: String,
        /// The entry as the provider lists it.
        #[serde(flatten)]
        entry: Entry,
    },
    /// An account.
    About {
        /// The remote's name.
        remote: String,
        /// The provider's id.
        provider: &'static str,
        /// What the sign-in reported.
        #[serde(flatten)]
        account: Box<Account>,
    },
    /// The total size of all files below a path.
    Du {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// Null when there are files and the provider reports no size for any of them.
        bytes: Option<u64>,
        /// Files below the path.
        files: u64,
        /// Folders below the path.
        folders: u64,
    },
    /// A link. Only this report shows a secret URL.
    Link {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// A URL that downloads the file without a sign-in.
        url: String,
    },
    /// The state of a fetch by the provider.
    Import {
        /// The remote's name.
        remote: String,
        /// The folder that receives the file.
        path: RemotePath,
        /// The URL that the provider fetches.
        url: String,
        /// The provider's id of the fetch.
        id: Option<String>,
        /// The provider's own word for the state.
        status: String,
        /// The provider has finished the fetch, with success or failure.
        done: bool,
        /// The id of the fetched file.
        file: Option<String>,
    },
    /// A comment.
    Comments(CommentLine),
    /// An entry was edited.
    Edit {
        /// The remote's name.
        remote: String,
        /// The entry after the change.
        #[serde(flatten)]
        entry: Entry,
    },
    /// A copy was shared with users or groups.
    Share {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The ids of the users and groups.
        with: Vec<String>,
    },
    /// An entry was marked as a favourite, or the mark was removed.
    Star {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The entry is a favourite now.
        starred: bool,
    },
    /// An upload that an earlier run began and did not finish.
    Transfers {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The local path.
        source: String,
        /// Bytes of the file.
        size: u64,
        /// Bytes that the server has accepted.
        accepted: u64,
        /// When the work began.
        since: Option<chrono::DateTime<chrono::Utc>>,
    },
    /// The record of an upload was removed, and what happened to its bytes on the server.
    Cleared {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The local path.
        source: String,
        /// The upload was complete; the file stays.
        whole: bool,
        /// Its bytes were removed.
        removed: bool,
        /// What can't be removed from the server, and holds some of the bytes.
        stays: Option<String>,
        /// The address of an entry without bytes that can't be removed.
        empty: Option<String>,
    },
    /// A transfer command that did not finish.
    Run {
        /// The remote's name.
        remote: String,
        /// The path of the first target.
        path: RemotePath,
        /// The command's name and its addresses.
        command: Vec<String>,
        /// Files of the command; none if it ended before it knew.
        files: Option<u64>,
        /// Files that are complete.
        done: u64,
        /// Files that failed.
        failed: u64,
        /// Files that were in progress.
        in_flight: u64,
        /// Files that were not started; none where the files were not counted.
        not_begun: Option<u64>,
        /// When the work began.
        since: Option<chrono::DateTime<chrono::Utc>>,
    },
    /// The state of a file that a receipt names: `same`, `changed`, `missing`.
    Verify {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The provider's id of the entry.
        id: Option<String>,
        /// `same`, `changed` or `missing`.
        status: &'static str,
        /// What differs.
        reason: Option<String>,
    },
    /// A remote was added to the configuration, changed, renamed or removed.
    Configured {
        /// `added`, `changed`, `renamed`, `removed`.
        action: &'static str,
        /// The remote's name as it is now.
        remote: String,
        /// The configuration file.
        file: String,
        /// The command to type next.
        next: Option<String>,
    },
    /// The sign-in succeeded.
    Login {
        /// The remote's name.
        remote: String,
        /// The account as the server names it.
        account: Option<String>,
    },
    /// The token of a remote was forgotten.
    Logout {
        /// The remote's name.
        remote: String,
        /// The server has revoked the token, too.
        revoked: bool,
    },
    /// A configured remote.
    Remote(RemoteLine),
    /// One step of `haul remote check`.
    Check(CheckLine),
    /// A provider and what it can do.
    Providers(ProviderLine),
    /// A report page of the delivered files was written.
    #[serde(rename = "report")]
    Page {
        /// The file.
        path: String,
        /// Files on the page.
        files: u64,
        /// Bytes of these files.
        bytes: u64,
        /// Files that failed.
        failed: u64,
    },
    /// The stand-ins of a sandbox are ready.
    Sandbox {
        /// True.
        ready: bool,
        /// The names of the remotes.
        remotes: Vec<String>,
        /// The variables that set them up.
        env: serde_json::Map<String, serde_json::Value>,
    },
    /// One file in a sandbox.
    Arrived {
        /// The stand-in's provider.
        provider: String,
        /// The path of the file.
        path: String,
        /// Bytes.
        size: u64,
        /// The MD5 of the content in lower-case hex.
        md5: String,
        /// The protocol that carried the bytes.
        protocol: String,
    },
    /// The progress of a transfer.
    Progress {
        /// Files that have ended.
        files: u64,
        /// Files that are known so far.
        of_files: u64,
        /// Bytes that the servers have accepted.
        bytes: u64,
        /// Bytes of the known files; none where a size is unknown.
        of_bytes: Option<u64>,
        /// The speed of the last seconds, in bytes per second.
        bytes_per_second: f64,
        /// The remaining time at this speed, in seconds.
        seconds_left: Option<f64>,
    },
    /// A line of a batch has ended.
    Line {
        /// The words of the line.
        command: Vec<String>,
        /// The exit status that the command would have had alone.
        status: u8,
        /// Seconds that the line took.
        seconds: f64,
    },
    /// The last line of a batch.
    Batch(BatchSummary),
    /// The last line of a transfer.
    Summary(Summary),
    /// The bytes of a file went through this machine. As JSON, `event` says how.
    #[serde(untagged)]
    Transferred {
        /// From where to where.
        #[serde(rename = "event")]
        how: TransferKind,
        /// The file.
        #[serde(flatten)]
        transfer: Transfer,
    },
}
