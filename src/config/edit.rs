//! Adds, changes and removes remotes in `config.toml`. The file belongs to the user: comments, order and spelling of everything
//! else stay unchanged.

use std::path::Path;

use toml_edit::{DocumentMut, Item, Key as TomlKey, Table, TableLike, Value};

use super::file::{self, CONFIG, Document};
use super::keys::{Key, find, keys_of, suggestion};
use super::private_file;
use crate::contract::ProviderInfo;
use crate::error::{Error, Kind, Result};

/// Appends `[remotes.NAME]`. Fails with `Exists` when there is a remote of that name; with `Usage` when a key is unknown, a
/// required key is missing, or a value is a secret (no option takes one); and with `Local` when the file can't be written.
/// Makes the file and its folder if they are missing.
pub fn add_remote(path: &Path, name: &str, provider: &'static ProviderInfo, settings: &[(String, String)]) -> Result<()> {
    check_name(name)?;
    let section = section(name, provider, settings)?;
    private_file::rewrite(path, |old| {
        let document = file::parse(path, old, CONFIG)?;
        if let Some(there) = same_name(&document, name) {
            let exists = Error::new(Kind::Exists, "there is a remote of this name already").with_subject(there.at.to_string());
            return Err(exists.with_hint(format!(
                "change it with `haul remote set {0} KEY=VALUE`, or remove it with `haul remote remove {0}`",
                there.name
            )));
        }
        let gap = match old {
            "" => "",
            text if text.ends_with('\n') => "\n",
            _ => "\n\n",
        };
        let new = format!("{old}{gap}{section}");
        // `remotes = { … }` on one line can't have a section after it.
        file::parse(path, &new, CONFIG).map_err(|_| unreadable(path))?;
        Ok(new)
    })
}

/// Removes a remote and the comment directly above it. Fails with `NotFound` when the file has no remote of that name.
pub fn remove_remote(path: &Path, name: &str) -> Result<()> {
    if !path.exists() {
        return Err(not_found(name));
    }
    private_file::rewrite(path, |old| {
        let parsed = file::parse(path, old, CONFIG)?;
        let there = same_name(&parsed, name).ok_or_else(|| not_found(name))?;
        let mut document: DocumentMut = old.parse().map_err(|_| unreadable(path))?;
        let remotes = document.get_mut("remotes").and_then(Item::as_table_like_mut).ok_or_else(|| unreadable(path))?;
        if let Some(Item::Table(table)) = remotes.remove(&there.name) {
            keep_comments(&mut document, &table);
        }
        Ok(document.to_string())
    })
}

/// Changes keys of a remote; the value none removes a key. `judge` may refuse the changed file. Fails like [`add_remote`].
pub fn set_remote(
    path: &Path,
    name: &str,
    provider: &'static ProviderInfo,
    settings: &[(String, Option<String>)],
    judge: impl Fn(&str) -> Result<()>,
) -> Result<()> {
    let keys = keys_of(provider);
    let values = settings
        .iter()
        .map(|(name, value)| Ok((name, value.as_ref().map(|value| format_value(&keys, name, value, provider)).transpose()?)));
    let values = values.collect::<Result<Vec<_>>>()?;
    change(
        path,
        name,
        |there, remotes| {
            let remote = remotes.get_mut(there).and_then(Item::as_table_like_mut).ok_or_else(|| unreadable(path))?;
            for (key, value) in &values {
                match (value, remote.get_mut(key).and_then(Item::as_value_mut)) {
                    (None, _) => drop(remote.remove(key)),
                    (Some(new), Some(old)) => {
                        let decor = old.decor().clone();
                        *old = new.clone();
                        // A comment after the value stays.
                        *old.decor_mut() = decor;
                    }
                    (Some(new), None) => drop(remote.insert(key, Item::Value(new.clone()))),
                }
            }
            Ok(())
        },
        judge,
    )
}

/// Renames a remote. Fails with `NotFound`, and with `Usage` for a text that can't be a name.
pub fn rename_remote(path: &Path, old: &str, new: &str) -> Result<()> {
    check_name(new)?;
    change(
        path,
        old,
        |there, remotes| {
            let item = remotes.remove(there).ok_or_else(|| unreadable(path))?;
            remotes.insert(new, item);
            Ok(())
        },
        |_| Ok(()),
    )
}

/// Changes the file's table of remotes by `edit`, which gets the name as the file spells it.
fn change(
    path: &Path,
    name: &str,
    edit: impl Fn(&str, &mut dyn TableLike) -> Result<()>,
    judge: impl Fn(&str) -> Result<()>,
) -> Result<()> {
    private_file::rewrite(path, |old| {
        let parsed = file::parse(path, old, CONFIG)?;
        let there = same_name(&parsed, name).ok_or_else(|| not_found(name))?;
        let mut document: DocumentMut = old.parse().map_err(|_| unreadable(path))?;
        let remotes = document.get_mut("remotes").and_then(Item::as_table_like_mut).ok_or_else(|| unreadable(path))?;
        edit(&there.name, remotes)?;
        let new = document.to_string();
        judge(&new)?;
        Ok(new)
    })
}

fn not_found(name: &str) -> Error {
    Error::new(Kind::NotFound, "there is no such remote in the configuration file").with_subject(name)
}

/// Checks that a remote of this name can be addressed as `NAME:PATH`.
pub fn check_name(name: &str) -> Result<()> {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && name != "." && name.chars().all(fine) {
        return Ok(());
    }
    Err(Error::new(Kind::Usage, format!("{name:?} can't be a remote's name")).with_hint("use letters, digits, `-`, `_` and `.`"))
}

fn same_name<'d>(document: &'d Document, name: &str) -> Option<&'d file::Section> {
    document.remotes.iter().find(|r| r.name.to_lowercase() == name.to_lowercase())
}

/// `[remotes.NAME]` and its lines. Fails like [`add_remote`].
pub(super) fn section(name: &str, provider: &'static ProviderInfo, settings: &[(String, String)]) -> Result<String> {
    let keys = keys_of(provider);
    let mut lines = vec![("provider".to_owned(), toml_edit::value(provider.id))];
    for (name, value) in settings {
        let value = format_value(&keys, name, value, provider)?;
        if lines.iter().any(|(set, _)| set == name) {
            return Err(Error::new(Kind::Usage, format!("`{name}` is set twice")));
        }
        lines.push((name.clone(), Item::Value(value)));
    }
    for needed in provider.settings.iter().filter(|s| s.required && !s.secret) {
        let given = lines.iter().any(|(set, _)| set == needed.key) || (needed.key == "url" && provider.default_url.is_some());
        if !given {
            let missing = Error::new(Kind::Usage, format!("a remote of {} needs `{}`: {}", provider.title, needed.key, needed.help));
            return Err(missing.with_hint(format!("add {}=… to the command", needed.key)));
        }
    }
    let mut text = format!("[remotes.{}]\n", TomlKey::new(name));
    for (key, value) in lines {
        text.push_str(&format!("{key} = {}\n", value.to_string().trim()));
    }
    Ok(text)
}

/// A value of a key as the file holds it.
fn format_value(keys: &[Key], name: &str, value: &str, provider: &ProviderInfo) -> Result<Value> {
    let key = find(keys, name).ok_or_else(|| unknown_key_error(keys, name, provider))?;
    if key.is_secret() {
        let hint = format!("use `haul login`, or set {name}_command or {name}_file");
        return Err(Error::new(Kind::Usage, format!("`{name}` is a secret and would stay in the shell's history")).with_hint(hint));
    }
    let value = key.check_value(value).map_err(|why| Error::new(Kind::Usage, why))?;
    Ok(if name == "insecure" { Value::from(value == "true") } else { Value::from(value) })
}

fn unknown_key_error(keys: &[Key], name: &str, provider: &ProviderInfo) -> Error {
    let names: Vec<String> = keys.iter().map(Key::name).collect();
    Error::new(Kind::Usage, format!("a remote of {} has no key `{name}`", provider.title))
        .with_hint(suggestion(name, names.iter().map(String::as_str)))
}

/// If a blank line separates a comment from the removed section, the comment belongs to the rest of the file and stays.
fn keep_comments(document: &mut DocumentMut, removed: &Table) {
    let above = removed.decor().prefix().and_then(|p| p.as_str()).unwrap_or_default();
    let Some((kept, _)) = above.rsplit_once("\n\n") else { return };
    if kept.trim().is_empty() {
        return;
    }
    let mut positions = Vec::new();
    collect_positions(document.as_table(), &mut positions);
    let next = positions.into_iter().filter(|p| Some(*p) > removed.position()).min();
    match next.and_then(|position| table_at(document.as_table_mut(), position)) {
        Some(table) => {
            let below = table.decor().prefix().and_then(|p| p.as_str()).unwrap_or_default();
            let joined = format!("{kept}\n\n{}", below.trim_start_matches('\n'));
            table.decor_mut().set_prefix(joined);
        }
        None => {
            let joined = format!("{kept}\n{}", document.trailing().as_str().unwrap_or_default());
            document.set_trailing(joined);
        }
    }
}

fn collect_positions(table: &Table, positions: &mut Vec<isize>) {
    for inner in table.iter().filter_map(|(_, item)| item.as_table()) {
        // An implicit table has no header, so no comment stands above it.
        positions.extend(inner.position().filter(|_| !inner.is_implicit() && !inner.is_dotted()));
        collect_positions(inner, positions);
    }
}

fn table_at(table: &mut Table, position: isize) -> Option<&mut Table> {
    for inner in table.iter_mut().filter_map(|(_, item)| item.as_table_mut()) {
        if inner.position() == Some(position) && !inner.is_implicit() && !inner.is_dotted() {
            return Some(inner);
        }
        if let Some(found) = table_at(inner, position) {
            return Some(found);
        }
    }
    None
}

fn unreadable(path: &Path) -> Error {
    Error::new(Kind::Usage, "this file can't be changed by haul").with_subject(path.display().to_string()).with_hint("edit it by hand")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::tests::fixtures::{GIGA0, IOGATES};

    fn set(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    const FILE: &str = "\
# My hosts. Keep!

[defaults]
jobs = 8 # not more, the line is thin

# ---- remotes ----

# the studio's account
[remotes.Studio]
provider = \"iogates\" # theirs
username = 'ann'

# and the cloud
[remotes.cloud]
provider = \"giga0\"
url=\"https://x\"
# the end
";

    #[test]
    fn a_new_remote_is_appended_and_nothing_else_changes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, FILE).unwrap();
        add_remote(&path, "a.b", &IOGATES, &set(&[("username", "an\"n"), ("insecure", "yes"), ("password_command", "pass x")])).unwrap();
        let added = "\n[remotes.\"a.b\"]\nprovider = \"iogates\"\nusername = 'an\"n'\ninsecure = true\npassword_command = \"pass x\"\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{FILE}{added}"));
        remove_remote(&path, "A.B").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().trim_end(), FILE.trim_end());
    }

    #[test]
    fn the_first_remote_makes_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("haul/config.toml");
        add_remote(&path, "studio", &IOGATES, &set(&[("username", "ann")])).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[remotes.studio]\nprovider = \"iogates\"\nusername = \"ann\"\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::write(&path, "# only a comment, without line end").unwrap();
        add_remote(&path, "s", &IOGATES, &[]).unwrap();
        let expected = "# only a comment, without line end\n\n[remotes.s]\nprovider = \"iogates\"\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }

    #[test]
    fn a_removed_remote_takes_its_own_comment_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, FILE).unwrap();
        remove_remote(&path, "STUDIO").unwrap();
        let own = "# the studio's account\n[remotes.Studio]\nprovider = \"iogates\" # theirs\nusername = 'ann'\n\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), FILE.replace(own, ""));
        remove_remote(&path, "cloud").unwrap();
        let left = fs::read_to_string(&path).unwrap();
        assert!(left.contains("# My hosts. Keep!") && left.contains("# ---- remotes ----") && left.contains("# the end"), "{left}");
        assert!(!left.contains("cloud"), "{left}");
        assert_eq!(remove_remote(&path, "cloud").unwrap_err().kind(), Kind::NotFound);
        assert_eq!(remove_remote(&dir.path().join("none"), "cloud").unwrap_err().kind(), Kind::NotFound);
    }

    #[test]
    fn keys_are_set_and_taken_out_and_all_else_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let read = || fs::read_to_string(&path).unwrap();
        fs::write(&path, FILE).unwrap();
        let change = |pairs: &[(&str, Option<&str>)]| -> Vec<(String, Option<String>)> {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect()
        };
        let fine = |_: &str| Ok(());
        set_remote(&path, "STUDIO", &IOGATES, &change(&[("username", Some("bob")), ("insecure", Some("yes"))]), fine).unwrap();
        let wanted = FILE.replace("username = 'ann'\n", "username = \"bob\"\ninsecure = true\n");
        assert_eq!(read(), wanted);
        set_remote(&path, "studio", &IOGATES, &change(&[("insecure", None), ("username", Some("ann"))]), fine).unwrap();
        assert_eq!(read(), FILE.replace("'ann'", "\"ann\""));
        let before = read();
        let wrong = |pairs: &[(&str, Option<&str>)], judge: fn(&str) -> Result<()>| {
            set_remote(&path, "studio", &IOGATES, &change(pairs), judge).unwrap_err().kind()
        };
        assert_eq!(wrong(&[("usrname", Some("x"))], fine), Kind::Usage);
        assert_eq!(wrong(&[("password", Some("x"))], fine), Kind::Usage);
        assert_eq!(wrong(&[("username", None)], |_| Err(Error::new(Kind::Refused, "no"))), Kind::Refused);
        assert_eq!(set_remote(&path, "x", &IOGATES, &[], fine).unwrap_err().kind(), Kind::NotFound);
        assert_eq!(read(), before);
    }

    #[test]
    fn a_renamed_remote_keeps_its_place_and_its_comment() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, FILE).unwrap();
        rename_remote(&path, "studio", "house.2").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), FILE.replace("[remotes.Studio]", "[remotes.\"house.2\"]"));
        assert_eq!(rename_remote(&path, "cloud", "a:b").unwrap_err().kind(), Kind::Usage);
        assert_eq!(rename_remote(&path, "none", "x").unwrap_err().kind(), Kind::NotFound);
        fs::write(&path, "[remotes]\na = { provider = \"x\" }\n").unwrap();
        rename_remote(&path, "a", "b").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[remotes]\nb = { provider = \"x\" }\n");
    }

    #[test]
    fn remotes_in_other_spellings_can_be_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, "[remotes]\na = { provider = \"x\" }\nb.provider = \"y\" # keep\n").unwrap();
        remove_remote(&path, "a").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[remotes]\nb.provider = \"y\" # keep\n");
        remove_remote(&path, "b").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "[remotes]\n");
    }

    #[test]
    fn what_can_not_be_added_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, FILE).unwrap();
        let wrong = |name: &str, info: &'static ProviderInfo, pairs: &[(&str, &str)]| {
            let e = add_remote(&path, name, info, &set(pairs)).unwrap_err();
            (e.kind(), e.to_string())
        };
        let there = format!(
            "{}, line 9, column 10: there is a remote of this name already; change it with `haul remote set Studio KEY=VALUE`, or remove it with `haul remote remove Studio`",
            path.display()
        );
        assert_eq!(wrong("studio", &IOGATES, &[]), (Kind::Exists, there));
        let (kind, line) = wrong("n", &IOGATES, &[("password", "hunter22")]);
        assert_eq!(kind, Kind::Usage);
        assert_eq!(
            line,
            "`password` is a secret and would stay in the shell's history; use `haul login`, or set password_command or password_file"
        );
        let unknown = "a remote of ioGates has no key `usrname`; write `username`".to_owned();
        assert_eq!(wrong("n", &IOGATES, &[("usrname", "x")]), (Kind::Usage, unknown));
        let missing = "a remote of giga0 needs `url`: the site's address; add url=… to the command".to_owned();
        assert_eq!(wrong("n", &GIGA0, &[]), (Kind::Usage, missing));
        assert_eq!(wrong("n", &IOGATES, &[("username", "a"), ("username", "b")]).0, Kind::Usage);
        assert_eq!(wrong("n", &IOGATES, &[("insecure", "perhaps")]).0, Kind::Usage);
        for name in ["", ".", "a b", "a:b", "a/b"] {
            assert_eq!(wrong(name, &IOGATES, &[]).0, Kind::Usage, "{name}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), FILE);

        fs::write(&path, "remotes = { a = { provider = \"iogates\" } }\n").unwrap();
        assert!(wrong("n", &IOGATES, &[]).1.ends_with("; edit it by hand"));
        fs::write(&path, "[remote.a]\n").unwrap();
        assert!(wrong("n", &IOGATES, &[]).1.contains("line 1, column 2: there is no key `remote` here; write `remotes`"));
    }
}
