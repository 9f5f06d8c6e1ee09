//! The renderer: one method for each kind of output, and the stream that it goes to.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::model::escape::escape_control;
use crate::model::report::Failure;
use crate::model::secret::mask;
use crate::model::{Entry, Report};
use crate::render::streams::Streams;
use crate::render::text::TextOutput;
use crate::render::text::table;
use crate::render::{Style, github, json, mask, text};

/// The only writer. Cheap to clone; the clones share the streams and can be used by several tasks.
#[derive(Clone)]
pub struct Renderer(Arc<Inner>);

struct Inner {
    style: Style,
    screen: Arc<Streams>,
    tables: Mutex<table::Tables>,
    journal: Arc<Mutex<github::Annotations>>,
    /// In a batch: the line that all output belongs to.
    line: Option<u64>,
    /// In a batch: answers of the line, kept together until it is over, as other lines answer meanwhile.
    answers: Option<Arc<Mutex<String>>>,
}

/// Bytes. A longer answer is written in pieces of this size, and what other lines say may come between them.
const KEPT_TOGETHER: usize = 1 << 20;

impl Renderer {
    /// Writes to the streams of the process.
    pub fn new(style: Style) -> Renderer {
        Renderer::onto(style, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// Writes to the given standard output and standard error.
    pub fn onto(style: Style, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Renderer {
        let screen = Arc::new(Streams::new(out, err));
        Renderer(Arc::new(Inner { style, screen, tables: Mutex::default(), journal: Arc::default(), line: None, answers: None }))
    }

    /// A renderer for the same streams, with another style.
    pub fn in_style(&self, style: Style) -> Renderer {
        let Inner { screen, journal, line, answers, .. } = &*self.0;
        let (screen, journal, answers) = (screen.clone(), journal.clone(), answers.clone());
        Renderer(Arc::new(Inner { style, screen, tables: Mutex::default(), journal, line: *line, answers }))
    }

    /// A renderer for the same streams, for line `number` of a batch: its output names the line, and the line's own summary is
    /// left out.
    pub fn of_line(&self, number: u64, style: Style) -> Renderer {
        let Inner { screen, journal, .. } = &*self.0;
        let (screen, journal, answers) = (screen.clone(), journal.clone(), Some(Arc::default()));
        Renderer(Arc::new(Inner { style, screen, tables: Mutex::default(), journal, line: Some(number), answers }))
    }

    /// Writes the tables that are not complete yet, and what was kept of a line of a batch. The streams stay open.
    pub fn end_of_line(&self) {
        let rest = self.0.tables.lock().rest();
        rest.iter().for_each(|rest| self.lines(rest, true));
        let answers = self.0.answers.as_ref().map(|answers| std::mem::take(&mut *answers.lock()));
        if let Some(answers) = answers.filter(|answers| !answers.is_empty()) {
            self.screen().result(&answers, true);
        }
    }

    pub fn style(&self) -> &Style {
        &self.0.style
    }

    pub(super) fn screen(&self) -> &Streams {
        &self.0.screen
    }

    /// Shows the result of a command. Rows of a table may be held back until [`Renderer::finish`].
    pub fn report(&self, report: &Report) {
        let report = mask::report(report);
        let report = report.as_ref();
        if let (Report::Link { url, .. }, Some(true)) = (report, self.style().ci.as_ref().map(|ci| ci.masks)) {
            self.screen().message(&format!("{}\n", github::mask(url)));
        }
        if self.style().json {
            self.json(report);
        }
        if let (true, false, Report::Entry { remote, entry }) = (self.style().null, self.style().json, report) {
            return self.screen().result(&(text::exact_name(remote, entry, self.style()) + "\0"), self.style().terminal.out);
        }
        let annotation = self.0.journal.lock().record(report, self.annotates());
        let said = text::to_text(report, self.style());
        if let TextOutput::Done(text) | TextOutput::Aside(text) | TextOutput::Answer(text) = &said
            && !matches!(report, Report::Link { .. } | Report::Progress { .. })
        {
            self.log("", text);
        }
        match said {
            // These failures are reported together, at the end.
            TextOutput::Failure(_) if is_not_attempted(report) && self.style().verbose == 0 => {}
            // The runner also shows the annotation as a line of the log.
            TextOutput::Failure(_) if annotation.is_some() => self.command(annotation),
            TextOutput::Failure(text) => self.failure(&text),
            // In JSON these are results, so standard error does not repeat them.
            _ if self.style().json => {}
            TextOutput::Answer(text) => self.lines(&text, self.flush_now(report)),
            // A line of its own, which nothing has to stand beside.
            TextOutput::Done(text) => self.unless_quiet(|| self.screen().result(&(self.escape_for_ci(&text) + "\n"), true)),
            TextOutput::Aside(_) if self.0.line.is_some() && matches!(report, Report::Summary { .. }) => {}
            TextOutput::Aside(text) => self.unless_quiet(|| self.aside(&text)),
            TextOutput::Row(cells) => self.row(cells),
            TextOutput::SizeRow(size, shown, name) if self.style().terminal.out => {
                let group = self.0.tables.lock().size_row(size, shown, name);
                group.iter().for_each(|group| self.lines(group, true));
            }
            TextOutput::SizeRow(_, shown, name) => self.row(format!("{shown}\t{name}")),
            TextOutput::Column => {
                if let Report::Providers(line) = report {
                    self.0.tables.lock().provider(line.clone());
                }
            }
        }
    }

    /// A row of cells divided by tabs.
    fn row(&self, cells: String) {
        let group = self.0.tables.lock().row(cells);
        group.iter().for_each(|group| self.lines(group, true));
    }

    /// The heads of the columns of the rows that follow, where a person looks: a script gets none.
    pub fn heads(&self, cells: &[&str]) {
        if self.style().terminal.out && !self.style().json {
            self.row(cells.iter().map(|cell| text::shade(cell, "2", self.style())).collect::<Vec<_>>().join("\t"));
        }
    }

    /// As [`Renderer::print_line`], for a branch of a tree before the name of `entry`: a folder has its colour.
    pub fn print_branch(&self, branch: &str, entry: &Entry) {
        let slash = if entry.is_folder() { "/" } else { "" };
        let name = escape_control(&mask(&format!("{}{slash}", entry.name))).into_owned();
        self.own_line(&format!("{branch}{}", if entry.is_folder() { text::shade(&name, text::FOLDER, self.style()) } else { name }));
    }

    /// As `report`, for a result that has no line of its own but appears on the job's page.
    pub(super) fn record(&self, report: &Report) {
        self.0.journal.lock().remember(mask::report(report).as_ref(), self.annotates());
    }

    /// A failure of the whole command. In JSON it is a `failed` event, which names a file only if the error does.
    pub fn error(&self, error: &Error) {
        if self.style().json {
            self.json(&Report::Failed(Failure::new(error)));
        }
        let text = text::error(error);
        let annotation = self.0.journal.lock().record_error(&text, self.annotates());
        match annotation {
            None => self.failure(&text),
            annotation => self.command(annotation),
        }
    }

    /// A warning: the work goes on.
    pub fn warning(&self, text: &str) {
        self.unless_quiet(|| {
            let annotation = self.annotates().then(|| self.0.journal.lock().annotate_warning(text)).flatten();
            match annotation {
                None => self.message("warning: ", "\x1b[33m", text),
                annotation => self.command(annotation),
            }
        });
    }

    /// A note, shown with `-v`.
    pub fn note(&self, text: &str) {
        match self.style().verbose > 0 && !self.style().quiet {
            true if self.style().clock => self.message(&format!("{} note: ", Renderer::clock()), "\x1b[2m", text),
            true => self.message("note: ", "\x1b[2m", text),
            false => self.log("note: ", text),
        }
    }

    /// Writes a line to the log file, if there is one.
    fn log(&self, what: &str, text: &str) {
        if let Some(file) = &self.style().log_file {
            file.write_line(&format!("{what}{text}"));
        }
    }

    /// A line of standard error about how a command went. Not in JSON, whose events contain the same.
    pub fn remark(&self, text: &str) {
        if !self.style().json {
            self.unless_quiet(|| self.aside(&escape_control(text)));
        }
    }

    /// Text before a question: on standard error, without `haul:`.
    pub fn print_message(&self, text: &str) {
        text.lines().for_each(|line| self.aside(&escape_control(line)));
    }

    /// Writes a question to standard error; the cursor stays after it. The caller reads the answer, and then drops the guard.
    pub fn ask(&self, question: &str) -> QuestionGuard<'_> {
        self.screen().message(&escape_control(&mask(question)));
        self.hold_still()
    }

    /// Keeps the terminal free until the guard is dropped: no bar and no spinner is drawn over the question, and messages wait.
    pub fn hold_still(&self) -> QuestionGuard<'_> {
        self.screen().ask();
        QuestionGuard(self)
    }

    /// As [`Renderer::hold_still`], while the user types in `work`.
    pub fn while_a_person_types<R>(&self, work: impl FnOnce() -> R) -> R {
        let _asked = self.hold_still();
        work()
    }

    /// Writes our own text to standard output unchanged (help, completions, a link with a secret): neither masked nor escaped.
    pub fn out(&self, text: &str) {
        self.answer(text, true);
    }

    /// A line among the results that a command drew itself (a heading, a branch of a tree), after the rows before it and after
    /// `gap`. Not in JSON.
    pub fn print_line(&self, text: &str, gap: &str) {
        self.own_line(&format!("{gap}{}", escape_control(&mask(text))));
    }

    fn own_line(&self, line: &str) {
        if self.style().json {
            return;
        }
        let rows = self.0.tables.lock().rest();
        rows.iter().for_each(|rows| self.lines(rows, false));
        self.lines(line, self.style().terminal.out);
    }

    /// True when the reader of standard output is gone, as in `haul ls | head`: a listing may stop, a transfer goes on.
    pub fn is_closed(&self) -> bool {
        self.screen().is_closed()
    }

    /// Writes what was held back: tables, the job's summary. Must be called once, at the end. Fails with `Local` when standard
    /// output did not take all results; a reader that is gone is no failure.
    pub fn finish(&self) -> Result<()> {
        self.end_of_line();
        if let Some(ci) = self.style().ci.as_ref().filter(|ci| ci.annotates) {
            let count = self.0.journal.lock().count();
            self.command(count);
            let written = self.0.journal.lock().write_files(ci);
            if let Err(cause) = written {
                self.warning(&format!("the summary of the job can't be written: {cause}"));
            }
        }
        let dotenv = self.0.journal.lock().write_dotenv();
        match dotenv {
            Ok(unfit) => {
                unfit.iter().for_each(|name| self.warning(&format!("the dotenv file can't hold the {name}: it has spaces or worse")))
            }
            Err(cause) => self.warning(&format!("the dotenv file can't be written: {cause}")),
        }
        self.screen().flush()
    }

    /// Sets where results are recorded: the receipt's path for later steps of the job, and the dotenv file.
    pub fn results_go_to(&self, receipt: Option<&Path>, dotenv: Option<File>) {
        self.0.journal.lock().results_go_to(receipt, dotenv);
    }

    /// True if failures become annotations.
    fn annotates(&self) -> bool {
        self.style().ci.as_ref().is_some_and(|ci| ci.annotates)
    }

    fn json(&self, report: &Report) {
        match json::json_line(report, self.0.line) {
            Ok(line) if self.style().is_read_by_a_runner() => {
                self.screen().result(&(github::escape_commands_in_json(&line) + "\n"), self.flush_now(report));
            }
            Ok(line) => self.screen().result(&(line + "\n"), self.flush_now(report)),
            Err(cause) => self.screen().fail(cause),
        }
    }

    /// Listings may be long, so their lines are buffered; everything else is written at once.
    fn flush_now(&self, report: &Report) -> bool {
        self.style().terminal.out || !matches!(report, Report::Entry { .. })
    }

    fn unless_quiet(&self, say: impl FnOnce()) {
        if !self.style().quiet {
            say();
        }
    }

    /// Writes lines to standard output.
    fn lines(&self, text: &str, now: bool) {
        self.answer(&(self.escape_for_ci(text) + "\n"), now);
    }

    fn answer(&self, text: &str, now: bool) {
        let Some(answers) = &self.0.answers else { return self.screen().result(text, now) };
        let mut answers = answers.lock();
        answers.push_str(text);
        if answers.len() >= KEPT_TOGETHER {
            self.screen().result(&answers, now);
            answers.clear();
        }
    }

    /// Writes a line to standard error, without `haul:`.
    pub(super) fn aside(&self, text: &str) {
        let line = self.0.line.map(|number| format!("line {number}: ")).unwrap_or_default();
        self.screen().message(&(self.escape_for_ci(&format!("{line}{}", mask(text))) + "\n"));
    }

    pub(super) fn failure(&self, text: &str) {
        self.message("", "\x1b[1;31m", text);
    }

    /// `haul: WHAT: TEXT` on standard error, the name in `colour` (an SGR sequence).
    fn message(&self, what: &str, colour: &str, text: &str) {
        self.log(what, text);
        let mut text = escape_control(&mask(text)).into_owned();
        if let Some(number) = self.0.line {
            text = format!("line {number}: {text}");
        }
        let line = match self.style().colour {
            true => format!("{colour}haul: {what}\x1b[0m{text}\n"),
            false => format!("haul: {what}{text}\n"),
        };
        self.screen().message(&self.escape_for_ci(&line));
    }

    fn escape_for_ci(&self, text: &str) -> String {
        match self.style().is_read_by_a_runner() {
            true => github::escape_commands(text).into_owned(),
            false => text.to_owned(),
        }
    }

    /// Writes a command for the runner to standard error: standard output contains only results.
    fn command(&self, line: Option<String>) {
        line.iter().for_each(|line| self.screen().message(&format!("{}\n", mask(line))));
    }
}

fn is_not_attempted(report: &Report) -> bool {
    matches!(report, Report::Failed(failure) if failure.untried)
}

/// While this exists, a question is open and the user types.
#[must_use]
pub struct QuestionGuard<'a>(&'a Renderer);

impl Drop for QuestionGuard<'_> {
    fn drop(&mut self) {
        self.0.screen().note_answer();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::model::Secret;
    use crate::render::View;
    use crate::render::testing;
    use crate::render::testing::capture;

    fn all(style: Style) -> (String, String) {
        let (renderer, out, err) = capture(style);
        testing::all().iter().for_each(|report| renderer.report(report));
        renderer.finish().unwrap();
        (out.text(), err.text())
    }

    #[test]
    fn answers_of_one_line_of_a_batch_stand_together() {
        let (renderer, out, _) = capture(Style::default());
        let lines = [renderer.of_line(1, Style::default()), renderer.of_line(2, Style::default())];
        for n in 0..3 {
            for (line, name) in lines.iter().zip(["a", "b"]) {
                line.print_line(&format!("{name}{n}"), "");
            }
        }
        assert_eq!(out.text(), "");
        lines.iter().rev().for_each(Renderer::end_of_line);
        assert_eq!(out.text(), "b0\nb1\nb2\na0\na1\na2\n");
        lines[0].print_line(&"x".repeat(KEPT_TOGETHER), "");
        assert!(out.text().len() > KEPT_TOGETHER, "what is longer is not held in memory");
    }

    #[test]
    fn scripts_get_json_and_nothing_else() {
        let (out, err) = all(Style { json: true, quiet: true, ..Style::default() });
        assert_eq!(out.lines().count(), testing::all().len());
        assert!(out.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["schema"] == 1));
        assert_eq!(err, "haul: b.mov: the account is full; delete something\n");
    }

    #[test]
    fn results_and_messages_go_apart() {
        let (out, err) = all(Style::default());
        assert!(out.starts_with("uploaded  a.mov -> ") && out.contains("\na.mov\n") && !out.contains("full"), "{out}");
        assert_eq!(
            err,
            "haul: b.mov: the account is full; delete something\n\
             3 of 12 files, 1.0 GiB of 4.0 GiB, 43.0 MiB/s, 1m20s left\n\
             12 files, 3.4 GiB in 1m20s (43.5 MiB/s), 2 skipped, 1 failed\n"
        );
    }

    #[test]
    fn quiet_means_errors_only_but_answers_are_given() {
        let (out, err) = all(Style { quiet: true, ..Style::default() });
        let begins: Vec<&str> = out.lines().filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(
            begins,
            "would a.mov studio account package quota one at protocols warning ok 00:00:12:05 wrong take studio"
                .split(' ')
                .collect::<Vec<_>>()
        );
        assert_eq!(err, "haul: b.mov: the account is full; delete something\n");
        let (renderer, _, err) = capture(Style { quiet: true, verbose: 1, ..Style::default() });
        renderer.warning("w");
        renderer.note("n");
        assert_eq!(err.text(), "");
    }

    #[test]
    fn messages_are_masked_harmless_and_coloured_if_wished() {
        let secret = Secret::new("render-test-s3cret");
        let (renderer, out, err) = capture(Style { colour: true, verbose: 1, ..Style::default() });
        let told = format!("{} \x1b[2J", secret.expose());
        renderer.error(&Error::new(Kind::Auth, told.clone()).with_hint("log in again"));
        renderer.warning(&told);
        renderer.note(&told);
        let _asked = renderer.ask(&told);
        assert_eq!(
            err.text(),
            "\x1b[1;31mhaul: \x1b[0m*** \\u{1b}[2J; log in again\n\x1b[33mhaul: warning: \x1b[0m*** \\u{1b}[2J\n\
             \x1b[2mhaul: note: \x1b[0m*** \\u{1b}[2J\n*** \\u{1b}[2J"
        );
        renderer.out("a link\n");
        assert_eq!(out.text(), "a link\n");
    }

    #[test]
    fn a_failed_command_is_an_event_too() {
        let (renderer, out, _) = capture(Style { json: true, ..Style::default() });
        renderer.error(&Error::new(Kind::Busy, "later").with_subject("studio").with_status(503));
        assert_eq!(
            out.text(),
            "{\"schema\":1,\"event\":\"failed\",\"error\":{\"kind\":\"network\",\"message\":\"studio: later\",\"status\":503,\"retryable\":true}}\n"
        );
    }

    #[test]
    fn tables_come_out_at_the_end() {
        let (renderer, out, _) = capture(Style { view: View::Row, ..Style::default() });
        renderer.report(&Report::Remote(testing::remote()));
        assert_eq!(out.text(), "");
        renderer.finish().unwrap();
        assert_eq!(out.text(), "studio  iogates  https://iogates.com  file\n");
    }
}
