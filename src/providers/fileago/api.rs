//! The calls of FileAgo (providers.md 3.1 to 3.5). Each call is one request. A rejected token is reported as `Expired`, and the
//! next `renew_token` gets another.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::Utc;
use parking_lot::Mutex;
use reqwest::{RequestBuilder, Url};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::wire::{Group, Node, PathStep};
use super::{answer, auth, jwt};
use crate::contract::{Error, Kind, ProviderContext, Result, StoredToken, TokenContention};
use crate::model::Secret;
use crate::protocols::http::response::HttpReply;
use crate::protocols::http::row_stream::{Path, object};
use crate::protocols::http::{self, Http};
use crate::providers::adapter::token_cache::TokenCache;

/// The keys that hold the rows of a `dirlist`.
const NODES: &[Path] = &[&["data"]];

pub struct Api {
    pub http: Http,
    pub base: Url,
    /// Set for an installation that has its downloads at another path (OQ-26).
    pub download_path: Option<String>,
    opening: ProviderContext,
    lease: TokenCache,
    /// A new token looked old: the clocks differ, so `exp` is of no use for this server.
    clocks_differ: AtomicBool,
    /// The token was issued in this run, so it belongs to the address that this machine has now.
    signed_in: AtomicBool,
    /// The stored token that got a 403; it may belong to another address.
    doubted: Mutex<Option<StoredToken>>,
    /// No other token can be obtained, so the server's refusal of the stored one is final.
    no_other: AtomicBool,
}

impl Api {
    pub fn new(opening: ProviderContext) -> Result<Api> {
        let url = opening.secrets.get("url").filter(|u| !u.is_empty()).ok_or_else(|| {
            Error::new(Kind::Usage, "this remote has no url")
                .with_subject(opening.remote.clone())
                .with_hint("set its url to your FileAgo server")
        })?;
        let base = server_url(&url, opening.network.insecure)?;
        let http = Http::new(&opening.network)?;
        let username = opening.secrets.get("username").unwrap_or_default();
        let lease = TokenCache::new(format!("fileago|{base}|{username}"), opening.tokens.clone());
        let download_path = opening.secrets.get("download_path").filter(|path| !path.is_empty());
        let no = || AtomicBool::new(false);
        let (clocks_differ, signed_in, no_other, doubted) = (no(), no(), no(), Mutex::default());
        Ok(Api { http, base, download_path, opening, lease, clocks_differ, signed_in, doubted, no_other })
    }

    /// The user's email address, or `admin`. Fails with `Auth` when the setting is missing.
    pub fn username(&self) -> Result<String> {
        let username = self.opening.secrets.get("username").filter(|u| !u.is_empty());
        username.ok_or_else(|| self.opening.no_credentials("username"))
    }

    pub async fn token(&self) -> Result<StoredToken> {
        let token = match self.lease.token(self.log_in()).await {
            // Another task has suspected the token, and is about to find out the same.
            Err(e) if self.must_do(&e).await => self.lease.token(self.log_in()).await?,
            token => token?,
        };
        if self.clocks_differ.load(Ordering::Relaxed) || !jwt::is_old(token.token.expose(), Utc::now()) {
            return Ok(token);
        }
        self.reject(&token).await;
        self.renew().await?;
        self.lease.token(self.log_in()).await
    }

    pub async fn renew(&self) -> Result<()> {
        match self.lease.renew(self.log_in()).await {
            Err(e) if self.must_do(&e).await => Ok(()),
            renewed => renewed,
        }
    }

    /// Called when no new token can be obtained (no password is set, or it is refused). If the old token was dropped only for a
    /// 403, it is used again; returns true then.
    async fn must_do(&self, failure: &Error) -> bool {
        let doubted = self.doubted.lock().clone();
        let Some(token) = doubted.filter(|_| !failure.kind().is_transient()) else { return false };
        self.no_other.store(true, Ordering::Relaxed);
        self.lease.put_back(token).await;
        true
    }

    pub fn token_contention(&self) -> &TokenContention {
        &self.lease.contention
    }

    pub async fn forget(&self) -> Result<()> {
        self.lease.forget().await
    }

    /// `POST /auth`. Fails with `Auth` when the server refuses.
    async fn log_in(&self) -> Result<StoredToken> {
        let username = self.username()?;
        let password = self.opening.secret("password").await?.ok_or_else(|| self.opening.no_credentials("password"))?;
        let body = json!({"username": username, "password": password.expose()});
        let reply = self.http.call(self.http.client().post(self.url(&["auth"])).json(&body)).await?;
        let token = auth::parse_token(&reply).map_err(|e| e.with_subject(self.opening.remote.clone()))?;
        self.signed_in.store(true, Ordering::Relaxed);
        if jwt::is_old(token.token.expose(), Utc::now()) {
            self.clocks_differ.store(true, Ordering::Relaxed);
        }
        Ok(token)
    }

    pub async fn details(&self, id: &str) -> Result<Node> {
        answer::parse_one(&self.ask(self.http.client().get(self.node(id, None)?)).await?)
    }

    /// The steps from the top down to the node itself.
    pub async fn path(&self, id: &str) -> Result<Vec<PathStep>> {
        answer::many(&self.ask(self.http.client().get(self.node(id, Some("path"))?)).await?)
    }

    /// Passes each node to `take` as it comes. An error is a row that can't be read, with the fields that could be read.
    pub async fn dirlist(&self, id: &str, mut take: impl FnMut(std::result::Result<Node, Option<Node>>) + Send) -> Result<()> {
        let token = self.token().await?;
        let request = self.http.client().get(self.node(id, Some("dirlist"))?).bearer_auth(token.token.expose());
        let reply = self.http.call_rows(request, NODES, |_, row| take(object(row))).await?;
        match answer::many::<IgnoredAny>(&self.check_reply(&token, reply).await?)?.is_empty() {
            true => Ok(()),
            false => Err(Error::new(Kind::Protocol, "the server's listing makes no sense: it holds its list twice")),
        }
    }

    pub async fn make_folder(&self, parent: &str, name: &str) -> Result<()> {
        self.change(parent, &json!({"new_dir": name})).await
    }

    /// One change of a node (providers.md 3.4). The answer is 204, or 200 with data that haul does not use (OQ-24).
    pub async fn change(&self, id: &str, wish: &Value) -> Result<()> {
        self.ask(self.http.client().post(self.node(id, None)?).json(wish)).await.map(drop)
    }

    /// Moves a node to the owner's trash. A node in the trash is removed for good.
    pub async fn delete(&self, id: &str) -> Result<()> {
        self.ask(self.http.client().delete(self.node(id, None)?)).await.map(drop)
    }

    /// The groups that the user belongs to.
    pub async fn groups(&self) -> Result<Vec<Group>> {
        answer::many(&self.ask(self.http.client().get(self.url(&["api", "groups", ""]))).await?)
    }

    /// Returns the address of one upload: of a new file in a folder, or of a new revision of a file. The address works for
    /// seconds (version 1) or minutes (3.0), and for one try (OQ-25).
    pub async fn upload_url(&self, id: &str) -> Result<Url> {
        let reply = self.ask(self.http.client().get(self.node(id, Some("upload"))?)).await?;
        let token: Secret = answer::upload_token(&reply)?;
        Ok(self.url(&["upload", token.expose()]))
    }

    /// What this user may do with a node, in the server's words: `read`, `download`, … (providers.md 3.3).
    pub async fn my_access(&self, id: &str) -> Result<Vec<String>> {
        answer::many(&self.ask(self.http.client().get(self.node(id, Some("myaccess"))?)).await?)
    }

    /// The key in the path of downloads, and its token. A stored token without a key was saved by an old version.
    pub async fn download_key(&self) -> Result<(Secret, StoredToken)> {
        let token = self.token().await?;
        match token.field("fileaccesskey") {
            Some(key) => Ok((key.clone(), token)),
            None => {
                self.reject(&token).await;
                Err(Error::new(Kind::Expired, "the server gave no key for downloads with the token"))
            }
        }
    }

    /// Notes that the server rejected this token: the next `renew_token` gets another.
    pub async fn reject(&self, token: &StoredToken) {
        if self.lease.invalidate(token).await {
            *self.doubted.lock() = None;
        }
    }

    async fn ask(&self, request: RequestBuilder) -> Result<HttpReply> {
        let token = self.token().await?;
        let reply = self.http.call(request.bearer_auth(token.token.expose())).await?;
        self.check_reply(&token, reply).await
    }

    async fn check_reply(&self, token: &StoredToken, reply: HttpReply) -> Result<HttpReply> {
        match answer::verdict(&reply) {
            Ok(()) => {
                self.lease.contention.mark_used();
                Ok(reply)
            }
            Err(e) => {
                if e.kind() == Kind::Expired {
                    self.reject(token).await;
                    return Err(e);
                }
                if !self.may_be_of_another_address(&e) {
                    return Err(e);
                }
                *self.doubted.lock() = Some(token.clone());
                self.lease.invalidate(token).await;
                Err(e.with_kind(Kind::Expired))
            }
        }
    }

    /// Tokens work only from the address that they were issued to, and the text of that refusal is not documented: after a 403
    /// a stored token is renewed once (providers.md 3.1). A 403 to a token of this run, or to one that can't be renewed, is a
    /// real refusal.
    fn may_be_of_another_address(&self, error: &Error) -> bool {
        error.status_code() == Some(403) && ![&self.signed_in, &self.no_other].iter().any(|known| known.load(Ordering::Relaxed))
    }

    /// `/api/nodes/{id}`, and what may follow. Users type ids and servers send them: no id may lead to another path.
    fn node(&self, id: &str, call: Option<&str>) -> Result<Url> {
        if matches!(id, "" | "." | "..") {
            return Err(Error::new(Kind::NotFound, "no file or folder has such an id").with_subject(format!("@{id}")));
        }
        let mut segments = vec!["api", "nodes", id];
        segments.extend(call);
        Ok(self.url(&segments))
    }

    /// Segments are percent-encoded; `:` stays as it is, as in the documentation's `home:UUID`.
    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

/// The URL of the server's root, which may have a path.
fn server_url(text: &str, insecure: bool) -> Result<Url> {
    let mut url = http::bare_url(text, insecure)?;
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::server::provider_context;

    #[test]
    fn the_servers_root_may_lie_below_a_path() {
        for (text, url) in [
            ("https://fileago.example", "https://fileago.example/"),
            ("fileago.example/", "https://fileago.example/"),
            ("https://u:p@files.example/fa/?x#y", "https://files.example/fa/"),
            ("https://files.example/fa", "https://files.example/fa/"),
        ] {
            assert_eq!(server_url(text, false).unwrap().as_str(), url, "{text}");
        }
        assert_eq!(server_url("http://files.example.com", false).unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn ids_stay_in_their_place() {
        let api = Api::new(provider_context(&[("url", "https://files.example/fa")], &Arc::default())).unwrap();
        for (id, url) in [
            ("home", "https://files.example/fa/api/nodes/home/dirlist"),
            ("home:3d76-aa", "https://files.example/fa/api/nodes/home:3d76-aa/dirlist"),
            ("../auth", "https://files.example/fa/api/nodes/..%2Fauth/dirlist"),
            ("a?b#c%2e", "https://files.example/fa/api/nodes/a%3Fb%23c%252e/dirlist"),
        ] {
            assert_eq!(api.node(id, Some("dirlist")).unwrap().as_str(), url, "{id}");
        }
        for id in ["", ".", ".."] {
            assert_eq!(api.node(id, None).unwrap_err().kind(), Kind::NotFound, "{id}");
        }
    }

    #[test]
    fn a_remote_without_a_url_is_of_no_use() {
        let e = Api::new(provider_context(&[], &Arc::default())).err().unwrap();
        assert_eq!(e.kind(), Kind::Usage);
    }
}
