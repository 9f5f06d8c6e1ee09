//! The style of this run's output: decided once at start, from options, the environment and the kind of the streams.

use std::io::{IsTerminal, stderr, stdout};
use std::path::PathBuf;
use std::str::FromStr;

use crate::error::{Error, Kind};

/// `--progress`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Bars in a terminal, lines elsewhere.
    #[default]
    Auto,
    Bar,
    Plain,
    None,
}

impl FromStr for Progress {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Progress::Auto),
            "bar" => Ok(Progress::Bar),
            "plain" => Ok(Progress::Plain),
            "none" => Ok(Progress::None),
            _ => Err(Error::new(Kind::Usage, format!("there is no progress display {text:?}")).with_hint("use auto, bar, plain or none")),
        }
    }
}

/// How much of an entry or a remote is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// A name per line (`ls`).
    #[default]
    Name,
    /// Aligned columns (`ls -l`, `remote list`).
    Row,
    /// A line for each field (`stat`, `remote show`).
    Block,
}

/// What the streams are connected to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    /// Standard output is a terminal.
    pub out: bool,
    /// Standard error is a terminal that can redraw lines.
    pub err: bool,
    /// Output to a log: `CI` is set, even if there is a terminal.
    pub ci: bool,
    /// The width in columns, if there is a terminal.
    pub width: Option<u16>,
}

/// The size of a terminal that does not report its size.
const USUAL_SIZE: (usize, usize) = (80, 24);

/// Variables of runners that don't set `CI`: Azure Pipelines, TeamCity.
const RUNNERS: &[&str] = &["TF_BUILD", "TEAMCITY_VERSION"];

impl Terminal {
    /// `env` looks up a variable of the environment.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Terminal {
        let said = |name: &str| env(name).filter(|value| !value.is_empty());
        Terminal {
            out: stdout().is_terminal(),
            // Without TERM the abilities of a Unix terminal are unknown, so no bars are drawn.
            err: stderr().is_terminal() && said("TERM").map_or(cfg!(windows), |term| term != "dumb"),
            ci: said("CI").is_some_and(|value| value != "false" && value != "0") || RUNNERS.iter().any(|name| said(name).is_some()),
            width: terminal_size::terminal_size_of(stderr()).map(|(width, _)| width.0),
        }
    }
}

impl Terminal {
    /// Columns and rows of the terminal of standard error now: a window may change its size.
    pub(super) fn size_now(&self) -> (usize, usize) {
        let told = terminal_size::terminal_size_of(stderr()).filter(|_| self.err);
        let told =
            told.map(|(columns, rows)| (usize::from(columns.0), usize::from(rows.0))).filter(|(columns, rows)| *columns > 0 && *rows > 0);
        told.unwrap_or(USUAL_SIZE)
    }
}

/// Whether messages may be coloured. `NO_COLOR` takes precedence over `CLICOLOR_FORCE`, and that over the terminal; an empty
/// variable counts as unset. `terminal`: standard error is a terminal that supports colours.
pub fn colour(terminal: bool, env: impl Fn(&str) -> Option<String>) -> bool {
    let said = |name: &str| env(name).filter(|value| !value.is_empty());
    if said("NO_COLOR").is_some() {
        return false;
    }
    if said("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    terminal && said("TERM").is_none_or(|term| term != "dumb") && said("CLICOLOR").is_none_or(|value| value != "0")
}

/// A job of GitHub Actions.
#[derive(Clone, Debug, Default)]
pub struct Ci {
    /// `$GITHUB_STEP_SUMMARY`: the file that a table is appended to.
    pub step_summary: Option<PathBuf>,
    /// `$GITHUB_OUTPUT`: the file from which later steps read the results.
    pub output: Option<PathBuf>,
    /// Failures become annotations and rows of the summary. Off for a command that only reads: a script may use it to test
    /// whether something exists.
    pub annotates: bool,
    /// The URL that `link` prints opens a file to everyone who has it, so it is passed to the runner as a secret
    /// (`::add-mask::`), but only where the runner reads the output. Nothing else needs a mask: no secret is printed, and the
    /// mask line itself would put one into every captured log (`2>&1 | tee`).
    pub masks: bool,
}

impl Ci {
    /// None outside GitHub Actions. `env` looks up a variable of the environment.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Option<Ci> {
        let said = |name: &str| env(name).filter(|value| !value.is_empty());
        let path = |name: &str| said(name).map(PathBuf::from);
        said("GITHUB_ACTIONS").filter(|value| value == "true").map(|_| Ci {
            step_summary: path("GITHUB_STEP_SUMMARY"),
            output: path("GITHUB_OUTPUT"),
            annotates: true,
            masks: runner_reads(),
        })
    }
}

/// A job of GitLab. `env` looks up a variable of the environment.
pub fn is_gitlab(env: impl Fn(&str) -> Option<String>) -> bool {
    env("GITLAB_CI").is_some_and(|value| value == "true")
}

/// True if a runner may read standard error.
fn runner_reads() -> bool {
    !stderr().is_terminal() && !is_file()
}

#[cfg(unix)]
fn is_file() -> bool {
    use std::os::fd::AsFd;
    let metadata = stderr().as_fd().try_clone_to_owned().and_then(|fd| std::fs::File::from(fd).metadata());
    metadata.map_or(true, |metadata| metadata.is_file())
}

#[cfg(not(unix))]
fn is_file() -> bool {
    false
}

#[derive(Clone, Debug, Default)]
pub struct Style {
    /// Results as JSON lines.
    pub json: bool,
    /// Errors only; the answers of reading commands (`ls`, `about`) are still printed.
    pub quiet: bool,
    /// 1: notes and retries.
    pub verbose: u8,
    pub progress: Progress,
    pub view: View,
    /// Entries as REMOTE:PATH instead of their name (`-R`, `find`).
    pub paths: bool,
    /// Ids of entries in rows (`ls --id`).
    pub ids: bool,
    /// Each entry ends with NUL, and its name is not escaped (`-0`).
    pub null: bool,
    /// Sizes in bytes instead of IEC units (`--bytes`).
    pub exact: bool,
    pub terminal: Terminal,
    /// Notes begin with the time of day (`-v`).
    pub clock: bool,
    /// The file for all messages (`--log-file`).
    pub log_file: Option<crate::render::log_file::LogFile>,
    /// Messages are coloured (see [`colour`]).
    pub colour: bool,
    /// Results on standard output are coloured.
    pub colours_results: bool,
    /// Set when this is a job of GitHub Actions.
    pub ci: Option<Ci>,
    /// The lines of finished files are a folded section of the log (GitLab).
    pub folds: bool,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProgressMode {
    Bars,
    /// Lines on standard error.
    Lines,
    /// `progress` events on standard output.
    Events,
    Silent,
}

impl Style {
    /// True if a runner may look for commands in the output.
    pub(super) fn is_read_by_a_runner(&self) -> bool {
        self.ci.is_some() || self.terminal.ci
    }

    /// True if progress bars are drawn while standard output, which takes a file, is no terminal.
    pub fn draws_beside_output(&self) -> bool {
        self.progress_mode() == ProgressMode::Bars && !self.terminal.out
    }

    pub(super) fn progress_mode(&self) -> ProgressMode {
        match self.progress {
            Progress::Plain if self.json => ProgressMode::Events,
            Progress::None => ProgressMode::Silent,
            _ if self.quiet => ProgressMode::Silent,
            Progress::Bar if self.terminal.err => ProgressMode::Bars,
            Progress::Auto if self.terminal.err && !self.terminal.ci && self.ci.is_none() => ProgressMode::Bars,
            _ => ProgressMode::Lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_colour(terminal: bool, vars: &[(&str, &str)]) -> bool {
        colour(terminal, |name| vars.iter().find(|v| v.0 == name).map(|v| v.1.to_owned()))
    }

    #[test]
    fn colour_obeys_the_usual_variables() {
        assert!(has_colour(true, &[("TERM", "xterm")]));
        assert!(!has_colour(false, &[]));
        assert!(!has_colour(true, &[("NO_COLOR", "1")]));
        assert!(has_colour(true, &[("NO_COLOR", "")]));
        assert!(!has_colour(true, &[("TERM", "dumb")]));
        assert!(has_colour(false, &[("CLICOLOR_FORCE", "1")]));
        assert!(!has_colour(false, &[("CLICOLOR_FORCE", "0")]));
        assert!(!has_colour(true, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
        assert!(!has_colour(true, &[("CLICOLOR", "0")]));
    }

    #[test]
    fn bars_only_where_somebody_watches() {
        let terminal = Terminal { err: true, ..Terminal::default() };
        let watched = Style { terminal, ..Style::default() };
        assert_eq!(watched.progress_mode(), ProgressMode::Bars);
        assert_eq!(Style::default().progress_mode(), ProgressMode::Lines);
        assert_eq!(Style { quiet: true, ..watched.clone() }.progress_mode(), ProgressMode::Silent);
        let both = Terminal { out: true, ..terminal };
        assert!(watched.draws_beside_output() && !Style { terminal: both, ..watched.clone() }.draws_beside_output());
        assert_eq!(Style { progress: Progress::None, ..watched.clone() }.progress_mode(), ProgressMode::Silent);
        assert_eq!(Style { progress: Progress::Bar, ..Style::default() }.progress_mode(), ProgressMode::Lines);
        assert_eq!(Style { terminal: Terminal { ci: true, ..terminal }, ..watched.clone() }.progress_mode(), ProgressMode::Lines);
        assert_eq!(Style { progress: Progress::Plain, json: true, ..watched.clone() }.progress_mode(), ProgressMode::Events);
        assert_eq!(Style { json: true, ..watched }.progress_mode(), ProgressMode::Bars);
    }

    #[test]
    fn progress_is_named_as_on_the_command_line() {
        let named: Vec<_> = ["auto", "bar", "plain", "none"].iter().map(|n| n.parse::<Progress>().unwrap()).collect();
        assert_eq!(named, [Progress::Auto, Progress::Bar, Progress::Plain, Progress::None]);
        assert_eq!("Bar".parse::<Progress>().unwrap_err().kind(), Kind::Usage);
    }
}
