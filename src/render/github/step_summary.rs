//! The table that a job of GitHub Actions shows on its page (`$GITHUB_STEP_SUMMARY`): failed files first.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

use crate::model::Report;
use crate::model::escape::escape_control;
use crate::model::report::{Placed, Transfer};
use crate::render::text::phrases::{address, display_failure, subject, summary};
use crate::render::text::units;

/// The largest number of rows, for failed files and for the others.
const MAX_ROWS: usize = 500;

/// The longest cell in characters: names and messages may be long, and GitHub refuses a summary above 1 MiB.
const MAX_CELL: usize = 200;

/// The largest summary in bytes, including what other commands of the step wrote.
const MAX_SUMMARY: u64 = 1_000_000;

/// The head of each table.
const TABLE: &str = "| | file | to | size |\n|---|---|---|---:|\n";

/// The rows of the table.
#[derive(Default)]
pub(crate) struct StepSummary {
    failed: Vec<String>,
    done: Vec<String>,
    unlisted: u64,
    headline: Option<String>,
}

impl StepSummary {
    /// Adds a report to the table. Messages are masked already.
    pub(crate) fn add(&mut self, report: &Report) {
        match report {
            Report::Transferred { how, transfer } => self.add_transfer(how.name(), transfer),
            Report::Copied(placed) => self.add_placed("copied", placed),
            Report::Moved(placed) => self.add_placed("moved", placed),
            Report::Failed(failure) => {
                let row = row(["**failed**", subject(failure).as_deref().unwrap_or("-"), &display_failure(failure), ""]);
                self.unlisted = self.unlisted.saturating_add(push_row(&mut self.failed, row));
            }
            Report::Summary(sum) => self.headline = Some(summary(sum)),
            _ => {}
        }
    }

    /// Adds a failure of the whole command. `message` is masked already.
    pub(crate) fn add_error(&mut self, message: &str) {
        let row = row(["**failed**", "-", message, ""]);
        self.unlisted = self.unlisted.saturating_add(push_row(&mut self.failed, row));
    }

    fn add_transfer(&mut self, what: &str, transfer: &Transfer) {
        let to = transfer.target.clone().unwrap_or_else(|| address(&transfer.remote, &transfer.path));
        self.add_done([what, &transfer.source, &to, &units::size(transfer.size)]);
    }

    fn add_placed(&mut self, what: &str, placed: &Placed) {
        let size = placed.size.map(units::size).unwrap_or_default();
        self.add_done([what, &placed.source, &address(&placed.remote, &placed.path), &size]);
    }

    fn add_done(&mut self, cells: [&str; 4]) {
        self.unlisted = self.unlisted.saturating_add(push_row(&mut self.done, row(cells)));
    }

    /// Appends the table to the job's summary, once. If there is no room, only the text without the table is appended.
    pub(crate) fn append_to(&mut self, path: &Path) -> io::Result<()> {
        let Some(text) = std::mem::take(self).markdown() else { return Ok(()) };
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        let used = file.metadata()?.len();
        let fits = |text: &str| used.saturating_add(text.len() as u64) <= MAX_SUMMARY;
        match text.split_once("\n\n") {
            _ if fits(&text) => file.write_all(text.as_bytes()),
            Some((headline, _)) if fits(headline) => file.write_all(format!("{headline}\n").as_bytes()),
            _ => Ok(()),
        }
    }

    fn markdown(&self) -> Option<String> {
        if self.failed.is_empty() && self.done.is_empty() && self.headline.is_none() {
            return None;
        }
        let mut text = format!("### haul: {}\n", self.headline.as_deref().unwrap_or("transfers"));
        if !self.failed.is_empty() {
            text.push_str(&format!("\n{TABLE}{}", self.failed.concat()));
        }
        if !self.done.is_empty() {
            let table = format!("{TABLE}{}", self.done.concat());
            text.push_str(&format!("\n<details><summary>What went well</summary>\n\n{table}\n</details>\n"));
        }
        if self.unlisted > 0 {
            text.push_str(&format!("\n… and {} more\n", self.unlisted));
        }
        Some(text + "\n")
    }
}

/// Keeps the row if there is room; returns the number of rows that were left out.
fn push_row(rows: &mut Vec<String>, row: String) -> u64 {
    if rows.len() >= MAX_ROWS {
        return 1;
    }
    rows.push(row);
    0
}

/// The first cell is our own text; the others are names and messages, which must not become markup.
fn row([what, cells @ ..]: [&str; 4]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| markdown(cell)).collect();
    format!("| {what} | {} |\n", cells.join(" | "))
}

fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, c) in escape_control(text).chars().enumerate() {
        if number == MAX_CELL {
            out.push('…');
            break;
        }
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' | '!' | '#' | ':' | '@') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::TransferKind;
    use crate::render::testing;

    #[test]
    fn the_summary_is_appended_and_holds_no_markup_of_strangers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        std::fs::write(&path, "before\n").unwrap();
        let mut page = StepSummary::default();
        page.add(&Report::Transferred { how: TransferKind::Uploaded, transfer: testing::transfer("a|<b>\n.mov", "/in/a", 2048) });
        page.add(&Report::Failed(testing::failure("b.mov", "/in/b.mov")));
        page.add(&testing::summary());
        page.append_to(&path).unwrap();
        page.append_to(&path).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "before\n### haul: 12 files, 3.4 GiB in 1m20s (43.5 MiB/s), 2 skipped, 1 failed\n\n\
             | | file | to | size |\n|---|---|---|---:|\n\
             | **failed** | b.mov | b.mov\\: the account is full; delete something |  |\n\n\
             <details><summary>What went well</summary>\n\n\
             | | file | to | size |\n|---|---|---|---:|\n\
             | uploaded | a\\|\\<b\\>\\\\n.mov | studio\\:/in/a | 2.0 KiB |\n\n</details>\n\n"
        );
    }

    #[test]
    fn each_row_says_what_was_done() {
        let mut page = StepSummary::default();
        let transfer = |target: Option<&str>| Transfer { target: target.map(str::to_owned), ..testing::transfer("from", "/to", 1) };
        let placed = || Placed {
            source: "studio:/a".into(),
            remote: "studio".into(),
            path: crate::model::RemotePath::parse("/b").unwrap(),
            id: None,
            kind: crate::model::EntryKind::File,
            size: None,
        };
        page.add(&Report::Transferred { how: TransferKind::Downloaded, transfer: transfer(Some("./to")) });
        page.add(&Report::Transferred { how: TransferKind::Copied, transfer: transfer(None) });
        page.add(&Report::Transferred { how: TransferKind::Moved, transfer: transfer(None) });
        page.add(&Report::Copied(placed()));
        page.add(&Report::Moved(placed()));
        assert_eq!(
            page.done,
            [
                "| downloaded | from | ./to | 1 B |\n",
                "| copied | from | studio\\:/to | 1 B |\n",
                "| moved | from | studio\\:/to | 1 B |\n",
                "| copied | studio\\:/a | studio\\:/b |  |\n",
                "| moved | studio\\:/a | studio\\:/b |  |\n",
            ]
        );
    }

    #[test]
    fn a_summary_stays_below_what_github_takes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        let mut page = StepSummary::default();
        for _ in 0..2000 {
            page.add(&Report::Transferred {
                how: TransferKind::Uploaded,
                transfer: testing::transfer(&"|".repeat(4000), &"/x".repeat(2000), 1),
            });
        }
        page.add(&testing::summary());
        page.append_to(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.ends_with("\n… and 1500 more\n\n") && text.len() < 1_000_000, "{}", text.len());
        std::fs::write(&path, " ".repeat(999_900)).unwrap();
        page.add(&Report::Transferred { how: TransferKind::Uploaded, transfer: testing::transfer("a", "/a", 1) });
        page.add(&testing::summary());
        page.append_to(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.trim_start(), "### haul: 12 files, 3.4 GiB in 1m20s (43.5 MiB/s), 2 skipped, 1 failed\n");
    }
}
