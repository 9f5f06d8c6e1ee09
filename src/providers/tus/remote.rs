//! One TUS remote while it is open, and the calls around uploads: the server's abilities, the state of an upload, its removal.

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::ahead::CreatedAhead;
use super::settings::Settings;
use super::{entry, headers};
use crate::contract::lookup::known_fields;
use crate::contract::{Error, Kind, ProviderContext, Result};
use crate::model::{Account, Entry, Limits, Place, Protocol, Root};
use crate::protocols::http::{Http, base_url, host_of};
use crate::protocols::tus;
use crate::protocols::tus::{Capabilities, Endpoint, Servers, UploadStatus};

pub struct TusRemote {
    pub(super) opening: ProviderContext,
    pub(super) settings: Settings,
    pub(super) http: Http,
    pub(super) servers: Servers,
    pub(super) ahead: CreatedAhead,
    headers: OnceCell<HeaderMap>,
}

impl TusRemote {
    pub(super) fn new(opening: ProviderContext) -> Result<TusRemote> {
        let (settings, http) = (Settings::read(&opening)?, Http::new(&opening.network)?);
        Ok(TusRemote { opening, settings, http, servers: Servers::default(), ahead: CreatedAhead::default(), headers: OnceCell::new() })
    }

    /// The headers for the endpoint's own origin. Many servers need neither token nor headers, so the user is not asked for
    /// them.
    pub(super) async fn headers(&self) -> Result<&HeaderMap> {
        let secret = async |key| if self.opening.secrets.is_set(key) { self.opening.secret(key).await } else { Ok(None) };
        self.headers
            .get_or_try_init(|| async {
                let (token, lines) = (secret("token").await?, secret("headers").await?);
                headers::read(token.as_ref(), lines.as_ref()).map_err(|e| e.with_subject(self.opening.remote.clone()))
            })
            .await
    }

    async fn endpoint(&self) -> Result<Endpoint> {
        Ok(Endpoint::of(&self.http, &self.settings.endpoint, self.headers().await?))
    }

    async fn options(&self) -> Result<Capabilities> {
        let announced = tus::options(&self.endpoint().await?).await?;
        self.servers.remember(&self.settings.endpoint, announced.clone());
        Ok(announced)
    }

    /// The server's abilities. OPTIONS is optional, and proxies block it: any other answer is only a warning, and the first
    /// upload shows whether the server works.
    pub(super) async fn account(&self) -> Result<Account> {
        let (announced, warnings) = match self.options().await {
            Ok(announced) => (announced, Vec::new()),
            Err(e) if e.status_code().is_none() || e.kind().is_transient() && e.status_code() != Some(501) => return Err(e),
            Err(e) if matches!(e.kind(), Kind::Expired | Kind::Auth | Kind::Unsupported | Kind::Untrusted) => return Err(e),
            Err(e) => (Capabilities::default(), vec![format!("the server does not say as a TUS server what it can do: {}", e.message())]),
        };
        let list = |names: &[String]| Some(Value::from(names.to_vec())).filter(|_| !names.is_empty());
        Ok(Account {
            limits: Limits { file_size: announced.max_size, ..Limits::default() },
            protocols: vec![Protocol::Tus],
            warnings,
            extra: known_fields([
                ("endpoint", Some(Value::from(self.settings.endpoint.as_str()))),
                ("versions", list(&announced.versions)),
                ("extensions", list(&announced.extensions)),
                ("checksums", list(&announced.algorithms)),
            ]),
            ..Account::default()
        })
    }

    /// The line of `remote check`.
    pub(super) async fn describe(&self) -> Result<String> {
        let announced = self.options().await?;
        Ok(format!("TUS {}: {}", announced.versions.join(", "), announced.extensions.join(", ")))
    }

    pub(super) fn no_new_token(&self) -> Error {
        let name = &self.opening.remote;
        match self.opening.secrets.is_set("token") || self.opening.secrets.is_set("headers") {
            true => Error::new(Kind::Auth, "the server does not accept the remote's token or headers"),
            false => {
                Error::new(Kind::Auth, "the server wants a sign-in").with_hint("set `token`, `token_command` or `headers` of the remote")
            }
        }
        .with_subject(name.clone())
    }

    /// Finds an upload by its address: the server has no other paths.
    pub(super) async fn stat_place(&self, at: &Place) -> Result<Entry> {
        let upload = self.upload_at(at)?;
        let status = self.status(&upload).await?;
        Ok(entry::of_status(&upload, &status, &self.settings.name_key))
    }

    async fn status(&self, upload: &Url) -> Result<UploadStatus> {
        tus::guard(upload);
        let status = tus::head(&self.endpoint().await?, upload).await?;
        status.ok_or_else(|| Error::new(Kind::NotFound, "the server has no such upload, or no longer").with_subject(host_of(upload)))
    }

    fn upload_at(&self, at: &Place) -> Result<Url> {
        match &at.root {
            Root::Id(id) if at.path.is_root() => self.upload_url(id),
            _ => Err(Error::new(Kind::Unsupported, "a TUS server knows no paths: it can't look up entries by them")
                .with_hint(format!("name an upload by its address, which its receipt has as `id`: {}:@https://…", self.opening.remote))),
        }
    }

    /// Fails with `Usage` for a text that is no URL, or for a URL that a file must not be sent to.
    pub(super) fn upload_url(&self, text: &str) -> Result<Url> {
        if !["https://", "http://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(
                Error::new(Kind::Usage, "the id of an upload is its address, which begins with https://").with_subject(format!("@{text}"))
            );
        }
        base_url(text, self.opening.network.insecure)
    }

    /// `rm` of an upload, finished or not.
    pub(super) async fn terminate(&self, entry: &Entry) -> Result<()> {
        let upload = self.upload_url(&entry.id)?;
        let line = self.endpoint().await?;
        let announced = match self.servers.get(&self.settings.endpoint) {
            Some(announced) => announced,
            None => self.options().await?,
        };
        if !announced.termination {
            return Err(Error::new(Kind::Unsupported, "this server does not announce `termination`: it can't remove entries")
                .with_subject(host_of(&upload)));
        }
        match tus::delete(&line, &upload, false).await {
            // A proxy does not pass on DELETE.
            Err(e) if matches!(e.status_code(), Some(405 | 501)) => tus::delete(&line, &upload, true).await,
            done => done,
        }
    }
}
