//! The credentials of an ioGates remote: a user, a share link, or a configured token. Secrets are read at the sign-in and not
//! before, because reading them may run a command or ask the user.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;
use reqwest::Url;

use super::answer;
use super::settings::DEFAULT_URL;
use super::wire::{Profile, SignIn, SignedIn};
use crate::contract::tokens::DEVICE;
use crate::contract::{Error, Kind, ProviderContext, RemoteSettings, Result, StoredToken, TokenContention};
use crate::model::Secret;
use crate::protocols::http::{Http, base_url};
use crate::providers::adapter::token_cache::TokenCache;

const APP_NAME: &str = "haul";

pub enum Credentials {
    /// Configured; used as it is, and never renewed.
    Token(StoredToken),
    User(String),
    /// A share URL: it grants access by itself.
    Share(Secret),
}

pub struct Access {
    /// The API's origin, with a slash at its end.
    pub origin: Url,
    pub credentials: Credentials,
    opening: ProviderContext,
    lease: TokenCache,
    /// The profile that a sign-in of this run returned.
    profile: Mutex<Option<Profile>>,
}

impl Access {
    /// Finds out which credentials are configured. Fails with `Auth` when there are none.
    pub async fn find(opening: &ProviderContext) -> Result<Access> {
        let remote = opening.remote.clone();
        let (url, credentials) = blocking(opening, move |secrets| credentials(secrets, &remote)).await?;
        let origin = origin_of(base_url(&url, opening.network.insecure)?);
        let who = match &credentials {
            Credentials::Token(_) => "token".to_owned(),
            Credentials::User(name) => format!("user {name}"),
            // The key of a stored token is no secret, but the share URL is: the key holds only its hash.
            Credentials::Share(url) => format!("share {:x}", md5::compute(url.expose())),
        };
        let account = format!("iogates|{}|{who}", origin.origin().ascii_serialization());
        let lease = TokenCache::new(account, opening.tokens.clone());
        Ok(Access { origin, credentials, opening: opening.clone(), lease, profile: Mutex::default() })
    }

    pub async fn token(&self, http: &Http) -> Result<StoredToken> {
        match &self.credentials {
            Credentials::Token(token) => Ok(token.clone()),
            _ => self.lease.token(self.sign_in(http)).await,
        }
    }

    /// Handles a 401 to `token`. Returns the error in the form that the engine needs: a configured token can't be renewed.
    pub async fn handle_rejection(&self, token: &StoredToken, error: Error) -> Error {
        if matches!(self.credentials, Credentials::Token(_)) {
            return error.with_kind(Kind::Auth).with_hint("put a valid token in place of this remote's `token`");
        }
        self.lease.invalidate(token).await;
        error
    }

    pub async fn renew(&self, http: &Http) -> Result<()> {
        match &self.credentials {
            Credentials::Token(_) => Err(Error::new(Kind::Auth, "the configured token is not accepted")
                .with_subject(self.opening.remote.clone())
                .with_hint("put a valid token in place of this remote's `token`")),
            _ => self.lease.renew(self.sign_in(http)).await,
        }
    }

    pub fn token_contention(&self) -> &TokenContention {
        &self.lease.contention
    }

    pub async fn forget(&self) -> Result<()> {
        self.lease.forget().await
    }

    pub fn profile(&self) -> Option<Profile> {
        self.profile.lock().clone()
    }

    /// `POST /api/authtoken` (providers.md 1.4). Sent once: a refusal is final.
    async fn sign_in(&self, http: &Http) -> Result<StoredToken> {
        let device_id = self.device_id()?;
        let remote = self.opening.remote.clone();
        let password = match &self.credentials {
            Credentials::User(_) => Some(blocking(&self.opening, move |secrets| password(secrets, &remote)).await?),
            _ => None,
        };
        let (username, url) = match &self.credentials {
            Credentials::User(name) => (Some(name.as_str()), None),
            Credentials::Share(url) => (None, Some(url.expose())),
            Credentials::Token(token) => return Ok(token.clone()),
        };
        let password = password.as_ref().map(Secret::expose);
        let body = SignIn { username, password, url, device_id: device_id.expose(), app_name: APP_NAME };
        let to = self.origin.join("api/authtoken").map_err(|e| Error::new(Kind::Usage, "this url can't be used").with_cause(e))?;
        let reply = http.call(http.client().post(to).json(&body)).await?;
        let signed: SignedIn = answer::read_sign_in(&reply).map_err(|e| match (&self.credentials, e.hint()) {
            (Credentials::Share(_), Some(_)) => e.with_hint("check the `share_url` of this remote; a share may have ended"),
            _ => e,
        })?;
        let token = signed.token.filter(is_usable).ok_or_else(|| answer::incomplete(&reply, "the sign-in without a usable token"))?;
        *self.profile.lock() = signed.profile;
        Ok(StoredToken { token, fields: Vec::new() })
    }

    /// The server remembers a passed second factor for each token and device (providers.md 1.4): an installation makes one
    /// random id and keeps it. Two first runs at the same time may use two ids, once.
    fn device_id(&self) -> Result<Secret> {
        if let Some(kept) = self.opening.tokens.load(DEVICE)? {
            return Ok(kept.token);
        }
        let id = format!("haul-{:016x}{:016x}", RandomState::new().hash_one(1), RandomState::new().hash_one(2));
        let made = StoredToken { token: Secret::new(id), fields: Vec::new() };
        self.opening.tokens.save(DEVICE, &made)?;
        Ok(made.token)
    }
}

/// A configured token takes precedence over a share URL, and a share URL over a user.
fn credentials(secrets: &dyn RemoteSettings, remote: &str) -> Result<(String, Credentials)> {
    let configured = |key: &str| if secrets.is_set(key) { secrets.secret(key) } else { Ok(None) };
    let share = configured("share_url")?.filter(|s| !s.is_empty());
    let url = match &share {
        Some(share) => share.expose().to_owned(),
        None => secrets.get("url").unwrap_or_else(|| DEFAULT_URL.to_owned()),
    };
    let token = configured("token")?.filter(|t| !t.is_empty());
    let user = secrets.get("username").filter(|name| !name.is_empty());
    let credentials = match (token, share, user) {
        (Some(token), _, _) if is_usable(&token) => Credentials::Token(StoredToken { token, fields: Vec::new() }),
        (Some(_), _, _) => {
            return Err(Error::new(Kind::Auth, "the configured token holds characters that no token has").with_subject(remote));
        }
        (None, Some(share), _) => Credentials::Share(share),
        (None, None, Some(name)) => Credentials::User(name),
        (None, None, None) => {
            return Err(Error::new(Kind::Auth, "no credentials: neither username, share_url nor token is set")
                .with_subject(remote)
                .with_hint(format!("set `username` for this remote, then run `haul login {remote}`")));
        }
    };
    Ok((url, credentials))
}

fn password(secrets: &dyn RemoteSettings, remote: &str) -> Result<Secret> {
    secrets.secret("password")?.filter(|p| !p.is_empty()).ok_or_else(|| {
        let variable = format!("HAUL_REMOTE_{}_PASSWORD", remote.to_uppercase().replace(['-', '.'], "_"));
        Error::new(Kind::Auth, "there is no password")
            .with_subject(remote)
            .with_hint(format!("run `haul login {remote}`, or set {variable}"))
    })
}

/// A token goes into headers and into a path, so it must be visible ASCII, and neither `.` nor `..`.
fn is_usable(token: &Secret) -> bool {
    let text = token.expose();
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()) && text != "." && text != ".."
}

/// Scheme, host and explicit port. The path of a share URL has no documented meaning (providers.md 1.2).
fn origin_of(mut url: Url) -> Url {
    url.set_path("/");
    url.set_query(None);
    url.set_fragment(None);
    // Both fail only for addresses without a host, which `base_url` refuses.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

async fn blocking<T, F>(opening: &ProviderContext, ask: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce(&dyn RemoteSettings) -> Result<T> + Send + 'static,
{
    let secrets: Arc<dyn RemoteSettings> = opening.secrets.clone();
    tokio::task::spawn_blocking(move || ask(&*secrets))
        .await
        .map_err(|e| Error::new(Kind::Other, "looking for the credentials failed").with_cause(e))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::server::provider_context;

    async fn load_access(told: &[(&'static str, &str)]) -> Result<Access> {
        Access::find(&provider_context(told, &Arc::default())).await
    }

    #[tokio::test]
    async fn a_share_brings_its_own_origin_with_its_port() {
        let access =
            load_access(&[("url", "https://iogates.com"), ("share_url", "https://web02.example:8443/show/15/ab/cd?x=1")]).await.unwrap();
        assert_eq!(access.origin.as_str(), "https://web02.example:8443/");
        assert!(matches!(access.credentials, Credentials::Share(_)));
        let access = load_access(&[("username", "ann")]).await.unwrap();
        assert_eq!(access.origin.as_str(), "https://iogates.com/");
    }

    #[tokio::test]
    async fn no_credentials_are_told_before_anything_is_sent() {
        let error = load_access(&[]).await.err().unwrap();
        assert_eq!(error.kind(), Kind::Auth);
        assert!(error.to_string().contains("haul login my-remote"), "{error}");
        let access = load_access(&[("username", "ann")]).await.unwrap();
        let http = Http::new(&provider_context(&[], &Arc::default()).network).unwrap();
        let error = access.token(&http).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        assert!(error.to_string().ends_with("or set HAUL_REMOTE_MY_REMOTE_PASSWORD"), "{error}");
    }

    #[tokio::test]
    async fn a_configured_token_is_used_as_it_is_and_never_renewed() {
        let access = load_access(&[("token", "33c666119"), ("username", "ann")]).await.unwrap();
        let http = Http::new(&provider_context(&[], &Arc::default()).network).unwrap();
        let token = access.token(&http).await.unwrap();
        assert_eq!(token.token.expose(), "33c666119");
        assert_eq!(access.handle_rejection(&token, Error::new(Kind::Expired, "no")).await.kind(), Kind::Auth);
        assert_eq!(access.renew(&http).await.unwrap_err().kind(), Kind::Auth);
        assert_eq!(load_access(&[("token", "a\r\nb: c")]).await.err().unwrap().kind(), Kind::Auth);
    }
}
