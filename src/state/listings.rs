//! What folders held when a completion asked last: names only, a file a folder. Nothing but completions reads it.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::State;
use super::private_files::{open_private, private_folder};

/// More names are of no use for a completion.
const MAX_NAMES: usize = 10_000;

impl State {
    /// The names in a folder, folders with a slash at their end, and how long ago they were listed. `key` is the remote and
    /// the folder.
    pub fn cached_names(&self, key: &str) -> Option<(Duration, Vec<String>)> {
        let path = self.names_file(key)?;
        let changed = std::fs::metadata(&path).and_then(|meta| meta.modified()).ok()?;
        let mut text = String::new();
        open_private(&path).ok()?.read_to_string(&mut text).ok()?;
        let age = SystemTime::now().duration_since(changed).unwrap_or_default();
        Some((age, text.split_terminator('\0').map(str::to_owned).collect()))
    }

    /// Keeps them; failing is no failure of anybody.
    pub fn keep_names(&self, key: &str, names: impl Iterator<Item = String>) {
        let text: String = names.take(MAX_NAMES).map(|name| name + "\0").collect();
        let kept = self.names_file(key).map(|path| {
            let mut file = open_private(&path)?;
            file.set_len(0)?;
            file.write_all(text.as_bytes())
        });
        drop(kept);
    }

    fn names_file(&self, key: &str) -> Option<PathBuf> {
        let folder = private_folder(&self.folder.real().ok()?.join("completion")).ok()?;
        Some(folder.join(format!("{:x}", md5::compute(key))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_for_the_next_process() {
        let dir = tempfile::tempdir().unwrap();
        let state = || State::new(Some(dir.path().to_owned()));
        assert!(state().cached_names("r|/a").is_none());
        state().keep_names("r|/a", ["a b".to_owned(), "c/".to_owned()].into_iter());
        assert_eq!(state().cached_names("r|/a").unwrap().1, ["a b", "c/"]);
        state().keep_names("r|/a", std::iter::empty());
        assert_eq!(state().cached_names("r|/a").unwrap().1, Vec::<String>::new());
    }
}
