//! The trait that every provider implements. As in restic's backend, the adapter reports what went wrong, and a wrapper outside
//! decides what to do. As in rclone, the core is small, and a struct says what a provider can do besides.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Abilities, BoxFuture, Download, Entries, Result, TokenStore, Upload, UploadHandle, UploadRequest};
use crate::model::place_text::is_url;
use crate::model::{Account, Entry, Place, Protocol, Secret};

/// One key of a remote in the configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key in the configuration file.
    pub key: &'static str,
    /// One line for `remote add` and the documentation.
    pub help: &'static str,
    /// `K_file` and `K_command` exist too, and its value is never shown.
    pub secret: bool,
    /// A remote can't be opened without this setting.
    pub required: bool,
    /// A secret that names an account by itself: where it is set, the user name says nothing about whose entries these are.
    pub identifies: bool,
}

/// What is known of a provider before a remote is opened.
pub struct ProviderInfo {
    /// As in `provider = "…"`.
    pub id: &'static str,
    /// Other spellings of `id` (giga0: yetishare).
    pub aliases: &'static [&'static str],
    /// For people: `ioGates`.
    pub title: &'static str,
    /// The service's own address, where it has one.
    pub default_url: Option<&'static str>,
    /// An address of the form that `url` has, for an example and for a provider that is opened without a remote.
    pub sample_url: &'static str,
    /// The settings that a remote of this provider takes.
    pub settings: &'static [Setting],
    /// Upload protocols that the adapter can speak, best first.
    pub protocols: &'static [Protocol],
    /// Makes a provider from its settings. Sends nothing.
    pub open: fn(ProviderContext) -> Result<AnyProvider>,
}

/// What a provider gets when a remote is opened.
#[derive(Clone)]
pub struct ProviderContext {
    /// The remote's name as configured; for messages.
    pub remote: String,
    /// The settings and secrets of the remote.
    pub secrets: Arc<dyn RemoteSettings>,
    /// Where tokens are kept between runs.
    pub tokens: Arc<dyn TokenStore>,
    /// How the network is reached.
    pub network: Network,
}

impl ProviderContext {
    /// Is it the server of a place that is a URL? Then there is no remote that could be changed.
    pub fn is_url(&self) -> bool {
        is_url(&self.remote)
    }
}

/// The remote's settings. Each is looked up when it is needed: a `password_command` runs only for a sign-in.
pub trait RemoteSettings: Send + Sync {
    /// A plain key; none when it is not set.
    fn get(&self, key: &str) -> Option<String>;
    /// A secret key, from the first of: environment, `K_file`, `K_command`, credentials file, a prompt when there is a
    /// terminal. Blocks: call this outside the async threads.
    ///
    /// # Errors
    /// `Local` or `Usage` when a file or command that is named for the secret fails.
    fn secret(&self, key: &str) -> Result<Option<Secret>>;
    /// Can the secret be had without asking a person? Runs no command.
    fn is_set(&self, key: &str) -> bool;
}

/// How the network is reached.
#[derive(Clone, Debug)]
pub struct Network {
    /// Time without a byte before a request counts as lost.
    pub timeout: Duration,
    /// PEM certificates that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// True allows plain http and ftp to a host that is not loopback.
    pub insecure: bool,
}

/// What every provider can do; all else is an ability ([`Abilities`]). No method waits for better times, loops on errors,
/// prints or reads the environment.
///
/// # Errors
/// A call to the server fails with the kind that its answer means: `Unreachable` where the call never left this machine,
/// `Interrupted` where it may have arrived and the answer was lost, `Expired` where the token is no longer taken (call
/// [`Provider::renew_token`], then the same method again), `Auth`, `Busy`, `NotFound` or `Refused` as the server says, and
/// `Protocol` for an answer that can't be read. The methods here and those of the abilities name only what they add.
pub trait Provider: Send + Sync {
    /// What is known of the provider before a remote is opened.
    fn info(&self) -> &'static ProviderInfo;

    /// What it can do besides that. Sends nothing.
    fn abilities(&self) -> Abilities<'_>;

    /// Scheme, host and port that the API is called at, as in a URL. Sends nothing.
    ///
    /// # Errors
    /// Where the address itself is a secret (ioGates: a share URL), as [`RemoteSettings::secret`].
    fn origin(&self) -> BoxFuture<'_, Result<String>>;

    /// Calls the server without signing in; any HTTP answer will do. Returns what was found, in a few words.
    fn reach(&self) -> BoxFuture<'_, Result<String>>;

    /// Reaches the server of an upload protocol as far as that goes without creating anything. Signed in before.
    fn probe(&self, protocol: Protocol) -> BoxFuture<'_, Result<String>>;

    /// Proves the credentials (with the kept token if it still works) and tells account and limits.
    ///
    /// # Errors
    /// `Auth` when the sign-in is refused; a refused sign-in is never repeated.
    fn sign_in(&self) -> BoxFuture<'_, Result<Account>>;

    /// Gets a new token in place of the one that the server has just called expired; nothing happens when another
    /// worker or another `haul` has done it already.
    fn renew_token(&self) -> BoxFuture<'_, Result<()>>;

    /// Revokes the token there (true) or, where the provider has no call for it, only forgets it here (false).
    fn sign_out(&self) -> BoxFuture<'_, Result<bool>>;

    /// Opens an upload. A second call for the same item opens a new upload, under a new name on the server where a half-sent
    /// one could do harm. Sends no byte of the file.
    fn open_upload<'a>(&'a self, item: &'a UploadRequest) -> BoxFuture<'a, Result<Upload>>;

    /// Checks that the provider can store this name. Called for every name before a byte is sent.
    ///
    /// # Errors
    /// `Refused`, with the reason and what to do.
    fn check_name(&self, name: &str) -> Result<()>;
}

/// The calls that nearly every command makes; each fails with `Unsupported` where its ability is missing.
impl<'p> dyn Provider + 'p {
    /// See [`super::Lookup::stat`].
    pub fn stat<'a>(&'a self, at: &'a Place) -> BoxFuture<'a, Result<Entry>> {
        match self.abilities().lookup() {
            Ok(lookup) => lookup.stat(at),
            Err(lacking) => Box::pin(async { Err(lacking) }),
        }
    }

    /// See [`super::Browse::list`].
    pub fn list<'a>(&'a self, folder: &'a Entry) -> BoxFuture<'a, Result<Entries>> {
        match self.abilities().browse() {
            Ok(browse) => browse.list(folder),
            Err(lacking) => Box::pin(async { Err(lacking) }),
        }
    }

    /// See [`super::FindUploaded::find_uploaded`]. None, too, where the provider can't look.
    pub fn find_uploaded<'a>(&'a self, ticket: &'a UploadHandle, since: Instant) -> BoxFuture<'a, Result<Option<Entry>>> {
        match self.abilities().find_uploaded {
            Some(looks) => looks.find_uploaded(ticket, since),
            None => Box::pin(async { Ok(None) }),
        }
    }

    /// See [`super::Resumption::resume_upload`].
    pub fn resume_upload<'a>(
        &'a self,
        item: &'a UploadRequest,
        ticket: &'a UploadHandle,
        note: &'a str,
    ) -> BoxFuture<'a, Result<Option<Upload>>> {
        match self.abilities().resumption {
            Some(resumption) => resumption.resume_upload(item, ticket, note),
            None => Box::pin(async { Ok(None) }),
        }
    }

    /// See [`super::Resumption::adopt_empty_entry`].
    pub fn adopt_empty_entry<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<UploadHandle>>> {
        match self.abilities().resumption {
            Some(resumption) => resumption.adopt_empty_entry(entry),
            None => Box::pin(async { Ok(None) }),
        }
    }

    /// See [`super::StoredNames::stored_name`].
    pub fn stored_name<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.abilities().stored_names.map_or(Cow::Borrowed(name), |names| names.stored_name(name))
    }

    /// See [`super::Downloads::open_download`].
    pub fn open_download<'a>(&'a self, file: &'a Entry, from: u64) -> BoxFuture<'a, Result<Download>> {
        match self.abilities().downloads() {
            Ok(downloads) => downloads.open_download(file, from),
            Err(lacking) => Box::pin(async { Err(lacking) }),
        }
    }
}

/// A provider as it is passed around.
pub type AnyProvider = Arc<dyn Provider>;
