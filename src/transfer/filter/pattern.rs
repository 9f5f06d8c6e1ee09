//! Paths with wildcards: `*`, `?` and `[…]` fit parts of one name, `**` fits any number of folders. Wildcards also fit names that
//! begin with a dot.

use glob::Pattern as Glob;

use crate::model::RemotePath;

/// Returns the pattern for one name. `**` in a name is read as `*`.
pub fn name_pattern(text: &str) -> Glob {
    let mut stars = text.to_owned();
    while stars.contains("**") {
        stars = stars.replace("**", "*");
    }
    // As in a shell, a `[` without `]` stands for itself.
    Glob::new(&stars).or_else(|_| Glob::new(&stars.replace('[', "[[]"))).unwrap_or_default()
}

/// Does a name contain wildcards?
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?']) || name.find('[').is_some_and(|open| name.get(open..).is_some_and(|rest| rest.contains(']')))
}

/// A path with wildcards, name by name.
#[derive(Clone)]
pub struct PathPattern(Vec<Segment>);

#[derive(Clone)]
enum Segment {
    /// `**`: any number of folders, also none.
    Folders,
    Like(Glob),
    /// The name itself, without wildcards.
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
        // `a/**` fits everything in `a`, but not `a` itself.
        if let Some(Segment::Folders) = parts.last() {
            parts.push(Segment::Like(name_pattern("*")));
        }
        PathPattern(parts)
    }

    /// Does `path`, relative to `top`, fit the pattern?
    pub fn fits(&self, path: &RemotePath, top: &RemotePath) -> bool {
        self.reachable_parts(path.below(top).unwrap_or_default().names().iter().map(String::as_str)).last() == Some(&true)
    }

    /// May an entry below the folder `path` fit? The pattern is relative to `top`.
    pub fn can_match_below(&self, path: &RemotePath, top: &RemotePath) -> bool {
        self.can_match_in(path.below(top).unwrap_or_default().names().iter().map(String::as_str))
    }

    /// As `can_match_below`, for a folder that is given by its names below the top.
    pub fn can_match_in<'a>(&self, names: impl Iterator<Item = &'a str>) -> bool {
        self.reachable_parts(names).split_last().is_some_and(|(_, before)| before.contains(&true))
    }

    /// Says for each part of the pattern whether the part may fit the next name, after the parts before have fitted these names. The
    /// last value says whether the whole pattern fits.
    fn reachable_parts<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<bool> {
        let mut here = vec![false; self.0.len() + 1];
        self.reach(&mut here, 0);
        for name in names {
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
}
