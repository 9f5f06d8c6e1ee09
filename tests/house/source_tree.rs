//! The source files as text: which lines are product code, and which modules are the parents of a file.

use std::fs;
use std::path::{Path, PathBuf};

pub struct SourceFile {
    /// Relative to `src/` or `tests/`, with `/`.
    pub name: String,
    pub text: String,
}

impl SourceFile {
    /// The top module: `transfer` of `transfer/put/mod.rs`.
    pub fn module_name(&self) -> &str {
        self.name.split(['/', '.']).next().unwrap()
    }

    /// The module path without `crate`: `["transfer", "put"]` of `transfer/put/mod.rs`.
    pub fn module_path(&self) -> Vec<&str> {
        let mut path: Vec<&str> = self.name.trim_end_matches(".rs").split('/').collect();
        if path.last() == Some(&"mod") || path == ["lib"] {
            path.pop();
        }
        path
    }

    /// Number and text of each line without comments and without the items that only tests compile.
    pub fn code_lines(&self) -> Vec<(usize, &str)> {
        let mut lines = self.text.lines().enumerate().map(|(n, line)| (n + 1, line));
        let mut code = Vec::new();
        while let Some((number, line)) = lines.next() {
            if line == "#[cfg(test)]" {
                skip_item(&mut lines);
            } else if !line.trim_start().starts_with("//") {
                code.push((number, line));
            }
        }
        code
    }

    /// How many lines a reader of the product has to read, comments included.
    pub fn product_lines(&self) -> usize {
        let mut lines = self.text.lines().enumerate();
        let mut count = 0;
        while let Some((_, line)) = lines.next() {
            if line == "#[cfg(test)]" {
                skip_item(&mut lines);
            } else {
                count += 1;
            }
        }
        count
    }
}

/// An item at the left margin ends with `;` on its first line, or with a `}` at the left margin.
fn skip_item<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) {
    let Some((_, first)) = lines.by_ref().find(|(_, line)| !line.starts_with("#[")) else { return };
    if !first.ends_with(';') && !first.ends_with('}') {
        lines.by_ref().find(|(_, line)| line.starts_with('}'));
    }
}

pub fn rust_files(root: &Path) -> Vec<SourceFile> {
    let mut paths = Vec::new();
    collect(root, &mut paths);
    let read = |path: PathBuf| SourceFile {
        name: path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"),
        text: fs::read_to_string(&path).unwrap(),
    };
    paths.into_iter().map(read).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Every file of `src/` that is not a test and is not compiled for tests alone.
pub fn product_files() -> Vec<SourceFile> {
    let mut files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    files.retain(|f| {
        !f.name.starts_with("testing/") && !f.name.contains("/tests/") && !f.name.ends_with("/tests.rs") && f.name != "main.rs"
    });
    assert!(files.len() > 100, "the scan found only {} files", files.len());
    files
}

/// Whether a file of `tests/` has a test of its own.
pub fn is_test_file(file: &SourceFile) -> bool {
    file.text.lines().map(str::trim_start).any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

/// Names that once meant several things. Each thing has a name of its own now.
pub const RETIRED_NAMES: &[&str] = &[
    "Desk",
    "desk",
    "ground",
    "porch",
    "Way",
    "Held",
    "Found",
    "Flow",
    "Told",
    "Seen",
    "Known",
    "Kept",
    "Asked",
    "Ticket",
    "Wish",
    "Lease",
    "Rivalry",
    "Opening",
    "Slicing",
    "Hands",
    "Landing",
    "Shelf",
    "Shelves",
    "Carrier",
    "Carried",
    "TakenUp",
    "Porch",
    "Board",
    "Reel",
    "Crew",
    "Pulse",
    "Stamp",
    "WhenMade",
    "UploadItem",
    "Screen",
    "Voice",
    "JobPage",
    "Harmless",
    "Ledger",
    "Swapping",
    "Conversation",
    "Patience",
    "Claim",
    "Flight",
    "Spot",
    "Talk",
    "Arrange",
    "voice",
];
