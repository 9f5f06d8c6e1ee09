//! Optional abilities: a provider has an ability or has not (as rclone's function pointers and tusd's composer). The caller has
//! resolved the addresses. An ability changes one thing by one call, or reports what is left half done.

use std::borrow::Cow;

use serde::Serialize;
use tokio::time::Instant;

use super::{BoxFuture, Download, Entries, Error, Kind, Metadata, Result, TokenContention, Upload, UploadHandle, UploadRequest};
use crate::model::timecode::{Clock, TimeSpan};
use crate::model::{Entry, EntryKind, Place, Secret};

/// The struct of all ability objects, and for each of them the call that refuses where a provider lacks it.
macro_rules! abilities {
    ($($(#[$doc:meta])* $field:ident: $ability:ident = $name:literal;)*) => {
        /// What a provider can do besides taking uploads. A provider of this crate fills in each field, so that a new ability
        /// visits each of them; `..Default::default()` is for tests.
        #[derive(Clone, Copy, Default)]
        pub struct Abilities<'a> {
            $($(#[$doc])* pub $field: Option<&'a dyn $ability>,)*

            /// What becomes of an entry whose name an upload takes. None where nothing can be replaced (ioGates).
            pub replacement: Option<Replacement<'a>>,
            /// Whether somebody else ends our tokens. None where that can't happen.
            pub token_contention: Option<&'a TokenContention>,

            // Facts instead of calls. False holds for a server about which nothing is known.
            /// The service takes the MD5 before the first byte and then refuses a wrong upload itself.
            pub takes_md5: bool,
            /// Opening an upload makes nothing on the server: the bytes are the first thing there.
            pub opening_makes_nothing: bool,
            /// Two entries of one folder may have one name.
            pub allows_duplicate_names: bool,
            /// [`Copies::copy_into`] copies a folder with what is in it. Else the caller makes the folder and copies file by file.
            pub copies_folders: bool,
            /// Its listings leave out the times of files; [`Lookup::stat`] of a file's id tells them.
            pub listings_lack_mtime: bool,
        }

        impl<'a> Abilities<'a> {
            $(
                /// The ability.
                ///
                /// # Errors
                /// `Unsupported` where the provider lacks the ability.
                pub fn $field(&self) -> Result<&'a dyn $ability> {
                    self.$field.ok_or_else(|| lacking($name))
                }
            )*
        }
    };
}

abilities! {
    /// The entry at a place.
    lookup: Lookup = "look up entries";
    /// The entries of folders. A plain TUS endpoint lists none.
    browse: Browse = "list folders";
    /// Files can be read.
    downloads: Downloads = "download files";
    /// Finds the file of an upload. None: the session's own last offset is the proof that the file has arrived.
    find_uploaded: FindUploaded = "look for an upload";
    /// Uploads of an earlier run can be taken up. None: they start over.
    resumption: Resumption = "take up uploads";
    /// Creates folders by a call of its own. None (ioGates): an upload makes the folders it needs.
    folders: Folders = "make folders";
    /// Removes files and folders. None: whatever is put there stays, and a new version lies beside the older ones.
    deletions: Deletions = "remove entries";
    /// Renames and moves on the server.
    moves: Moves = "move or rename entries";
    /// Copies on the server.
    copies: Copies = "copy entries";
    /// URLs that download a file.
    links: Links = "make links";
    /// Comments of files, with their timecode.
    comments: Comments = "keep comments";
    /// The provider fetches a URL itself.
    imports: Imports = "fetch URLs";
    /// Copies for other users and groups.
    shares: Shares = "share copies";
    /// Favourites.
    stars: Stars = "star entries";
    /// An entry's own fields.
    edits: Edits = "edit entries";
    /// A code by SMS between the sign-in and everything else.
    second_factor: SecondFactor = "ask for a code";
    /// Entries of many uploads made together, before their files are sent.
    batch_creation: BatchCreation = "make entries of many uploads";
    /// Keeps types and attributes that the user gives a file.
    metadata: KeptMetadata = "keep types or attributes of files";
    /// Names that are stored otherwise than they were sent, and are known before.
    stored_names: StoredNames = "tell how names are stored";
}

impl Abilities<'_> {
    /// Nothing that is there can be removed or replaced (ioGates). A new version lies beside the older ones, and the newest
    /// counts.
    pub fn keeps_every_version(&self) -> bool {
        self.deletions.is_none() && self.replacement.is_none()
    }
}

fn lacking(what: &str) -> Error {
    Error::new(Kind::Unsupported, format!("this provider can't {what}"))
}

/// Looks up the entry at a place.
pub trait Lookup: Send + Sync {
    /// The entry at `at`; the root is a folder with an empty path. Fails with `NotFound`, or with `Ambiguous` and the
    /// ids in the message when two entries fit. By its id, or below the trash's own, what lies in a trash is found too, and
    /// says so ([`Entry::trashed`]).
    fn stat<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Entry>>;
}

/// Lists folders.
pub trait Browse: Send + Sync {
    /// What a folder holds, unsorted, without what lies in the trash. `path` of each entry continues the folder's. A row that
    /// can't be read is no failure: it stands among the faults.
    fn list<'a>(&'a self, folder: &'a Entry) -> BoxFuture<'a, Result<Entries>>;

    /// Forgets what is remembered, because somebody else has changed things: the next `stat` and `list` ask the server.
    fn invalidate_cache(&self) -> BoxFuture<'_, ()>;
}

/// Reads files.
pub trait Downloads: Send + Sync {
    /// Begins to read a file at byte `from` (bytes from its start). A page in place of the file is an error with its
    /// decoded reason, never bytes. Where the server can't begin in the middle, [`Download::from`] is 0.
    fn open_download<'a>(&'a self, file: &'a Entry, from: u64) -> BoxFuture<'a, Result<Download>>;
}

/// Looks for the file of an upload.
pub trait FindUploaded: Send + Sync {
    /// Has this upload arrived? None: not (yet). An entry of another size ([`UploadHandle::has_size_of`]) is not complete: it is
    /// still being taken in, or it is bad. Asked after `finish`, and before any start-over. A listing that was asked for at
    /// `since` or later will do: where one shows many uploads, all that wait share it.
    fn find_uploaded<'a>(&'a self, ticket: &'a UploadHandle, since: Instant) -> BoxFuture<'a, Result<Option<Entry>>>;
}

/// Takes up uploads of an earlier run.
pub trait Resumption: Send + Sync {
    /// Resumes an upload that an earlier run began, from its handle and from what its session noted. None: its protocol is not
    /// open any more. Sends no byte; the session's `recover` returns the offset.
    fn resume_upload<'a>(
        &'a self,
        item: &'a UploadRequest,
        ticket: &'a UploadHandle,
        note: &'a str,
    ) -> BoxFuture<'a, Result<Option<Upload>>>;

    /// The upload handle of an entry that was made for an upload and that no byte has reached; none for any other entry.
    fn adopt_empty_entry<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<UploadHandle>>>;
}

/// How an older entry gives its place to a new one.
#[derive(Clone, Copy)]
pub enum Replacement<'a> {
    /// The finished upload takes the place of the older entry.
    AfterUpload(&'a dyn Replacements),
    /// The upload itself becomes a new revision of the older entry (FileAgo: [`UploadRequest::replaces`]).
    ByUpload,
}

/// Keeps a file's type and attributes.
pub trait KeptMetadata: Send + Sync {
    /// Type and attributes of a listed file, as the listing reports them. Sends nothing.
    fn metadata_of(&self, file: &Entry) -> Metadata;
}

/// States how names are stored.
pub trait StoredNames: Send + Sync {
    /// The name that a file or folder gets when it is sent under this one. A name that is stored so stays as it is when it
    /// is asked for again, and one that `check_name` refuses comes back as it is.
    fn stored_name<'n>(&self, name: &'n str) -> Cow<'n, str>;
}

/// Makes folders.
pub trait Folders: Send + Sync {
    /// Makes one folder in `parent`. The caller has looked: no folder of that name is there. After an answer
    /// that was lost or can't be read the caller looks again before it repeats (giga0 makes a second folder of the same name).
    fn create<'a>(&'a self, parent: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>>;
}

/// Puts a finished upload in the place of an older entry.
pub trait Replacements: Send + Sync {
    /// `new` is complete and verified: removes `old`, then gives `new` the name `name` (providers.md OQ-20). Asked again it
    /// goes on where it stopped, whatever became of the last time. An error says which of the two copies are left, under
    /// which names.
    fn replace<'a>(&'a self, old: &'a Entry, new: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>>;
}

/// Removes entries.
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

/// Copies entries on the server.
pub trait Copies: Send + Sync {
    /// Copies the entry into `folder` under its own name (the caller has looked: it is free there, or may be there twice).
    /// Returns the copy, or none where the answer does not name it. After `Interrupted` the caller looks before it repeats.
    fn copy_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>>;
}

/// Makes links that need no sign-in.
pub trait Links: Send + Sync {
    /// A URL that downloads the file without signing in: a secret.
    fn link<'a>(&'a self, file: &'a Entry) -> BoxFuture<'a, Result<Secret>>;
}

/// A comment of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// The provider's id of the comment.
    pub id: String,
    /// The comment that this one answers.
    pub parent: Option<String>,
    /// Who wrote the comment.
    pub owner: Option<String>,
    /// The text; its lines are kept.
    pub text: String,
    /// When the comment was written.
    pub created: Option<chrono::DateTime<chrono::Utc>>,
    /// The comment was removed; the server still lists it.
    pub removed: bool,
    /// The spans of the film that the comment is about; empty where it is about the whole file.
    pub times: Vec<TimeSpan>,
}

/// A comment that is not there yet.
#[derive(Clone, Debug)]
pub struct NewComment {
    /// The id of the comment that this one answers.
    pub parent: Option<String>,
    /// The text; its lines are kept.
    pub text: String,
    /// The spans of the film that the comment is about; empty for the whole file.
    pub times: Vec<TimeSpan>,
}

/// What people said about a file.
pub struct CommentThread {
    /// The comments in the server's order.
    pub comments: Vec<Comment>,
    /// The frame rate and first timecode of the film; none for a file that is no film.
    pub clock: Option<Clock>,
}

/// Reads and changes comments.
pub trait Comments: Send + Sync {
    /// The comments of a file.
    fn list<'a>(&'a self, file: &'a Entry) -> BoxFuture<'a, Result<CommentThread>>;

    /// Adds a comment. A repetition adds a second one, so after `Interrupted` the caller looks first.
    fn add<'a>(&'a self, file: &'a Entry, new: &'a NewComment) -> BoxFuture<'a, Result<Comment>>;

    /// Makes the comment of that id what `comment` says.
    fn edit<'a>(&'a self, file: &'a Entry, comment: &'a Comment) -> BoxFuture<'a, Result<Comment>>;

    /// Removes the comment of that id.
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

/// Makes the entries of many uploads together, by one request or several. A ready entry waits inside the provider until `open_upload` is
/// called for the same item; an item without one is opened as ever.
pub trait BatchCreation: Send + Sync {
    /// The largest number of items that are worth being given together.
    fn most(&self) -> usize;

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
    /// The provider's id of the fetch. None: the provider gave no id, because it fetches this address already.
    pub id: Option<String>,
    /// The provider's own word, visible as it is.
    pub status: String,
    /// The provider has ended its work, well or not.
    pub done: bool,
    /// The provider could not fetch the address.
    pub failed: bool,
    /// Bytes.
    pub total: Option<u64>,
    /// The file that came of it; its path is counted from the folder it went to.
    pub file: Option<Entry>,
}

/// Has the provider fetch a URL.
pub trait Imports: Send + Sync {
    /// The provider will fetch `url` into `folder`. A repetition fetches it twice.
    fn start<'a>(&'a self, url: &'a str, folder: &'a Entry) -> BoxFuture<'a, Result<Import>>;
    /// How far the fetch of that id is.
    fn status<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Import>>;
}

/// Gives others copies.
pub trait Shares: Send + Sync {
    /// Gives users or groups (by their ids) a copy of their own. A repetition gives them two.
    fn share_copy<'a>(&'a self, entry: &'a Entry, with: &'a [String]) -> BoxFuture<'a, Result<()>>;
}

/// Marks favourites.
pub trait Stars: Send + Sync {
    /// Sets the mark (`on`) or takes the mark away.
    fn star<'a>(&'a self, entry: &'a Entry, on: bool) -> BoxFuture<'a, Result<()>>;

    /// Is the entry marked now, as the server reports it?
    fn is_starred<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<bool>>;
}

/// Who may see a file (giga0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// The owner alone.
    Private,
    /// Whoever knows the address.
    Unlisted,
    /// Everybody; searches find the file.
    Public,
}

/// What is to be changed; none = leave it.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The new name.
    pub name: Option<String>,
    /// A file's type.
    pub file_type: Option<String>,
    /// Who may see the file.
    pub visibility: Option<Visibility>,
    /// A folder's password as the user types it; empty clears it.
    pub folder_password: Option<Secret>,
}

impl Changes {
    /// Nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.file_type.is_none() && self.visibility.is_none() && self.folder_password.is_none()
    }
}

/// Edits an entry's own fields.
pub trait Edits: Send + Sync {
    /// Does this kind of entry have each of these fields? Sends nothing.
    ///
    /// # Errors
    /// `Unsupported` for a field that this kind of entry does not have.
    fn check(&self, kind: EntryKind, changes: &Changes) -> Result<()>;

    /// Does the entry, as a listing tells it now, prove that these changes are made? Its name is not asked about. A folder's
    /// password is never told.
    fn shows(&self, now: &Entry, changes: &Changes) -> bool;

    /// Changes an entry's own fields and compares them with the answer; none where the answer says too little. The caller
    /// has checked the changes and looked: the name is free.
    fn edit<'a>(&'a self, entry: &'a Entry, changes: &'a Changes) -> BoxFuture<'a, Result<Option<Entry>>>;
}
