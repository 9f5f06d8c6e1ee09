//! Output for jobs of GitHub Actions: annotations of failed files, and protection from file names that a runner would read as
//! commands.

pub(crate) mod outputs;
pub(crate) mod step_summary;

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;

use crate::model::Report;
use crate::render::github::outputs::Outputs;
use crate::render::github::step_summary::StepSummary;
use crate::render::style::Ci;
use crate::render::text::phrases::{display_failure, subject};

/// GitHub shows at most this number of annotations of one kind for a step.
const MAX_ANNOTATIONS: u64 = 10;

/// The annotations so far, and what the job's page will show.
#[derive(Default)]
pub(super) struct Annotations {
    failures: u64,
    warnings: u64,
    page: StepSummary,
    outputs: Outputs,
}

impl Annotations {
    /// The annotation of a failure, unless the limit is reached.
    pub(super) fn annotate(&mut self, subject: Option<&str>, message: &str) -> Option<String> {
        self.failures = self.failures.saturating_add(1);
        let title = subject.map_or_else(|| "haul".to_owned(), |subject| format!("haul: {subject}"));
        (self.failures <= MAX_ANNOTATIONS).then(|| format!("::error title={}::{}", escape_property(&title), escape_data(message)))
    }

    /// Stores what later steps may use, and with `page` what the job's page will show.
    pub(super) fn remember(&mut self, report: &Report, page: bool) {
        self.outputs.add(report);
        if page {
            self.page.add(report);
        }
    }

    /// The annotation of a command that failed as a whole.
    pub(super) fn record_error(&mut self, message: &str, page: bool) -> Option<String> {
        self.outputs.add_error();
        if !page {
            return None;
        }
        self.page.add_error(message);
        self.annotate(None, message)
    }

    /// The annotation of a warning, unless the limit is reached; one annotation stays free for the count of failures.
    pub(super) fn annotate_warning(&mut self, message: &str) -> Option<String> {
        self.warnings = self.warnings.saturating_add(1);
        (self.warnings < MAX_ANNOTATIONS).then(|| format!("::warning title=haul::{}", escape_data(message)))
    }

    /// See [`Renderer::results_go_to`](crate::render::Renderer::results_go_to).
    pub(super) fn results_go_to(&mut self, receipt: Option<&Path>, dotenv: Option<File>) {
        self.outputs.go_to(receipt, dotenv);
    }

    /// As `remember`; returns the annotation of a failed file.
    pub(super) fn record(&mut self, report: &Report, page: bool) -> Option<String> {
        self.remember(report, page);
        match report {
            Report::Failed(failure) if page && !failure.untried => self.annotate(subject(failure).as_deref(), &display_failure(failure)),
            _ => None,
        }
    }

    /// The last annotation: the number of failures without one. It is a warning, because GitHub would hide an eleventh error.
    pub(super) fn count(&mut self) -> Option<String> {
        let hidden = std::mem::take(&mut self.failures).saturating_sub(MAX_ANNOTATIONS);
        (hidden > 0).then(|| format!("::warning title=haul::{hidden} more failed; the log names them"))
    }

    /// Appends the table to the job's page and the outputs to their file, once.
    pub(super) fn write_files(&mut self, ci: &Ci) -> io::Result<()> {
        let page = ci.step_summary.as_ref().map_or(Ok(()), |path| self.page.append_to(path));
        let outputs = ci.output.as_ref().map_or(Ok(()), |path| self.outputs.append_to(path));
        page.and(outputs)
    }

    /// Writes the dotenv file, if one was requested. Returns the names of the values that it can't hold.
    pub(super) fn write_dotenv(&mut self) -> io::Result<Vec<&'static str>> {
        self.outputs.write_dotenv()
    }
}

/// The command that makes the runner hide `url` in all later output.
pub(super) fn mask(url: &str) -> String {
    format!("::add-mask::{}", escape_data(url))
}

/// The text of a workflow command, escaped to one line.
fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command, where comma and colon are escaped.
fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Prefixes that begin a command anywhere in a line: of GitHub's older runners, of Azure Pipelines, and of TeamCity.
const COMMANDS: &[&str] = &["##[", "##vso[", "##teamcity["];

/// Escapes lines for people so that no runner finds a command in them. GitHub's runner also obeys a line that begins with `::`.
/// A file name may contain such text.
pub(super) fn escape_commands(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let lines = text.split('\n').map(|line| match line.trim_start().strip_prefix("::") {
        Some(rest) => format!("\\u{{3a}}:{rest}"),
        None => line.to_owned(),
    });
    Cow::Owned(without_commands(&lines.collect::<Vec<_>>().join("\n"), "\\u{23}"))
}

/// The same for a line of JSON; its meaning does not change.
pub(super) fn escape_commands_in_json(line: &str) -> String {
    without_commands(line, "\\u0023")
}

/// Replaces the second character of each command by `hash`.
fn without_commands(text: &str, hash: &str) -> String {
    COMMANDS.iter().fold(text.to_owned(), |text, command| match command.strip_prefix("##") {
        Some(rest) => text.replace(command, &format!("#{hash}{rest}")),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::error::{Error, Kind};
    use crate::model::{Entry, Secret};
    use crate::render::Style;
    use crate::render::style::{Ci, Terminal};
    use crate::render::testing;
    use crate::render::testing::capture;

    fn env(vars: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        |name| vars.iter().find(|v| v.0 == name).map(|v| v.1.to_owned())
    }

    #[test]
    fn only_github_is_github() {
        assert!(Ci::from_env(env(&[("GITHUB_ACTIONS", "false")])).is_none());
        assert!(Ci::from_env(env(&[("GITHUB_STEP_SUMMARY", "/x")])).is_none());
        let ci = Ci::from_env(env(&[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", "/x")])).unwrap();
        assert_eq!(ci.step_summary, Some(PathBuf::from("/x")));
    }

    #[test]
    fn annotations_are_escaped() {
        let mut journal = Annotations::default();
        let line = journal.annotate(Some("a,b:c%"), "100%\r\n::set-env::x");
        assert_eq!(line.unwrap(), "::error title=haul%3A a%2Cb%3Ac%25::100%25%0D%0A::set-env::x");
        assert_eq!(journal.annotate(None, "no").unwrap(), "::error title=haul::no");
    }

    #[test]
    fn ten_annotations_then_a_count() {
        let mut journal = Annotations::default();
        let failed = Report::Failed(testing::failure("b.mov", "/in/b.mov"));
        let told: Vec<String> = (0..13).filter_map(|_| journal.record(&failed, true)).collect();
        assert_eq!(told.len(), 10);
        assert_eq!(told[0], "::error title=haul%3A b.mov::b.mov: the account is full; delete something");
        assert_eq!(journal.count().unwrap(), "::warning title=haul::3 more failed; the log names them");
        assert_eq!(journal.count(), None);
    }

    #[test]
    fn no_name_is_a_command() {
        assert_eq!(escape_commands("a::b"), "a::b");
        assert_eq!(escape_commands("x\n  ::stop-commands::t\ny"), "x\n\\u{3a}:stop-commands::t\ny");
        assert_eq!(escape_commands("a ##[add-mask]b"), "a #\\u{23}[add-mask]b");
        assert_eq!(escape_commands("###vso[task.complete]"), "##\\u{23}vso[task.complete]");
        assert_eq!(escape_commands("##teamcity[x"), "#\\u{23}teamcity[x");
        assert_eq!(escape_commands("## a [b]"), "## a [b]");
        assert_eq!(escape_commands_in_json(r###"{"a":"##[x]"}"###), r##"{"a":"#\u0023[x]"}"##);
    }

    #[test]
    fn a_job_gets_annotations_and_no_commands_of_strangers() {
        let secret = Secret::new("job-test-s3cret");
        let ci = Some(Ci { masks: true, annotates: true, ..Ci::default() });
        let (renderer, out, err) = capture(Style { ci: ci.clone(), ..Style::default() });
        renderer.report(&Report::Failed(testing::failure("b.mov", "/in/b.mov")));
        renderer.error(&Error::new(Kind::Auth, format!("::x {}", secret.expose())));
        let mut entry = testing::entry();
        entry.name = "::set-output name=a::b".into();
        renderer.report(&testing::entry_report(entry.clone()));
        renderer.finish().unwrap();
        assert_eq!(out.text(), "\\u{3a}:set-output name=a::b\n");
        assert_eq!(
            err.text().lines().collect::<Vec<_>>(),
            ["::error title=haul%3A b.mov::b.mov: the account is full; delete something", "::error title=haul::::x ***"],
            "and no secret is told to the runner, for the log may be kept elsewhere"
        );

        let (renderer, out, _) = capture(Style { ci, json: true, ..Style::default() });
        entry.name = "##[add-mask]a".into();
        renderer.report(&testing::entry_report(entry));
        renderer.finish().unwrap();
        assert!(out.text().contains(r##""name":"#\u0023[add-mask]a""##), "{}", out.text());
    }

    #[test]
    fn a_look_that_finds_nothing_is_no_annotation() {
        let folder = tempfile::tempdir().unwrap();
        let (page, output) = (folder.path().join("page"), folder.path().join("output"));
        let told = |annotates| {
            let ci = Ci { step_summary: Some(page.clone()), output: Some(output.clone()), annotates, masks: true };
            let (renderer, _, err) = capture(Style { ci: Some(ci), ..Style::default() });
            renderer.error(&Error::new(Kind::NotFound, "there is no such file"));
            (0..12).for_each(|n| renderer.warning(&format!("w{n}")));
            renderer.finish().unwrap();
            err.text()
        };
        let plain = told(false);
        assert!(plain.starts_with("haul: there is no such file\nhaul: warning: w0\n") && !plain.contains("::"), "{plain}");
        assert!(!page.exists() && !output.exists());
        let annotated = told(true);
        assert!(annotated.starts_with("::error title=haul::there is no such file\n::warning title=haul::w0\n"), "{annotated}");
        assert!(annotated.ends_with("::w8\nhaul: warning: w9\nhaul: warning: w10\nhaul: warning: w11\n"), "{annotated}");
        assert!(std::fs::read_to_string(&page).unwrap().contains("| **failed** | - | there is no such file |"));
        assert_eq!(std::fs::read_to_string(&output).unwrap(), "files=0\nbytes=0\nfailed=1\n");
    }

    /// For other runners only `CI` is set.
    #[test]
    fn every_ci_gets_no_commands_of_strangers() {
        let terminal = Terminal { ci: true, ..Terminal::default() };
        let (renderer, out, _) = capture(Style { terminal, ..Style::default() });
        for name in ["::error::a", "##[error]b", "##vso[task.setvariable variable=x]c"] {
            renderer.report(&testing::entry_report(Entry { name: name.into(), ..testing::entry() }));
            renderer.print_line(name, "");
        }
        renderer.finish().unwrap();
        assert!(!out.text().contains("##") && !out.text().lines().any(|line| line.starts_with("::")), "{}", out.text());
        assert_eq!(out.text().lines().count(), 6);
    }

    #[test]
    fn only_the_url_of_a_link_is_named_to_the_runner() {
        let url = "https://h.example/dl?token=only-here%20";
        let link = || Report::Link { remote: "r".into(), path: testing::path("/a"), url: url.into() };
        for json in [true, false] {
            let masks = |masks| {
                let (renderer, out, err) = capture(Style { json, ci: Some(Ci { masks, ..Ci::default() }), ..Style::default() });
                renderer.report(&link());
                assert!(out.text().contains(url));
                err.text()
            };
            assert_eq!(masks(true), "::add-mask::https://h.example/dl?token=only-here%2520\n");
            assert_eq!(masks(false), "", "a file or a terminal would show it");
        }
    }
}
