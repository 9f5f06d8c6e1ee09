//! Which entries are meant: by a path with wildcards, and by name, kind, size and time. In a path `*`, `?` and `[…]` stand
//! for parts of one name, `**` for any folders between. A name that begins with a dot is a name like any other.

use chrono::{DateTime, Utc};
use glob::Pattern as Glob;

use crate::model::{Entry, EntryKind, RemotePath};

/// A bound of a size, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SizeBound {
    Above(u64),
    Below(u64),
    Exactly(u64),
}

/// Conditions that must all hold; none = any entry.
pub struct Conditions {
    pub name: Option<Glob>,
    pub kind: Option<EntryKind>,
    pub size: Option<SizeBound>,
    /// Changed after this moment.
    pub newer: Option<DateTime<Utc>>,
}

impl Conditions {
    /// Do name and kind fit?
    pub fn named(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind == entry.kind) && self.name.as_ref().is_none_or(|name| name.matches(&entry.name))
    }

    /// None: its size is not told. Folders have none.
    pub fn sized(&self, entry: &Entry) -> Option<bool> {
        let Some(bound) = self.size else { return Some(true) };
        if entry.is_folder() {
            return Some(false);
        }
        let size = entry.size?;
        Some(match bound {
            SizeBound::Above(limit) => size > limit,
            SizeBound::Below(limit) => size < limit,
            SizeBound::Exactly(wanted) => size == wanted,
        })
    }

    /// None: its time is not told. A root has none.
    pub fn newer(&self, entry: &Entry) -> Option<bool> {
        let Some(since) = self.newer else { return Some(true) };
        match entry.modified {
            Some(time) => Some(time > since),
            None if entry.path.is_root() && entry.is_folder() => Some(false),
            None => None,
        }
    }
}

/// A pattern for one name, as in a path.
pub fn name_pattern(text: &str) -> Glob {
    let mut stars = text.to_owned();
    while stars.contains("**") {
        stars = stars.replace("**", "*");
    }
    // A bracket that nothing closes is a bracket, as in a shell.
    Glob::new(&stars).or_else(|_| Glob::new(&stars.replace('[', "[[]"))).unwrap_or_default()
}

/// Does a name hold wildcards?
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?']) || name.find('[').is_some_and(|open| name.get(open..).is_some_and(|rest| rest.contains(']')))
}

/// A path with wildcards, name by name.
#[derive(Clone)]
pub struct PathPattern(Vec<Segment>);

#[derive(Clone)]
enum Segment {
    /// `**`: any number of folders, none too.
    Folders,
    Like(Glob),
    /// Exactly so.
    Named(String),
}

impl PathPattern {
    pub fn new(names: &[String]) -> PathPattern {
        let mut parts: Vec<Segment> = Vec::new();
        for name in names {
            match name.as_str() {
                "**" if matches!(parts.last(), Some(Segment::Folders)) => {}
                "**" => parts.push(Segment::Folders),
                name if is_pattern(name) => parts.push(Segment::Like(name_pattern(name))),
                name => parts.push(Segment::Named(name.to_owned())),
            }
        }
        // `a/**` is all that lies in `a`, not `a` itself.
        if let Some(Segment::Folders) = parts.last() {
            parts.push(Segment::Like(name_pattern("*")));
        }
        PathPattern(parts)
    }

    /// Does `path` fit, seen from `top`?
    pub fn fits(&self, path: &RemotePath, top: &RemotePath) -> bool {
        self.reached(path, top).last() == Some(&true)
    }

    /// May something in this folder fit?
    pub fn can_match_below(&self, path: &RemotePath, top: &RemotePath) -> bool {
        self.reached(path, top).split_last().is_some_and(|(_, before)| before.contains(&true))
    }

    /// Which parts may come next once the names of `path` below `top` are used up; behind the last one: it fits.
    fn reached(&self, path: &RemotePath, top: &RemotePath) -> Vec<bool> {
        let mut here = vec![false; self.0.len() + 1];
        self.reach(&mut here, 0);
        for name in path.below(top).unwrap_or_default().names() {
            let mut next = vec![false; here.len()];
            for (at, part) in self.0.iter().enumerate().filter(|(at, _)| here.get(*at) == Some(&true)) {
                match part {
                    Segment::Folders => self.reach(&mut next, at),
                    Segment::Like(glob) if glob.matches(name) => self.reach(&mut next, at + 1),
                    Segment::Named(named) if named == name => self.reach(&mut next, at + 1),
                    Segment::Like(_) | Segment::Named(_) => {}
                }
            }
            here = next;
        }
        here
    }

    fn reach(&self, parts: &mut [bool], at: usize) {
        if let Some(reached) = parts.get_mut(at) {
            *reached = true;
        }
        if let Some(Segment::Folders) = self.0.get(at) {
            self.reach(parts, at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::parse(text).unwrap()
    }

    fn fits(pattern: &str, text: &str) -> bool {
        PathPattern::new(path(pattern).names()).fits(&path(text), &RemotePath::root())
    }

    fn leads(pattern: &str, text: &str) -> bool {
        PathPattern::new(path(pattern).names()).can_match_below(&path(text), &RemotePath::root())
    }

    #[test]
    fn what_a_pattern_fits() {
        for (pattern, text) in [
            ("*.mov", "a.mov"),
            ("*", ".hidden"),
            ("?", "ö"),
            ("[äö]?.txt", "öx.txt"),
            ("[!a]", "b"),
            ("shot [0-9][0-9].mov", "shot 01.mov"),
            ("a/*/c", "a/b/c"),
            ("**/c", "c"),
            ("**/c", "a/b/c"),
            ("a/**", "a/b"),
            ("a/**", "a/b/c"),
            ("**/a/**/b", "a/a/b"),
            ("**/**", "a"),
            ("a**b", "axxb"),
            ("{a,b}*", "{a,b}c"),
            ("a[b*", "a[bc"),
            ("[*]", "*"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("*.mov", "a.MOV"),
            ("*", "a/b"),
            ("?", "ab"),
            ("?", ""),
            ("a/**", "a"),
            ("**/c", "c/d"),
            ("a/*/c", "a/c"),
            ("{a,b}", "a"),
            ("[*]", "a"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn only_folders_on_the_way_are_listed() {
        assert!(leads("a*/x/*.txt", "ab") && leads("a*/x/*.txt", "ab/x"));
        assert!(!leads("a*/x/*.txt", "b") && !leads("a*/x/*.txt", "ab/y") && !leads("a*/x/*.txt", "ab/x/z"));
        assert!(leads("**/x", "any/depth") && leads("a/**", "a/b/c") && !leads("a/**", "b"));
    }

    #[test]
    fn plain_names_are_no_patterns() {
        for (name, pattern) in [("a", false), ("a]b", false), ("a[b", false), ("[a]", true), ("a*", true), ("?", true), ("{a}", false)] {
            assert_eq!(is_pattern(name), pattern, "{name}");
        }
    }

    #[test]
    fn what_is_not_told_is_known_as_that() {
        let mut entry = Entry::new(EntryKind::File, "1", RemotePath::parse("/a.mov").unwrap());
        let none = || Conditions { name: None, kind: None, size: None, newer: None };
        let below = Conditions { size: Some(SizeBound::Below(10)), ..none() };
        let newer = Conditions { newer: Some(DateTime::UNIX_EPOCH), ..none() };
        assert_eq!((none().sized(&entry), none().newer(&entry)), (Some(true), Some(true)));
        assert_eq!((below.sized(&entry), newer.newer(&entry)), (None, None));
        entry.size = Some(9);
        entry.modified = Some(Utc::now());
        assert_eq!((below.sized(&entry), newer.newer(&entry)), (Some(true), Some(true)));
        let folder = Entry::new(EntryKind::Folder, "", RemotePath::root());
        assert_eq!((below.sized(&folder), newer.newer(&folder)), (Some(false), Some(false)));
        let named = |pattern: &str| Conditions { name: Some(name_pattern(pattern)), ..none() }.named(&entry);
        assert!(named("*.mov") && !named("*.MOV") && !named("mov"));
    }
}
