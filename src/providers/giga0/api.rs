//! The calls of giga0: POST, form-encoded, each with the current access token (providers.md 2.1). Each call is one request; a
//! rejected token is noted and reported as `Expired`.

use parking_lot::Mutex;
use reqwest::{RequestBuilder, Url};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::answer;
use super::auth::Credentials;
use super::listing::{self, Listed};
use super::wire::{Copied, File, Folder, Info, Package, Scheduled, SearchResult};
use crate::contract::{Entries, Error, Kind, ProviderContext, Result, StoredToken, TokenContention};
use crate::model::Entry;
use crate::protocols::http::response::HttpReply;
use crate::protocols::http::{self, Http};
use crate::providers::adapter::token_cache::TokenCache;

const API: &str = "/api/v2";

pub struct Api {
    pub http: Http,
    pub base: Url,
    opening: ProviderContext,
    login: OnceCell<(Credentials, TokenCache)>,
    /// Tokens that the answer to an upload called expired. That answer is read in a function that can't wait for `TokenCache`.
    stale: Mutex<Vec<StoredToken>>,
}

impl Api {
    pub fn new(opening: ProviderContext, default_url: &str) -> Result<Api> {
        let url = opening.secrets.get("url").filter(|u| !u.is_empty()).unwrap_or_else(|| default_url.to_owned());
        let base = api_url(&url, opening.network.insecure)?;
        let http = Http::new(&opening.network)?;
        Ok(Api { http, base, opening, login: OnceCell::new(), stale: Mutex::default() })
    }

    /// The URL of a call, for example of `file/upload`.
    pub fn url(&self, call: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{call}", self.base.path()));
        url
    }

    /// The credentials and their token cache; read when the first call needs them.
    async fn login(&self) -> Result<&(Credentials, TokenCache)> {
        self.login
            .get_or_try_init(|| async {
                let credentials = Credentials::of(&self.opening).await?;
                let account = format!("giga0|{}|{}", self.base, credentials.label());
                Ok((credentials, TokenCache::new(account, self.opening.tokens.clone())))
            })
            .await
    }

    async fn authorize(&self, credentials: &Credentials) -> Result<StoredToken> {
        credentials.authorize(&self.http, self.url("authorize"), &self.opening).await
    }

    /// Returns the current token, or a new one.
    pub async fn token(&self) -> Result<StoredToken> {
        let (credentials, lease) = self.login().await?;
        lease.token(self.authorize(credentials)).await
    }

    pub async fn renew(&self) -> Result<()> {
        let (credentials, lease) = self.login().await?;
        let stale = std::mem::take(&mut *self.stale.lock());
        for token in &stale {
            lease.invalidate(token).await;
        }
        lease.renew(self.authorize(credentials)).await
    }

    pub fn token_contention(&self) -> Option<&TokenContention> {
        self.login.get().map(|(_, lease)| &lease.contention)
    }

    /// Notes that a call with the current token succeeded.
    pub fn record_success(&self) {
        if let Some(contention) = self.token_contention() {
            contention.mark_used();
        }
    }

    /// Notes that the site called this token expired: the next `renew_token` gets another.
    pub fn note_stale(&self, token: &StoredToken) {
        self.stale.lock().push(token.clone());
    }

    /// `POST /disable_access_token`, then forgets the token here. Returns false when there was none.
    pub async fn sign_out(&self) -> Result<bool> {
        let (_, lease) = self.login().await?;
        let Some(token) = lease.current().await? else { return Ok(false) };
        let reply = self.post("disable_access_token", &token, &[]).await?;
        match answer::verdict(&reply) {
            // A token that the site does not know any more is revoked already.
            Err(e) if e.kind() != Kind::Expired => return Err(e),
            _ => lease.forget().await?,
        }
        Ok(true)
    }

    pub async fn account_info(&self) -> Result<Info> {
        self.call("account/info", &[]).await
    }

    pub async fn account_package(&self) -> Result<Package> {
        self.call("account/package", &[]).await
    }

    /// `POST /folder/listing`. The root has an empty id. The site has no paging (providers.md 2.9).
    pub async fn folder_listing(&self, folder: &Entry) -> Result<Entries> {
        let mut listed = Listed::default();
        let token = self.token().await?;
        let request = self.request("folder/listing", &token, &[("parent_folder_id", &folder.id)])?;
        let reply = self.http.call_rows(request, listing::LISTS, |list, row| listed.add(list, row)).await?;
        let reply = self.check_reply(&token, reply)?;
        listed.entries(folder, answer::data(&reply)?)
    }

    /// The documentation names `parent_folder_id`, the script reads `folder_id`: both are sent (OQ-16).
    pub async fn folder_info(&self, id: &str) -> Result<Folder> {
        self.call("folder/info", &[("folder_id", id), ("parent_folder_id", id)]).await
    }

    /// Makes a private folder; an empty `parent` is the root. The site makes a second folder of the same name without an error
    /// (providers.md 2.9).
    pub async fn folder_create(&self, parent: &str, name: &str) -> Result<Folder> {
        let mut fields = vec![("folder_name", name), ("is_public", "0")];
        if !parent.is_empty() {
            fields.push(("parent_id", parent));
        }
        self.call("folder/create", &fields).await
    }

    pub async fn file_info(&self, id: &str) -> Result<File> {
        self.call("file/info", &[("file_id", id)]).await
    }

    /// Returns the file's download URL. The file is named by its number, because older sites know nothing else (OQ-19).
    pub async fn file_download(&self, id: &str) -> Result<SearchResult> {
        self.call("file/download", &[("file_id", id)]).await
    }

    /// Returns the id of the file with that short URL (OQ-19). The download URL in the answer is not used.
    pub async fn file_of_short_url(&self, short: &str) -> Result<Option<String>> {
        Ok(self.call::<SearchResult>("file/download", &[("short_url", short)]).await?.file_id)
    }

    /// Moves the file to the trash.
    pub async fn file_delete(&self, id: &str) -> Result<()> {
        self.ask("file/delete", &[("file_id", id)]).await.map(drop)
    }

    /// The site keeps the fields that are left out (providers.md 2.8).
    pub async fn file_rename(&self, id: &str, name: &str) -> Result<File> {
        self.call("file/edit", &[("file_id", id), ("filename", name)]).await
    }

    /// Like [`Api::file_rename`], for any field.
    pub async fn file_edit(&self, id: &str, fields: &[(&str, &str)]) -> Result<Option<File>> {
        let reply = self.ask("file/edit", &[&[("file_id", id)], fields].concat()).await?;
        Ok(row(&reply))
    }

    /// An empty `folder` is the root. Returns the row of the answer, if there is one.
    pub async fn file_move(&self, id: &str, folder: &str) -> Result<Option<File>> {
        Ok(row(&self.place("file/move", ("file_id", id), "new_parent_folder_id", folder).await?))
    }

    /// Returns the copy's row, if the answer holds one.
    pub async fn file_copy(&self, id: &str, folder: &str) -> Result<Option<File>> {
        let reply = self.place("file/copy", ("file_id", id), "copy_to_folder_id", folder).await?;
        Ok(serde_json::from_slice::<Copied>(reply.object()).ok().and_then(|copied| copied.new_file.data))
    }

    /// Moves the folder with all its content to the trash.
    pub async fn folder_delete(&self, id: &str) -> Result<()> {
        self.ask("folder/delete", &[("folder_id", id)]).await.map(drop)
    }

    pub async fn folder_move(&self, id: &str, folder: &str) -> Result<Option<Folder>> {
        Ok(row(&self.place("folder/move", ("folder_id", id), "new_parent_folder_id", folder).await?))
    }

    pub async fn folder_edit(&self, id: &str, fields: &[(&str, &str)]) -> Result<Option<Folder>> {
        let reply = self.ask("folder/edit", &[&[("folder_id", id)], fields].concat()).await?;
        Ok(row(&reply))
    }

    /// Asks the site to fetch a URL, which is given in Base64.
    pub async fn url_upload_add(&self, url: &str, folder: &str) -> Result<Scheduled> {
        let mut fields = vec![("file_url_base64", url)];
        if !folder.is_empty() {
            fields.push(("folder_id", folder));
        }
        let reply = self.ask("file/url_upload_add", &fields).await?;
        Ok(answer::content(&reply)?.unwrap_or_default())
    }

    pub async fn url_upload_status(&self, id: &str) -> Result<Scheduled> {
        self.call("file/url_upload_status", &[("scheduled_item_id", id)]).await
    }

    /// The site refuses an empty destination as missing: the root is the text `null`, or `0` where `null` is no folder (OQ-17).
    async fn place(&self, call: &str, what: (&str, &str), parameter: &str, folder: &str) -> Result<HttpReply> {
        if !folder.is_empty() {
            return self.ask(call, &[what, (parameter, folder)]).await;
        }
        match self.ask(call, &[what, (parameter, "null")]).await {
            Err(e) if e.kind() == Kind::NotFound => self.ask(call, &[what, (parameter, "0")]).await,
            done => done,
        }
    }

    async fn call<T: DeserializeOwned>(&self, call: &str, fields: &[(&str, &str)]) -> Result<T> {
        let reply = self.ask(call, fields).await?;
        answer::data(&reply)
    }

    /// Sends the call and returns its reply, if it is a success.
    async fn ask(&self, call: &str, fields: &[(&str, &str)]) -> Result<HttpReply> {
        let token = self.token().await?;
        let reply = self.post(call, &token, fields).await?;
        self.check_reply(&token, reply)
    }

    fn check_reply(&self, token: &StoredToken, reply: HttpReply) -> Result<HttpReply> {
        match answer::verdict(&reply) {
            Ok(()) => {
                self.record_success();
                Ok(reply)
            }
            Err(e) => {
                if e.kind() == Kind::Expired {
                    self.note_stale(token);
                }
                Err(e)
            }
        }
    }

    async fn post(&self, call: &str, token: &StoredToken, fields: &[(&str, &str)]) -> Result<HttpReply> {
        self.http.call(self.request(call, token, fields)?).await
    }

    fn request(&self, call: &str, token: &StoredToken, fields: &[(&str, &str)]) -> Result<RequestBuilder> {
        let (access, account) = self.identity(token)?;
        let mut form = vec![("access_token", access), ("account_id", account)];
        form.extend_from_slice(fields);
        Ok(self.http.client().post(self.url(call)).form(&form))
    }

    /// The two fields of every call: the access token and the account's id.
    pub fn identity<'a>(&self, token: &'a StoredToken) -> Result<(&'a str, &'a str)> {
        match token.field("account_id") {
            Some(account) => Ok((token.token.expose(), account.expose())),
            None => {
                self.note_stale(token);
                Err(Error::new(Kind::Expired, "the saved token has no account"))
            }
        }
    }
}

/// The row in the answer to a change. An answer without a readable row is no failure: the change was made, and the caller can
/// look.
fn row<T: DeserializeOwned>(reply: &HttpReply) -> Option<T> {
    answer::content(reply).ok().flatten()
}

/// `url` may be the site's origin, its `/api` page, or end in `/api/v2`.
fn api_url(text: &str, insecure: bool) -> Result<Url> {
    let mut url = http::bare_url(text, insecure)?;
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix(API).or_else(|| path.strip_suffix("/api")).unwrap_or(path);
    let path = format!("{path}{API}");
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_may_be_the_site_or_its_api() {
        let cases = [
            ("https://cloud.giga0.com", "https://cloud.giga0.com/api/v2"),
            ("https://cloud.giga0.com/", "https://cloud.giga0.com/api/v2"),
            ("https://cloud.giga0.com/api/v2/", "https://cloud.giga0.com/api/v2"),
            ("https://cloud.giga0.com/api", "https://cloud.giga0.com/api/v2"),
            ("files.example.com/share", "https://files.example.com/share/api/v2"),
            ("https://ann:pw@files.example.com/?x=1#top", "https://files.example.com/api/v2"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api/v2"),
        ];
        for (text, url) in cases {
            assert_eq!(api_url(text, false).unwrap().as_str(), url, "{text}");
        }
        assert_eq!(api_url("http://files.example.com", false).unwrap_err().kind(), Kind::Usage);
    }
}
