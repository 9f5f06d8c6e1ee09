//! `credentials.toml` beside the configuration: what `haul login` saves for a remote, and nothing else. It has the form of the
//! configuration, so that a line can be moved from one file to the other.

use std::path::Path;

use toml_edit::Key;

use super::file::{self, CREDENTIALS, Scalar};
use super::private_file;
use crate::error::Result;
use crate::model::Secret;

pub(super) const FILE: &str = "credentials.toml";
const HEADER: &str = "# Written by `haul login`, emptied by `haul logout`. Holds passwords: keep it to yourself (mode 0600).\n";

/// The secrets of one remote.
pub(super) struct SavedCredential {
    pub remote: String,
    pub secrets: Vec<(String, Secret)>,
    /// The user name that was typed at `haul login`; it is no secret.
    pub username: Option<String>,
}

const USERNAME: &str = "username";

/// Returns an empty list when there is no such file. Fails with `Usage` when other users may read the file or it can't be
/// parsed.
pub(super) fn read(path: &Path) -> Result<Vec<SavedCredential>> {
    let Some(file) = private_file::read(path)? else { return Ok(Vec::new()) };
    let all = parse(path, &file.text)?;
    if file.open_to_others && all.iter().any(|kept| !kept.secrets.is_empty()) {
        return Err(private_file::too_open(path));
    }
    file.require_trusted()?;
    Ok(all)
}

fn parse(path: &Path, text: &str) -> Result<Vec<SavedCredential>> {
    let mut all = Vec::new();
    for section in file::parse(path, text, CREDENTIALS)?.remotes {
        let (mut secrets, mut username) = (Vec::new(), None);
        for line in section.lines {
            match line.value {
                Scalar::Text(text) if line.key == USERNAME => username = Some(text),
                Scalar::Text(text) => secrets.push((line.key, Secret::new(text))),
                other => return Err(line.value_at.error(format!("`{}` must be a string, not a TOML {}", line.key, other.type_name()))),
            }
        }
        all.push(SavedCredential { remote: section.name, secrets, username });
    }
    Ok(all)
}

/// Saves one secret of a remote; the file has mode 0600 afterwards. Fails with `Local` when it can't be written.
pub fn save(path: &Path, remote: &str, key: &str, secret: &Secret) -> Result<()> {
    change(path, remote, |mine| {
        mine.secrets.retain(|(k, _)| k != key);
        mine.secrets.push((key.to_owned(), secret.clone()));
    })
}

/// Saves the user name that was typed for a remote. Fails like [`save`].
pub fn save_username(path: &Path, remote: &str, username: &str) -> Result<()> {
    change(path, remote, |mine| mine.username = Some(username.to_owned()))
}

fn change(path: &Path, remote: &str, change: impl FnOnce(&mut SavedCredential)) -> Result<()> {
    private_file::rewrite(path, |old| {
        let mut all = parse(path, old)?;
        let mut mine = match all.iter().position(|kept| is_of(kept, remote)) {
            Some(at) => all.remove(at),
            None => SavedCredential { remote: String::new(), secrets: Vec::new(), username: None },
        };
        remote.clone_into(&mut mine.remote);
        change(&mut mine);
        all.push(mine);
        Ok(format_all(&all))
    })
}

/// Moves what is saved for a remote to another name, and removes what was saved under that name before. Fails like [`save`].
pub fn rename(path: &Path, old: &str, new: &str) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    private_file::rewrite(path, |text| {
        let mut all = parse(path, text)?;
        if !all.iter().any(|kept| is_of(kept, old)) {
            return Ok(text.to_owned());
        }
        all.retain(|kept| is_of(kept, old) || !is_of(kept, new));
        all.iter_mut().filter(|kept| is_of(kept, old)).for_each(|kept| new.clone_into(&mut kept.remote));
        Ok(format_all(&all))
    })
}

/// Removes all secrets of a remote. Returns true when there were any.
pub fn forget(path: &Path, remote: &str) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    let mut forgotten = false;
    private_file::rewrite(path, |old| {
        let mut all = parse(path, old)?;
        let before = all.len();
        all.retain(|kept| !is_of(kept, remote));
        forgotten = all.len() < before;
        Ok(format_all(&all))
    })?;
    Ok(forgotten)
}

fn is_of(kept: &SavedCredential, remote: &str) -> bool {
    kept.remote.to_lowercase() == remote.to_lowercase()
}

fn format_all(all: &[SavedCredential]) -> String {
    let mut text = HEADER.to_owned();
    for kept in all {
        text.push_str(&format!("\n[remotes.{}]\n", Key::new(&kept.remote)));
        if let Some(username) = &kept.username {
            text.push_str(&format!("{USERNAME} = {}\n", toml_edit::Value::from(username)));
        }
        for (key, secret) in &kept.secrets {
            text.push_str(&format!("{} = {}\n", Key::new(key), toml_edit::Value::from(secret.expose())));
        }
    }
    text
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::error::Kind;

    #[test]
    fn what_is_saved_is_found_replaced_and_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/credentials.toml");
        assert!(!forget(&path, "studio").unwrap());
        save(&path, "Studio", "password", &Secret::new("old one")).unwrap();
        save(&path, "studio", "password", &Secret::new("\"quoted\" \\ \u{1b}ü")).unwrap();
        save(&path, "cloud", "key1", &Secret::new("k1")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
        assert!(fs::read_to_string(&path).unwrap().starts_with(HEADER));

        let kept = read(&path).unwrap();
        let shown: Vec<_> =
            kept.iter().flat_map(|k| k.secrets.iter().map(|(key, s)| (k.remote.as_str(), key.as_str(), s.expose()))).collect();
        assert_eq!(shown, [("studio", "password", "\"quoted\" \\ \u{1b}ü"), ("cloud", "key1", "k1")]);

        rename(&path, "none", "cloud").unwrap();
        rename(&path, "Studio", "house").unwrap();
        assert!(!forget(&path, "studio").unwrap());
        rename(&path, "house", "Studio").unwrap();
        assert!(forget(&path, "STUDIO").unwrap());
        assert!(!forget(&path, "studio").unwrap());
        assert_eq!(read(&path).unwrap().len(), 1);
        assert!(forget(&path, "cloud").unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), HEADER);
    }

    #[test]
    fn open_or_broken_files_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials.toml");
        save(&path, "a", "password", &Secret::new("hunter22")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let e = read(&path).err().unwrap();
        assert_eq!(e.kind(), Kind::Usage);
        assert!(e.to_string().ends_with(&format!("run `chmod 600 {}`", path.display())), "{e}");

        fs::write(&path, "[remotes.a]\npassword = 1234567\n").unwrap();
        let told = format!("{}, line 2, column 12: `password` must be a string, not a TOML number", path.display());
        assert_eq!(read(&path).err().unwrap().to_string(), told);
        fs::write(&path, "[remotes.a]\npassword = hunter22\n").unwrap();
        let e = save(&path, "a", "token", &Secret::new("tttt")).unwrap_err();
        assert_eq!(e.kind(), Kind::Usage);
        assert!(!e.to_string().contains("hunter22"), "{e}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "[remotes.a]\npassword = hunter22\n", "a broken file is left as it is");
    }
}
