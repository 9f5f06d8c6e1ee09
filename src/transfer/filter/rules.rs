//! `--include`, `--exclude`, `--exclude-from` and `.haulignore`: patterns as in a `.gitignore`. The last pattern that fits decides.
//! A folder that is left out is not listed, with two exceptions that git does not have: a later `--include` that names a path in the
//! folder, and a later `--include` after a pattern that fits everything (`--exclude '*' --include '*.mov'`).

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::gitignore::{Patterns, Rule, lines, names, read};
use super::ignore_files::IgnoreFiles;
use crate::error::{Error, Kind, Result};

/// One of the options that make rules, as the user typed the option.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RuleOption {
    /// Takes what fits this pattern.
    Include(String),
    /// Leaves out what fits this pattern.
    Exclude(String),
    /// Leaves out what fits the patterns in this file.
    ExcludeFrom(PathBuf),
}

/// The position of a rule among all rules; the later rule decides. The lines of `.haulignore` files come before the options, and the
/// lines of a deeper folder come after the lines of the folders above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    is_option: bool,
    depth: usize,
    line: usize,
}

/// The decision of the rules about a path.
#[derive(Clone, Debug)]
pub(super) enum RuleResult {
    In,
    Out {
        rank: Rank,
        /// A later rule may include single files again.
        is_open: bool,
        why: Arc<str>,
    },
}

/// All rules of one source.
#[derive(Default)]
pub struct Rules {
    options: Arc<Patterns>,
    /// Leaves out what no rule fits.
    only_included: bool,
    files: Option<IgnoreFiles>,
    /// The folder whose decision was needed last, and that decision: the next path mostly lies in the same folder.
    last: Mutex<Option<(String, RuleResult)>>,
}

impl Rules {
    /// Makes the rules of the options, and reads the files of patterns. `only_included`: leaves out what no rule fits. Fails with
    /// `Usage` for a pattern that can't be read, and with `NotFound` or `Local` for a file of patterns that can't be read.
    pub fn new(options: &[RuleOption], only_included: bool) -> Result<Rules> {
        let mut patterns = Vec::new();
        for option in options {
            match option {
                RuleOption::Include(glob) => patterns.push((include_rule(glob)?, format!("--include {glob:?}"))),
                RuleOption::Exclude(glob) => patterns.push((exclude_rule(glob)?, format!("--exclude {glob:?}"))),
                RuleOption::ExcludeFrom(file) => {
                    let text = read(file)?;
                    let said = |line: &str| format!("--exclude-from {}: {line:?}", file.display());
                    // Each file is also read alone, so that the error for a bad pattern names the file.
                    Patterns::read(lines(&text).map(|line| (line, String::new()))).map_err(|e| e.on_local(file.display().to_string()))?;
                    patterns.extend(lines(&text).map(|line| (line.to_owned(), said(line))));
                }
            }
        }
        let patterns = Patterns::read(patterns.iter().map(|(line, said)| (line.as_str(), said.clone())))?;
        Ok(Rules { options: Arc::new(patterns), only_included, files: None, last: Mutex::default() })
    }

    /// Returns the same rules, with the rules of `.haulignore` files before them.
    pub fn with_files(&self, files: IgnoreFiles) -> Rules {
        Rules { options: self.options.clone(), only_included: self.only_included, files: Some(files), last: Mutex::default() }
    }

    /// Are there no options and no `.haulignore` files?
    pub fn is_empty(&self) -> bool {
        self.options.is_empty() && self.files.is_none()
    }

    pub fn only_included(&self) -> bool {
        self.only_included
    }

    pub fn files(&self) -> Option<&IgnoreFiles> {
        self.files.as_ref()
    }

    /// Returns why a path is left out; none: the path is taken.
    pub fn leaves_out(&self, path: &str, is_folder: bool) -> Option<Arc<str>> {
        match self.ruling(path, is_folder) {
            RuleResult::In => None,
            RuleResult::Out { why, .. } => Some(why),
        }
    }

    /// Returns why nothing in this folder can be taken; none: the folder must be listed.
    pub fn closes(&self, folder: &str) -> Option<Arc<str>> {
        let RuleResult::Out { rank, is_open, why } = self.ruling(folder, true) else { return None };
        let takes_back = |(line, rule): (usize, &Rule)| {
            rule.includes && self.rank(line) > rank && (is_open || rule.is_path) && rule.may_fit_below(folder)
        };
        if self.options.rules().enumerate().any(takes_back) { None } else { Some(why) }
    }

    fn rank(&self, line: usize) -> Rank {
        Rank { is_option: true, depth: 0, line }
    }

    fn ruling(&self, path: &str, is_folder: bool) -> RuleResult {
        let (Some(parent), false) = (parent(path), path.is_empty()) else { return self.of_top() };
        let above = match &*self.last.lock() {
            Some((folder, ruling)) if folder == parent => Some(ruling.clone()),
            _ => None,
        };
        let above = above.unwrap_or_else(|| {
            let ruling = self.ruling(parent, true);
            *self.last.lock() = Some((parent.to_owned(), ruling.clone()));
            ruling
        });
        self.step(above, path, is_folder)
    }

    fn of_top(&self) -> RuleResult {
        match self.only_included {
            true => RuleResult::Out { rank: Rank::default(), is_open: true, why: "no --include fits".into() },
            false => RuleResult::In,
        }
    }

    /// Returns the decision about a path. `above`: the decision about the folder that the path lies in.
    fn step(&self, above: RuleResult, path: &str, is_folder: bool) -> RuleResult {
        let own = match self.options.last_fit(path, is_folder) {
            Some(fit) => Some((self.rank(fit.line), fit.rule.includes, fit.rule.is_path, fit.rule.fits_all, fit.rule.said.clone())),
            None => self.files.as_ref().and_then(|files| self.of_files(files, path, is_folder)),
        };
        let Some((rank, includes, is_path, fits_all, why)) = own else { return above };
        match above {
            // A line of a `.haulignore` can't include what no such line has left out: the first `--include` has left out all other
            // paths, or a `.haulignore` can't be read.
            RuleResult::Out { rank: over, .. } if includes && !rank.is_option && over == Rank::default() => above,
            RuleResult::Out { rank: over, is_open, .. } if includes && rank > over && (is_open || is_path) => RuleResult::In,
            RuleResult::Out { is_open, .. } if includes || !is_open => above,
            _ if includes => RuleResult::In,
            _ => RuleResult::Out { rank, is_open: fits_all, why },
        }
    }

    fn of_files(&self, files: &IgnoreFiles, path: &str, is_folder: bool) -> Option<(Rank, bool, bool, bool, Arc<str>)> {
        let mut folder = parent(path);
        while let Some(at) = folder {
            let below = path.strip_prefix(at).unwrap_or(path).trim_start_matches('/');
            match files.of(at) {
                Ok(Some(patterns)) => {
                    if let Some(fit) = patterns.last_fit(below, is_folder) {
                        let rank = Rank { is_option: false, depth: 1 + names(at).count(), line: fit.line };
                        // `is_path` is false: as in git, no line of a `.haulignore` includes a path in a folder that is left out.
                        return Some((rank, fit.rule.includes, false, fit.rule.fits_all, fit.rule.said.clone()));
                    }
                }
                Ok(None) => {}
                // The file can't be read, so nobody knows which files must stay on this machine.
                Err(why) => return Some((Rank::default(), false, false, false, why)),
            }
            folder = parent(at).filter(|_| !at.is_empty());
        }
        None
    }
}

/// Returns the folder that a path lies in; `""` is the top.
fn parent(path: &str) -> Option<&str> {
    Some(path.rsplit_once('/').map_or("", |(parent, _)| parent))
}

fn not_empty(glob: &str) -> Result<()> {
    match glob.trim_matches(['!', '/', ' ']).is_empty() {
        true => Err(Error::new(Kind::Usage, format!("{glob:?} is no pattern")).with_hint("patterns are written as in a .gitignore")),
        false => Ok(()),
    }
}

/// Returns the line of a `.gitignore` for a pattern of `--exclude`. A `#` is escaped, as `#` begins a comment only in a file. Fails
/// with `Usage` for an empty pattern.
fn exclude_rule(glob: &str) -> Result<String> {
    not_empty(glob)?;
    Ok(if glob.starts_with('#') { format!("\\{glob}") } else { glob.to_owned() })
}

fn include_rule(glob: &str) -> Result<String> {
    not_empty(glob)?;
    Ok(match glob.strip_prefix('!') {
        Some(rest) => exclude_rule(rest)?,
        None => format!("!{glob}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(options: &[&str]) -> Rules {
        let rule = |text: &&str| match text.split_at(1) {
            ("+", glob) => RuleOption::Include(glob.to_owned()),
            (_, glob) => RuleOption::Exclude(glob.to_owned()),
        };
        let options: Vec<RuleOption> = options.iter().map(rule).collect();
        Rules::new(&options, matches!(options.first(), Some(RuleOption::Include(_)))).unwrap()
    }

    /// Returns the files that are taken. A folder that the rules close is not entered.
    fn fitting_files<'a>(options: &[&str], files: &[&'a str]) -> Vec<&'a str> {
        let rules = rules(options);
        let open = |file: &str| file.match_indices('/').all(|(at, _)| rules.closes(&file[..at]).is_none());
        files.iter().copied().filter(|file| open(file) && rules.leaves_out(file, false).is_none()).collect()
    }

    const FILES: &[&str] = &["a.mov", "a.tmp", "b/a.mov", "b/a.tmp", "b/c/a.mov", "b/c/keep.tmp", "node/x/y.js"];

    #[test]
    fn the_last_rule_that_fits_wins() {
        assert_eq!(fitting_files(&[], FILES), FILES);
        assert_eq!(fitting_files(&["-*.tmp"], FILES), ["a.mov", "b/a.mov", "b/c/a.mov", "node/x/y.js"]);
        assert_eq!(fitting_files(&["-*.tmp", "+keep.tmp"], FILES), ["a.mov", "b/a.mov", "b/c/a.mov", "b/c/keep.tmp", "node/x/y.js"]);
        assert_eq!(fitting_files(&["-*.tmp", "+*.tmp", "-/a.tmp"], FILES).len(), 6);
        assert_eq!(fitting_files(&["-/b"], FILES), ["a.mov", "a.tmp", "node/x/y.js"]);
        assert_eq!(fitting_files(&["-b/"], &["b", "b/x", "c/b", "c/b/x"]), ["b", "c/b"], "only folders");
        assert_eq!(fitting_files(&["-b/*/*.mov"], FILES).len(), 6);
        assert_eq!(fitting_files(&["-!*.mov"], FILES), FILES, "as in a file: an exclamation mark takes back");
    }

    #[test]
    fn with_an_include_first_all_else_is_left_out() {
        assert_eq!(fitting_files(&["+*.mov"], FILES), ["a.mov", "b/a.mov", "b/c/a.mov"]);
        assert_eq!(fitting_files(&["+*.mov", "-c/"], FILES), ["a.mov", "b/a.mov"]);
        assert_eq!(fitting_files(&["+b/"], FILES), ["b/a.mov", "b/a.tmp", "b/c/a.mov", "b/c/keep.tmp"], "a folder with all that is in it");
        assert_eq!(fitting_files(&["+b/", "-*.tmp"], FILES), ["b/a.mov", "b/c/a.mov"]);
        assert_eq!(fitting_files(&["+*.{mov,js}"], FILES), ["a.mov", "b/a.mov", "b/c/a.mov", "node/x/y.js"]);
    }

    #[test]
    fn a_folder_that_is_left_out_is_not_looked_into() {
        let closed = |options: &[&str], folder: &str| rules(options).closes(folder).is_some();
        assert!(closed(&["-node/"], "node") && closed(&["-node/"], "b/node") && !closed(&["-node/"], "b"));
        assert!(closed(&["-node/", "+*.js"], "node"), "a name that may stand anywhere opens nothing");
        assert!(!closed(&["-node/", "+node/x/y.js"], "node") && !closed(&["-node/", "+node/x/y.js"], "node/x"));
        assert_eq!(fitting_files(&["-node/", "+node/x/y.js"], &["node/x/y.js", "node/x/z.js"]), ["node/x/y.js"]);
        assert_eq!(fitting_files(&["+node/x/y.js", "-node/"], FILES), [""; 0], "the last wins");
        assert!(!closed(&["+*.mov"], "b") && closed(&["+/b/*.mov"], "node") && !closed(&["+/b/*.mov"], "b"));
        assert!(closed(&["+/b/*.mov"], "b/c"));
        assert_eq!(fitting_files(&["-*", "+*.mov"], FILES), ["a.mov", "b/a.mov", "b/c/a.mov"], "as with an include first");
        assert_eq!(fitting_files(&["-/*", "+/b/"], FILES).len(), 4);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in ["-", "-/", "-!", "+", "-[z-a]", "+a{b"] {
            let (way, glob) = wrong.split_at(1);
            let option = if way == "+" { RuleOption::Include(glob.to_owned()) } else { RuleOption::Exclude(glob.to_owned()) };
            let Err(error) = Rules::new(&[option], false) else { panic!("{wrong} is taken") };
            assert_eq!(error.kind(), Kind::Usage, "{wrong}");
        }
        assert_eq!(fitting_files(&["-#a"], &["#a", "a"]), ["a"], "no comment");
    }

    #[test]
    fn the_reason_names_the_option() {
        assert_eq!(rules(&["-*.tmp"]).leaves_out("a/b.tmp", false).as_deref(), Some("--exclude \"*.tmp\""));
        assert_eq!(rules(&["-a/"]).leaves_out("a/b/c", false).as_deref(), Some("--exclude \"a/\""));
        assert_eq!(rules(&["+a/"]).leaves_out("b/c", false).as_deref(), Some("no --include fits"));
    }
}
