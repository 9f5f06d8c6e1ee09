//! Patterns as in a `.gitignore`, read from options and files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::pattern::PathPattern;
use crate::error::{Error, Kind, Result};

/// One pattern.
pub(super) struct Rule {
    /// It fits everything: what comes after may take single files back.
    pub fits_all: bool,
    /// It names a path, and not only a name that may stand anywhere.
    pub is_path: bool,
    /// The folders in which something may fit; none: any.
    below: Option<PathPattern>,
    pub includes: bool,
    /// Which option or line it is.
    pub said: Arc<str>,
}

/// Patterns that are read from one place.
pub(super) struct Patterns {
    matcher: Gitignore,
    rules: Vec<Rule>,
}

/// None.
impl Default for Patterns {
    fn default() -> Patterns {
        Patterns { matcher: Gitignore::empty(), rules: Vec::new() }
    }
}

/// What a pattern says of a path.
pub(super) struct Fit<'a> {
    pub rule: &'a Rule,
    pub line: usize,
}

impl Patterns {
    /// Each line with what is said of it. Fails with `Usage` and the line for a pattern that can't be read.
    pub(super) fn read<'a>(lines: impl Iterator<Item = (&'a str, String)>) -> Result<Patterns> {
        let (mut builder, mut rules) = (GitignoreBuilder::new(""), Vec::new());
        for (line, said) in lines {
            // The number stands in the place of the file's name: the matcher hands it back with what fits.
            builder.add_line(Some(PathBuf::from(rules.len().to_string())), line).map_err(|e| unreadable(line, &e))?;
            rules.push(Rule::of(line, said));
        }
        let matcher = builder.build().map_err(|e| Error::new(Kind::Usage, "these patterns can't be read").with_cause(e))?;
        Ok(Patterns { matcher, rules })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(super) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    pub(super) fn last_fit(&self, path: &str, is_folder: bool) -> Option<Fit<'_>> {
        let (Match::Ignore(glob) | Match::Whitelist(glob)) = self.matcher.matched(path, is_folder) else { return None };
        let line = glob.from()?.to_str()?.parse().ok()?;
        self.rules.get(line).map(|rule| Fit { rule, line })
    }
}

fn unreadable(line: &str, e: &ignore::Error) -> Error {
    let why = match e {
        ignore::Error::Glob { err, .. } => err.clone(),
        other => other.to_string(),
    };
    Error::new(Kind::Usage, format!("{:?} is no pattern: {why}", line.trim_start_matches('!')))
        .with_hint("patterns are written as in a .gitignore")
}

impl Rule {
    fn of(line: &str, said: String) -> Rule {
        let includes = line.starts_with('!');
        let text = line.strip_prefix('!').unwrap_or(line).trim_end();
        let is_rooted = text.starts_with('/');
        let text = text.trim_start_matches('/').trim_end_matches('/');
        let names: Vec<String> = text.split('/').map(str::to_owned).collect();
        let fits_all = names.iter().all(|name| matches!(name.as_str(), "*" | "**"));
        let is_path = is_rooted
            || names.iter().filter(|name| *name != "**").count() > 1
            || (names.len() > 1 && names.last().is_some_and(|n| n == "**"));
        // What the matcher reads otherwise than a path's pattern may fit anywhere.
        let is_plain = is_path && !text.contains(['\\', '{']);
        let below = is_plain.then(|| PathPattern::new(&names));
        Rule { fits_all, is_path, below, includes, said: said.into() }
    }

    pub fn may_fit_below(&self, folder: &str) -> bool {
        self.below.as_ref().is_none_or(|pattern| pattern.can_match_in(names(folder)))
    }
}

/// The names of a path.
pub(super) fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

/// The text of a file of patterns. Fails with `NotFound` or `Local`.
pub(super) fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).map_err(|e| {
        let (kind, why) = match e.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => (Kind::NotFound, "there is no such file"),
            ErrorKind::InvalidData => (Kind::Local, "it is no text"),
            _ => (Kind::Local, "it can't be read"),
        };
        let error = Error::new(kind, why).on_local(file.display().to_string());
        if matches!(kind, Kind::NotFound) { error } else { error.with_cause(e) }
    })
}

/// As other systems end them, too; a mark of the byte order is none of the text.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_prefix('\u{feff}').unwrap_or(text).lines()
}
