//! `--files-from` of a sync: only what a list names, and what lies in the folders that it names, on both sides.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// The lines of a list, told from FROM, names divided by `/`; `""` is all of it.
pub struct PathList {
    lines: BTreeMap<String, AtomicBool>,
}

impl PathList {
    /// Of these lines.
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

    /// FROM has something at this path.
    pub fn mark_found(&self, path: &str) {
        if let Some(is_met) = self.lines.get(path) {
            is_met.store(true, Ordering::Relaxed);
        }
    }

    /// Lines that FROM has nothing for.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter(|(_, is_met)| !is_met.load(Ordering::Relaxed)).map(|(line, _)| line.as_str())
    }
}

/// The path and the folders that it lies in, the top included.
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
