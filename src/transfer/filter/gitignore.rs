//! Patterns as in a `.gitignore`, read from options and files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::pattern::PathPattern;
use crate::error::{Error, Kind, Result};

/// A pattern, and what the rules need to know of the pattern.
pub(super) struct Rule {
    /// The pattern fits everything. A later rule may include single files again.
    pub fits_all: bool,
    /// The pattern names a path, and not only a name in any folder.
    pub is_path: bool,
    /// The pattern that says in which folders an entry may fit; none: in any folder.
    below: Option<PathPattern>,
    pub includes: bool,
    /// The option or line of the pattern, for messages.
    pub said: Arc<str>,
}

/// The patterns of one file, or of all options.
pub(super) struct Patterns {
    matcher: Gitignore,
    rules: Vec<Rule>,
}

/// The default has no patterns.
impl Default for Patterns {
    fn default() -> Patterns {
        Patterns { matcher: Gitignore::empty(), rules: Vec::new() }
    }
}

/// The pattern that fits a path, and its position among the patterns.
pub(super) struct Fit<'a> {
    pub rule: &'a Rule,
    pub line: usize,
}

impl Patterns {
    /// Reads patterns. Each line comes with the text that names the line in messages. Fails with `Usage` for a line that can't be
    /// read; the message holds the line.
    pub(super) fn read<'a>(lines: impl Iterator<Item = (&'a str, String)>) -> Result<Patterns> {
        let (mut builder, mut rules) = (GitignoreBuilder::new(""), Vec::new());
        for (line, said) in lines {
            // The matcher returns the file's name with the pattern that fits. So the number of the line is put in place of the name.
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
        // `PathPattern` does not read `\` and `{` as the matcher does. A pattern with such a character may fit in any folder.
        let is_plain = is_path && !text.contains(['\\', '{']);
        let below = is_plain.then(|| PathPattern::new(&names));
        Rule { fits_all, is_path, below, includes, said: said.into() }
    }

    pub fn may_fit_below(&self, folder: &str) -> bool {
        self.below.as_ref().is_none_or(|pattern| pattern.can_match_in(names(folder)))
    }
}

/// Returns the names of a path.
pub(super) fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

/// Reads a file of patterns, and returns its text. Fails with `NotFound` or `Local`.
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

/// Returns the lines of a text, without line ends of any system and without a byte order mark at the begin of the text.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.strip_prefix('\u{feff}').unwrap_or(text).lines()
}
