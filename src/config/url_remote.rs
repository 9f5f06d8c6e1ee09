//! The server of a place that is a URL, as a remote. The user comes from the URL or `HAUL_USERNAME`, the secret from
//! `HAUL_PASSWORD` or `HAUL_TOKEN`, and what is missing from `~/.netrc`.

use std::path::{Path, PathBuf};

use super::env::Env;
use super::keys::{self, Key, Providers, find, keys_of};
use super::netrc::{self, NetrcEntry};
use super::secret_sources::Prompt;
use super::settings::{ConfiguredRemote, ConfiguredValue, SavedCredentials, ValueSource};
use crate::contract::ProviderInfo;
use crate::error::{Error, Kind, Result};
use crate::model::url_place::UrlRemote;

const USERNAME: &str = "HAUL_USERNAME";

pub(super) struct UrlRemotes {
    pub providers: Providers,
    pub env: Env,
    /// None: the user is not asked.
    pub prompt: Option<Prompt>,
}

impl UrlRemotes {
    /// None if `name` is no URL. Fails with `Usage` for an invalid URL, and for a netrc file with this server's secret that
    /// other users may read.
    pub fn make(&self, name: &str) -> Result<Option<(&'static ProviderInfo, ConfiguredRemote)>> {
        let Some(url) = UrlRemote::of(name)? else { return Ok(None) };
        let provider = keys::provider(self.providers, url.protocol)
            .ok_or_else(|| Error::new(Kind::Unsupported, "haul knows no servers of this kind").with_subject(name))?;
        let keys = keys_of(provider);
        let held = self.configured_values(&keys, &url)?;
        let nothing = SavedCredentials { secrets: Vec::new(), username: None };
        let settings = ConfiguredRemote::new(name.to_owned(), held, nothing, PathBuf::new(), self.env.clone(), self.prompt.clone());
        Ok(Some((provider, settings)))
    }

    fn configured_values(&self, keys: &[Key], url: &UrlRemote) -> Result<Vec<ConfiguredValue>> {
        let mut held = Vec::new();
        let mut hold = |key: &str, value: String, origin: ValueSource| {
            held.extend(find(keys, key).map(|key| ConfiguredValue::new(key, value, origin)));
        };
        let from = |variable: &str| ValueSource::Environment(variable.to_owned());
        let in_url = || ValueSource::Elsewhere("the URL".to_owned());
        hold("url", url.url.clone(), in_url());
        // A provider with user names takes a password, any other a token.
        let has_users = find(keys, "username").is_some();
        let (key, variable) = if has_users { ("password", "HAUL_PASSWORD") } else { ("token", "HAUL_TOKEN") };
        let named = match &url.username {
            Some(user) => Some((user.clone(), in_url())),
            None => self.env.text(USERNAME)?.map(|user| (user.to_owned(), from(USERNAME))),
        };
        let secret = self.env.text(variable)?.map(str::to_owned);
        let kept = match secret.is_none() || (has_users && named.is_none()) {
            true => self.of_netrc(&url.host, named.as_ref().map(|(user, _)| user.as_str()), has_users)?,
            false => None,
        };
        let (login, password, file) = match kept {
            Some((NetrcEntry { login, password }, file)) => (login, password, ValueSource::Elsewhere(file.display().to_string())),
            None => (None, None, in_url()),
        };
        if let Some((user, origin)) = named.or_else(|| login.map(|login| (login, file.clone()))) {
            hold("username", user, origin);
        }
        match (secret, password) {
            (Some(secret), _) => hold(key, secret, from(variable)),
            (None, Some(password)) => hold(key, password.expose().to_owned(), file),
            (None, None) => {}
        }
        Ok(held)
    }

    /// With `or_default` the file's entry for all other hosts counts, too.
    fn of_netrc(&self, host: &str, user: Option<&str>, or_default: bool) -> Result<Option<(NetrcEntry, PathBuf)>> {
        let path = self.env.path("NETRC").unwrap_or_else(|| self.env.resolve("~/.netrc", Path::new("")));
        Ok(netrc::find(&path, host, user, or_default)?.map(|entry| (entry, path)))
    }
}
