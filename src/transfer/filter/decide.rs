//! Decides which files of a source are taken: by rules, size, time, depth, share and list. No other code decides that.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::ignore_files::IgnoreFiles;
use super::listed::PathList;
use super::rules::{RuleOption, Rules};
use super::shard::Shard;
use crate::error::{Error, Kind, Result};

/// The options of a filter, in a form that can be stored and read again. Times are moments and not ages, so that a later run decides
/// as the first run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilterSpec {
    /// The rules, in the order in which they were typed.
    pub rules: Vec<RuleOption>,
    /// Leaves out what no rule fits.
    pub only_included: bool,
    /// The least size in bytes that is taken.
    pub min_size: Option<u64>,
    /// The greatest size in bytes that is taken.
    pub max_size: Option<u64>,
    /// Takes files that were changed at this time or later.
    pub newer: Option<DateTime<Utc>>,
    /// Takes files that were changed before this time.
    pub older: Option<DateTime<Utc>>,
    /// The greatest depth below the source; an entry directly in the source has depth 1.
    pub max_depth: Option<usize>,
    /// Leaves out symbolic links in a local source.
    pub skip_links: bool,
    /// Makes it a failure when no file fits.
    pub fail_if_empty: bool,
    /// Takes only files that have not changed for this time.
    pub settle: Option<Duration>,
    /// Takes only the files in this machine's share.
    pub shard: Option<Shard>,
}

/// The facts about a file or folder of a source, as far as they are known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Candidate<'a> {
    /// The path relative to the source, its names divided by `/`; the file's name where the source is a file.
    pub path: &'a str,
    /// The source itself is this file.
    pub is_source: bool,
    /// The path is a folder's.
    pub is_folder: bool,
    /// The size in bytes, where the size is known.
    pub size: Option<u64>,
    /// The time of the last change, where it is known.
    pub modified: Option<DateTime<Utc>>,
}

/// The decision about a file or folder.
#[derive(Debug)]
pub enum FilterDecision {
    /// The file fits.
    Takes,
    /// The file does not fit, for this reason.
    LeavesOut(Arc<str>),
    /// The file changed a moment ago, so the file may not be complete yet.
    Unsettled(String),
    /// The filter needs the size of the file, and the size is not known.
    SizeUnknown,
    /// The filter needs the time of the file, and the time is not known.
    TimeUnknown,
    /// The filter needs a fact about the file, and the request for that fact has failed.
    Failed(Error),
}

impl FilterDecision {
    /// Does the file fit?
    pub fn takes(&self) -> bool {
        matches!(self, FilterDecision::Takes)
    }
}

/// The numbers of decisions, for the last message.
#[derive(Default)]
struct Counts {
    taken: AtomicU64,
    left_out: AtomicU64,
    sizeless: AtomicU64,
    timeless: AtomicU64,
}

/// Decides about the files of one source, or of several sources without `.haulignore` files.
pub struct Filter {
    spec: FilterSpec,
    rules: Rules,
    counts: Arc<Counts>,
    /// The list of a sync, where there is a list: only what the list names is taken.
    listed: Option<Arc<PathList>>,
}

/// The default filter takes everything.
impl Default for Filter {
    fn default() -> Filter {
        Filter { spec: FilterSpec::default(), rules: Rules::default(), counts: Arc::default(), listed: None }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.spec.fmt(f)
    }
}

impl Filter {
    /// Makes a filter, and reads the files of patterns that `spec` names.
    ///
    /// # Errors
    /// `Usage` for a pattern that can't be read; `NotFound` or `Local` for a file of patterns.
    pub fn new(spec: FilterSpec) -> Result<Filter> {
        let rules = Rules::new(&spec.rules, spec.only_included)?;
        Ok(Filter { spec, rules, counts: Arc::default(), listed: None })
    }

    /// Returns the same filter for a local folder, whose `.haulignore` files are rules, too. Both filters share their counts.
    pub fn of_local_folder(&self, top: &Path) -> Filter {
        let (rules, listed) = (self.rules.with_files(IgnoreFiles::of_source(top)), self.listed.clone());
        Filter { spec: self.spec.clone(), rules, counts: self.counts.clone(), listed }
    }

    /// Returns the same filter, which takes only what a list names.
    pub fn only_listed(self, listed: PathList) -> Filter {
        Filter { listed: Some(Arc::new(listed)), ..self }
    }

    /// Returns the list that chooses files.
    pub fn path_list(&self) -> Option<&PathList> {
        self.listed.as_deref()
    }

    fn is_unlisted(&self, path: &str) -> bool {
        self.listed.as_ref().is_some_and(|listed| !listed.names(path))
    }

    /// Are symbolic links in a local source left out?
    pub fn skips_links(&self) -> bool {
        self.spec.skip_links
    }

    /// Is there a share, so that another machine takes what this machine leaves out?
    pub fn has_shard(&self) -> bool {
        self.spec.shard.is_some()
    }

    /// Returns the time for which a file must not have changed.
    pub fn settle(&self) -> Option<Duration> {
        self.spec.settle
    }

    /// Can a rule, a bound, the share or the list leave a file out? Links that are left out do not count.
    pub fn is_active(&self) -> bool {
        let FilterSpec {
            rules: _,
            only_included: _,
            min_size,
            max_size,
            newer,
            older,
            max_depth,
            skip_links: _,
            fail_if_empty: _,
            settle,
            shard,
        } = &self.spec;
        let bounds = min_size.is_some() || max_size.is_some() || newer.is_some() || older.is_some() || settle.is_some();
        bounds || max_depth.is_some() || shard.is_some() || !self.rules.is_empty() || self.listed.is_some()
    }

    /// Does the decision depend on sizes?
    pub fn needs_size(&self) -> bool {
        self.spec.min_size.is_some() || self.spec.max_size.is_some()
    }

    /// Does the decision depend on times?
    pub fn needs_time(&self) -> bool {
        self.spec.newer.is_some() || self.spec.older.is_some() || self.spec.settle.is_some()
    }

    /// Decides about a file, or about a folder itself. For the content of the folder ask [`Filter::closes`].
    pub fn decide(&self, candidate: &Candidate<'_>) -> FilterDecision {
        let Candidate { path, is_source, is_folder, size, modified } = *candidate;
        if let Some(why) = self.place_leaves_out(path, is_source, is_folder) {
            return FilterDecision::LeavesOut(why);
        }
        match self.size_leaves_out(is_folder, size) {
            Ok(None) => {}
            Ok(Some(why)) => return FilterDecision::LeavesOut(why.into()),
            Err(unknown) => return unknown,
        }
        if !self.needs_time() {
            return FilterDecision::Takes;
        }
        let Some(modified) = modified else { return FilterDecision::TimeUnknown };
        if self.spec.newer.is_some_and(|since| modified < since) {
            return FilterDecision::LeavesOut("--newer".into());
        }
        if self.spec.older.is_some_and(|before| modified >= before) {
            return FilterDecision::LeavesOut("--older".into());
        }
        match self.reason_unsettled(modified, Utc::now()) {
            Some(why) => FilterDecision::Unsettled(why),
            None => FilterDecision::Takes,
        }
    }

    /// Decides as [`Filter::decide`], but by the path alone.
    pub fn judge_place(&self, path: &str, is_folder: bool) -> FilterDecision {
        self.place_leaves_out(path, false, is_folder).map_or(FilterDecision::Takes, FilterDecision::LeavesOut)
    }

    fn place_leaves_out(&self, path: &str, is_source: bool, is_folder: bool) -> Option<Arc<str>> {
        if let Some(why) = self.rules.leaves_out(path, is_folder) {
            return Some(why);
        }
        if let Some(depth) = self.spec.max_depth.filter(|depth| !is_source && depth_of(path) > *depth) {
            return Some(format!("--max-depth {depth}").into());
        }
        if self.is_unlisted(path) {
            return Some("the list does not name it".into());
        }
        let shard = self.spec.shard.filter(|shard| !shard.holds(path))?;
        Some(format!("--shard {shard}: it is in another share").into())
    }

    fn size_leaves_out(&self, is_folder: bool, size: Option<u64>) -> Result<Option<&'static str>, FilterDecision> {
        if !self.needs_size() {
            return Ok(None);
        }
        let size = match size {
            _ if is_folder => return Ok(Some("folders have no size")),
            Some(size) => size,
            None => return Err(FilterDecision::SizeUnknown),
        };
        if self.spec.min_size.is_some_and(|least| size < least) {
            return Ok(Some("--min-size"));
        }
        Ok(self.spec.max_size.filter(|most| size > *most).map(|_| "--max-size"))
    }

    /// Returns why a file that changed at this time has not settled yet; none: the file has settled. A time far in the future means
    /// that a clock is wrong, and not that somebody is writing the file.
    pub fn reason_unsettled(&self, modified: DateTime<Utc>, now: DateTime<Utc>) -> Option<String> {
        let settle = self.spec.settle?;
        let age = now - modified;
        let within = TimeDelta::from_std(settle).unwrap_or(TimeDelta::MAX);
        if age.abs() >= within {
            return None;
        }
        let settle = humantime::format_duration(settle);
        Some(format!("it changed {}s ago, and --settle waits for {settle} without a change", age.num_seconds().max(0)))
    }

    /// Returns why nothing in this folder can be taken; none: the folder must be listed.
    pub fn closes(&self, folder: &str) -> Option<Arc<str>> {
        if let Some(why) = self.rules.closes(folder) {
            return Some(why);
        }
        if self.is_unlisted(folder) && self.listed.as_ref().is_some_and(|listed| !listed.is_below(folder)) {
            return Some("the list does not name it".into());
        }
        let depth = self.spec.max_depth.filter(|depth| depth_of(folder) >= *depth)?;
        Some(format!("--max-depth {depth}").into())
    }

    /// Is the folder itself wanted, also without a file in it? No, where the filter chooses single files by size, time or include.
    pub fn takes_folder(&self, path: &str) -> bool {
        let chooses_files = self.needs_size() || self.needs_time() || self.rules.only_included();
        !chooses_files && self.place_leaves_out(path, path.is_empty(), true).is_none()
    }

    /// May the folder be removed once it is empty? Decides as [`Filter::takes_folder`], but without share and depth: the machine that
    /// empties the folder may be another than the machine whose share holds the folder.
    pub fn takes_emptied_folder(&self, path: &str) -> bool {
        let chooses_files = self.needs_size() || self.needs_time() || self.rules.only_included();
        !chooses_files && self.rules.leaves_out(path, true).is_none() && !self.is_unlisted(path)
    }

    /// Counts a file that fits, also a file that fails before its transfer begins.
    pub fn count_taken(&self) {
        self.counts.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a file that is left out, and returns the message about the file for `-v`. `shown`: the file's path or address. Returns
    /// none for a file that is taken, and for a failure.
    pub fn count_left_out(&self, shown: &str, verdict: &FilterDecision) -> Option<String> {
        let why = match verdict {
            FilterDecision::Takes | FilterDecision::Failed(_) => return None,
            FilterDecision::LeavesOut(why) => why.to_string(),
            // The file fits, and is left for the next run: so `conclude` does not say that nothing fits.
            FilterDecision::Unsettled(why) => {
                self.count_taken();
                why.clone()
            }
            FilterDecision::SizeUnknown => {
                self.counts.sizeless.fetch_add(1, Ordering::Relaxed);
                "nobody tells its size".to_owned()
            }
            FilterDecision::TimeUnknown => {
                self.counts.timeless.fetch_add(1, Ordering::Relaxed);
                "nobody tells its time".to_owned()
            }
        };
        self.counts.left_out.fetch_add(1, Ordering::Relaxed);
        Some(format!("{shown}: left out ({why})"))
    }

    /// Returns the errors of the `.haulignore` files that could not be read since the last call.
    pub fn take_unreadable(&self) -> Vec<Error> {
        self.rules.files().map(IgnoreFiles::take_unreadable).unwrap_or_default()
    }

    /// Returns the warnings for the end of a run. `asked`: the user also chose files by other means, such as a list. `has_failed`:
    /// files have failed, which may be the reason that nothing was taken.
    ///
    /// # Errors
    /// `Usage` when nothing fits and `--fail-if-empty` is set.
    pub fn conclude(&self, asked: bool, has_failed: bool) -> Result<Vec<String>> {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let mut said = Vec::new();
        for (number, what, option) in
            [(of(&self.counts.sizeless), "size", self.size_option()), (of(&self.counts.timeless), "time", self.time_option())]
        {
            if number > 0 {
                let entries = if number == 1 { "entry" } else { "entries" };
                said.push(format!("the provider tells no {what} of {number} {entries}, which {option} left out"));
            }
        }
        if of(&self.counts.taken) == 0 && !has_failed {
            if self.spec.fail_if_empty {
                return Err(Error::new(Kind::Usage, "nothing fits, and --fail-if-empty makes that a failure")
                    .with_hint("-v says why each file was left out"));
            }
            if asked || self.is_active() {
                said.push("nothing fits: no file is taken".to_owned());
            }
        }
        Ok(said)
    }

    fn size_option(&self) -> &'static str {
        if self.spec.min_size.is_some() { "--min-size" } else { "--max-size" }
    }

    fn time_option(&self) -> &'static str {
        match (self.spec.newer, self.spec.older) {
            (Some(_), _) => "--newer",
            (None, Some(_)) => "--older",
            (None, None) => "--settle",
        }
    }
}

/// Returns the depth of a path; a path directly in the source has depth 1.
fn depth_of(path: &str) -> usize {
    path.split('/').filter(|name| !name.is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(spec: FilterSpec) -> Filter {
        Filter::new(spec).unwrap()
    }

    fn file(path: &str) -> Candidate<'_> {
        Candidate { path, ..Candidate::default() }
    }

    fn why(verdict: FilterDecision) -> String {
        match verdict {
            FilterDecision::Takes => "takes".to_owned(),
            FilterDecision::LeavesOut(why) => why.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn sizes_include_their_bounds() {
        let bounds = filter(FilterSpec { min_size: Some(10), max_size: Some(20), ..FilterSpec::default() });
        let of = |size| why(bounds.decide(&Candidate { size, ..file("a") }));
        assert_eq!([Some(9), Some(10), Some(20), Some(21)].map(of), ["--min-size", "takes", "takes", "--max-size"]);
        assert_eq!(of(None), "SizeUnknown");
        assert!(!bounds.takes_folder("d"));
    }

    #[test]
    fn times_from_one_moment_to_before_another() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0);
        let bounds = filter(FilterSpec { newer: at(100), older: at(200), ..FilterSpec::default() });
        let of = |seconds| why(bounds.decide(&Candidate { modified: at(seconds), ..file("a") }));
        assert_eq!([99, 100, 199, 200].map(of), ["--newer", "takes", "takes", "--older"]);
        assert_eq!(why(bounds.decide(&file("a"))), "TimeUnknown");
    }

    #[test]
    fn depth_counts_from_the_source() {
        let two = filter(FilterSpec { max_depth: Some(2), ..FilterSpec::default() });
        assert_eq!(why(two.decide(&file("a/b"))), "takes");
        assert_eq!(why(two.decide(&file("a/b/c"))), "--max-depth 2");
        assert!(two.closes("a").is_none() && two.closes("a/b").is_some());
        let none = filter(FilterSpec { max_depth: Some(0), ..FilterSpec::default() });
        assert_eq!(why(none.decide(&Candidate { is_source: true, ..file("a") })), "takes", "what was named itself");
        assert!(none.closes("").is_some());
    }

    #[test]
    fn a_file_settles() {
        let filter = filter(FilterSpec { settle: Some(Duration::from_secs(60)), ..FilterSpec::default() });
        let now = Utc::now();
        let of = |ago: i64| filter.reason_unsettled(now - TimeDelta::seconds(ago), now);
        assert_eq!(of(5).unwrap(), "it changed 5s ago, and --settle waits for 1m without a change");
        assert!(of(59).is_some() && of(-5).is_some() && of(60).is_none());
        assert!(of(-86_400).is_none(), "a camera's clock is a day ahead");
    }

    #[test]
    fn nothing_that_fits_is_a_warning_or_a_failure() {
        let said = |spec: FilterSpec| filter(spec).conclude(false, false).map_err(|e| e.kind());
        let sized = FilterSpec { min_size: Some(1), ..FilterSpec::default() };
        assert_eq!(said(FilterSpec::default()), Ok(vec![]));
        assert_eq!(said(sized.clone()).unwrap().len(), 1);
        assert_eq!(said(FilterSpec { fail_if_empty: true, ..sized.clone() }), Err(Kind::Usage));
        let sized = filter(sized);
        assert!(sized.count_left_out("a", &FilterDecision::SizeUnknown).unwrap().starts_with("a: left out"));
        sized.count_taken();
        assert_eq!(sized.conclude(true, false).unwrap(), ["the provider tells no size of 1 entry, which --min-size left out"]);
    }

    #[test]
    fn what_is_noted_is_read_again() {
        let spec = FilterSpec {
            rules: vec![RuleOption::Include("*.mov".into()), RuleOption::ExcludeFrom("f".into())],
            newer: Some(Utc::now()),
            settle: Some(Duration::from_secs(5)),
            shard: Some(Shard::new(1, 2).unwrap()),
            ..FilterSpec::default()
        };
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<FilterSpec>(&text).unwrap(), spec);
        assert_eq!(serde_json::from_str::<FilterSpec>("{}").unwrap(), FilterSpec::default());
    }

    /// The rules of a folder's `.haulignore` come before the options and after those of the folders above. Nothing in a folder is
    /// taken where its `.haulignore` can't be read.
    #[test]
    fn files_of_patterns_in_a_local_folder() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("sub/deep")).unwrap();
        std::fs::create_dir_all(dir.path().join("bad")).unwrap();
        std::fs::write(dir.path().join(".haulignore"), "\u{feff}# notes\r\n*.log\r\n/only.txt\r\nbuild/\r\n").unwrap();
        std::fs::write(dir.path().join("sub/.haulignore"), "!keep.log\n/x\n").unwrap();
        std::fs::write(dir.path().join("bad/.haulignore"), "[z-a]\n").unwrap();
        let spec = FilterSpec { rules: vec![RuleOption::Include("wanted.log".into())], ..FilterSpec::default() };
        let filter = filter(spec).of_local_folder(dir.path());
        let taken = |path: &str| filter.decide(&file(path)).takes();
        let files = [
            "a.log",
            "only.txt",
            "sub/only.txt",
            "wanted.log",
            "sub/keep.log",
            "keep.log",
            "sub/deep/keep.log",
            "sub/x",
            "sub/deep/x",
            "build/a",
            "a",
        ];
        let expected = ["sub/only.txt", "wanted.log", "sub/keep.log", "sub/deep/keep.log", "sub/deep/x", "a"];
        assert_eq!(files.into_iter().filter(|path| taken(path)).collect::<Vec<_>>(), expected);
        assert!(filter.closes("build").is_some() && filter.closes("sub").is_none());
        assert!(!taken("bad/a"));
        assert_eq!(filter.take_unreadable().len(), 1);
        assert!(why(filter.decide(&file("a.log"))).contains(".haulignore: \"*.log\""));
    }
}
