//! The configuration: flag before environment before file. It holds the remotes and the sources of their secrets, `[defaults]`
//! of the options, and the changes that commands make to the file. A provider declares the keys of its remotes; the table of
//! providers is passed in.

mod credentials;
mod defaults;
mod edit;
mod env;
mod env_remotes;
mod file;
mod keys;
mod load;
mod netrc;
mod private_file;
mod secret_sources;
mod settings;
mod single_line;
mod unquoted;
mod url_remote;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use defaults::{DefaultValue, Defaults};
pub use edit::check_name as check_remote_name;
pub use env::Env;
pub use keys::suggestion;
pub use secret_sources::{Prompt, ask_on_terminal};
pub use single_line::line_of_input;

use crate::contract::{Network, ProviderInfo, RemoteSettings};
use crate::error::{Error, Kind, Result};
use crate::model::Secret;
use crate::model::place_text::{hint_for_scheme, is_url};
use crate::model::report::RemoteLine;
use env_remotes::env_name;
use keys::Providers;
pub use settings::KEPT;
use settings::{ConfiguredRemote, mask_url};
use url_remote::UrlRemotes;

/// Where the configuration is, and how it is read.
pub struct LoadOptions<'a> {
    /// The value of `--config`, but not of `HAUL_CONFIG`: that file may be missing.
    pub explicit: Option<PathBuf>,
    pub env: &'a Env,
    /// Every long option that `[defaults]` may set, without dashes.
    pub options: &'a [&'a str],
    /// None: the user is not asked (`--quiet`, or no terminal).
    pub prompt: Option<Prompt>,
}

pub struct Config {
    path: Option<PathBuf>,
    credentials: Option<PathBuf>,
    defaults: Defaults,
    remotes: Vec<Remote>,
    /// Names that have variables but no provider.
    incomplete: Vec<String>,
    /// For places that are URLs, which have no remote.
    without_remote: UrlRemotes,
    providers: Providers,
    env: Env,
    prompt: Option<Prompt>,
}

impl Config {
    /// Values of options, with lower precedence than flag and environment.
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// First the remotes of the file in its order, then those that only the environment has, by name.
    pub fn remotes(&self) -> &[Remote] {
        &self.remotes
    }

    /// Returns the remote of that name, without regard to case; in the environment `-` is `_`. For a URL, returns a remote made
    /// from it. Fails with `NotFound`, or with `Usage` when variables name the remote but none names its provider.
    pub fn remote(&self, name: &str) -> Result<Remote> {
        match self.without_remote.make(name)? {
            Some((provider, settings)) => Ok(Remote { name: name.to_owned(), provider, in_file: false, settings: Arc::new(settings) }),
            None => self.configured_remote(name),
        }
    }

    /// As [`Config::remote`], but fails for a URL: for commands that change the configuration.
    pub fn configured_remote(&self, name: &str) -> Result<Remote> {
        if is_url(name) {
            return Err(Error::new(Kind::Usage, "a URL is not a remote of the configuration, and nothing is saved for it")
                .with_subject(name)
                .with_hint("make a remote of it with `haul remote add`"));
        }
        let exact = self.remotes.iter().find(|r| r.name.to_lowercase() == name.to_lowercase());
        let in_environment = || self.remotes.iter().find(|r| !r.in_file && r.name == env_name(name));
        exact.or_else(in_environment).cloned().ok_or_else(|| self.no_remote(name))
    }

    fn no_remote(&self, name: &str) -> Error {
        if self.incomplete.contains(&env_name(name)) {
            let variable = format!("{}{}_PROVIDER", env_remotes::PREFIX, env_name(name).to_uppercase());
            return Error::new(Kind::Usage, "the environment sets keys of this remote, but not its provider")
                .with_subject(name)
                .with_hint(format!("set {variable}"));
        }
        let names: Vec<&str> = self.remotes.iter().map(|r| r.name.as_str()).collect();
        let hint = match keys::nearest(name, &names) {
            None if let Some(hint) = hint_for_scheme(name) => hint.to_owned(),
            Some(near) => format!("write `{near}:`, or add it with `haul remote add {name} --provider PROVIDER`"),
            None => format!("add it with `haul remote add {name} --provider PROVIDER`; `haul remote list` shows those there are"),
        };
        Error::new(Kind::NotFound, "there is no such remote").with_subject(name).with_hint(hint)
    }

    /// Adds a remote to the file, which is made if it is missing; comments stay. Fails with `Exists`, with `Usage` for an
    /// unknown or missing key or for a secret, and with `Local` when the file can't be written.
    pub fn add_remote(&self, name: &str, provider: &'static ProviderInfo, settings: &[(String, String)]) -> Result<()> {
        edit::add_remote(self.path()?, name, provider, settings)
    }

    /// Changes keys of a remote in the file; the value none removes the key. Fails with `NotFound` for a remote that the file
    /// does not have, with `Usage` like [`Config::add_remote`], and when the changed remote could not be used.
    pub fn set_remote(&self, name: &str, settings: &[(String, Option<String>)]) -> Result<()> {
        let remote = self.remote_of_file(name)?;
        let path = self.path()?;
        let given = settings.iter().find(|(key, _)| key == "provider").and_then(|(_, value)| value.as_deref());
        let provider = match given {
            None => remote.provider,
            Some(id) => keys::provider(self.providers, id).ok_or_else(|| {
                let known = self.providers.iter().map(|p| p.id);
                Error::new(Kind::Usage, format!("there is no provider `{id}`")).with_hint(keys::suggestion(id, known))
            })?,
        };
        edit::set_remote(path, &remote.name, provider, settings, |text| self.read_remote(text, &remote.name)?.check_complete())
    }

    /// Renames a remote of the file, and its saved secrets. Fails with `NotFound`, `Exists`, and `Usage` for a text that can't
    /// be a name.
    pub fn rename_remote(&self, old: &str, new: &str) -> Result<()> {
        let remote = self.remote_of_file(old)?;
        let is_taken = self.remotes.iter().any(|r| env_name(&r.name) == env_name(new) && r.name != remote.name);
        if is_taken {
            return Err(Error::new(Kind::Exists, "there is a remote of this name already").with_subject(new));
        }
        edit::rename_remote(self.path()?, &remote.name, new)?;
        self.credentials.as_deref().map_or(Ok(()), |file| credentials::rename(file, &remote.name, new))
    }

    /// Returns the remote with these settings and with its variables, without a change of the file. Fails like
    /// [`Config::add_remote`], except for a name that exists.
    pub fn draft_remote(&self, name: &str, provider: &'static ProviderInfo, settings: &[(String, String)]) -> Result<Remote> {
        self.read_remote(&edit::section(name, provider, settings)?, name)
    }

    fn remote_of_file(&self, name: &str) -> Result<Remote> {
        let remote = self.remote(name)?;
        if remote.in_file { Ok(remote) } else { Err(not_in_file(name)) }
    }

    /// Removes a remote from the file, and its secrets from the credentials file. Fails with `NotFound`.
    pub fn remove_remote(&self, name: &str) -> Result<()> {
        if is_url(name) || self.remote(name).is_ok_and(|r| !r.in_file) {
            self.configured_remote(name)?;
            return Err(not_in_file(name));
        }
        edit::remove_remote(self.path()?, name)?;
        self.forget_credentials(name).map(drop)
    }

    /// Saves a secret of a remote in the credentials file (mode 0600). Fails with `Local`.
    pub fn save_credentials(&self, remote: &str, key: &str, secret: &Secret) -> Result<()> {
        credentials::save(self.credentials_file()?, remote, key, secret)
    }

    /// Saves the user name that was typed for a remote, beside its secrets. Fails like `save_credentials`.
    pub fn save_username(&self, remote: &str, username: &str) -> Result<()> {
        credentials::save_username(self.credentials_file()?, remote, username)
    }

    fn credentials_file(&self) -> Result<&Path> {
        self.credentials.as_deref().ok_or_else(|| {
            Error::new(Kind::Usage, "there is no place for the credentials file").with_hint("name a configuration file with --config FILE")
        })
    }

    /// Removes all secrets of a remote from the credentials file. Returns true when there were any.
    pub fn forget_credentials(&self, remote: &str) -> Result<bool> {
        self.credentials.as_deref().map_or(Ok(false), |file| credentials::forget(file, remote))
    }

    /// The configuration file, which may not exist. Fails with `Usage` when this machine has no home folder.
    pub fn path(&self) -> Result<&Path> {
        self.path.as_deref().ok_or_else(|| {
            Error::new(Kind::Usage, "this machine has no home folder for the configuration").with_hint("name a file with --config FILE")
        })
    }
}

fn not_in_file(name: &str) -> Error {
    let variables = format!("{}{}_…", env_remotes::PREFIX, env_name(name).to_uppercase());
    Error::new(Kind::NotFound, "this remote is not in the configuration file")
        .with_subject(name)
        .with_hint(format!("change the variables {variables}, which make it"))
}

#[derive(Clone)]
pub struct Remote {
    /// As the file spells it; in lower case for a remote that only the environment has.
    pub name: String,
    pub provider: &'static ProviderInfo,
    in_file: bool,
    settings: Arc<ConfiguredRemote>,
}

impl Remote {
    pub fn secrets(&self) -> Arc<dyn RemoteSettings> {
        self.settings.clone()
    }

    /// `timeout` is the time without a byte after which a request counts as lost.
    pub fn network(&self, timeout: Duration) -> Network {
        let insecure = self.settings.get("insecure").as_deref() == Some("true");
        Network { timeout, ca_file: self.settings.path("ca_file"), insecure }
    }

    /// Fails with `Usage` when a plain key that the provider requires is not set. Secrets may still be typed.
    pub fn check_complete(&self) -> Result<()> {
        let has = |key: &str| self.settings.is_set(key) || (key == "url" && self.provider.default_url.is_some());
        match self.provider.settings.iter().find(|s| s.required && !s.secret && !has(s.key)) {
            None => Ok(()),
            Some(missing) => Err(Error::new(Kind::Usage, format!("this remote has no `{}`: {}", missing.key, missing.help))
                .with_subject(self.name.clone())
                .with_hint(match self.in_file {
                    true => format!("run `haul remote set {} {}=…`, or set {}", self.name, missing.key, self.variable(missing.key)),
                    false => format!("set {}", self.variable(missing.key)),
                })),
        }
    }

    /// The variable that sets this key.
    pub fn variable(&self, key: &str) -> String {
        format!("{}{}_{}", env_remotes::PREFIX, env_name(&self.name), key).to_uppercase()
    }

    /// Uses this secret for the rest of the run, before all other sources: `login --password-stdin` has read it.
    pub fn give(&self, key: &str, secret: Secret) {
        self.settings.remember_prompted(key, secret);
    }

    /// As [`Remote::give`], for the user name. A variable still takes precedence.
    pub fn give_username(&self, username: String) {
        self.settings.give_username(username);
    }

    /// From now on no command is run for a secret of this remote: such a secret counts as not set.
    pub fn forbid_commands(&self) {
        self.settings.forbid_commands();
    }

    /// The same remote under another name.
    pub fn with_name(&self, name: &str) -> Remote {
        Remote { name: name.to_owned(), ..self.clone() }
    }

    pub fn username(&self) -> Option<String> {
        self.settings.get("username")
    }

    /// The secrets that `haul login` asks the user for: those that it saves in `credentials.toml`. A secret from a variable, a
    /// file or a command is used from there.
    pub fn prompted_keys(&self) -> Vec<&'static str> {
        let secret = |key: &str| self.provider.settings.iter().any(|s| s.secret && s.key == key);
        let kept: Vec<_> = self.provider.settings.iter().filter(|s| s.secret && self.settings.is_kept(s.key)).map(|s| s.key).collect();
        let named_otherwise = ["token", "share_url", "key1"].iter().any(|key| self.settings.is_set(key));
        let asked = if kept.is_empty() && !named_otherwise && secret("password") { vec!["password"] } else { kept };
        asked.into_iter().filter(|key| !self.settings.has_elsewhere(key)).collect()
    }

    /// True if the remote signs in by a user name, and the user may still be asked for it.
    pub fn asks_for_username(&self) -> bool {
        let named_otherwise = ["token", "share_url", "key1"].iter().any(|key| self.settings.is_set(key));
        self.provider.settings.iter().any(|s| s.key == "username") && !named_otherwise && !self.settings.has_variable("username")
    }

    /// The secrets that this run used without asking the user: key and source.
    pub fn used_secrets(&self) -> Vec<(String, String)> {
        self.settings.used_secrets()
    }

    /// What the user typed in this run, or [`Remote::give`] passed in. Only this is for [`Config::save_credentials`]: a secret
    /// from a command or a variable stays where it is.
    pub fn prompted_secret(&self, key: &str) -> Option<Secret> {
        self.settings.prompted_secret(key)
    }

    /// The facts for `remote list` and `remote show`, without secrets. `url` is null where the provider's default is used.
    pub fn remote_line(&self) -> RemoteLine {
        let origin = match (self.in_file, self.settings.has_any_from_environment()) {
            (true, true) => "file and environment",
            (true, false) => "file",
            (false, _) => "environment",
        };
        RemoteLine {
            name: self.name.clone(),
            provider: self.provider.id.to_owned(),
            url: self.settings.get("url").map(|url| mask_url(&url)),
            origin: origin.to_owned(),
            settings: self.settings.display_settings(),
        }
    }
}

#[cfg(test)]
mod tests;
