//! The keys that a remote can have: those that its provider declares, and the few of every remote. The file, the environment
//! and `remote add` all use this list.

use crate::contract::{ProviderInfo, Setting};
use crate::model::Protocol;

/// The table of providers, as `main` passes it in.
pub type Providers = &'static [&'static ProviderInfo];

/// Keys of the remotes of all providers.
static COMMON_SETTINGS: [Setting; 5] = [
    own("provider", "which service it is"),
    own("url", "the service's address"),
    own("protocol", "the upload protocol, as `--protocol` has it"),
    own("ca_file", "PEM certificates to trust besides the system's"),
    own("insecure", "true allows plain http and ftp to a host that is not loopback"),
];

const fn own(key: &'static str, help: &'static str) -> Setting {
    Setting { key, help, secret: false, required: false, identifies: false }
}

/// The form of a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyForm {
    Value,
    /// `K_file`: the file's first line.
    File,
    /// `K_command`: the first line that the shell command prints.
    Command,
}

impl KeyForm {
    pub const ALL: [KeyForm; 3] = [KeyForm::Value, KeyForm::File, KeyForm::Command];

    pub fn suffix(self) -> &'static str {
        match self {
            KeyForm::Value => "",
            KeyForm::File => "_file",
            KeyForm::Command => "_command",
        }
    }
}

/// One key as the user may write it: a setting in one of its forms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub setting: &'static Setting,
    pub form: KeyForm,
}

impl Key {
    pub fn name(&self) -> String {
        format!("{}{}", self.setting.key, self.form.suffix())
    }

    /// True if the value itself is a secret. The name of a file or a command is none.
    pub fn is_secret(&self) -> bool {
        self.setting.secret && self.form == KeyForm::Value
    }

    /// Returns the value in its usual spelling if the key has a list of values, else unchanged. Fails with what is wrong.
    pub fn check_value(&self, value: &str) -> Result<String, String> {
        match self.setting.key {
            "insecure" => match value.to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Ok("true".to_owned()),
                "false" | "no" | "off" | "0" => Ok("false".to_owned()),
                _ => Err("`insecure` must be true or false".to_owned()),
            },
            "protocol" if value != "auto" => value.parse::<Protocol>().map(|p| p.name().to_owned()).map_err(|e| e.to_string()),
            _ => Ok(value.to_owned()),
        }
    }
}

/// Every key of a remote of this provider. The provider's own keys come first and take precedence.
pub(super) fn keys_of(provider: &'static ProviderInfo) -> Vec<Key> {
    keys(&[provider])
}

/// Every key of any remote, without repetition.
pub(super) fn keys(providers: &[&'static ProviderInfo]) -> Vec<Key> {
    let mut all: Vec<Key> = Vec::new();
    for setting in providers.iter().flat_map(|p| p.settings).chain(&COMMON_SETTINGS) {
        let forms = if setting.secret { &KeyForm::ALL[..] } else { &KeyForm::ALL[..1] };
        for key in forms.iter().map(|&form| Key { setting, form }) {
            if !all.iter().any(|k| k.name() == key.name()) {
                all.push(key);
            }
        }
    }
    all
}

pub(super) fn find(keys: &[Key], name: &str) -> Option<Key> {
    keys.iter().copied().find(|k| k.name() == name)
}

/// Returns the provider of that id or alias, without regard to case.
pub(super) fn provider(providers: Providers, name: &str) -> Option<&'static ProviderInfo> {
    let named = |p: &&ProviderInfo| p.id.eq_ignore_ascii_case(name) || p.aliases.iter().any(|a| a.eq_ignore_ascii_case(name));
    providers.iter().copied().find(named)
}

/// The hint for an unknown word: the most similar word of the list, else the whole list.
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(word, &known) {
        Some(near) => format!("write `{near}`"),
        None => format!("use one of: {}", known.join(", ")),
    }
}

/// Returns the word that was probably meant: one that differs from `word` by typing errors, or begins with it.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let distance = |k: &str| strsim::damerau_levenshtein(&word, &k.to_lowercase().replace('-', "_"));
    let best = known.iter().copied().min_by_key(|k| distance(k))?;
    // Any word is similar to a word of one or two letters.
    let is_near = distance(best) <= 1 + best.chars().count() / 3 && distance(best) * 2 < word.chars().count().max(2);
    let begins = || known.iter().copied().find(|k| word.len() > 1 && k.to_lowercase().starts_with(&word));
    if is_near { Some(best) } else { begins() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_mended_or_the_list_is_shown() {
        assert_eq!(suggestion("usernme", ["url", "username"]), "write `username`");
        assert_eq!(suggestion("ca-file", ["url", "ca_file"]), "write `ca_file`");
        assert_eq!(suggestion("URL", ["url", "ca_file"]), "write `url`");
        assert_eq!(suggestion("colour", ["url", "username"]), "use one of: url, username");
        assert_eq!(nearest("x", &[]), None);
        assert_eq!((nearest("g", &["c", "cloud"]), nearest("C", &["c"])), (None, Some("c")));
        assert_eq!((nearest("st", &["cloud", "studio"]), nearest("studoi", &["cloud", "studio"])), (Some("studio"), Some("studio")));
    }

    #[test]
    fn secrets_have_three_spellings_and_ca_file_is_no_file_of_a_secret() {
        let names: Vec<String> = keys(crate::config::tests::fixtures::PROVIDERS).iter().map(Key::name).collect();
        for name in ["password", "password_file", "password_command", "key1_command", "ca_file", "insecure", "provider"] {
            assert_eq!(names.iter().filter(|n| *n == name).count(), 1, "{name}");
        }
        assert!(!names.iter().any(|n| n == "username_file" || n == "url_command"));
    }
}
