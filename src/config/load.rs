//! Makes remotes from file, environment and credentials; each key is checked against those of the remote's provider.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::credentials::{self, SavedCredential};
use super::defaults::Defaults;
use super::edit::check_name;
use super::env::Env;
use super::env_remotes;
use super::env_remotes::{EnvSetting, env_name};
use super::file::{self, CONFIG, ConfigLine, Document, Scalar, Section};
use super::keys::{self, Key, Providers, find, keys_of, suggestion};
use super::secret_sources::Prompt;
use super::settings::{self, ConfiguredRemote, ConfiguredValue, ValueSource};
use super::url_remote::UrlRemotes;
use super::{Config, LoadOptions, Remote, private_file};
use crate::contract::ProviderInfo;
use crate::error::{Error, Kind, Result};

impl Config {
    /// Reads file, environment and credentials. A missing file counts as empty, unless `--config` names it. Fails with `Usage`
    /// and the exact position (file, line and column, or the variable) for an unknown key or provider, a value of the wrong
    /// type, names that differ only in case, and files with secrets that other users may read; with `Local` for a file that
    /// can't be read. Runs no command and does not ask the user.
    pub fn load(place: LoadOptions<'_>, providers: Providers) -> Result<Config> {
        load(place, providers)
    }

    /// Makes a remote from a text in the file's form and from the environment, without saved credentials.
    pub(super) fn read_remote(&self, text: &str, name: &str) -> Result<Remote> {
        let path = self.path()?;
        let sections = file::parse(path, text, CONFIG)?.remotes;
        let names: Vec<&str> = sections.iter().map(|r| r.name.as_str()).collect();
        let environment = env_remotes::remotes(&self.env, &keys::keys(self.providers), &names)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let (providers, env, prompt) = (self.providers, &self.env, self.prompt.clone());
        let mut builder = Builder { providers, environment, kept: Vec::new(), folder, env, prompt };
        let remotes = builder.of_file(sections)?;
        let found = remotes.into_iter().find(|r| r.name.to_lowercase() == name.to_lowercase());
        found.ok_or_else(|| Error::new(Kind::NotFound, "there is no such remote").with_subject(name))
    }
}

fn load(place: LoadOptions<'_>, providers: Providers) -> Result<Config> {
    let (path, must_exist) = config_path(&place);
    let (document, open_to_others) = match &path {
        Some(path) => read_config(path, must_exist)?,
        None => Default::default(),
    };
    // Beside a pipe or a device (`--config <(…)`, /dev/null) no file can be written.
    let credentials = path.as_deref().filter(|p| p.is_file() || !p.exists()).map(|p| p.with_file_name(credentials::FILE));
    let kept = match &credentials {
        Some(file) => credentials::read(file)?,
        None => Vec::new(),
    };

    let names: Vec<&str> = document.remotes.iter().map(|r| r.name.as_str()).collect();
    let environment = env_remotes::remotes(place.env, &keys::keys(providers), &names)?;
    let folder = path.as_deref().and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
    let mut builder = Builder { providers, environment, kept, folder, env: place.env, prompt: place.prompt.clone() };

    let defaults = Defaults::from_lines(document.defaults, place.options)?;
    let mut remotes = builder.of_file(document.remotes)?;
    if let (Some(path), true) = (&path, open_to_others)
        && remotes.iter().any(|r| r.settings.has_secret_in_file())
    {
        return Err(private_file::too_open(path));
    }
    remotes.extend(builder.of_environment()?);
    let prompt = place.prompt;
    // The remaining names have no provider: that is an error only if a command uses one of them.
    let incomplete = std::mem::take(&mut builder.environment).into_keys().collect();
    let without_remote = UrlRemotes { providers, env: place.env.clone(), prompt: builder.prompt };
    Ok(Config { path, credentials, defaults, remotes, incomplete, without_remote, providers, env: place.env.clone(), prompt })
}

/// The configuration file, and whether it must exist: only a file named by `--config` must.
fn config_path(place: &LoadOptions<'_>) -> (Option<PathBuf>, bool) {
    match &place.explicit {
        Some(path) => (Some(path.clone()), true),
        None => (place.env.path("HAUL_CONFIG").or_else(|| Some(place.env.config_dir()?.join("config.toml"))), false),
    }
}

fn read_config(path: &Path, must_exist: bool) -> Result<(Document, bool)> {
    match file::read(path, CONFIG)? {
        Some(found) => Ok(found),
        None if must_exist => Err(Error::new(Kind::Usage, "there is no such configuration file").with_subject(path.display().to_string())),
        None => Ok(Default::default()),
    }
}

struct Builder<'a> {
    providers: Providers,
    /// The variables by folded name; a remote that is made takes its variables out.
    environment: BTreeMap<String, Vec<EnvSetting>>,
    kept: Vec<SavedCredential>,
    folder: PathBuf,
    env: &'a Env,
    prompt: Option<Prompt>,
}

impl Builder<'_> {
    fn of_file(&mut self, sections: Vec<Section>) -> Result<Vec<Remote>> {
        check_names(&sections, &self.environment)?;
        sections.into_iter().map(|section| self.remote_of_file(section)).collect()
    }

    fn remote_of_file(&mut self, section: Section) -> Result<Remote> {
        let variables = self.environment.remove(&env_name(&section.name)).unwrap_or_default();
        let in_file = section.lines.iter().find(|l| l.key == "provider");
        let provider = match (provider_variable(&variables), in_file) {
            (Some(variable), _) => self.provider(&variable.value, &ValueSource::Environment(variable.variable.clone()))?,
            (None, Some(line)) => {
                let Scalar::Text(name) = &line.value else { return Err(wrong_type(line, "string")) };
                self.provider(name, &ValueSource::File(line.value_at.clone()))?
            }
            (None, None) => {
                let missing = section.at.error(format!("the remote `{}` has no `provider`", section.name));
                return Err(missing.with_hint(suggestion("", self.providers.iter().map(|p| p.id))));
            }
        };
        let mut held = values_from_environment(variables, provider)?;
        for line in section.lines {
            held.push(value_from_file(line, provider)?);
        }
        Ok(self.remote(section.name, provider, held, true))
    }

    /// Remotes that have no section in the file.
    fn of_environment(&mut self) -> Result<Vec<Remote>> {
        let complete = |variables: &Vec<EnvSetting>| provider_variable(variables).is_some();
        let names: Vec<String> = self.environment.iter().filter(|(_, v)| complete(v)).map(|(name, _)| name.clone()).collect();
        let mut remotes = Vec::new();
        for name in names {
            let variables = self.environment.remove(&name).unwrap_or_default();
            let Some(variable) = provider_variable(&variables) else { continue };
            let provider = self.provider(&variable.value, &ValueSource::Environment(variable.variable.clone()))?;
            let held = values_from_environment(variables, provider)?;
            remotes.push(self.remote(name, provider, held, false));
        }
        Ok(remotes)
    }

    fn provider(&self, name: &str, origin: &ValueSource) -> Result<&'static ProviderInfo> {
        keys::provider(self.providers, name).ok_or_else(|| {
            let known = self.providers.iter().flat_map(|p| std::iter::once(&p.id).chain(p.aliases)).copied();
            origin.error(format!("there is no provider `{name}`")).with_hint(suggestion(name, known))
        })
    }

    fn remote(&self, name: String, provider: &'static ProviderInfo, held: Vec<ConfiguredValue>, in_file: bool) -> Remote {
        let mine = self.kept.iter().filter(|k| k.remote.to_lowercase() == name.to_lowercase()).flat_map(|k| k.secrets.clone());
        let secrets = mine.filter(|(key, _)| provider.settings.iter().any(|s| s.secret && s.key == key)).collect();
        let of_user = self.kept.iter().filter(|k| k.remote.to_lowercase() == name.to_lowercase()).find_map(|k| k.username.clone());
        let of_user = of_user.filter(|_| provider.settings.iter().any(|s| s.key == "username"));
        let kept = settings::SavedCredentials { secrets, username: of_user };
        let settings = ConfiguredRemote::new(name.clone(), held, kept, self.folder.clone(), self.env.clone(), self.prompt.clone());
        Remote { name, provider, in_file, settings: Arc::new(settings) }
    }
}

fn provider_variable(variables: &[EnvSetting]) -> Option<&EnvSetting> {
    variables.iter().find(|v| v.key.setting.key == "provider")
}

/// Fails for names that can't be addressed, that differ only in case, or that share a variable.
fn check_names(sections: &[Section], environment: &BTreeMap<String, Vec<EnvSetting>>) -> Result<()> {
    let mut seen: BTreeMap<String, &Section> = BTreeMap::new();
    for section in sections {
        check_name(&section.name).map_err(|e| e.with_subject(section.at.to_string()))?;
        let Some(other) = seen.insert(env_name(&section.name), section) else { continue };
        if other.name.to_lowercase() == section.name.to_lowercase() {
            let wrong = section.at.error(format!("`{}` and `{}` are the same name: case does not count", other.name, section.name));
            return Err(wrong.with_hint("rename one of them"));
        }
        if let Some(variable) = environment.get(&env_name(&section.name)).and_then(|v| v.first()) {
            let both = format!("this variable fits two remotes: `{}` and `{}`", other.name, section.name);
            return Err(Error::new(Kind::Usage, both).with_subject(variable.variable.clone()).with_hint("rename one of them"));
        }
    }
    Ok(())
}

fn values_from_environment(variables: Vec<EnvSetting>, provider: &'static ProviderInfo) -> Result<Vec<ConfiguredValue>> {
    let keys = keys_of(provider);
    let judge = |v: EnvSetting| {
        let origin = ValueSource::Environment(v.variable);
        let key = find(&keys, &v.key.name()).ok_or_else(|| unknown_key(&v.key.name(), provider, &keys, &origin))?;
        let value = key.check_value(&v.value).map_err(|why| origin.error(why))?;
        Ok(ConfiguredValue::new(key, value, origin))
    };
    variables.into_iter().map(judge).collect()
}

fn value_from_file(line: ConfigLine, provider: &'static ProviderInfo) -> Result<ConfiguredValue> {
    let keys = keys_of(provider);
    let Some(key) = find(&keys, &line.key) else {
        return Err(unknown_key(&line.key, provider, &keys, &ValueSource::File(line.key_at)));
    };
    // Names and secrets must be quoted: 007 and 1e3 would become other texts.
    let text = match (&line.value, key.setting.key) {
        (Scalar::Flag(on), "insecure") => on.to_string(),
        (_, "insecure") => return Err(wrong_type(&line, "boolean")),
        (Scalar::Text(text), _) => text.clone(),
        _ => return Err(wrong_type(&line, "string")),
    };
    let text = key.check_value(&text).map_err(|why| line.value_at.error(why))?;
    Ok(ConfiguredValue::new(key, text, ValueSource::File(line.value_at)))
}

fn wrong_type(line: &ConfigLine, wanted: &str) -> Error {
    let error = line.value_at.error(format!("`{}` must be a {wanted}, not a TOML {}", line.key, line.value.type_name()));
    match wanted {
        "boolean" => error.with_hint(format!("write `{0} = true` or `{0} = false`", line.key)),
        _ => error.with_hint(format!("write it in quotes: `{} = \"…\"`", line.key)),
    }
}

fn unknown_key(name: &str, provider: &ProviderInfo, keys: &[Key], origin: &ValueSource) -> Error {
    let names: Vec<String> = keys.iter().map(Key::name).collect();
    let wrong = origin.error(format!("a remote of {} has no key `{name}`", provider.title));
    wrong.with_hint(suggestion(name, names.iter().map(String::as_str)))
}
