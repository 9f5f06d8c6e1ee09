//! The settings of one remote, from all sources. A secret is read when it is needed, and once; the sources have a fixed order.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};
use serde_json::{Map, Value as Json};

use super::env::Env;
use super::file::Position;
use super::keys::{Key, KeyForm};
use super::secret_sources;
use super::secret_sources::Prompt;
use super::single_line::ValueForm;
use crate::contract::RemoteSettings;
use crate::error::{Error, Kind, Result};
use crate::model::Secret;

/// The source of a key's value.
#[derive(Clone)]
pub(super) enum ValueSource {
    Environment(String),
    File(Position),
    /// The command line, or a file of another program.
    Elsewhere(String),
}

impl ValueSource {
    pub fn error(&self, why: impl Into<String>) -> Error {
        Error::new(Kind::Usage, why).with_subject(self.to_string())
    }
}

impl fmt::Display for ValueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueSource::Environment(variable) => f.write_str(variable),
            ValueSource::File(position) => position.fmt(f),
            ValueSource::Elsewhere(place) => f.write_str(place),
        }
    }
}

pub(super) enum Value {
    Plain(String),
    Hidden(Secret),
}

pub(super) struct ConfiguredValue {
    pub key: Key,
    pub value: Value,
    pub origin: ValueSource,
}

impl ConfiguredValue {
    pub fn new(key: Key, text: String, origin: ValueSource) -> ConfiguredValue {
        let value = if key.is_secret() {
            Value::Hidden(Secret::new(text))
        } else {
            // Registered now, so that no message about this URL shows the password.
            drop(password_in_url(&text).map(Secret::new));
            Value::Plain(text)
        };
        ConfiguredValue { key, value, origin }
    }

    fn is_from_environment(&self) -> bool {
        matches!(self.origin, ValueSource::Environment(_))
    }
}

/// A secret that was read in this run.
struct LoadedSecret {
    secret: Secret,
    /// Its source; none when the user typed it.
    origin: Option<String>,
}

/// The content of `credentials.toml` for a remote.
pub(super) struct SavedCredentials {
    pub secrets: Vec<(String, Secret)>,
    pub username: Option<String>,
}

/// The name of a saved secret's source in messages.
pub const KEPT: &str = "`haul login`";

pub(super) struct ConfiguredRemote {
    remote: String,
    /// Values from the environment come before those from the file.
    held: Vec<ConfiguredValue>,
    /// From `credentials.toml`.
    kept: Vec<(String, Secret)>,
    /// From `credentials.toml`, or typed in this run; takes precedence over `config.toml`.
    username: Mutex<Option<String>>,
    /// The folder of `config.toml`: relative paths in the file are relative to it.
    folder: PathBuf,
    env: Env,
    prompt: Option<Prompt>,
    found: Mutex<BTreeMap<String, LoadedSecret>>,
    /// No command is run for a secret.
    without_commands: AtomicBool,
}

impl ConfiguredRemote {
    pub fn new(
        remote: String,
        held: Vec<ConfiguredValue>,
        kept: SavedCredentials,
        folder: PathBuf,
        env: Env,
        prompt: Option<Prompt>,
    ) -> Self {
        let SavedCredentials { secrets: kept, username } = kept;
        ConfiguredRemote {
            remote,
            held,
            kept,
            username: Mutex::new(username),
            folder,
            env,
            prompt,
            found: Mutex::default(),
            without_commands: AtomicBool::new(false),
        }
    }

    fn find(&self, key: &str, form: KeyForm, from_environment: bool) -> Option<&ConfiguredValue> {
        self.held.iter().find(|h| h.key.setting.key == key && h.key.form == form && h.is_from_environment() == from_environment)
    }

    fn lock_secrets(&self) -> MutexGuard<'_, BTreeMap<String, LoadedSecret>> {
        self.found.lock()
    }

    /// The path in a plain key: relative to the file that contains it, or to the current folder if it comes from a variable.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        let held = self.find(key, KeyForm::Value, true).or_else(|| self.find(key, KeyForm::Value, false))?;
        match &held.value {
            Value::Plain(text) => Some(self.resolve(text, held)),
            Value::Hidden(_) => None,
        }
    }

    fn resolve(&self, text: &str, held: &ConfiguredValue) -> PathBuf {
        let base = if held.is_from_environment() { Path::new("") } else { &self.folder };
        self.env.resolve(text, base)
    }

    /// From now on no command is run: such a secret counts as not set.
    pub fn forbid_commands(&self) {
        self.without_commands.store(true, Ordering::Relaxed);
    }

    /// Uses this secret for the rest of the run, before all other sources: `login --password-stdin` has read it.
    pub fn remember_prompted(&self, key: &str, secret: Secret) {
        self.lock_secrets().insert(key.to_owned(), LoadedSecret { secret, origin: None });
    }

    /// Uses this user name for the rest of the run.
    pub fn give_username(&self, username: String) {
        *self.username() = Some(username);
    }

    fn username(&self) -> MutexGuard<'_, Option<String>> {
        self.username.lock()
    }

    /// True if the secret has another source than the user and `haul login`.
    pub fn has_elsewhere(&self, key: &str) -> bool {
        self.held.iter().any(|h| h.key.setting.key == key)
    }

    pub fn has_variable(&self, key: &str) -> bool {
        self.find(key, KeyForm::Value, true).is_some()
    }

    pub fn is_kept(&self, key: &str) -> bool {
        self.kept.iter().any(|(k, _)| k == key)
    }

    /// The secrets that this run used without asking the user: key and source.
    pub fn used_secrets(&self) -> Vec<(String, String)> {
        self.lock_secrets().iter().filter_map(|(key, found)| Some((key.clone(), found.origin.clone()?))).collect()
    }

    /// What the user typed in this run (or [`ConfiguredRemote::remember_prompted`] passed in): it may be saved in the credentials file.
    pub fn prompted_secret(&self, key: &str) -> Option<Secret> {
        self.lock_secrets().get(key).filter(|f| f.origin.is_none()).map(|f| f.secret.clone())
    }

    pub fn has_any_from_environment(&self) -> bool {
        self.held.iter().any(ConfiguredValue::is_from_environment)
    }

    /// True if `config.toml` itself contains a secret of this remote.
    pub fn has_secret_in_file(&self) -> bool {
        self.held.iter().any(|h| h.key.is_secret() && !h.is_from_environment())
    }

    /// The keys that are set and their values; secrets and the secret parts of URLs are `***`.
    pub fn display_settings(&self) -> Map<String, Json> {
        let mut shown = Map::new();
        for held in &self.held {
            let text = match &held.value {
                Value::Plain(text) => mask_url(text),
                Value::Hidden(_) => "***".to_owned(),
            };
            shown.entry(held.key.name()).or_insert(Json::String(text));
        }
        if let Some(username) = self.get("username") {
            shown.insert("username".to_owned(), Json::String(username));
        }
        for (key, _) in &self.kept {
            shown.entry(key.clone()).or_insert_with(|| Json::String("***".to_owned()));
        }
        shown
    }

    /// Returns the secret and its source.
    fn find_secret(&self, key: &str) -> Result<Option<(Secret, String)>> {
        for from_environment in [true, false] {
            for form in KeyForm::ALL {
                // A plain secret in config.toml comes after the credentials file.
                if !from_environment && form == KeyForm::Value {
                    continue;
                }
                if form == KeyForm::Command && self.without_commands.load(Ordering::Relaxed) {
                    continue;
                }
                if let Some(held) = self.find(key, form, from_environment) {
                    return self.read(held).map(Some);
                }
            }
        }
        if let Some((_, secret)) = self.kept.iter().find(|(k, _)| k == key) {
            return Ok(Some((check_form(secret, KEPT, ValueForm::Line)?, KEPT.to_owned())));
        }
        self.find(key, KeyForm::Value, false).map(|held| self.read(held)).transpose()
    }

    fn read(&self, held: &ConfiguredValue) -> Result<(Secret, String)> {
        let (origin, form) = (held.origin.to_string(), ValueForm::of(held.key.setting));
        let secret = match (&held.value, held.key.form) {
            (Value::Hidden(secret), _) => check_form(secret, &origin, form),
            (Value::Plain(text), KeyForm::File) => secret_sources::file(&self.resolve(text, held), &origin, form),
            (Value::Plain(text), KeyForm::Command) => secret_sources::command(text, &origin, form),
            (Value::Plain(text), KeyForm::Value) => Ok(Secret::new(text.clone())),
        };
        Ok((secret?, origin))
    }
}

impl RemoteSettings for ConfiguredRemote {
    fn get(&self, key: &str) -> Option<String> {
        let in_environment = self.find(key, KeyForm::Value, true).is_some();
        if key == "username"
            && !in_environment
            && let Some(username) = self.username().clone()
        {
            return Some(username);
        }
        let held = self.find(key, KeyForm::Value, true).or_else(|| self.find(key, KeyForm::Value, false))?;
        match &held.value {
            Value::Plain(text) => Some(text.clone()),
            Value::Hidden(_) => None,
        }
    }

    fn secret(&self, key: &str) -> Result<Option<Secret>> {
        // Locked while a command runs or the user types, so that no question comes twice.
        let mut found = self.lock_secrets();
        if let Some(known) = found.get(key) {
            return Ok(Some(known.secret.clone()));
        }
        let (secret, origin) = match (self.find_secret(key)?, &self.prompt) {
            (Some((secret, origin)), _) => (secret, Some(origin)),
            (None, Some(prompt)) => match prompt(&format!("{key} of {}: ", self.remote))? {
                Some(secret) => (secret, None),
                None => return Ok(None),
            },
            (None, None) => return Ok(None),
        };
        found.insert(key.to_owned(), LoadedSecret { secret: secret.clone(), origin });
        Ok(Some(secret))
    }

    fn is_set(&self, key: &str) -> bool {
        (key == "username" && self.username().is_some())
            || self.held.iter().any(|h| h.key.setting.key == key)
            || self.kept.iter().any(|(k, _)| k == key)
            || self.lock_secrets().contains_key(key)
    }
}

fn check_form(secret: &Secret, origin: &str, form: ValueForm) -> Result<Secret> {
    form.whole(secret.expose(), origin).map(Secret::new)
}

fn password_in_url(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let (user, _) = rest.split('/').next()?.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

/// A URL as it may be shown: without the part before `@`, and without the values after `?`.
pub(super) fn mask_url(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, _)) => (rest, "?***"),
        None => (rest, ""),
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host.to_owned(), |(_, host)| format!("***@{host}"));
    format!("{scheme}://{host}{path}{query}")
}
