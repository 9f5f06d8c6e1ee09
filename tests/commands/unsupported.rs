//! `mv`, `cp`, `rm`, `edit`, `share`, `star` and `import` as a user runs them, against the sandbox: what is there afterwards,
//! what is said, how it ends.

mod answer_variants;
mod cp;
mod edit;
mod mv;
mod parallel_runs;
mod rm;

use std::collections::BTreeSet;

pub use edit::one_file_server;
use serde_json::Value;

use crate::support::command::Ran;
use crate::support::env::Play;

/// Those that can change things; ioGates can't.
const BOTH: [&str; 2] = ["giga0", "fileago"];

impl Play {
    /// Puts small files there; each holds its own path.
    fn with_files(remote: &str, paths: &[&str]) -> Play {
        let play = Play::new();
        play.add_files(remote, paths);
        play
    }

    fn add_files(&self, remote: &str, paths: &[&str]) {
        for path in paths {
            let input = format!("content of {path}");
            self.home.run_with_input(&["put", "-q", "-", &format!("{remote}:{path}")], input.as_bytes()).ends_with(0);
        }
    }

    fn json(&self, args: &[&str]) -> Ran {
        self.home.run(&[args, &["--json"]].concat())
    }

    /// Everything below a place, folders with a slash at their end.
    fn there(&self, place: &str) -> BTreeSet<String> {
        let ran = self.json(&["ls", "-R", place]).ends_with(0);
        // What lies below an id says so; the tests count from there.
        let top = place.split_once(":@").map(|(_, at)| format!("/@{}", at.split('/').next().unwrap())).unwrap_or_default();
        ran.events("entry").iter().map(|entry| shown(entry).strip_prefix(&top).unwrap().to_owned()).collect()
    }

    /// The content of the newest file at a path.
    fn text(&self, remote: &str, path: &str) -> String {
        let file = self.sandbox.file(remote, path).unwrap_or_else(|| panic!("{remote} has no {path}"));
        String::from_utf8(std::fs::read(file).unwrap()).unwrap()
    }

    fn id(&self, place: &str) -> String {
        let (folder, name) = place.rsplit_once('/').unwrap();
        let folder = if folder.ends_with(':') { format!("{folder}/") } else { folder.to_owned() };
        let entries = self.json(&["ls", &folder]).ends_with(0).events("entry");
        entries.iter().find(|e| e["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    }

    fn script(&self, faults: &str) {
        self.sandbox.faults().script(faults).unwrap();
    }

    #[track_caller]
    fn faults_are_used_up(&self) {
        assert!(self.sandbox.faults().left().is_empty(), "{:?}", self.sandbox.faults().left());
    }

    fn requests(&self, remote: &str) -> u64 {
        self.sandbox.counts().all_requests(remote)
    }
}

fn shown(entry: &Value) -> String {
    let slash = if entry["kind"] == "folder" { "/" } else { "" };
    format!("{}{slash}", entry["path"].as_str().unwrap())
}

fn set<const N: usize>(paths: [&str; N]) -> BTreeSet<String> {
    paths.into_iter().map(str::to_owned).collect()
}

#[test]
fn what_iogates_lacks_is_refused_before_anything_is_sent() {
    let play = Play::new();
    for (args, others) in [
        (vec!["rm", "iogates:/a"], "giga0 and FileAgo can"),
        (vec!["rm", "giga0:/a", "iogates:/a"], "giga0 and FileAgo can"),
        (vec!["mv", "iogates:/a", "iogates:/b"], "giga0 and FileAgo can"),
        (vec!["cp", "iogates:/a", "iogates:/b"], "giga0 and FileAgo can"),
        (vec!["mkdir", "iogates:/a"], "giga0 and FileAgo can"),
        (vec!["edit", "iogates:/a", "--name", "b"], "giga0 and FileAgo can"),
        (vec!["import", "https://example.com/x", "iogates:/"], "giga0 can"),
        (vec!["import", "https://example.com/x", "fileago:/"], "giga0 can"),
        (vec!["share", "iogates:/a", "--with", "x"], "FileAgo can"),
        (vec!["share", "giga0:/a", "--with", "x"], "FileAgo can"),
        (vec!["star", "giga0:/a"], "FileAgo can"),
        (vec!["unstar", "iogates:/a"], "FileAgo can"),
        (vec!["edit", "fileago:/a", "--visibility", "public"], "giga0 can"),
        (vec!["mkdir", "fileago:/a", "--visibility", "public"], "giga0 can"),
        (vec!["edit", "giga0:/a", "--type", "x/y", "--visibility", "public"], ""),
    ] {
        let ran = play.json(&args).ends_with(10).says(others);
        assert_eq!(ran.events("failed")[0]["error"]["kind"], "unsupported", "{args:?}");
    }
    for remote in ["iogates", "giga0", "fileago"] {
        assert_eq!(play.requests(remote), 0, "{remote}");
    }
    let table = play.home.run(&["providers"]).ends_with(0).stdout;
    for ability in ["remove", "move", "copy", "edit", "visibility", "import", "share", "star", "link", "comments"] {
        assert!(table.lines().any(|l| l.starts_with(ability)), "{ability}: {table}");
    }
}

#[test]
fn arguments_that_make_no_sense() {
    let play = Play::new();
    for args in [
        vec!["mv", "giga0:/a"],
        vec!["mv", "local", "giga0:/a"],
        vec!["cp", "giga0:/a", "./local"],
        vec!["mv", "giga0:/a/../b", "giga0:/c"],
        vec!["mv", "--if-exists", "perhaps", "giga0:/a", "giga0:/b"],
        vec!["rm", "giga0:@"],
        vec!["rm", "-r", "giga0:"],
        vec!["rm", "-r", "fileago:@trash"],
        vec!["rm", "--yes", "giga0:/"],
        vec!["edit", "giga0:/a"],
        vec!["edit", "giga0:/a", "--visibility", "secret"],
        vec!["share", "fileago:/a"],
        vec!["share", "fileago:/a", "--with", "x,"],
        vec!["import", "no-url", "giga0:/"],
        vec!["import", "file:///etc/passwd", "giga0:/"],
        vec!["import", "https://example.com/x", "--wait-limit", "5s", "giga0:/"],
        vec!["mv", "giga0:", "giga0:/x"],
        vec!["cp", "fileago:@home", "fileago:/x"],
        vec!["edit", "giga0:", "--name", "x"],
    ] {
        play.home.run(&args).ends_with(2);
    }
    for remote in ["iogates", "giga0"] {
        assert_eq!(play.requests(remote), 0, "{remote}");
    }
    play.home.run(&["rm", "nowhere:/a"]).ends_with(3).says("no such remote");
    play.home.run(&["mv", "giga0:/a", "nowhere:/a"]).ends_with(3);
    play.home.run(&["mv", "nowhere:/a", "giga0:/a"]).ends_with(3);
    play.home.run(&["cp", "giga0:/a", "fileago:/a"]).ends_with(3);
}
