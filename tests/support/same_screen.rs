//! Two screens are the same if they differ only in what changes from run to run: times, rates, ports, ids, the width of
//! columns, and the order in which parallel files end.

use std::sync::LazyLock;

use regex::Regex;

static CHANGING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules = [
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?( ?[+-]\d\d:\d\d|Z)?", "TIME"),
        (r"\d+(\.\d+)? ([KMGT]i)?B/s", "RATE"),
        // The progress of a killed run.
        (r"nothing sent|\d+ of \d+ files? done(, \d+ (failed|in flight|not begun))*", "STATE"),
        (r"\d+(\.\d+)? ([KMGT]i)?B of", "SIZE of"),
        (r"haul \d+\.\d+\.\d+ on \w+ \w+", "HAUL"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"/tmp/[^ ]*haul-sandbox-\w+", "SANDBOX"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ID"),
        (r"\b(file:)?(610\d\d|1\d{3})\b", "ID"),
        (r"/2[0-9a-z]{2}\b", "/SHORT"),
        (r"\b[0-9a-zA-Z]{32,64}\b", "HEX"),
        (r#"(seconds|seconds_left|bytes_per_second)":[0-9.e-]+"#, "NUMBER"),
        (r"\b\d+(\.\d+)?s\b", "DURATION"),
        (r#""modified":\d+"#, "MODIFIED"),
        (r"[─━╸]{3,}", "BAR"),
    ];
    rules.map(|(pattern, name)| (Regex::new(pattern).unwrap(), name)).into()
});

/// On a busy machine a slow command may print its progress.
static PROGRESS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\d+ of \d+ files?, .*/s").unwrap());

static COLUMNS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(\S) {2,}").unwrap());

fn without_times(line: &str) -> String {
    let line = CHANGING.iter().fold(line.to_owned(), |line, (pattern, name)| pattern.replace_all(&line, *name).into_owned());
    // The width of a column depends on its content.
    COLUMNS.replace_all(line.trim_end(), "$1 ").into_owned()
}

/// Events of parallel files come in any order.
fn is_of_a_file(line: &str) -> bool {
    let verbs = ["uploaded", "downloaded", "copied", "moved", "skipped", "arrived", "would ", "same ", "changed ", "missing ", "haul: "];
    verbs.iter().any(|verb| line.starts_with(verb)) || line.starts_with("{\"schema\":1,\"event\":\"uploaded\"")
}

fn in_order(lines: &[String]) -> Vec<String> {
    let mut lines = lines.to_vec();
    for run in lines.chunk_by_mut(|a, b| is_of_a_file(a) && is_of_a_file(b)) {
        run.sort();
    }
    lines
}

/// True if the output is the screen in a document. A line `…` of the document stands for any lines.
pub fn is_same(shown: &[String], printed: &[String]) -> bool {
    let ready = |lines: &[String]| {
        let lines = lines.iter().filter(|line| !PROGRESS.is_match(line));
        in_order(&lines.map(|line| without_times(line)).collect::<Vec<_>>())
    };
    let (shown, printed) = (ready(shown), ready(printed));
    let mut rest = &printed[..];
    for (number, part) in shown.split(|line| line == "…").enumerate() {
        let at = if number == 0 { 0 } else { (0..=rest.len()).find(|at| rest[*at..].starts_with(part)).unwrap_or(rest.len()) };
        let Some(after) = rest[at..].strip_prefix(part) else { return false };
        rest = after;
    }
    rest.is_empty() || shown.last().is_some_and(|line| line == "…")
}

#[test]
fn only_what_changes_from_run_to_run_may_differ() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (a, b) in [
        ("1 file, 3 B in 0.0s (1001 B/s)", "1 file, 3 B in 12.3s (1.4 MiB/s)"),
        ("0 of 3 files done, 3 not begun  put a", "nothing sent  put a"),
        ("uploaded  a\nuploaded  b", "uploaded  b\nuploaded  a"),
        ("file  2 B  2026-11-26 23:10  61003  a", "file     2 B  2027-01-02 00:00  61004  a"),
        ("a\n…\nd", "a\nb\nc\nd"),
        ("a\n…", "a\nb"),
        ("a", "0 of 1 file, 1.0 MiB of 3.0 MiB, 100.0 KiB/s, 20s left\na"),
        ("http://127.0.0.1:1/2ga", "http://127.0.0.1:65000/2gb"),
    ] {
        assert!(is_same(&lines(a), &lines(b)), "{a:?} {b:?}");
    }
    for (a, b) in [
        ("1 file, 3 B in 0.0s", "2 files, 3 B in 0.0s"),
        ("a\nb", "b\na"),
        ("a", "a\nb"),
        ("a\n…\nd", "a\nb"),
        ("└── a", "├── a"),
        ("a\nb", "a"),
    ] {
        assert!(!is_same(&lines(a), &lines(b)), "{a:?} {b:?}");
    }
}
