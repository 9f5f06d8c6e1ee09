//! What a command found out or did: one value, shown as text for people and as JSON for scripts (`render`). The names of
//! fields and events are the contract of the command line. `parts` holds the structs, this file the list of events.

mod parts;

pub use self::parts::{
    BatchSummary, CheckLine, CommentLine, Failure, FailureReason, Placed, ProviderLine, RemoteLine, Summary, SyncCounts, Transfer, Verified,
};

use serde::Serialize;

use crate::model::{Account, Entry, EntryKind, RemotePath};

/// What a command found out or did. As JSON, `event` names the variant.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Report {
    /// A file was uploaded.
    Uploaded(Transfer),
    /// A file was not sent, as the target has it or must be left alone.
    Skipped {
        /// What was read: a local path, `-` for standard input, or `REMOTE:PATH`.
        source: String,
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The provider's id of the entry.
        id: Option<String>,
        /// Bytes.
        size: Option<u64>,
        /// Why, in the words for people.
        reason: String,
    },
    /// What a dry run would do: `upload`, `replace`, `create`, `rename`, `move`, `copy`, `delete`.
    Planned {
        /// The verb of what would be done.
        action: &'static str,
        /// What was read: a local path, `-` for standard input, or `REMOTE:PATH`.
        source: Option<String>,
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
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
    /// A file was downloaded.
    Downloaded(Transfer),
    /// A download that was not needed; `source` is `REMOTE:PATH`, `target` the local file.
    #[serde(rename = "skipped")]
    NotDownloaded {
        /// `REMOTE:PATH`.
        source: String,
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The local file, `-` for standard output.
        target: String,
        /// The provider's id of the entry.
        id: String,
        /// Bytes.
        size: Option<u64>,
        /// Why, in the words for people.
        reason: String,
    },
    /// What a dry run of a download would do: `download`, `replace`.
    #[serde(rename = "planned")]
    PlannedDownload {
        /// `download` or `replace`.
        action: &'static str,
        /// `REMOTE:PATH`.
        source: String,
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The local file, `-` for standard output.
        target: String,
        /// Bytes.
        size: Option<u64>,
    },
    /// Copied through this machine from another remote; `source` is `REMOTE:PATH`.
    #[serde(rename = "copied")]
    CopiedThrough(Transfer),
    /// As `CopiedThrough`, and the source is gone.
    #[serde(rename = "moved")]
    MovedThrough(Transfer),
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
    /// Something on this machine was removed.
    #[serde(rename = "deleted")]
    DeletedHere {
        /// The path, seen from the folder that was synced.
        path: RemotePath,
        /// The local file or folder.
        target: String,
        /// `file` or `folder`.
        kind: EntryKind,
    },
    /// A file on this machine was moved, as its original was.
    #[serde(rename = "moved")]
    MovedHere {
        /// The local file as it was.
        source: String,
        /// The path, seen from the folder that is synced.
        path: RemotePath,
        /// The local file as it is.
        target: String,
        /// Bytes.
        size: Option<u64>,
    },
    /// What a dry run would do on this machine: `delete`, `move`.
    #[serde(rename = "planned")]
    PlannedHere {
        /// The verb of what would be done.
        action: &'static str,
        /// The path, seen from the folder that is synced.
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
        /// The entry as it is now.
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
    /// The whole size of what a path holds.
    Du {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// Null where files are there and the provider tells the size of none.
        bytes: Option<u64>,
        /// Files below the path.
        files: u64,
        /// Folders below the path.
        folders: u64,
    },
    /// The one report that shows a secret URL.
    Link {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// An address that downloads the file without a sign-in.
        url: String,
    },
    /// How far a fetch by the provider is.
    Import {
        /// The remote's name.
        remote: String,
        /// The folder that receives the file.
        path: RemotePath,
        /// The address that the provider fetches.
        url: String,
        /// The provider's id of the fetch.
        id: Option<String>,
        /// The provider's own word for the state.
        status: String,
        /// The provider has ended its work.
        done: bool,
        /// The id of the file that came of it.
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
    /// Others were given a copy.
    Share {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The ids of the users and groups.
        with: Vec<String>,
    },
    /// An entry was marked as a favourite, or the mark was taken away.
    Star {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The entry is a favourite now.
        starred: bool,
    },
    /// An upload that has begun and is not over.
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
    /// One that was forgotten, and what became of what it had brought to the server.
    Cleared {
        /// The remote's name.
        remote: String,
        /// The path on the remote.
        path: RemotePath,
        /// The local path.
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
        /// The remote's name.
        remote: String,
        /// The path of the first target.
        path: RemotePath,
        /// The command's name and its places.
        command: Vec<String>,
        /// None: it ended before it knew.
        files: Option<u64>,
        /// Files that are complete.
        done: u64,
        /// Files that failed.
        failed: u64,
        /// Files that were on their way.
        in_flight: u64,
        /// Files that were not begun; none where the files were not counted.
        not_begun: Option<u64>,
        /// When the work began.
        since: Option<chrono::DateTime<chrono::Utc>>,
    },
    /// What became of a file that a receipt names: `same`, `changed`, `missing`.
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
    /// Signed in: who we are there.
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
        /// The server has ended the token, too.
        revoked: bool,
    },
    /// A configured remote.
    Remote(RemoteLine),
    /// One step of `haul remote check`.
    Check(CheckLine),
    /// A provider and what it can do.
    Providers(ProviderLine),
    /// A page of what was delivered was written.
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
    /// The stand-ins of a sandbox answer.
    Sandbox {
        /// True.
        ready: bool,
        /// The names of the remotes.
        remotes: Vec<String>,
        /// The variables that set them up.
        env: serde_json::Map<String, serde_json::Value>,
    },
    /// What a sandbox holds: one file.
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
    /// How far a transfer is.
    Progress {
        /// Files that are over.
        files: u64,
        /// Files that are known of.
        of_files: u64,
        /// Bytes that the servers have accepted.
        bytes: u64,
        /// Bytes that are known of; none where a size is unknown.
        of_bytes: Option<u64>,
        /// The speed of the last seconds.
        bytes_per_second: f64,
        /// The time that is left at this speed.
        seconds_left: Option<f64>,
    },
    /// A line of a batch is over.
    Line {
        /// Its words.
        command: Vec<String>,
        /// The status that the command would have ended with alone.
        status: u8,
        /// Seconds that the line took.
        seconds: f64,
    },
    /// The last line of a batch.
    Batch(BatchSummary),
    /// The last line of a transfer.
    Summary(Summary),
}
