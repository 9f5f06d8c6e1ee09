//! The one trait that every provider fills. From restic's backend: the adapter says what went wrong, a wrapper outside
//! decides what to do about it. From object_store: no default methods, so a new question visits every adapter.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{
    BatchCreation, BoxFuture, Comments, Copies, Deletions, Download, Edits, Entries, Folders, Imports, Links, Moves, Replacements, Result,
    SecondFactor, Shares, Stars, TokenContention, TokenStore, Upload, UploadHandle, UploadRequest,
};
use crate::model::{Account, Entry, Place, Protocol, Secret};

/// One key of a remote in the configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    pub key: &'static str,
    /// One line for `remote add` and the documentation.
    pub help: &'static str,
    /// `K_file` and `K_command` exist too, and its value is never shown.
    pub secret: bool,
    pub required: bool,
}

pub struct ProviderInfo {
    /// As in `provider = "…"`.
    pub id: &'static str,
    /// Other spellings of `id` (giga0: yetishare).
    pub aliases: &'static [&'static str],
    /// For people: `ioGates`.
    pub title: &'static str,
    /// The service's own address, where it has one.
    pub default_url: Option<&'static str>,
    pub settings: &'static [Setting],
    /// Upload protocols that the adapter can speak, best first.
    pub protocols: &'static [Protocol],
    /// Told the MD5 before the first byte, the service refuses a wrong upload itself.
    pub takes_md5: bool,
    /// Keeps types and attributes that the user gives a file.
    pub takes_metadata: bool,
    /// An upload onto an existing file becomes a new revision of it.
    pub uploads_create_revisions: bool,
    /// Its listings leave out the times of files; [`super::Provider::stat`] of a file's id tells them.
    pub listings_lack_mtime: bool,
    pub open: fn(ProviderContext) -> Result<AnyProvider>,
}

/// All that a provider gets from the world.
#[derive(Clone)]
pub struct ProviderContext {
    /// The remote's name as configured; for messages.
    pub remote: String,
    pub secrets: Arc<dyn RemoteSettings>,
    pub tokens: Arc<dyn TokenStore>,
    pub network: Network,
}

/// The remote's settings, each looked up when it is needed: a `password_command` runs only if somebody signs in.
pub trait RemoteSettings: Send + Sync {
    /// A plain key; none when it is not set.
    fn get(&self, key: &str) -> Option<String>;
    /// A secret key, from the first of: environment, `K_file`, `K_command`, credentials file, a prompt when there is a
    /// terminal. Blocks; call it outside the async threads. Fails when a file or command named for it fails.
    fn secret(&self, key: &str) -> Result<Option<Secret>>;
    /// Is it set anywhere but at the prompt? Runs no command.
    fn is_set(&self, key: &str) -> bool;
}

#[derive(Clone, Debug)]
pub struct Network {
    /// Time without a byte before a request counts as lost.
    pub timeout: Duration,
    /// PEM certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Plain http and ftp to a host that is not loopback.
    pub insecure: bool,
}

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
