//! The calls of ioGates (providers.md 1.5 to 1.12). Each is sent once; `answer` decides what a failure means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{Mutex, OnceCell};

use super::answer;
use super::auth::{Access, Credentials};
use super::tree::{Seeds, Tree};
use super::upload::methods::UploadMethods;
use super::wire::{AuthInfo, File, Files, NewFile, NewFiles, Share};
use crate::contract::{Error, Kind, ProviderContext, Result, StoredToken, TokenContention};
use crate::protocols::http::Http;
use crate::protocols::http::response::HttpReply;
use crate::protocols::http::row_stream::{Path, RawRow, object};

/// The keys that hold the rows of a listing.
const FILES: &[Path] = &[&["files"], &["map"]];

/// How long upload methods and their credentials count as current.
const OFFERS_LAST: Duration = Duration::from_secs(60);
/// The spelling of a token in a URL that `Secret` also uses, so that the masking finds the token there.
const TOKEN_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub struct Api {
    pub http: Http,
    pub opening: ProviderContext,
    /// The server has asked for the code from an SMS.
    pub code_wanted: AtomicBool,
    access: OnceCell<Access>,
    offers: Mutex<Option<(Instant, Arc<UploadMethods>)>>,
}

impl Api {
    pub fn new(opening: ProviderContext) -> Result<Api> {
        Ok(Api {
            http: Http::new(&opening.network)?,
            opening,
            code_wanted: AtomicBool::new(false),
            access: OnceCell::new(),
            offers: Mutex::default(),
        })
    }

    pub fn token_contention(&self) -> Option<&TokenContention> {
        self.access.get().map(Access::token_contention)
    }

    pub async fn access(&self) -> Result<&Access> {
        self.access.get_or_try_init(|| Access::find(&self.opening)).await
    }

    /// `GET /api/authinfo/{token}`: the upload methods and their credentials, at most a minute old. Fails with `Auth` when the
    /// share wants its SMS code first, with `Refused` when the token may not upload.
    pub async fn offers(&self) -> Result<Arc<UploadMethods>> {
        let mut held = self.offers.lock().await;
        if let Some((at, offers)) = &*held
            && at.elapsed() < OFFERS_LAST
        {
            return Ok(offers.clone());
        }
        let access = self.access().await?;
        let token = access.token(&self.http).await?;
        let info: AuthInfo = match self.get(&token, &format!("api/authinfo/{}", step(token.token.expose()))).await {
            Ok(info) => info,
            Err(error) => return Err(self.or_code_needed(access, &token, error).await),
        };
        let offers = Arc::new(UploadMethods::new(info, &access.origin, &self.opening.network));
        *held = Some((Instant::now(), offers.clone()));
        Ok(offers)
    }

    /// Forgets the upload methods, which may have changed: the next call asks the server.
    pub async fn forget_offers(&self) {
        *self.offers.lock().await = None;
    }

    /// A refused token of a share may only lack the SMS code. The share itself reports that, if it can be asked.
    async fn or_code_needed(&self, access: &Access, token: &StoredToken, error: Error) -> Error {
        let refused = matches!(error.status_code(), Some(401 | 403));
        if refused && matches!(access.credentials, Credentials::Share(_)) {
            let share = self.get::<Share>(token, "api/share").await;
            if share.is_ok_and(|share| share.two_factor == Some(true)) {
                return self.request_code();
            }
        }
        error
    }

    fn request_code(&self) -> Error {
        self.code_wanted.store(true, Ordering::Relaxed);
        let remote = &self.opening.remote;
        answer::code_needed_error().with_subject(remote.clone()).with_hint(format!("run `haul login {remote}` and enter it"))
    }

    /// `GET /api/share`: the share that the token belongs to. A user's token has no share.
    pub async fn share(&self) -> Result<Share> {
        let token = self.token().await?;
        self.get(&token, "api/share").await
    }

    /// `GET /api/files`: everything there is, in one answer.
    pub async fn files(&self) -> Result<Tree> {
        let token = self.token().await?;
        let mut seeds = Seeds::default();
        self.rows(&token, self.request(Method::GET, "api/files").await?, |row| seeds.add(row)).await?;
        seeds.tree()
    }

    /// Passes each row of the answer's `files` to `take`. An answer without that list is an error, because it would look like
    /// an empty account.
    async fn rows(
        &self,
        token: &StoredToken,
        request: RequestBuilder,
        mut take: impl FnMut(std::result::Result<File, Option<File>>) + Send,
    ) -> Result<()> {
        let around: Files = self.around(token, request, FILES, |row| take(object(row))).await?;
        match around.files.map(|left| left.is_empty()) {
            Some(true) => Ok(()),
            Some(false) => Err(Error::new(Kind::Protocol, "the server's listing makes no sense: it holds its files twice")),
            None => Err(Error::unread_answer("the server answered a listing without files")),
        }
    }

    /// Returns what surrounds the rows of the first of `lists`. The rows of the others are skipped: a `map` of all ids is as
    /// long.
    async fn around<T: DeserializeOwned>(
        &self,
        token: &StoredToken,
        request: RequestBuilder,
        lists: &'static [Path],
        mut take: impl FnMut(RawRow<'_>) + Send,
    ) -> Result<T> {
        let each = |list: usize, row: RawRow<'_>| {
            if list == 0 {
                take(row)
            }
        };
        let reply = self.http.call_rows(request.headers(headers(token)?), lists, each).await?;
        self.check_verdict(token, answer::read(&reply)).await
    }

    /// Like `read`, for an answer whose list may be long.
    pub async fn read_rows<T: DeserializeOwned>(
        &self,
        path: &str,
        lists: &'static [Path],
        take: impl FnMut(RawRow<'_>) + Send,
    ) -> Result<T> {
        let token = self.token().await?;
        self.around(&token, self.request(Method::GET, path).await?, lists, take).await
    }

    /// `GET /api/file/{id}`.
    pub async fn file(&self, id: &str) -> Result<File> {
        self.read(&format!("api/file/{}", step(id))).await
    }

    /// `POST /api/file`: makes an entry, and the missing folders of its path. A second call makes a second entry (providers.md
    /// 1.6), so after `Interrupted` the caller looks first.
    pub async fn create(&self, new: &NewFile<'_>) -> Result<File> {
        self.send_json(Method::POST, "api/file", new).await
    }

    /// `POST /api/files`: makes several entries at once. The answers come in any order.
    pub async fn create_many(&self, files: Vec<NewFile<'_>>) -> Result<Vec<File>> {
        let token = self.token().await?;
        let request = self.request(Method::POST, "api/files").await?.json(&NewFiles { files });
        let mut made = Vec::new();
        // A row that can't be read counts as not answered: the caller looks for its entry.
        self.rows(&token, request, |row| made.extend(row.ok())).await?;
        Ok(made)
    }

    /// `GET` at `path`, which is relative to the origin.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let token = self.token().await?;
        self.get(&token, path).await
    }

    /// Sends `body` as JSON, once.
    pub async fn send_json<T: DeserializeOwned>(&self, method: Method, path: &str, body: &impl Serialize) -> Result<T> {
        let token = self.token().await?;
        let request = self.request(method, path).await?.json(body);
        let reply = self.send(&token, request).await?;
        self.check_verdict(&token, answer::read(&reply)).await
    }

    /// Any 2xx is a success, as the answer to a removal is not documented. A web page comes from a proxy and not from the API.
    pub async fn delete(&self, path: &str) -> Result<()> {
        let token = self.token().await?;
        let reply = self.send(&token, self.request(Method::DELETE, path).await?).await?;
        let verdict = if reply.is_success() && !reply.is_page() { Ok(()) } else { answer::read(&reply) };
        self.check_verdict(&token, verdict).await
    }

    pub async fn token(&self) -> Result<StoredToken> {
        self.access().await?.token(&self.http).await
    }

    async fn get<T: DeserializeOwned>(&self, token: &StoredToken, path: &str) -> Result<T> {
        let reply = self.send(token, self.request(Method::GET, path).await?).await?;
        self.check_verdict(token, answer::read(&reply)).await
    }

    pub async fn check_verdict<T>(&self, token: &StoredToken, verdict: Result<T>) -> Result<T> {
        match verdict {
            Err(error) if error.kind() == Kind::Expired => Err(self.access().await?.handle_rejection(token, error).await),
            // Once there is a token, only a missing SMS code is refused in this way.
            Err(error) if error.kind() == Kind::Auth => Err(self.request_code()),
            Ok(value) => {
                self.access().await?.token_contention().mark_used();
                Ok(value)
            }
            refused => refused,
        }
    }

    /// The URL is always at the API's own origin, because the token goes with the request.
    pub async fn request(&self, method: Method, path: &str) -> Result<RequestBuilder> {
        let origin: &Url = &self.access().await?.origin;
        let url = origin.join(path).map_err(|e| Error::new(Kind::Other, "this call has no address").with_cause(e))?;
        Ok(self.http.client().request(method, url))
    }

    pub async fn send(&self, token: &StoredToken, request: RequestBuilder) -> Result<HttpReply> {
        self.http.call(request.headers(headers(token)?)).await
    }
}

/// A token or an id as one step of a path.
pub fn step(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, TOKEN_IN_PATH)
}

/// Sends the token in all three headers that the documentation knows (OQ-1); the server takes the one that it understands.
fn headers(token: &StoredToken) -> Result<HeaderMap> {
    let value = |text: &str| -> Result<HeaderValue> {
        let mut value = HeaderValue::from_str(text).map_err(|e| Error::new(Kind::Auth, "this token can't be sent").with_cause(e))?;
        value.set_sensitive(true);
        Ok(value)
    };
    let token = token.token.expose();
    let bearer = value(&format!("Bearer {token}"))?;
    let mut headers = HeaderMap::new();
    headers.insert("authorization", bearer.clone());
    headers.insert("authorisation", bearer);
    headers.insert("token", value(token)?);
    Ok(headers)
}
