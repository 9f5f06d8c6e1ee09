//! One FTP remote while it is open: its connections, and operations that take several commands.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::entry;
use super::settings::Settings;
use crate::contract::lookup::known_fields;
use crate::contract::walk::not_found;
use crate::contract::{Download, Entries, Error, Kind, ProviderContext, Result};
use crate::model::{Account, Entry, Protocol, RemotePath, Secret};
use crate::protocols::ftp::listing::RemoteKind;
use crate::protocols::ftp::reading::open_reading;
use crate::protocols::ftp::{FtpPool, REFUSED_TLS, Security, listing};

/// The password of anonymous users, by custom.
const NO_PASSWORD: &str = "anonymous@";

pub struct FtpRemote {
    opening: ProviderContext,
    pub(super) settings: Settings,
    signed: OnceCell<Arc<FtpPool>>,
    /// Folders that exist and could not be listed: each is listed once more.
    unlisted: Mutex<HashSet<String>>,
}

impl FtpRemote {
    pub(super) fn new(opening: ProviderContext) -> Result<FtpRemote> {
        Ok(FtpRemote { settings: Settings::read(&opening)?, opening, signed: OnceCell::new(), unlisted: Mutex::default() })
    }

    /// The connections. The password is read when it is needed.
    pub(super) async fn pool(&self) -> Result<&Arc<FtpPool>> {
        self.signed
            .get_or_try_init(|| async {
                // An anonymous user needs no password, so the prompt is left out.
                let may_ask = !self.settings.is_anonymous() || self.opening.secrets.is_set("password");
                let password = match if may_ask { self.opening.secret("password").await? } else { None } {
                    Some(password) => password,
                    None if self.settings.is_anonymous() => Secret::new(NO_PASSWORD),
                    None => return Err(self.opening.no_credentials("password")),
                };
                if password.expose().contains(['\r', '\n', '\0']) {
                    return Err(Error::new(Kind::Usage, "a password can't hold a line break").with_subject(self.opening.remote.clone()));
                }
                Ok(FtpPool::new(self.settings.server(&self.opening, password)))
            })
            .await
    }

    /// Connections for calls that need no sign-in.
    pub(super) fn unsigned_pool(&self) -> Arc<FtpPool> {
        FtpPool::new(self.settings.server(&self.opening, Secret::new(NO_PASSWORD)))
    }

    pub(super) fn protocol(&self) -> Protocol {
        if self.settings.security == Security::Plain { Protocol::Ftp } else { Protocol::Ftps }
    }

    /// The path on the server, as commands contain it.
    pub(super) fn path_of(&self, path: &RemotePath) -> String {
        self.settings.top.path_of(path)
    }

    /// The same for an entry, whose id is its path from the remote's top folder.
    pub(super) fn path_of_entry(&self, entry: &Entry) -> Result<String> {
        Ok(self.path_of(&RemotePath::parse(&entry.id)?))
    }

    pub(super) async fn account(&self) -> Result<Account> {
        let features = self.pool().await?.features().await.map_err(|error| self.explain(error))?;
        let lines: Vec<Value> = features.lines().iter().map(|line| Value::from(line.as_str())).collect();
        Ok(Account {
            account: Some(self.settings.user.clone()),
            protocols: vec![self.protocol()],
            extra: known_fields([("features", Some(Value::from(lines)))]),
            ..Account::default()
        })
    }

    /// Adds a hint to the error of a server without TLS, or of a refused sign-in.
    pub(super) fn explain(&self, error: Error) -> Error {
        match error.kind() {
            Kind::Unsupported if error.hint().is_none() && error.message().contains(REFUSED_TLS) => error.with_hint(
                "if others on the network may read the password and the files, use a remote with `url = \"ftp://…\"` and `insecure = true`",
            ),
            Kind::Auth if error.hint().is_none() && self.opening.is_url() => {
                error.with_hint("set HAUL_USERNAME and HAUL_PASSWORD, or name the host in ~/.netrc")
            }
            _ => error.with_credentials_hint(),
        }
    }

    pub(super) async fn listing(&self, folder: &Entry) -> Result<Entries> {
        if !folder.is_folder() {
            return Err(not_found(&folder.path).with_hint("this is a file, not a folder"));
        }
        let within = RemotePath::parse(&folder.id)?;
        let error = match self.read_listing(folder, &within).await {
            Ok(listed) => {
                self.unlisted.lock().remove(&folder.id);
                return Ok(listed);
            }
            // Before or after 150.
            Err(error) if error.kind() == Kind::NotFound || error.status_code() == Some(550) => {
                self.explain_failed_listing(folder, &within, error).await
            }
            Err(error) => error,
        };
        Err(self.explain(error).with_subject(folder.path.to_string()))
    }

    async fn read_listing(&self, folder: &Entry, within: &RemotePath) -> Result<Entries> {
        let mut listed = entry::Listed::new(within.clone());
        listing::list(self.pool().await?, &self.path_of(within), |row| listed.add(row)).await?;
        Ok(listed.entries(folder))
    }

    /// 550 has two meanings besides "not found", and the words of a server tell nothing certain. Some servers (libunftp) read
    /// the names of a folder first, and then look at each of them: they answer 550 when one of the files got another name
    /// meanwhile, and another try lists the folder. Others show a folder that the user may not read.
    async fn explain_failed_listing(&self, folder: &Entry, within: &RemotePath, refusal: Error) -> Error {
        if !self.is_shown(within).await {
            return refusal;
        }
        let is_first = self.unlisted.lock().insert(folder.id.clone());
        let (kind, message) = match is_first {
            true => (Kind::Busy, "the folder is there, but the server could not list it"),
            false => (Kind::Refused, "the folder is there, but the server does not list it"),
        };
        let error = Error::new(kind, message);
        let error = refusal.status_code().into_iter().fold(error, Error::with_status);
        error.with_cause(refusal)
    }

    /// Is it a folder by MLST, or else by the listing of the folder around it?
    async fn is_shown(&self, path: &RemotePath) -> bool {
        let (Ok(pool), Some(name), Some(parent)) = (self.pool().await, path.name(), path.parent()) else { return false };
        match listing::stat(pool, &self.path_of(path)).await {
            Ok(Some(found)) => found.is_some_and(|row| row.kind == RemoteKind::Folder),
            Ok(None) => {
                let around = self.read_listing(&entry::folder(&parent), &parent).await;
                let found = around.and_then(|around| around.find_by_name(name));
                found.is_ok_and(|found| found.iter().any(Entry::is_folder))
            }
            Err(_) => false,
        }
    }

    pub(super) async fn download(&self, file: &Entry, from: u64) -> Result<Download> {
        if let Some(target) = entry::link_out_of_its_folder(file) {
            return Err(Error::new(Kind::Refused, format!("this is a symbolic link to {target:?}, which is not followed"))
                .with_subject(file.path.to_string()));
        }
        let pool = self.pool().await?;
        let reading = open_reading(pool, &format!("RETR {}", self.path_of_entry(file)?), from, "the download")
            .await
            .map_err(|error| error.with_subject(file.path.to_string()))?;
        let version = file.size.zip(file.modified).map(|(size, time)| format!("{size} {}", time.timestamp()));
        Ok(Download { from: reading.from, size: None, version, protocol: self.protocol(), chunks: reading.chunks() })
    }
}
