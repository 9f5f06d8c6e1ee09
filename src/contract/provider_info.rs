//! How a provider is opened: one record per provider feeds configuration, environment, `remote add` and the help
//! (rclone's registry).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::provider::AnyProvider;
use super::{Result, TokenStore};
use crate::model::{Protocol, Secret};

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
