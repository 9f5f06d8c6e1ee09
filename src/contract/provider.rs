//! The one trait that every provider fills. From restic's backend: the adapter says what went wrong, a wrapper outside
//! decides what to do about it. From object_store: no default methods, so a new question visits every adapter.

use std::borrow::Cow;
use std::sync::Arc;

use super::{
    BatchCreation, BoxFuture, Comments, Copies, Deletions, Download, Edits, Entries, Folders, Imports, Links, Moves, ProviderInfo,
    Replacements, Result, SecondFactor, Shares, Stars, TokenContention, Upload, UploadHandle, UploadRequest,
};
use crate::model::{Account, Entry, Place, Protocol};

/// What every provider can do. No method waits for better times, loops on errors, prints or reads the environment.
/// A failure of kind `Expired` means: call [`Provider::renew_token`], then the same method again.
pub trait Provider: Send + Sync {
    fn info(&self) -> &'static ProviderInfo;

    /// Scheme, host and port that the API is called at, as in a URL. Sends nothing.
    fn origin(&self) -> BoxFuture<'_, Result<String>>;

    /// Calls the server without signing in; any HTTP answer will do. Returns what was found, in a few words.
    fn reach(&self) -> BoxFuture<'_, Result<String>>;

    /// Reaches the server of an upload protocol as far as that goes without creating anything. Signed in before.
    fn probe(&self, protocol: Protocol) -> BoxFuture<'_, Result<String>>;

    /// Proves the credentials (with the kept token if it still works) and tells account and limits.
    /// Fails with `Auth` when the sign-in is refused; a refused sign-in is never repeated.
    fn sign_in(&self) -> BoxFuture<'_, Result<Account>>;

    /// Gets a new token in place of the one that the server has just called expired; nothing happens when another
    /// worker or another `haul` has done it already.
    fn renew_token(&self) -> BoxFuture<'_, Result<()>>;

    /// Whether somebody else ends our tokens. None before anything was looked up.
    fn token_contention(&self) -> Option<&TokenContention>;

    /// Revokes the token there (true) or, where the provider has no call for it, only forgets it here (false).
    fn sign_out(&self) -> BoxFuture<'_, Result<bool>>;

    /// The entry at `at`; the root is a folder with an empty path. Fails with `NotFound`, or with `Ambiguous` and the
    /// ids in the message when two entries fit. By its id, or below the trash's own, what lies in a trash is found too, and
    /// says so ([`Entry::trashed`]).
    fn stat<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Entry>>;

    /// What a folder holds, unsorted, without what lies in the trash. `path` of each entry continues the folder's. A row that
    /// can't be read is no failure: it stands among the faults.
    fn list<'a>(&'a self, folder: &'a Entry) -> BoxFuture<'a, Result<Entries>>;

    /// Somebody else has changed things: the next `stat` and `list` ask the server, whatever is remembered.
    fn invalidate_cache(&self) -> BoxFuture<'_, ()>;

    /// Starts one upload. Called again for the same item it starts afresh, under a fresh server-side name where a
    /// half-sent one could do harm. Sends no byte of the file.
    fn open_upload<'a>(&'a self, item: &'a UploadRequest) -> BoxFuture<'a, Result<Upload>>;

    /// Takes up an upload that an earlier run began, from its ticket and what its session had noted. None: the way it
    /// went is not open any more. Sends no byte; the session's `recover` tells where it goes on.
    fn resume_upload<'a>(
        &'a self,
        item: &'a UploadRequest,
        ticket: &'a UploadHandle,
        note: &'a str,
    ) -> BoxFuture<'a, Result<Option<Upload>>>;

    /// Is this an entry that was made for an upload, and no byte has reached it? Its ticket then.
    fn adopt_empty_entry<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<UploadHandle>>>;

    /// Has this upload arrived? None: not (yet). An entry of another size ([`UploadHandle::has_size_of`]) is not complete: it is
    /// still being taken in, or it is bad. Asked after `finish`, and before any start-over.
    fn find_uploaded<'a>(&'a self, ticket: &'a UploadHandle) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// Begins to read a file at byte `from` (bytes from its start). A page in place of the file is an error with its
    /// decoded reason, never bytes. Where the server can't begin in the middle, [`Download::from`] is 0.
    fn open_download<'a>(&'a self, file: &'a Entry, from: u64) -> BoxFuture<'a, Result<Download>>;

    /// Can a name be held there? Fails with `Refused` and what to do. Asked for every name before a byte is sent.
    fn check_name(&self, name: &str) -> Result<()>;

    /// The name that a file or folder gets when it is sent under this one. A name that is stored so stays as it is when it
    /// is asked for again, and one that `check_name` refuses comes back as it is.
    fn stored_name<'a>(&self, name: &'a str) -> Cow<'a, str>;

    // Abilities: held or not held. Every provider answers each question itself.

    /// Creates folders by a call of its own. None (ioGates): an upload makes the folders it needs.
    fn folders(&self) -> Option<&dyn Folders>;

    /// Puts a finished upload in the place of an older entry. None where an upload replaces by itself (FileAgo:
    /// `UploadRequest::replaces` becomes a new revision) or nothing can be replaced (ioGates).
    fn swapping(&self) -> Option<&dyn Replacements>;

    /// Removes files and folders.
    fn removal(&self) -> Option<&dyn Deletions>;

    /// Renames and moves on the server.
    fn moves(&self) -> Option<&dyn Moves>;

    /// Copies on the server.
    fn copies(&self) -> Option<&dyn Copies>;

    /// URLs that download a file.
    fn links(&self) -> Option<&dyn Links>;

    /// Comments of files, with their timecode.
    fn comments(&self) -> Option<&dyn Comments>;

    /// The provider fetches a URL itself.
    fn importing(&self) -> Option<&dyn Imports>;

    /// Copies for other users and groups.
    fn sharing(&self) -> Option<&dyn Shares>;

    /// Favourites.
    fn stars(&self) -> Option<&dyn Stars>;

    /// An entry's own fields.
    fn editing(&self) -> Option<&dyn Edits>;

    /// A code by SMS between the sign-in and everything else.
    fn second_factor(&self) -> Option<&dyn SecondFactor>;

    /// Entries of many uploads made by one request.
    fn preparing(&self) -> Option<&dyn BatchCreation>;
}

pub type AnyProvider = Arc<dyn Provider>;
