//! The output for people: a line for each action or result. Control characters in names are made visible.

pub(crate) mod columns;
pub(crate) mod details;
pub(crate) mod phrases;
pub(crate) mod table;
pub mod units;

use chrono::Local;

use crate::error::Error;
use crate::model::escape::{escape_control, shell_word};
use crate::model::report::{Placed, Transfer, TransferKind, Verified};
use crate::model::secret::mask;
use crate::model::{Address, Entry, EntryKind, RemotePath, Report};
use crate::render::style::{Style, View};
use crate::render::text::phrases::{address, bytes, display_failure, progress, summary};

/// The form of a report in the output for people.
#[derive(Debug, PartialEq)]
pub(super) enum TextOutput {
    /// Lines of standard output: a result that the user asked for.
    Answer(String),
    /// A line of standard output about a finished action; `-q` leaves it out.
    Done(String),
    /// Cells separated by tabs, to be aligned with the rows around them.
    Row(String),
    /// A size in bytes, the same size as text, and what has this size: on a terminal with a bar.
    SizeRow(Option<u64>, String, String),
    /// A line of standard error; `-q` leaves it out.
    Aside(String),
    /// A line of standard error, always.
    Failure(String),
    /// A column of the table of providers, which can be printed only when all are known.
    Column,
}

pub(super) fn to_text(report: &Report, style: &Style) -> TextOutput {
    match report {
        Report::Transferred { how, transfer } => TextOutput::Done(display_transfer(*how, transfer)),
        Report::Skipped { source, remote, path, target, reason, .. } => {
            let to = target_text(target.as_deref(), remote, path);
            TextOutput::Done(format!("skipped  {} -> {to}  ({})", escape_control(source), escape_control(reason)))
        }
        Report::Planned { action, source, remote, path, target, size } => {
            let from = source.as_ref().map(|source| format!("{} -> ", escape_control(source))).unwrap_or_default();
            let size = size.map(|size| format!("  ({})", bytes(size, style))).unwrap_or_default();
            TextOutput::Answer(format!("would {action}  {from}{}{size}", target_text(target.as_deref(), remote, path)))
        }
        Report::Created { remote, path, kind, .. } => {
            let slash = if *kind == "folder" && !path.is_root() { "/" } else { "" };
            TextOutput::Done(format!("created  {}{slash}", address(remote, path)))
        }
        Report::Copied(placed) => TextOutput::Done(format!("copied  {}", direction(placed))),
        Report::Moved(placed) => TextOutput::Done(format!("moved  {}", direction(placed))),
        Report::Deleted { remote, path, kind, .. } => {
            let slash = if *kind == EntryKind::Folder { "/" } else { "" };
            TextOutput::Done(format!("deleted  {}{slash}", address(remote, path)))
        }
        Report::DeletedHere { target, kind, .. } => {
            let slash = if *kind == EntryKind::Folder { "/" } else { "" };
            TextOutput::Done(format!("deleted  {}{slash}", escape_control(target)))
        }
        Report::MovedHere { source, target, .. } => {
            TextOutput::Done(format!("moved  {} -> {}", escape_control(source), escape_control(target)))
        }
        Report::PlannedHere { action, target, size, .. } => {
            let size = size.map(|size| format!("  ({})", bytes(size, style))).unwrap_or_default();
            TextOutput::Answer(format!("would {action}  {}{size}", escape_control(target)))
        }
        Report::Failed(failure) => TextOutput::Failure(display_failure(failure)),
        Report::Entry { remote, entry } => match style.view {
            View::Name => TextOutput::Answer(name(remote, entry, style)),
            View::Row => TextOutput::Row(row(remote, entry, style)),
            View::Block => TextOutput::Answer(details::entry(remote, entry, style)),
        },
        Report::About { remote, provider, account } => TextOutput::Answer(details::about(remote, provider, account, style)),
        Report::Du { remote, path, bytes: size, .. } => {
            let shown = size.map_or_else(|| "?".to_owned(), |size| bytes(size, style));
            TextOutput::SizeRow(*size, format!("{shown:>10}"), address(remote, path).to_string())
        }
        Report::Link { url, .. } => TextOutput::Answer(url.clone()),
        Report::Import { remote, path, url, id, status, .. } => {
            let id = id.as_ref().map(|id| format!(" (number {} at the site)", escape_control(id))).unwrap_or_default();
            TextOutput::Answer(format!("import{id}: {}  {} -> {}", escape_control(status), escape_control(url), address(remote, path)))
        }
        Report::Comments(comment) => TextOutput::Answer(details::comment(comment)),
        Report::Edit { remote, entry } => TextOutput::Done(format!("edited  {}", address(remote, &entry.path))),
        Report::Share { remote, path, with } => {
            TextOutput::Done(format!("shared  {} with {}", address(remote, path), escape_control(&with.join(", "))))
        }
        Report::Star { remote, path, starred } => {
            TextOutput::Done(format!("{}  {}", if *starred { "starred" } else { "unstarred" }, address(remote, path)))
        }
        Report::Transfers { remote, path, source, size, accepted, since } => {
            let done = format!("{} of {}", bytes(*accepted, style), bytes(*size, style));
            let since = units::moment(*since, &Local);
            TextOutput::Row(format!("{since}\t{done}\t{}\t{}", escape_control(source), address(remote, path)))
        }
        Report::Cleared { remote, path, whole, removed, stays, empty, .. } => {
            let what = display_cleared(*whole, *removed, stays.as_deref(), empty.as_deref());
            TextOutput::Done(format!("cleared  {}  {what}", address(remote, path)))
        }
        Report::Run { command, files, done, failed, in_flight, not_begun, since, .. } => {
            let since = units::moment(*since, &Local);
            TextOutput::Row(format!(
                "{since}\t{}\t{}",
                run(*files, *done, *failed, *in_flight, *not_begun),
                escape_control(&command.join(" "))
            ))
        }
        Report::Verify { remote, path, status, reason, .. } => {
            let why = reason.as_deref().map(|reason| format!("  ({})", escape_control(reason))).unwrap_or_default();
            let word = shade(&format!("{status:<7}"), if *status == "same" { GOOD } else { BAD }, style);
            let line = format!("{word}  {}{why}", address(remote, path));
            // With `-q` only files that changed or are missing have a line.
            if *status == "same" { TextOutput::Done(line) } else { TextOutput::Answer(line) }
        }
        Report::Configured { action, remote, file, next } => TextOutput::Done(display_configured(action, remote, file, next.as_deref())),
        Report::Login { remote, account: Some(account) } => {
            TextOutput::Done(format!("signed in to {} as {}", escape_control(remote), escape_control(account)))
        }
        Report::Login { remote, account: None } => TextOutput::Done(format!("signed in to {}", escape_control(remote))),
        Report::Logout { remote, revoked: true } => TextOutput::Done(format!("signed out of {}", escape_control(remote))),
        Report::Logout { remote, revoked: false } => {
            TextOutput::Done(format!("forgot the token of {} here; the provider was not told", escape_control(remote)))
        }
        Report::Remote(remote) if style.view == View::Block => TextOutput::Answer(details::remote(remote)),
        Report::Remote(remote) => {
            let url = remote.url.as_deref().unwrap_or("-");
            TextOutput::Row([remote.name.as_str(), &remote.provider, url, &remote.origin].map(escape_control).join("\t"))
        }
        Report::Check(check) => {
            let verdict = if check.ok { "ok" } else { "FAIL" };
            let verdict = shade(&format!("{verdict:<4}"), if check.ok { GOOD } else { BAD }, style);
            TextOutput::Answer(format!("{verdict}  {:<19}  {}", escape_control(&check.step), escape_control(&check.detail)))
        }
        Report::Providers(_) => TextOutput::Column,
        Report::Page { path, files, bytes: size, failed } => {
            let failed = if *failed > 0 { format!(", {failed} failed") } else { String::new() };
            TextOutput::Done(format!(
                "written  {}  ({}, {}{failed})",
                escape_control(path),
                units::count(*files, "file"),
                bytes(*size, style)
            ))
        }
        Report::Sandbox { remotes, .. } => TextOutput::Answer(format!("ready: {}", remotes.join(", "))),
        Report::Arrived { provider, path, size, md5, protocol } => {
            let (size, md5) = (bytes(*size, style), escape_control(md5));
            TextOutput::Done(format!(
                "arrived  {}:{}  ({size}, {}, md5 {md5})",
                escape_control(provider),
                escape_control(path),
                escape_control(protocol)
            ))
        }
        Report::Progress { .. } => TextOutput::Aside(progress(report)),
        Report::Line { command, status: 0, .. } => TextOutput::Aside(format!("ok  {}", command_line(command))),
        Report::Line { command, status, .. } => TextOutput::Aside(format!("failed ({status})  {}", command_line(command))),
        Report::Batch(all) => TextOutput::Aside(batch(all.lines, all.failed, all.not_run, all.seconds)),
        Report::Summary(sum) => TextOutput::Aside(summary(sum)),
    }
}

/// The failure of a whole command; the message contains its file or remote.
pub(super) fn error(error: &Error) -> String {
    escape_control(&mask(&error.to_string())).into_owned()
}

fn command_line(command: &[String]) -> String {
    escape_control(&command.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")).into_owned()
}

/// `20 lines in 3.2s, 1 failed, 4 not run`
fn batch(lines: u64, failed: u64, not_run: u64, seconds: f64) -> String {
    let rest = [(failed, "failed"), (not_run, "not run")];
    let rest: String = rest.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}")).collect();
    format!("{lines} {} in {}{rest}", if lines == 1 { "line" } else { "lines" }, units::span(seconds))
}

/// `15 of 20 files done, 1 in flight, 4 not begun`
fn run(files: Option<u64>, done: u64, failed: u64, in_flight: u64, not_begun: Option<u64>) -> String {
    let Some(files) = files else { return "nothing sent".to_owned() };
    let rest = [(failed, "failed"), (in_flight, "in flight"), (not_begun.unwrap_or(0), "not begun")];
    let rest: String = rest.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}")).collect();
    format!("{done} of {files} {} done{rest}", if files == 1 { "file" } else { "files" })
}

/// `a.mov`, `clips/`; `REMOTE:/in/a.mov` for entries of several folders, in the form that haul accepts.
fn name(remote: &str, entry: &Entry, style: &Style) -> String {
    let name = escape_control(&exact_name(remote, entry, style)).into_owned();
    if entry.is_folder() { shade(&name, FOLDER, style) } else { name }
}

/// Colours of results, as parameters of an SGR sequence.
pub(crate) const FOLDER: &str = "1;34";
const GOOD: &str = "32";
const BAD: &str = "1;31";

/// Text of a result in a colour, where results have colours.
pub(crate) fn shade(text: &str, colour: &str, style: &Style) -> String {
    if style.colours_results { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

/// As `name`, without escapes.
pub(super) fn exact_name(remote: &str, entry: &Entry, style: &Style) -> String {
    let name = if style.paths { Address::text(remote, &entry.path) } else { entry.name.clone() };
    let slash = if entry.is_folder() && !name.ends_with('/') { "/" } else { "" };
    format!("{name}{slash}")
}

/// Kind, size, modified, perhaps id, name: the size is aligned right, the rest left.
fn row(remote: &str, entry: &Entry, style: &Style) -> String {
    let kind = match entry.kind {
        EntryKind::File => "file",
        EntryKind::Folder => "folder",
    };
    let size = entry.size.map_or_else(|| "-".to_owned(), |size| bytes(size, style));
    let width = if style.exact { 15 } else { 10 };
    let modified = units::moment(entry.modified, &Local);
    let id = if style.ids { format!("{}\t", escape_control(&entry.id)) } else { String::new() };
    format!("{kind}\t{size:>width$}\t{modified}\t{id}{}", name(remote, entry, style))
}

fn direction(placed: &Placed) -> String {
    format!("{} -> {}", escape_control(&placed.source), address(&placed.remote, &placed.path))
}

/// The local file of a download, else the place on the remote.
fn target_text(target: Option<&str>, remote: &str, path: &RemotePath) -> String {
    target.map_or_else(|| address(remote, path), |target| escape_control(target).into_owned())
}

fn display_transfer(how: TransferKind, transfer: &Transfer) -> String {
    let to = target_text(transfer.target.as_deref(), &transfer.remote, &transfer.path);
    format!("{}  {} -> {to}  ({})", how.name(), escape_control(&transfer.source), details(transfer).join(", "))
}

fn details(transfer: &Transfer) -> Vec<String> {
    let mut facts = vec![units::size(transfer.size)];
    facts.push(match (transfer.verified, &transfer.md5) {
        (Verified::Md5, Some(md5)) => format!("md5 {}", escape_control(md5)),
        (Verified::Md5, None) => "md5 compared".to_owned(),
        (Verified::Size, _) => "size compared".to_owned(),
        (Verified::None, _) => "not verified".to_owned(),
    });
    if transfer.resumed_from > 0 {
        facts.push(format!("resumed at {}", units::size(transfer.resumed_from)));
    }
    match transfer.retries {
        0 => {}
        1 => facts.push("1 retry".to_owned()),
        more => facts.push(format!("{more} retries")),
    }
    if let Some(old) = &transfer.kept {
        facts.push(format!("the old entry @{} stays beside it", escape_control(old)));
    }
    facts
}

/// `added  studio to /home/ann/.config/haul/config.toml; next: haul login studio`
fn display_configured(action: &str, remote: &str, file: &str, next: Option<&str>) -> String {
    let whither = match action {
        "added" => "to",
        "removed" => "from",
        _ => "in",
    };
    let next = next.map(|next| format!("; next: {}", escape_control(next))).unwrap_or_default();
    format!("{action}  {} {whither} {}{next}", escape_control(remote), escape_control(file))
}

/// The result for an upload whose record was removed.
fn display_cleared(whole: bool, removed: bool, stays: Option<&str>, empty: Option<&str>) -> String {
    let bytes = match (whole, stays) {
        (true, _) => "it had arrived whole, and stays".to_owned(),
        (_, Some(name)) => format!("what was sent stays there: {}", escape_control(name)),
        _ if removed => "what was sent is removed".to_owned(),
        _ => "none of its bytes lie there".to_owned(),
    };
    match empty {
        Some(id) => format!("{bytes}; its entry {} stays, without bytes", escape_control(id)),
        None => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::model::report::Failure;
    use crate::render::testing;

    fn plain(report: &Report) -> TextOutput {
        to_text(report, &Style::default())
    }

    #[test]
    fn folders_and_verdicts_are_coloured_where_results_are() {
        let coloured = Style { colours_results: true, ..Style::default() };
        let folder = Entry::new(EntryKind::Folder, "5", testing::path("/in/clips"));
        assert_eq!(name("studio", &folder, &coloured), "\x1b[1;34mclips/\x1b[0m");
        assert_eq!(
            to_text(&testing::check(false), &coloured),
            TextOutput::Answer("\x1b[1;31mFAIL\x1b[0m  name resolution      192.0.2.7".into())
        );
        assert_eq!(name("studio", &testing::entry(), &coloured), "a.mov");
    }

    #[test]
    fn every_report_has_its_line() {
        let told: Vec<TextOutput> = testing::all().iter().map(plain).collect();
        let done = |text: &str| TextOutput::Done(text.to_owned());
        let answer = |text: &str| TextOutput::Answer(text.to_owned());
        let wanted = [
            done("uploaded  a.mov -> studio:/in/a.mov  (3.4 GiB, md5 900150983cd24fb0d6963f7d28e17f72, resumed at 1.0 GiB, 2 retries)"),
            done("skipped  a.mov -> studio:/in/a.mov  (same MD5)"),
            answer("would upload  a.mov -> studio:/in/a.mov  (2.0 KiB)"),
            done("created  studio:/in/"),
            TextOutput::Failure("b.mov: the account is full; delete something".to_owned()),
            answer("a.mov"),
            answer(
                "studio (iogates)\n  account    ann\n  package    Pro\n  quota      12.0 GiB of 100.0 GiB used, 88.0 GiB free\n  one file   10.0 GiB at most\n  \
                 at once    4 uploads at most\n  protocols  tus, ftps\n  warning    the share ends tomorrow",
            ),
            done("signed in to studio as ann"),
            done("signed out of studio"),
            TextOutput::Row("studio\tiogates\thttps://iogates.com\tfile".to_owned()),
            answer("ok    name resolution      192.0.2.7"),
            TextOutput::Column,
            done("arrived  iogates:/in/a.mov  (2.0 KiB, tus, md5 900150983cd24fb0d6963f7d28e17f72)"),
            answer("00:00:12:05 to 00:00:15:00 (source 10:00:12:05)  ann  -  @12\n    wrong\n    take"),
            TextOutput::Aside("3 of 12 files, 1.0 GiB of 4.0 GiB, 43.0 MiB/s, 1m20s left".to_owned()),
            TextOutput::Aside("12 files, 3.4 GiB in 1m20s (43.5 MiB/s), 2 skipped, 1 failed".to_owned()),
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn uploads_say_how_they_were_checked() {
        let mut transfer = testing::transfer("-", "/x", 5);
        transfer.verified = Verified::Size;
        transfer.retries = 1;
        transfer.kept = Some("12".into());
        let line = "uploaded  - -> studio:/x  (5 B, size compared, 1 retry, the old entry @12 stays beside it)";
        assert_eq!(display_transfer(TransferKind::Uploaded, &transfer), line);
    }

    #[test]
    fn folders_end_in_a_slash() {
        let folder = Entry::new(EntryKind::Folder, "5", testing::path("/in/clips"));
        let root = Entry::new(EntryKind::Folder, "0", testing::path("/"));
        let by_path = Style { paths: true, ..Style::default() };
        assert_eq!(name("r", &folder, &Style::default()), "clips/");
        assert_eq!(name("r", &folder, &by_path), "r:/in/clips/");
        assert_eq!(name("r", &root, &by_path), "r:/");
        assert_eq!(row("r", &folder, &Style::default()), "folder\t         -\t-\tclips/");
    }

    #[test]
    fn exact_sizes() {
        let mut entry = testing::entry();
        entry.modified = None;
        let exact = Style { exact: true, view: View::Row, ..Style::default() };
        assert_eq!(row("r", &entry, &exact), "file\t     3650722201\t-\ta.mov");
        assert_eq!(row("r", &entry, &Style { ids: true, ..exact }), "file\t     3650722201\t-\t77\ta.mov");
    }

    #[test]
    fn a_check_that_failed_is_seen() {
        assert_eq!(plain(&testing::check(false)), TextOutput::Answer("FAIL  name resolution      192.0.2.7".into()));
    }

    #[test]
    fn hostile_names_are_shown_harmlessly() {
        let evil = "a\u{1b}]0;x\u{7}\tb\u{202e}";
        let shown = "a\\u{1b}]0;x\\u{7}\\tb\\u{202e}";
        let mut entry = Entry::new(EntryKind::File, evil, testing::path(&format!("/{evil}")));
        entry.extra.insert(evil.into(), serde_json::json!({ evil: evil }));
        for view in [View::Name, View::Row, View::Block] {
            let (TextOutput::Answer(text) | TextOutput::Row(text)) =
                to_text(&testing::entry_report(entry.clone()), &Style { view, ..Style::default() })
            else {
                panic!("another output")
            };
            assert!(text.contains(shown), "{text:?}");
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
        }
        let failure = Failure::new(&Error::new(Kind::Local, evil)).of_source(evil);
        assert_eq!(display_failure(&failure), shown);
        let transfer = testing::transfer(evil, &format!("/{evil}"), 1);
        assert_eq!(display_transfer(TransferKind::Uploaded, &transfer).matches(shown).count(), 2);
    }
}
