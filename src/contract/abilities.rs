//! Optional abilities: a provider has an ability or lacks it (like rclone's function pointers and tusd's composer). The caller
//! has resolved the addresses. Each ability makes one change by one call, or reports what is left half done. The calls fail as
//! those of [`super::Provider`] do; a heading `# Errors` names what a call adds.

use std::borrow::Cow;

use serde::Serialize;
use tokio::time::Instant;

use super::{BoxFuture, Comments, Download, Entries, Error, Kind, Metadata, Result, TokenContention, Upload, UploadHandle, UploadRequest};
use crate::model::{Entry, EntryKind, Place, Secret};

/// The struct of all ability objects, and for each of them a getter that fails if the provider lacks it.
macro_rules! abilities {
    ($($(#[$doc:meta])* $field:ident: $ability:ident = $name:literal;)*) => {
        /// What a provider can do besides accepting uploads. A provider of this crate fills in each field, so that a new
        /// ability requires a change in each; `..Default::default()` is for tests.
        #[derive(Clone, Copy, Default)]
        pub struct Abilities<'a> {
            $($(#[$doc])* pub $field: Option<&'a dyn $ability>,)*

            /// How an upload replaces an entry of its name. None if nothing can be replaced (ioGates).
            pub replacement: Option<Replacement<'a>>,
            /// Detects that another program ends our tokens. None if that can't happen.
            pub token_contention: Option<&'a TokenContention>,

            // Facts instead of calls. False is right for an unknown server.
            /// The service accepts the MD5 before the first byte and then refuses a wrong upload itself.
            pub takes_md5: bool,
            /// Opening an upload makes nothing on the server before the first byte.
            pub opening_makes_nothing: bool,
            /// Two entries of one folder may have one name.
            pub allows_duplicate_names: bool,
            /// [`Copies::copy_into`] copies a folder with its content. Otherwise the caller makes the folder and copies file by
            /// file.
            pub copies_folders: bool,
            /// Listings lack the times of files; [`Lookup::stat`] with a file's id returns the time.
            pub listings_lack_mtime: bool,
        }

        impl<'a> Abilities<'a> {
            $(
                /// The ability.
                ///
                /// # Errors
                /// `Unsupported` where the provider lacks the ability.
                pub fn $field(&self) -> Result<&'a dyn $ability> {
                    self.$field.ok_or_else(|| unsupported_error($name))
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
    /// Uploads of an earlier run can be resumed. None: they start over.
    resumption: Resumption = "take up uploads";
    /// Creates folders by a call of its own. None (ioGates): an upload makes the folders it needs.
    folders: Folders = "make folders";
    /// Removes files and folders. None: entries stay for ever, and a new version is added beside the older ones.
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
    /// Names that the server changes in a known way.
    stored_names: StoredNames = "tell how names are stored";
}

impl Abilities<'_> {
    /// Entries can be neither removed nor replaced (ioGates). A new version is added beside the older ones, and the newest
    /// counts.
    pub fn keeps_every_version(&self) -> bool {
        self.deletions.is_none() && self.replacement.is_none()
    }
}

fn unsupported_error(what: &str) -> Error {
    Error::new(Kind::Unsupported, format!("this provider can't {what}"))
}

/// Looks up the entry at a place.
pub trait Lookup: Send + Sync {
    /// Returns the entry at `at`; the root is a folder with an empty path. An address by id, or below a trash, also finds
    /// entries in the trash, and marks them ([`Entry::trashed`]).
    ///
    /// # Errors
    /// `NotFound`, or `Ambiguous` with the ids in the message when two entries match.
    fn stat<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Entry>>;
}

/// Lists folders.
pub trait Browse: Send + Sync {
    /// Lists a folder, unsorted, without entries in the trash. The `path` of each entry continues the folder's. A row that
    /// can't be read is no failure, but one of the faults.
    ///
    /// # Errors
    /// `Protocol` if the listing has no end.
    fn list<'a>(&'a self, folder: &'a Entry) -> BoxFuture<'a, Result<Entries>>;

    /// Forgets cached listings, because another client has changed something: the next `stat` and `list` ask the server.
    fn invalidate_cache(&self) -> BoxFuture<'_, ()>;
}

/// Reads files.
pub trait Downloads: Send + Sync {
    /// Starts to read a file at offset `from` (bytes from its start). If the server can't start in the middle,
    /// [`Download::from`] is 0.
    /// A page in place of the file is an error with its decoded reason, never bytes.
    fn open_download<'a>(&'a self, file: &'a Entry, from: u64) -> BoxFuture<'a, Result<Download>>;
}

/// Looks for the file of an upload.
pub trait FindUploaded: Send + Sync {
    /// Checks whether this upload has arrived. None: not (yet). An entry of another size ([`UploadHandle::has_size_of`]) is not
    /// complete: the server is still processing it, or it is damaged. Called after `finish`, and before any start-over. A
    /// listing that was requested at `since` or later may be used: one listing serves all waiting uploads.
    fn find_uploaded<'a>(&'a self, ticket: &'a UploadHandle, since: Instant) -> BoxFuture<'a, Result<Option<Entry>>>;
}

/// Resumes uploads of an earlier run.
pub trait Resumption: Send + Sync {
    /// Resumes an upload that an earlier run began, from its handle and its session's note. None: its protocol is not available
    /// any more. Sends no byte; the session's `recover` returns the offset.
    fn resume_upload<'a>(
        &'a self,
        item: &'a UploadRequest,
        ticket: &'a UploadHandle,
        note: &'a str,
    ) -> BoxFuture<'a, Result<Option<Upload>>>;

    /// The upload handle of an entry that was made for an upload and has no bytes yet; none for any other entry.
    fn adopt_empty_entry<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<UploadHandle>>>;
}

/// How a new entry takes the place of an older one.
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

/// Knows how the server stores names.
pub trait StoredNames: Send + Sync {
    /// The name that a file or folder gets when it is sent under this name. A stored name is returned unchanged, and so is a
    /// name that `check_name` refuses.
    fn stored_name<'n>(&self, name: &'n str) -> Cow<'n, str>;
}

/// Makes folders.
pub trait Folders: Send + Sync {
    /// Makes one folder in `parent`. The caller has checked that no folder of that name exists. After a lost or unreadable
    /// answer the caller checks again before it repeats (giga0 makes a second folder of the same name).
    fn create<'a>(&'a self, parent: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>>;
}

/// Puts a finished upload in the place of an older entry.
pub trait Replacements: Send + Sync {
    /// `new` is complete and verified: removes `old`, then gives `new` the name `name` (providers.md OQ-20). A repeated call
    /// resumes where it stopped.
    ///
    /// # Errors
    /// Each error says which of the two copies are left, and their names.
    fn replace<'a>(&'a self, old: &'a Entry, new: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>>;
}

/// Removes entries.
pub trait Deletions: Send + Sync {
    /// True for a top folder, which can't be removed: its removal can only mean the removal of its content.
    fn is_top(&self, entry: &Entry) -> bool;

    /// Removes a file, or a folder with all its content; to the trash if there is one, and from the trash for good.
    ///
    /// # Errors
    /// After `Interrupted` the caller checks before it repeats: at FileAgo a second removal removes from the trash.
    fn remove<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<()>>;
}

/// Each call is one request. It returns the changed entry if the answer proves the change, and none if the answer says too
/// little: then the caller checks.
pub trait Moves: Send + Sync {
    /// The folder that holds the entry, for an entry that was addressed by its id; none for a top folder.
    fn parent<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// Renames the entry within its folder. The caller has checked that the name is free.
    fn rename<'a>(&'a self, entry: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// Moves the entry into `folder` under its own name. The caller has checked that the name is free there (or may exist
    /// twice), and that `folder` is not inside `entry`.
    fn move_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>>;
}

/// Copies entries on the server.
pub trait Copies: Send + Sync {
    /// Copies the entry into `folder` under its own name (the caller has checked that the name is free there, or may exist
    /// twice). Returns the copy, or none if the answer does not name it.
    ///
    /// # Errors
    /// After `Interrupted` the caller checks before it repeats.
    fn copy_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>>;
}

/// Makes links that need no sign-in.
pub trait Links: Send + Sync {
    /// A URL that downloads the file without a sign-in: a secret.
    fn link<'a>(&'a self, file: &'a Entry) -> BoxFuture<'a, Result<Secret>>;
}

/// A code that the server sends by SMS, and requires before anything else (providers.md 1.11).
pub trait SecondFactor: Send + Sync {
    /// True if the server has asked for a code since the provider was opened.
    fn is_code_wanted(&self) -> bool;

    /// Makes the server send a code; returns the server's message for the user.
    fn send_code(&self) -> BoxFuture<'_, Result<String>>;

    /// Sends the code to the server, once.
    ///
    /// # Errors
    /// `Auth` when the code is wrong or too old, or when none was sent.
    fn enter_code<'a>(&'a self, code: &'a Secret) -> BoxFuture<'a, Result<()>>;
}

/// Makes the entries of many uploads together, by one request or several. The provider keeps a ready entry until `open_upload`
/// is called for the same item; an item without one is opened as usual.
pub trait BatchCreation: Send + Sync {
    /// The largest number of items that are worth being given together.
    fn most(&self) -> usize;

    /// Makes the entries. May be called again after any failure: the provider first finds what a lost answer has made.
    ///
    /// # Errors
    /// A refusal says nothing about the single items.
    fn create_batch<'a>(&'a self, items: &'a [UploadRequest]) -> BoxFuture<'a, Result<()>>;

    /// Entries that were made and can't be used any more, as addresses (`@ID`): they stay on the server, empty. Each is
    /// returned once. Called when no upload is in progress.
    fn orphans(&self) -> Vec<String>;
}

/// The state of a fetch by the provider.
#[derive(Clone, Debug, Serialize)]
pub struct Import {
    /// The provider's id of the fetch. None: the provider gave no id, because it is fetching this URL already.
    pub id: Option<String>,
    /// The provider's own word for the state, shown unchanged.
    pub status: String,
    /// The fetch has ended, with success or failure.
    pub done: bool,
    /// The provider could not fetch the URL.
    pub failed: bool,
    /// Bytes.
    pub total: Option<u64>,
    /// The fetched file; its path is relative to the target folder.
    pub file: Option<Entry>,
}

/// Makes the provider fetch a URL.
pub trait Imports: Send + Sync {
    /// Starts the fetch of `url` into `folder`. A repetition fetches it twice.
    fn start<'a>(&'a self, url: &'a str, folder: &'a Entry) -> BoxFuture<'a, Result<Import>>;
    /// The state of the fetch of that id.
    fn status<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Import>>;
}

/// Shares copies with others.
pub trait Shares: Send + Sync {
    /// Gives users or groups (by their ids) a copy of their own. A repetition gives them a second copy.
    fn share_copy<'a>(&'a self, entry: &'a Entry, with: &'a [String]) -> BoxFuture<'a, Result<()>>;
}

/// Marks favourites.
pub trait Stars: Send + Sync {
    /// Sets the mark (`on`) or removes it.
    fn star<'a>(&'a self, entry: &'a Entry, on: bool) -> BoxFuture<'a, Result<()>>;

    /// True if the server lists the entry as marked.
    fn is_starred<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<bool>>;
}

/// Who may see a file (giga0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Only the owner.
    Private,
    /// Everyone who knows the address.
    Unlisted,
    /// Everyone; searches find the file.
    Public,
}

/// The requested changes; none = no change.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The new name.
    pub name: Option<String>,
    /// A file's type.
    pub file_type: Option<String>,
    /// Who may see the file.
    pub visibility: Option<Visibility>,
    /// A folder's password as the user types it; an empty one removes the password.
    pub folder_password: Option<Secret>,
}

impl Changes {
    /// True if no change is requested.
    pub fn is_empty(&self) -> bool {
        self.name.is_none() && self.file_type.is_none() && self.visibility.is_none() && self.folder_password.is_none()
    }
}

/// Edits an entry's own fields.
pub trait Edits: Send + Sync {
    /// Checks that this kind of entry has each of these fields. Sends nothing.
    ///
    /// # Errors
    /// `Unsupported` for a field that this kind of entry does not have.
    fn check(&self, kind: EntryKind, changes: &Changes) -> Result<()>;

    /// True if the listed entry `now` proves that these changes were made. The name is not compared. A listing never shows a
    /// folder's password.
    fn shows(&self, now: &Entry, changes: &Changes) -> bool;

    /// Changes an entry's own fields and compares them with the answer; none if the answer says too little. The caller has
    /// checked the changes, and that the name is free.
    fn edit<'a>(&'a self, entry: &'a Entry, changes: &'a Changes) -> BoxFuture<'a, Result<Option<Entry>>>;
}
