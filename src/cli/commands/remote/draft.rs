//! A remote before it is in the configuration: the settings so far, and the questions for the rest.

use std::fmt::Write;

use super::settings::{provider, report};
use crate::cli::abilities::LIST;
use crate::cli::commands::login;
use crate::cli::connection::ConnectArgs;
use crate::cli::context::Context;
use crate::cli::questions::{is_yes, line_or, read_line, secret};
use crate::config::Remote;
use crate::contract::ProviderInfo;
use crate::error::{Error, Kind, Result};
use crate::model::{Account, Secret};
use crate::providers::REGISTRY;

/// The most answers that are tried for one question.
const MAX_PROMPTS: usize = 5;

pub(super) struct Draft {
    pub name: Option<String>,
    pub provider: Option<&'static ProviderInfo>,
    pub settings: Vec<(String, String)>,
}

impl Draft {
    /// Everything that a remote of this provider can't do without, and who signs in.
    pub fn has_all(&self) -> bool {
        let Some(provider) = self.provider else { return false };
        let takes_a_name = provider.settings.iter().any(|s| s.key == "username");
        self.name.is_some() && self.missing().is_none() && (!takes_a_name || self.says_who(provider))
    }

    fn says_who(&self, provider: &ProviderInfo) -> bool {
        let of_secret = |key: &str, s: &str| key == s || key.strip_prefix(s).is_some_and(|form| form == "_file" || form == "_command");
        let identifies = |key: &str| provider.settings.iter().any(|s| s.identifies && of_secret(key, s.key));
        self.settings.iter().any(|(key, _)| key == "username" || identifies(key))
    }

    fn is_set(&self, key: &str) -> bool {
        self.settings.iter().any(|(set, _)| set == key)
    }

    /// A plain key that the provider needs.
    fn missing(&self) -> Option<&'static str> {
        let provider = self.provider?;
        let needed = |s: &&crate::contract::Setting| s.required || (s.key == "url" && provider.default_url.is_none());
        provider.settings.iter().filter(needed).find(|s| !s.secret && !self.is_set(s.key)).map(|s| s.key)
    }

    /// Name and provider. Fails with `Usage` and a command that has all.
    pub fn name_and_provider(&self) -> Result<(String, &'static ProviderInfo)> {
        let lacking =
            |what: &str| Error::new(Kind::Usage, format!("a new remote needs {what}")).with_hint(format!("write `{}`", self.example()));
        match (&self.name, self.provider) {
            (None, _) => Err(lacking("a name")),
            (Some(name), None) => Err(lacking("--provider").with_subject(name.clone())),
            (Some(name), Some(provider)) => match self.missing() {
                None => Ok((name.clone(), provider)),
                Some(_) => Err(lacking(&self.missing_keys()).with_subject(name.clone())),
            },
        }
    }

    /// "`url` (the address of your FileAgo server)"
    fn missing_keys(&self) -> String {
        let help = |key: &str| self.provider.and_then(|p| p.settings.iter().find(|s| s.key == key)).map_or("", |s| s.help);
        self.missing().map(|key| format!("`{key}` ({})", help(key))).unwrap_or_default()
    }

    /// A mistake in a setting belongs to this remote.
    pub fn with_remote_name(&self, error: Error) -> Error {
        error.with_subject(self.name.clone().unwrap_or_default())
    }

    /// The command with all that it needs.
    fn example(&self) -> String {
        let provider = self.provider.or(REGISTRY.first().copied());
        let mut command = format!("haul remote add {}", self.name.as_deref().unwrap_or("studio"));
        let Some(provider) = provider else { return command };
        let _ = write!(command, " --provider {}", provider.id);
        for (key, value) in &self.settings {
            let _ = write!(command, " {key}={value}");
        }
        for needed in provider.settings.iter().filter(|s| !s.secret && !self.is_set(s.key)) {
            match needed.key {
                "url" if provider.default_url.is_none() => {
                    let _ = write!(command, " url={}", provider.sample_url);
                }
                "username" if !self.says_who(provider) => command.push_str(" username=ann"),
                _ => {}
            }
        }
        command
    }

    /// Asks for missing settings, tries them, and writes the remote when they work or the user says so.
    pub async fn complete(mut self, context: &mut Context, connection: ConnectArgs) -> Result<u8> {
        let provider = match self.provider {
            Some(provider) => provider,
            None => ask_provider(context).await?,
        };
        self.provider = Some(provider);
        let name = self.ask_name(context, provider).await?;
        self.ask_address(context, &name, provider, connection).await?;
        let mut signed_in = None;
        let mut credentials = Vec::new();
        for attempt in 1..=MAX_PROMPTS {
            let before = self.settings.clone();
            credentials = self.ask_credentials(context, &name, provider).await?;
            let remote = context.config.draft_remote(&name, provider, &self.settings).map_err(|e| self.with_remote_name(e))?;
            if self.cannot_sign_in(&remote, &credentials) {
                context.renderer.warning(&format!("the sign-in is not tried: {} is not set yet", remote.variable("password")));
                break;
            }
            credentials.iter().for_each(|(key, secret)| remote.give(key, secret.clone()));
            match login::sign_in(context, &remote, connection, false).await {
                Ok(account) => {
                    signed_in = Some(account);
                    break;
                }
                Err(error) => context.renderer.error(&error),
            }
            if attempt == MAX_PROMPTS || is_yes(context, "Add this remote all the same?").await? {
                break;
            }
            // The answers of this round are asked for again.
            self.settings = before;
            if let Some(at) = self.settings.iter().position(|(key, _)| key == "username") {
                self.settings.remove(at);
            }
        }
        self.write(context, &name, provider, credentials, signed_in, connection)
    }

    fn write(
        &self,
        context: &mut Context,
        name: &str,
        provider: &'static ProviderInfo,
        credentials: Vec<(&'static str, Secret)>,
        signed_in: Option<Account>,
        connection: ConnectArgs,
    ) -> Result<u8> {
        context.config.add_remote(name, provider, &self.settings)?;
        for (key, secret) in &credentials {
            context.config.save_credentials(name, key, secret)?;
        }
        let remote = context.config.draft_remote(name, provider, &self.settings)?;
        let opened = context.open_with(remote, context.state(), connection)?;
        let next = match signed_in {
            None => format!("haul remote check {name}"),
            Some(_) if opened.can(&LIST) => format!("haul ls {name}:"),
            Some(_) => format!("haul put FILE {name}:"),
        };
        report(context, "added", name, Some(next))
    }

    /// The secret is to come from a variable that is not there.
    fn cannot_sign_in(&self, remote: &Remote, credentials: &[(&'static str, Secret)]) -> bool {
        let secrets = remote.secrets();
        let mut keys = remote.provider.settings.iter().filter(|s| s.secret).map(|s| s.key);
        credentials.is_empty() && self.is_set("username") && !keys.any(|key| secrets.is_set(key)) && self.needs_password()
    }

    fn needs_password(&self) -> bool {
        self.provider.is_some_and(|p| p.settings.iter().any(|s| s.secret && s.key == "password"))
    }

    async fn ask_name(&mut self, context: &Context, provider: &ProviderInfo) -> Result<String> {
        for _ in 0..MAX_PROMPTS {
            let name = match self.name.take() {
                Some(name) => name,
                None => line_or(context, "What will you call it, as in NAME:PATH?", provider.id).await?,
            };
            let name = name.trim_end_matches(':').to_owned();
            if context.config.remote(&name).is_ok() {
                context.renderer.warning(&format!("there is a remote `{name}` already; `haul remote set {name} KEY=VALUE` changes it"));
                continue;
            }
            match crate::config::check_remote_name(&name) {
                Ok(()) => {
                    self.name = Some(name.clone());
                    return Ok(name);
                }
                Err(error) => context.renderer.error(&error),
            }
        }
        Err(Error::new(Kind::Usage, "no name was given that can be used"))
    }

    /// The address is good when something answers there.
    async fn ask_address(&mut self, context: &Context, name: &str, provider: &'static ProviderInfo, connection: ConnectArgs) -> Result<()> {
        let mut known = self.settings.iter().find(|(key, _)| key == "url").map(|(_, url)| url.clone());
        let mut is_asked = known.is_none();
        for _ in 0..MAX_PROMPTS {
            if is_asked {
                let help = provider.settings.iter().find(|s| s.key == "url").map_or("its address", |s| s.help);
                let question = format!("Address: {help}");
                let usual = known.as_deref().or(provider.default_url);
                let typed = match usual {
                    Some(usual) => line_or(context, &question, usual).await?,
                    None => read_line(context, &format!("{question} (as {}): ", provider.sample_url)).await?,
                };
                if typed.is_empty() {
                    continue;
                }
                let scheme = provider.sample_url.split_once("://").map_or("https", |(scheme, _)| scheme);
                let typed = if typed.contains("://") { typed } else { format!("{scheme}://{typed}") };
                let is_same = known.as_ref() == Some(&typed);
                self.set("url", (Some(typed.as_str()) != provider.default_url).then(|| typed.clone()));
                known = Some(typed);
                if is_same && is_yes(context, "Keep this address all the same?").await? {
                    return Ok(());
                }
            }
            is_asked = true;
            match self.reach(context, name, provider, connection).await {
                Ok(found) => {
                    context.renderer.print_message(&format!("ok    {found}"));
                    return Ok(());
                }
                Err(error) => {
                    context.renderer.error(&error);
                    self.ask_about(context, &error).await?;
                }
            }
        }
        Err(Error::new(Kind::Usage, "no address was given that answers").with_subject(name))
    }

    /// What else the address needs before it can be used.
    async fn ask_about(&mut self, context: &Context, error: &Error) -> Result<()> {
        let is_plain = error.kind() == Kind::Usage && error.hint().is_some_and(|hint| hint.contains("insecure"));
        if is_plain && is_yes(context, "Use this address although everybody on the way can read the password?").await? {
            self.set("insecure", Some("true".to_owned()));
        }
        if error.kind() == Kind::Untrusted {
            let file = read_line(context, "A PEM file with the certificate to trust (Enter: none): ").await?;
            self.set("ca_file", Some(file).filter(|file| !file.is_empty()));
        }
        Ok(())
    }

    async fn reach(&self, context: &Context, name: &str, provider: &'static ProviderInfo, connection: ConnectArgs) -> Result<String> {
        // A user name that is needed is asked for later.
        let mut settings = self.settings.clone();
        let is_needed = |s: &crate::contract::Setting| s.required || (s.key == "username" && !self.says_who(provider));
        for needed in provider.settings.iter().filter(|s| is_needed(s) && !s.secret && s.key != "url" && !self.is_set(s.key)) {
            settings.push((needed.key.to_owned(), "-".to_owned()));
        }
        let remote = context.config.draft_remote(name, provider, &settings)?;
        // The person who mistyped the address waits for this answer: one try.
        let remote = context.open_with(remote, context.state(), ConnectArgs { retries: 1, ..connection })?;
        context.client(&remote).call(|p| p.reach()).await
    }

    fn set(&mut self, key: &str, value: Option<String>) {
        self.settings.retain(|(set, _)| set != key);
        self.settings.extend(value.map(|value| (key.to_owned(), value)));
    }

    /// Who signs in, and by which secret. The secrets that are to be kept in the credentials file are returned.
    async fn ask_credentials(
        &mut self,
        context: &Context,
        name: &str,
        provider: &'static ProviderInfo,
    ) -> Result<Vec<(&'static str, Secret)>> {
        let takes = |key: &str| provider.settings.iter().find(|s| s.key == key);
        let mut wanted = Vec::new();
        if !self.says_who(provider)
            && let Some(user) = takes("username")
        {
            let share = if takes("share_url").is_some() { ", or the link of a share" } else { "" };
            let keys = if takes("key1").is_some() {
                " (Enter: sign in by API keys)"
            } else if user.required {
                ""
            } else {
                " (Enter: none)"
            };
            let typed = read_line(context, &format!("User name{share}{keys}: ")).await?;
            match typed {
                link if link.starts_with("https://") || link.starts_with("http://") => {
                    return Ok(takes("share_url").map(|s| (s.key, Secret::new(link))).into_iter().collect());
                }
                none if none.is_empty() => wanted.extend(takes("key1").into_iter().chain(takes("key2")).map(|s| s.key)),
                user => self.set("username", Some(user)),
            }
        }
        if self.is_set("username") {
            wanted.extend(takes("password").map(|s| s.key));
        } else if takes("username").is_none() {
            wanted.extend(takes("token").map(|s| s.key));
        }
        let draft = context.config.draft_remote(name, provider, &self.settings).map_err(|e| self.with_remote_name(e))?;
        wanted.retain(|key| !draft.secrets().is_set(key));
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        self.ask_secrets(context, &draft, &wanted).await
    }

    async fn ask_secrets(&mut self, context: &Context, draft: &Remote, wanted: &[&'static str]) -> Result<Vec<(&'static str, Secret)>> {
        let first = wanted.first().copied().unwrap_or_default();
        context.renderer.print_message(&format!(
            "Where is the {first} to be kept?\n  1  in the credentials file beside the configuration, which only you can read\n  \
             2  nowhere here: a command prints it (pass, op, secret-tool, …)\n  3  nowhere here: the environment has it ({})",
            draft.variable(first)
        ));
        match ask_secret_place(context).await? {
            SecretPlace::Command => {
                for key in wanted {
                    let command = read_line(context, &format!("The command that prints the {key}: ")).await?;
                    self.set(&format!("{key}_command"), Some(command).filter(|command| !command.is_empty()));
                }
                Ok(Vec::new())
            }
            SecretPlace::Environment => {
                let variables: Vec<String> = wanted.iter().map(|key| draft.variable(key)).collect();
                context.renderer.print_message(&format!("Set {} before you use the remote.", variables.join(" and ")));
                Ok(Vec::new())
            }
            SecretPlace::File => {
                let mut typed = Vec::new();
                for key in wanted.iter().copied() {
                    let optional = if key == "token" { " (Enter: none)" } else { "" };
                    typed.extend(secret(context, format!("{key} of {}{optional}: ", draft.name)).await?.map(|secret| (key, secret)));
                }
                Ok(typed)
            }
        }
    }
}

/// Where a secret is kept.
enum SecretPlace {
    File,
    Command,
    Environment,
}

async fn ask_secret_place(context: &Context) -> Result<SecretPlace> {
    for _ in 0..MAX_PROMPTS {
        match line_or(context, "1, 2 or 3", "1").await?.as_str() {
            "1" => return Ok(SecretPlace::File),
            "2" => return Ok(SecretPlace::Command),
            "3" => return Ok(SecretPlace::Environment),
            // The answer is not repeated: somebody may have typed the secret itself.
            _ => context.renderer.warning("this is none of the three; answer 1, 2 or 3"),
        }
    }
    Err(Error::new(Kind::Usage, "none of 1, 2 or 3 was chosen"))
}

async fn ask_provider(context: &Context) -> Result<&'static ProviderInfo> {
    let mut list = String::from("Which provider is it?");
    for (number, info) in REGISTRY.iter().enumerate() {
        let also = if info.aliases.is_empty() { String::new() } else { format!(" (also: {})", info.aliases.join(", ")) };
        let _ = write!(list, "\n  {}  {:<8} {}{also}", number + 1, info.id, info.title);
    }
    context.renderer.print_message(&list);
    for _ in 0..MAX_PROMPTS {
        let typed = read_line(context, "Its number or name: ").await?;
        if typed.is_empty() {
            continue;
        }
        let by_number = typed.parse::<usize>().ok().and_then(|number| REGISTRY.get(number.checked_sub(1)?).copied());
        match by_number.map_or_else(|| provider(&typed), Ok) {
            Ok(found) => return Ok(found),
            Err(error) => context.renderer.error(&error),
        }
    }
    Err(Error::new(Kind::Usage, "no provider was chosen"))
}
