//! One FTP remote while it is open: its connections, and operations that take several commands.

use std::sync::Arc;

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
}

impl FtpRemote {
    pub(super) fn new(opening: ProviderContext) -> Result<FtpRemote> {
        Ok(FtpRemote { settings: Settings::read(&opening)?, opening, signed: OnceCell::new() })
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
        let mut listed = entry::Listed::new(within.clone());
        let (pool, path) = (self.pool().await?, self.path_of(&within));
        if let Err(error) = listing::list(pool, &path, |row| listed.add(row)).await {
            let error = if error.kind() == Kind::NotFound { self.explain_failed_listing(&path, error).await } else { error };
            return Err(self.explain(error).with_subject(folder.path.to_string()));
        }
        Ok(listed.entries(folder))
    }

    /// Some servers (libunftp) read the names of a folder first, and then look at each of them. They answer 550 for the whole
    /// folder when one of its files got another name meanwhile. If the folder is there, another try may list it.
    async fn explain_failed_listing(&self, path: &str, error: Error) -> Error {
        let words = error.message().to_ascii_lowercase();
        if ["denied", "permission", "not allowed"].iter().any(|word| words.contains(word)) {
            return error;
        }
        let Ok(pool) = self.pool().await else { return error };
        match listing::stat(pool, path).await {
            Ok(Some(Some(found))) if found.kind == RemoteKind::Folder && !path.is_empty() => {
                Error::new(Kind::Busy, "the folder is there, but the server could not list it").with_cause(error)
            }
            _ => error,
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
