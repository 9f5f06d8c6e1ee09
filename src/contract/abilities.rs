//! Optional abilities: a provider holds one or does not (rclone's function pointers, tusd's composer, in Rust). The
//! caller has resolved the addresses; an ability changes one thing by one call or says what is left half done.

use serde::Serialize;

use super::{BoxFuture, Result, UploadRequest};
use crate::model::timecode::{Clock, TimeSpan};
use crate::model::{Entry, EntryKind, Secret};

pub trait Folders: Send + Sync {
    /// Makes one folder in `parent`. The caller has looked: no folder of that name is there. After `Interrupted` the
    /// caller looks again before it repeats (giga0 makes a second folder of the same name).
    fn create<'a>(&'a self, parent: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>>;
}

pub trait Replacements: Send + Sync {
    /// `new` is complete and verified: removes `old`, then gives `new` the name `name` (providers.md OQ-20). Asked again it
    /// goes on where it stopped, whatever became of the last time. An error says which of the two copies are left, under
    /// which names.
    fn replace<'a>(&'a self, old: &'a Entry, new: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>>;
}

pub trait Deletions: Send + Sync {
    /// A top folder, which stays there whatever happens: removing it can only mean removing what is in it.
    fn is_top(&self, entry: &Entry) -> bool;

    /// Removes a file, or a folder with all that is in it; to the trash where there is one, and from there for good.
    /// After `Interrupted` the caller looks before it repeats: at FileAgo a second removal is one from the trash.
    fn remove<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<()>>;
}

/// Each call is one request. It returns the entry as it is now where the answer proves it, and none where the answer says
/// too little: then the caller looks.
pub trait Moves: Send + Sync {
    /// The folder that holds the entry, for one that was named by its id; none for a top folder.
    fn parent<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// Gives the entry another name in the folder it is in. The caller has looked: the name is free.
    fn rename<'a>(&'a self, entry: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// Moves the entry into `folder` under its own name. The caller has looked: the name is free there (or may be there
    /// twice), and `folder` is not inside of `entry`.
    fn move_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>>;
}

pub trait Copies: Send + Sync {
    /// Does the server copy folders with what is in them? Else the caller makes the folder and copies file by file.
    fn copies_folders(&self) -> bool;

    /// May two entries of one folder have one name?
    fn allows_duplicate_names(&self) -> bool;

    /// Copies the entry into `folder` under its own name (the caller has looked: it is free there, or may be there twice).
    /// Returns the copy, or none where the answer does not name it. After `Interrupted` the caller looks before it repeats.
    fn copy_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>>;
}

pub trait Links: Send + Sync {
    /// A URL that downloads the file without signing in: a secret.
    fn link<'a>(&'a self, file: &'a Entry) -> BoxFuture<'a, Result<Secret>>;
}

#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    pub id: String,
    /// The comment that this one answers.
    pub parent: Option<String>,
    pub owner: Option<String>,
    /// Its lines are kept.
    pub text: String,
    pub created: Option<chrono::DateTime<chrono::Utc>>,
    pub removed: bool,
    /// What of the film it is about; nothing where it is about the whole file.
    pub times: Vec<TimeSpan>,
}

/// A comment that is not there yet.
#[derive(Clone, Debug)]
pub struct NewComment {
    pub parent: Option<String>,
    pub text: String,
    pub times: Vec<TimeSpan>,
}

/// What people said about a file.
pub struct CommentThread {
    pub comments: Vec<Comment>,
    /// Null for what is no film.
    pub clock: Option<Clock>,
}

pub trait Comments: Send + Sync {
    fn list<'a>(&'a self, file: &'a Entry) -> BoxFuture<'a, Result<CommentThread>>;

    /// Adds one. Twice makes two: after `Interrupted` the caller looks first.
    fn add<'a>(&'a self, file: &'a Entry, new: &'a NewComment) -> BoxFuture<'a, Result<Comment>>;

    /// Makes the comment of that id what `comment` says.
    fn edit<'a>(&'a self, file: &'a Entry, comment: &'a Comment) -> BoxFuture<'a, Result<Comment>>;

    fn remove<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// A code that the server sends by SMS, and wants before anything else (providers.md 1.11).
pub trait SecondFactor: Send + Sync {
    /// Has the server asked for a code since the provider was opened?
    fn wanted(&self) -> bool;

    /// Has a code sent; returns the server's words for the person who waits for it.
    fn send_code(&self) -> BoxFuture<'_, Result<String>>;

    /// Shows the code to the server, once. Fails with `Auth` when it is wrong, too old, or none was sent.
    fn enter_code<'a>(&'a self, code: &'a Secret) -> BoxFuture<'a, Result<()>>;
}

/// Makes the entries of many uploads by one request. A ready entry waits inside the provider until `open_upload` is
/// called for the same item; an item without one is opened as ever.
pub trait BatchCreation: Send + Sync {
    /// May be called again after any failure: what a lost answer has made is looked for before more is made. A refusal
    /// says nothing about the single items.
    fn create_batch<'a>(&'a self, items: &'a [UploadRequest]) -> BoxFuture<'a, Result<()>>;

    /// Entries that were made and can no longer be used, as addresses (`@ID`): they stay on the server, empty. Each is
    /// told once. Asked when no upload is on its way.
    fn orphans(&self) -> Vec<String>;
}

/// How far a fetch by the provider is.
#[derive(Clone, Debug, Serialize)]
pub struct Import {
    /// None: the provider gave it no number, as it fetches this address already.
    pub id: Option<String>,
    /// The provider's own word, visible as it is.
    pub status: String,
    pub done: bool,
    pub failed: bool,
    /// Bytes.
    pub total: Option<u64>,
    /// The file that came of it; its path is counted from the folder it went to.
    pub file: Option<Entry>,
}

pub trait Imports: Send + Sync {
    /// The provider will fetch `url` into `folder`. A repetition fetches it twice.
    fn start<'a>(&'a self, url: &'a str, folder: &'a Entry) -> BoxFuture<'a, Result<Import>>;
    fn status<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Import>>;
}

pub trait Shares: Send + Sync {
    /// Gives users or groups (by their ids) a copy of their own. A repetition gives them two.
    fn share_copy<'a>(&'a self, entry: &'a Entry, with: &'a [String]) -> BoxFuture<'a, Result<()>>;
}

pub trait Stars: Send + Sync {
    fn star<'a>(&'a self, entry: &'a Entry, on: bool) -> BoxFuture<'a, Result<()>>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    Private,
    Unlisted,
    Public,
}

/// What is to be changed; none = leave it.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub name: Option<String>,
    /// A file's type.
    pub file_type: Option<String>,
    pub visibility: Option<Visibility>,
    /// A folder's password as the user types it; empty clears it.
    pub folder_password: Option<Secret>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.file_type.is_none() && self.visibility.is_none() && self.folder_password.is_none()
    }
}

pub trait Edits: Send + Sync {
    /// Fails with `Unsupported` for a field that this kind of entry does not have. Sends nothing.
    fn check(&self, kind: EntryKind, changes: &Changes) -> Result<()>;

    /// Changes an entry's own fields and compares them with the answer; none where the answer says too little. The caller
    /// has checked the changes and looked: the name is free.
    fn edit<'a>(&'a self, entry: &'a Entry, changes: &'a Changes) -> BoxFuture<'a, Result<Option<Entry>>>;
}
