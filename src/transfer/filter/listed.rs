//! `--files-from` of a sync: only the paths that a list names, and everything in the folders that the list names, on both sides.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// The lines of a list: paths relative to FROM, names divided by `/`. The line `""` names FROM itself.
pub struct PathList {
    lines: BTreeMap<String, AtomicBool>,
}

impl PathList {
    /// Makes a list of these lines.
    pub fn new(lines: impl IntoIterator<Item = String>) -> PathList {
        PathList { lines: lines.into_iter().map(|line| (line, AtomicBool::new(false))).collect() }
    }

    /// Does a line name this path, or a folder above it?
    pub fn names(&self, path: &str) -> bool {
        above(path).any(|path| self.lines.contains_key(path))
    }

    /// Does a line name something below this folder?
    pub fn is_below(&self, folder: &str) -> bool {
        let begin = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        self.lines.range(begin.clone()..).next().is_some_and(|(line, _)| line.starts_with(&begin))
    }

    /// Notes that FROM has a file or folder at this path.
    pub fn mark_found(&self, path: &str) {
        if let Some(is_met) = self.lines.get(path) {
            is_met.store(true, Ordering::Relaxed);
        }
    }

    /// Returns the lines for which FROM has neither a file nor a folder so far.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(|(_, is_met)| !is_met.load(Ordering::Relaxed)).map(|(line, _)| line.as_str())
    }
}

/// Returns a path and the folders above the path, the top included.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| (!path.is_empty()).then(|| path.rsplit_once('/').map_or("", |(above, _)| above)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_itself_and_what_lies_in_it() {
        let listed = PathList::new(["a", "d/e", "none"].map(str::to_owned));
        let named = ["a", "a/b", "d/e", "d/e/f/g", "none"];
        assert!(named.iter().all(|path| listed.names(path)));
        assert!(["", "d", "ab", "d/ef", "b"].iter().all(|path| !listed.names(path)));
        assert!(listed.is_below("") && listed.is_below("d") && !listed.is_below("d/e") && !listed.is_below("b"));
        named.iter().take(4).for_each(|path| listed.mark_found(path));
        assert_eq!(listed.missing().collect::<Vec<_>>(), ["none"]);
        assert!(PathList::new([String::new()]).names("x/y"));
    }
}
