//! Parts of sentences that lines, tables and annotations share: a place, a size, a failure, the progress.

use super::units;
use crate::error::Kind;
use crate::model::escape::escape_control;
use crate::model::report::{Failure, Summary, SyncCounts};
use crate::model::{Address, Report};
use crate::render::style::Style;

pub(crate) fn address(remote: &str, path: impl std::fmt::Display) -> String {
    escape_control(&Address::text(remote, path)).into_owned()
}

/// `3.4 GiB`, or the number of bytes with `--bytes`.
pub(crate) fn bytes(size: u64, style: &Style) -> String {
    if style.exact { size.to_string() } else { units::size(size) }
}

/// The message, with the file's name before it unless the message contains the name already.
pub(crate) fn display_failure(failure: &Failure) -> String {
    let message = escape_control(&failure.error.message);
    let Some(subject) = subject(failure) else { return message.into_owned() };
    // The error may name the place by its path alone, or by the name that `subject` shows.
    let target = failure.path.as_ref().map(|path| address(failure.remote.as_deref().unwrap_or_default(), path));
    let (about, why) = match message.split_once(": ") {
        Some((about, why)) if same_place(about, &subject) => ("", why),
        Some((about, why)) => match &target {
            // For a file that is in the way the user wants to know the place.
            Some(target) if same_place(about, target) && failure.error.kind == Kind::Exists.name() => (target.as_str(), why),
            Some(target) if same_place(about, target) => ("", why),
            _ => ("", &*message),
        },
        None => ("", &*message),
    };
    match about {
        _ if mentions(why, &subject) => why.to_owned(),
        "" => format!("{subject}: {why}"),
        about => format!("{subject}: {about}: {why}"),
    }
}

/// True if the message contains that place as a whole word: `studio:/in/a.mov` does not mention `in/a.mov`.
fn mentions(why: &str, subject: &str) -> bool {
    why.match_indices(subject).any(|(at, _)| {
        let before = why.get(..at).unwrap_or_default();
        let behind = why.get(at + subject.len()..).unwrap_or_default();
        let begins = before.is_empty() || before.ends_with([' ', '"', '(']);
        begins && (behind.is_empty() || [": ", "; ", ", ", "\"", ")"].iter().any(|end| behind.starts_with(end)))
    })
}

/// True for two spellings of one place: `/a` and `@12/a` are the end of `REMOTE:/a` and `REMOTE:@12/a`; `REMOTE:a` and
/// `REMOTE:/a/` are `REMOTE:/a` as users type it.
fn same_place(about: &str, address: &str) -> bool {
    let whole = |place: &str| match place.split_once(':') {
        Some((remote, path)) if !path.starts_with(['/', '@']) => format!("{remote}:/{}", path.trim_end_matches('/')),
        _ => place.trim_end_matches('/').to_owned(),
    };
    let (about, address) = (whole(about), whole(address));
    // A URL spells the path in another way.
    let is_path_of_url = || Address::parse(&address).ok().flatten().is_some_and(|typed| typed.is_url() && typed.place.to_string() == about);
    let is_its_path = || address.strip_suffix(&about).is_some_and(|remote| remote.ends_with(':')) || is_path_of_url();
    about == address || about.starts_with(['/', '@']) && is_its_path()
}

/// What failed: the source, or the place on the remote.
pub(crate) fn subject(failure: &Failure) -> Option<String> {
    match (&failure.source, &failure.remote, &failure.path) {
        (Some(source), _, _) => Some(escape_control(source).into_owned()),
        (None, Some(remote), Some(path)) => Some(address(remote, path)),
        (None, _, path) => path.as_ref().map(|path| escape_control(&path.to_string()).into_owned()),
    }
}

/// `3 of 12 files, 1.0 GiB of 4.0 GiB, 43.0 MiB/s, 1m20s left`
pub(crate) fn progress(report: &Report) -> String {
    let Report::Progress { files, of_files, bytes, of_bytes, bytes_per_second, seconds_left } = report else {
        return String::new();
    };
    let mut text = format!("{files} of {}, {}", units::count(*of_files, "file"), units::size(*bytes));
    if let Some(all) = of_bytes {
        text.push_str(&format!(" of {}", units::size(*all)));
    }
    text.push_str(&format!(", {}", units::rate(*bytes_per_second)));
    if let Some(left) = seconds_left {
        text.push_str(&format!(", {} left", units::span(*left)));
    }
    text
}

/// `12 files, 3.4 GiB in 1m20s (43.5 MiB/s), 2 skipped, 1 failed`; `11 of 20 files done, 40.0 MiB in 9.1s (4.4 MiB/s),
/// interrupted`; `3 files sent, 14 B in 0.5s, 80 equal, 2 deleted, 1 left` of a sync; `2 files copied on the server, 57.2 MiB in 0.2s`; `dry run: would upload 3 files, replace 1, 5.0 MiB in all`.
pub(crate) fn summary(sum: &Summary) -> String {
    let mut text = if sum.would.is_empty() { display_done(sum) } else { would(sum) };
    let mut skipped = sum.skipped;
    if let Some(SyncCounts { equal, deleted, left, .. }) = sum.sync {
        text.push_str(&format!(", {equal} equal, {deleted} deleted"));
        if left > 0 {
            text.push_str(&format!(", {left} left"));
        }
        skipped = skipped.saturating_sub(equal);
    }
    if skipped > 0 {
        text.push_str(&format!(", {skipped} skipped"));
    }
    if sum.failed > 0 {
        text.push_str(&format!(", {} failed", sum.failed));
    }
    if sum.interrupted {
        text.push_str(", interrupted");
    }
    text
}

fn display_done(sum: &Summary) -> String {
    let by_server: u64 = sum.on_server.iter().map(|(_, count)| count).sum();
    let carried = sum.files.saturating_sub(by_server);
    let mut parts: Vec<String> = Vec::new();
    match sum.of_files {
        Some(of) => parts.push(format!("{} of {} done", sum.files, units::count(of.max(sum.files), "file"))),
        None if (carried > 0 || by_server == 0) && sum.sync.is_some() => parts.push(format!("{} sent", units::count(carried, "file"))),
        None if carried > 0 || by_server == 0 => parts.push(units::count(carried, "file")),
        None => {}
    }
    parts.extend(sum.on_server.iter().map(|(what, count)| format!("{} {what} on the server", units::count(*count, "file"))));
    let mut text = parts.join(", ");
    match sum.bytes_on_server {
        Some(bytes) if carried == 0 => text.push_str(&format!(", {}", units::size(bytes))),
        None if by_server > 0 && carried == 0 => {}
        _ => text.push_str(&format!(", {}", units::size(sum.bytes))),
    }
    text.push_str(&format!(" in {}", units::span(sum.seconds)));
    if sum.bytes > 0 && sum.seconds > 0.0 {
        text.push_str(&format!(" ({})", units::rate(sum.bytes as f64 / sum.seconds)));
    }
    text
}

fn would(sum: &Summary) -> String {
    let mut each = sum.would.iter().enumerate().map(|(number, (action, count))| match number {
        0 => format!("{action} {}", units::count(*count, "file")),
        _ => format!("{action} {count}"),
    });
    let first = each.next().unwrap_or_default();
    let rest: String = each.map(|more| format!(", {more}")).collect();
    let bytes = sum.planned_bytes.filter(|bytes| *bytes > 0).map(|bytes| format!(", {} in all", units::size(bytes))).unwrap_or_default();
    format!("dry run: would {first}{rest}{bytes}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::render::testing;

    #[test]
    fn a_name_is_said_once() {
        let failure = Failure::new(&Error::new(Kind::Local, "gone").with_subject("b.mov")).of_source("b.mov");
        assert_eq!(display_failure(&failure), "b.mov: gone");
    }

    #[test]
    fn a_place_is_said_once() {
        let failure = |on: &str, kind: Kind, source: Option<&str>| {
            let failure = Failure::new(&Error::new(kind, "no").with_subject(on)).at("studio", testing::path("/in/a"));
            display_failure(&Failure { source: source.map(str::to_owned), ..failure })
        };
        for on in ["/in/a", "studio:/in/a"] {
            assert_eq!(failure(on, Kind::Refused, None), "studio:/in/a: no");
            assert_eq!(failure(on, Kind::Refused, Some("a")), "a: no");
            assert_eq!(failure(on, Kind::Exists, Some("a")), "a: studio:/in/a: no");
        }
        assert_eq!(failure("/x", Kind::NotFound, Some("cloud:/x")), "cloud:/x: no");
        assert_eq!(failure("cloud:/x", Kind::NotFound, Some("cloud:/x")), "cloud:/x: no");
        assert_eq!(failure("/x", Kind::NotFound, Some("a")), "a: /x: no");
        for typed in ["cloud:x", "cloud:x/", "cloud:/x/"] {
            assert_eq!(failure("cloud:/x", Kind::NotFound, Some(typed)), format!("{typed}: no"));
        }
        // If the name is only a part of a word in the message, the message does not mention it.
        let clause = |why: &str, source: &str| display_failure(&Failure::new(&Error::new(Kind::Refused, why)).of_source(source));
        assert_eq!(clause("studio:/src/a.mov: no", "src/a.mov"), "src/a.mov: studio:/src/a.mov: no");
        assert_eq!(clause("src/a.mov.part can't be read", "src/a.mov"), "src/a.mov: src/a.mov.part can't be read");
        assert_eq!(clause("a file is in the way", "a"), "a: a file is in the way");
        assert_eq!(clause("it can't be read: src/a.mov", "src/a.mov"), "it can't be read: src/a.mov");
        let mut below = Failure::new(&Error::new(Kind::NotFound, "no").with_subject("@trash/a"));
        (below.remote, below.path) = (Some("work".into()), Some(testing::path("/a").anchored_at("trash")));
        assert_eq!(display_failure(&below), "work:@trash/a: no");
    }

    #[test]
    fn small_summaries() {
        let sum = |files, bytes, skipped| Summary { files, bytes, skipped, seconds: 2.0, ..Summary::default() };
        assert_eq!(summary(&sum(1, 0, 0)), "1 file, 0 B in 2.0s");
        assert_eq!(summary(&sum(0, 0, 3)), "0 files, 0 B in 2.0s, 3 skipped");
        assert_eq!(summary(&Summary::default()), "0 files, 0 B in 0.0s");
    }

    #[test]
    fn a_summary_says_what_kind_of_work_it_was() {
        let base = || Summary { seconds: 2.0, failed: 1, ..Summary::default() };
        let stopped = Summary { files: 11, bytes: 40 << 20, of_files: Some(20), interrupted: true, ..base() };
        assert_eq!(summary(&stopped), "11 of 20 files done, 40.0 MiB in 2.0s (20.0 MiB/s), 1 failed, interrupted");
        let dry = Summary { would: vec![("upload", 1), ("replace", 2)], planned: Some(3), planned_bytes: Some(2048), skipped: 4, ..base() };
        assert_eq!(summary(&dry), "dry run: would upload 1 file, replace 2, 2.0 KiB in all, 4 skipped, 1 failed");
        let copied = Summary { files: 2, on_server: vec![("copied", 2)], bytes_on_server: Some(2048), ..base() };
        assert_eq!(summary(&copied), "2 files copied on the server, 2.0 KiB in 2.0s, 1 failed");
        let moved = Summary { bytes_on_server: None, on_server: vec![("moved", 1)], files: 1, ..base() };
        assert_eq!(summary(&moved), "1 file moved on the server in 2.0s, 1 failed");
        let sync = |deleted, left| Some(SyncCounts { equal: 3, sent: 1, deleted, left });
        let synced = |skipped, sync| summary(&Summary { files: 1, skipped, seconds: 2.0, sync, ..Summary::default() });
        assert_eq!(synced(3, sync(0, 0)), "1 file sent, 0 B in 2.0s, 3 equal, 0 deleted");
        assert_eq!(synced(4, sync(2, 7)), "1 file sent, 0 B in 2.0s, 3 equal, 2 deleted, 7 left, 1 skipped");
    }
}
