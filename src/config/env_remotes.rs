//! Remotes in the environment: `HAUL_REMOTE_<NAME>_<KEY>`. Both name and key may contain underscores, so the known keys decide
//! where the name ends.

use std::collections::BTreeMap;

use super::env::Env;
use super::keys::{Key, find, nearest};
use crate::error::{Error, Kind, Result};

pub(super) const PREFIX: &str = "HAUL_REMOTE_";

/// One variable that sets a key of a remote.
pub(super) struct EnvSetting {
    pub variable: String,
    pub key: Key,
    pub value: String,
}

/// A remote's name as the environment spells it: `My-Studio` is `my_studio` there.
pub(super) fn env_name(name: &str) -> String {
    name.to_lowercase().replace(['-', '.'], "_")
}

/// The variables of each remote, by its folded name. `configured` are the names in the file. Where a variable can be split in
/// two ways, a remote that exists in the file, or that has a `_PROVIDER` variable, takes precedence; else the longest key.
/// Fails with `Usage` when the variable ends in no known key, or when two variables differ only in case.
pub(super) fn remotes(env: &Env, keys: &[Key], configured: &[&str]) -> Result<BTreeMap<String, Vec<EnvSetting>>> {
    let mut known: Vec<String> = configured.iter().map(|name| env_name(name)).collect();
    for ours in env.beginning_with(PREFIX) {
        known.extend(rest_of(ours?.0).strip_suffix("_provider").map(str::to_owned));
    }

    let mut remotes: BTreeMap<String, Vec<EnvSetting>> = BTreeMap::new();
    for ours in env.beginning_with(PREFIX) {
        let (variable, value) = ours?;
        let rest = rest_of(variable);
        let (name, key) = split(&rest, keys, &known).ok_or_else(|| no_key(variable, &rest, keys))?;
        let variables = remotes.entry(name).or_default();
        if let Some(other) = variables.iter().find(|v| v.key.name() == key.name()) {
            return Err(Error::new(Kind::Usage, format!("{} says the same", other.variable))
                .with_subject(variable)
                .with_hint("unset one of them"));
        }
        variables.push(EnvSetting { variable: variable.to_owned(), key, value: value.to_owned() });
    }
    Ok(remotes)
}

/// Name and key, not yet split, in lower case.
fn rest_of(variable: &str) -> String {
    variable.strip_prefix(PREFIX).unwrap_or_default().to_lowercase()
}

/// Every way to split `rest` into name and key, the longest key first.
fn candidate_splits(rest: &str) -> impl Iterator<Item = (&str, &str)> {
    rest.match_indices('_')
        .map(|(at, _)| rest.split_at(at))
        .filter_map(|(name, key)| Some((name, key.strip_prefix('_')?)))
        .filter(|(name, key)| !name.is_empty() && !key.is_empty())
}

fn split(rest: &str, keys: &[Key], known: &[String]) -> Option<(String, Key)> {
    let fitting: Vec<(&str, Key)> = candidate_splits(rest).filter_map(|(name, key)| Some((name, find(keys, key)?))).collect();
    let meant = fitting.iter().find(|(name, _)| known.iter().any(|k| k == name));
    meant.or(fitting.first()).map(|(name, key)| ((*name).to_owned(), *key))
}

fn no_key(variable: &str, rest: &str, keys: &[Key]) -> Error {
    let names: Vec<String> = keys.iter().map(Key::name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // The tail that is most similar to a key: of `PASS_WORD` and `WORD` the first.
    let mended = candidate_splits(rest).filter_map(|(name, tail)| {
        let near = nearest(tail, &names)?;
        Some((strsim::damerau_levenshtein(tail, near), name, near))
    });
    let error = Error::new(Kind::Usage, "this variable ends in no key of a remote").with_subject(variable);
    match mended.min_by_key(|(distance, ..)| *distance) {
        Some((_, name, near)) => error.with_hint(format!("write `{PREFIX}{}_{}`", name.to_uppercase(), near.to_uppercase())),
        None => error.with_hint(format!("end it in one of: {}", names.join(", ").to_uppercase())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::keys;
    use crate::config::tests::fixtures::PROVIDERS;

    fn read(vars: &[(&str, &str)], configured: &[&str]) -> Result<Vec<String>> {
        let env = Env::new(vars.iter().copied());
        let found = remotes(&env, &keys(PROVIDERS), configured)?;
        let line = |name: &str, v: &EnvSetting| format!("{name}: {} = {}", v.key.name(), v.value);
        Ok(found.iter().flat_map(|(name, variables)| variables.iter().map(move |v| line(name, v))).collect())
    }

    #[test]
    fn names_and_keys_with_underscores() {
        let found = read(
            &[
                ("HAUL_REMOTE_CI_PROVIDER", "iogates"),
                ("HAUL_REMOTE_CI_SHARE_URL", "https://s"),
                ("HAUL_REMOTE_My_Big_Studio_PASSWORD_FILE", "/p"),
                ("HAUL_REMOTE_my_big_studio_ca_file", "/c"),
                ("HAUL_REMOTE_SHARE_URL", "https://u"),
                ("HAUL_OTHER", "x"),
            ],
            &[],
        );
        let expected = [
            "ci: provider = iogates",
            "ci: share_url = https://s",
            "my_big_studio: password_file = /p",
            "my_big_studio: ca_file = /c",
            "share: url = https://u",
        ];
        assert_eq!(found.unwrap(), expected);
    }

    #[test]
    fn a_remote_that_exists_beats_the_longest_key() {
        let vars = [("HAUL_REMOTE_MY_SHARE_URL", "x")];
        assert_eq!(read(&vars, &[]).unwrap(), ["my: share_url = x"]);
        assert_eq!(read(&vars, &["my-share"]).unwrap(), ["my_share: url = x"]);
        assert_eq!(read(&vars, &["my-share", "My"]).unwrap(), ["my: share_url = x"]);
        let with_provider = [("HAUL_REMOTE_MY_SHARE_PROVIDER", "giga0"), vars[0]];
        assert_eq!(read(&with_provider, &[]).unwrap(), ["my_share: provider = giga0", "my_share: url = x"]);
    }

    #[test]
    fn mistakes_name_the_variable() {
        let wrong = |vars: &[(&str, &str)]| {
            let e = read(vars, &[]).unwrap_err();
            assert_eq!(e.kind(), Kind::Usage);
            e.to_string()
        };
        assert_eq!(
            wrong(&[("HAUL_REMOTE_MY_CI_PASSWROD", "hunter22")]),
            "HAUL_REMOTE_MY_CI_PASSWROD: this variable ends in no key of a remote; write `HAUL_REMOTE_MY_CI_PASSWORD`"
        );
        assert!(wrong(&[("HAUL_REMOTE_X", "y")]).contains("; end it in one of: USERNAME, "));
        assert!(wrong(&[("HAUL_REMOTE__URL", "y")]).starts_with("HAUL_REMOTE__URL: "));
        assert_eq!(
            wrong(&[("HAUL_REMOTE_A_URL", "1"), ("HAUL_REMOTE_a_URL", "2")]),
            "HAUL_REMOTE_a_URL: HAUL_REMOTE_A_URL says the same; unset one of them"
        );
    }
}
