//! The options that say which files are meant, the same for all commands.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use serde::{Deserialize, Serialize};

use super::value_parsers;
use crate::error::{Error, Result};
use crate::transfer::filter::{Filter, FilterSpec, RuleOption, Shard};

/// Which files are meant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FilterArgs(pub FilterSpec);

/// As typed. The order of the first three is known to the parser alone.
#[derive(Args)]
#[command(next_help_heading = "Filters")]
struct TypedFilters {
    /// Take files that match a .gitignore pattern; relative to the source. The last match wins; if --include comes first, all others are left out
    #[arg(long, value_name = "GLOB", env = "HAUL_INCLUDE", value_delimiter = '\n')]
    include: Vec<String>,
    /// Leave out files that match; folders with their content
    #[arg(long, value_name = "GLOB", env = "HAUL_EXCLUDE", value_delimiter = '\n')]
    exclude: Vec<String>,
    /// Read --exclude patterns from FILE; "!" before a pattern includes again. A .haulignore in a local source folder is read, too
    #[arg(long, value_name = "FILE", env = "HAUL_EXCLUDE_FROM")]
    exclude_from: Vec<PathBuf>,
    /// Only files of this size or more
    #[arg(long, value_name = "SIZE", env = "HAUL_MIN_SIZE", value_parser = value_parsers::size)]
    min_size: Option<u64>,
    /// Only files of this size or less
    #[arg(long, value_name = "SIZE", env = "HAUL_MAX_SIZE", value_parser = value_parsers::size)]
    max_size: Option<u64>,
    /// Only files changed less than TIME ago (2d), or since a date or time (2026-01-31, 2026-01-31T12:00:00Z)
    #[arg(long, value_name = "TIME", env = "HAUL_NEWER", value_parser = moment)]
    newer: Option<DateTime<Utc>>,
    /// Only files changed TIME ago (2d) or earlier, or before a date or time
    #[arg(long, value_name = "TIME", env = "HAUL_OLDER", value_parser = moment)]
    older: Option<DateTime<Utc>>,
    /// Only files down to this level; 1 is directly in the source
    #[arg(long, value_name = "N", env = "HAUL_MAX_DEPTH")]
    max_depth: Option<usize>,
    /// Symbolic links in a local source: follow or skip [default: follow]
    #[arg(long, value_name = "P", env = "HAUL_LINKS", hide_possible_values = true, value_parser = ["follow", "skip"])]
    links: Option<String>,
    /// End with status 2 if no file matches, instead of a warning
    #[arg(long, env = "HAUL_FAIL_IF_EMPTY", value_parser = clap::builder::BoolishValueParser::new())]
    fail_if_empty: bool,
}

impl FilterArgs {
    pub fn filter(&self) -> Result<Filter> {
        Filter::new(self.0.clone())
    }
}

impl Args for FilterArgs {
    fn augment_args(command: Command) -> Command {
        TypedFilters::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        TypedFilters::augment_args_for_update(command)
    }
}

impl FromArgMatches for FilterArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<FilterArgs, clap::Error> {
        let (rules, only_included) = rules(matches);
        let TypedFilters { min_size, max_size, newer, older, max_depth, links, fail_if_empty, .. } =
            TypedFilters::from_arg_matches(matches)?;
        let skip_links = links.as_deref() == Some("skip");
        let (settle, shard) = (None, None);
        let spec =
            FilterSpec { rules, only_included, min_size, max_size, newer, older, max_depth, skip_links, fail_if_empty, settle, shard };
        Ok(FilterArgs(spec))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = FilterArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The rules in their order: those of the configuration file, of the environment, and of the command line. What each of
/// these begins with says whether all else is left out: an exclusion that always holds must not change that.
fn rules(matches: &ArgMatches) -> (Vec<RuleOption>, bool) {
    let mut typed: Vec<(Strength, usize, RuleOption)> = Vec::new();
    for name in ["include", "exclude", "exclude_from"] {
        let strength = Strength::of(matches.value_source(name));
        let places = matches.indices_of(name).into_iter().flatten();
        let values: Vec<RuleOption> = match name {
            "exclude_from" => matches.get_many::<PathBuf>(name).into_iter().flatten().cloned().map(RuleOption::ExcludeFrom).collect(),
            "include" => matches.get_many::<String>(name).into_iter().flatten().cloned().map(RuleOption::Include).collect(),
            _ => matches.get_many::<String>(name).into_iter().flatten().cloned().map(RuleOption::Exclude).collect(),
        };
        typed.extend(places.zip(values).map(|(place, rule)| (strength, place, rule)));
    }
    typed.sort_by_key(|(strength, place, _)| (*strength, *place));
    let begins = |at: usize| at == 0 || typed.get(at - 1).map(|rule| rule.0) != typed.get(at).map(|rule| rule.0);
    let only_included = typed.iter().enumerate().any(|(at, rule)| begins(at) && matches!(rule.2, RuleOption::Include(_)));
    (typed.into_iter().map(|(_, _, rule)| rule).collect(), only_included)
}

#[derive(Clone, Copy, PartialEq, PartialOrd, Eq, Ord)]
enum Strength {
    File,
    Environment,
    CommandLine,
}

impl Strength {
    fn of(source: Option<ValueSource>) -> Strength {
        match source {
            Some(ValueSource::CommandLine) => Strength::CommandLine,
            Some(ValueSource::EnvVariable) => Strength::Environment,
            _ => Strength::File,
        }
    }
}

/// A date is its midnight here, an age counts from now.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    let wrong = || format!("{text:?} is no time; write it as 2d, 12h, 2026-01-31 or 2026-01-31T12:00:00Z");
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|date| date.and_time(NaiveTime::MIN));
    let local = date.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S"));
    let local = local.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S"));
    if let Ok(local) = local {
        // A midnight that a change of the clock skips has none; then the same time of UTC serves.
        return Ok(Local.from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |time| time.to_utc()));
    }
    let ago = value_parsers::time(text).map_err(|_| wrong())?;
    Utc::now().checked_sub_signed(TimeDelta::from_std(ago).map_err(|_| wrong())?).ok_or_else(wrong)
}

/// One machine's share, and files that have settled: for whatever works off many files.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[command(next_help_heading = "Filters")]
pub struct ShardArgs {
    /// Only this machine's share of the files, by a hash of the path; auto reads the index of a job (GitLab, Slurm, Kubernetes, AWS Batch) or HAUL_SHARD
    #[arg(long, value_name = "I/N", env = "HAUL_SHARD", value_parser = shard)]
    pub shard: Option<Shard>,
    /// Only files unchanged for this time; others are left for the next run
    #[arg(long, value_name = "D", env = "HAUL_SETTLE", value_parser = value_parsers::time)]
    pub settle: Option<Duration>,
}

fn shard(text: &str) -> Result<Shard, Error> {
    match text.trim() {
        "auto" => Shard::from_env(|name| std::env::var_os(name).and_then(|value: OsString| value.into_string().ok())),
        text => text.parse(),
    }
}

/// All that says which files of the sources are meant.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SelectionArgs {
    #[command(flatten)]
    pub filter: FilterArgs,
    #[command(flatten)]
    pub share: ShardArgs,
}

impl SelectionArgs {
    pub fn filter(&self) -> Result<Filter> {
        let ShardArgs { shard, settle } = self.share;
        Filter::new(FilterSpec { shard, settle, ..self.filter.0.clone() })
    }

    /// As it means the same from every folder.
    pub fn absolute(&self) -> SelectionArgs {
        let mut selection = self.clone();
        for rule in &mut selection.filter.0.rules {
            if let RuleOption::ExcludeFrom(file) = rule {
                *file = std::path::absolute(&*file).unwrap_or_else(|_| file.clone());
            }
        }
        selection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_args(args: &[&str]) -> FilterSpec {
        let command = FilterArgs::augment_args(Command::new("x").no_binary_name(true));
        FilterArgs::from_arg_matches(&command.try_get_matches_from(args).unwrap()).unwrap().0
    }

    #[test]
    fn the_rules_keep_their_order_across_the_options() {
        let spec = parse_args(&["--exclude", "a", "--include", "b", "--exclude-from", "f", "--exclude", "c", "--include=d"]);
        let (include, exclude) = (|glob: &str| RuleOption::Include(glob.into()), |glob: &str| RuleOption::Exclude(glob.into()));
        assert_eq!(spec.rules, [exclude("a"), include("b"), RuleOption::ExcludeFrom("f".into()), exclude("c"), include("d")]);
        assert!(!spec.only_included && parse_args(&["--include", "b", "--exclude", "a"]).only_included);
        assert_eq!(parse_args(&["--exclude", "a\nb"]).rules, [exclude("a"), exclude("b")]);
    }

    /// What always holds comes first, and does not take the meaning of an `--include` away.
    #[test]
    fn rules_of_the_file_come_before_those_of_the_command_line() {
        let command = FilterArgs::augment_args(Command::new("x").no_binary_name(true));
        let command = command.mut_arg("exclude", |arg| arg.default_values(["*.tmp", "*.bak"]));
        let matches = command.try_get_matches_from(["--include", "*.mov"]).unwrap();
        let spec = FilterArgs::from_arg_matches(&matches).unwrap().0;
        assert_eq!(spec.rules.len(), 3);
        assert_eq!(spec.rules.last(), Some(&RuleOption::Include("*.mov".into())));
        assert!(spec.only_included);
    }

    #[test]
    fn times_as_typed() {
        assert_eq!(moment("2026-01-31T12:00:00+01:00").unwrap().to_rfc3339(), "2026-01-31T11:00:00+00:00");
        let midnight = moment("2026-01-31").unwrap().with_timezone(&Local);
        assert_eq!(midnight.naive_local().to_string(), "2026-01-31 00:00:00");
        assert_eq!(moment("2026-01-31T10:11:12").unwrap().with_timezone(&Local).naive_local().to_string(), "2026-01-31 10:11:12");
        let ago = Utc::now() - moment("2d").unwrap();
        assert!((172_799..172_860).contains(&ago.num_seconds()), "{ago}");
        for wrong in ["soon", "-2d", "0", "9999999999999y", "2026-13-01T00:00:00Z", "2026-02-30"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_selection_is_noted_and_read_again() {
        let shard = Some("1/3".parse().unwrap());
        let selection = SelectionArgs { share: ShardArgs { shard, settle: Some(Duration::from_secs(3)) }, ..SelectionArgs::default() };
        let text = serde_json::to_string(&selection).unwrap();
        assert_eq!(serde_json::from_str::<SelectionArgs>(&text).unwrap(), selection);
    }
}
