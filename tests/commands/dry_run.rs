//! `-n` changes nothing: not on a server, not on this disk, not in the state. The list of commands with `-n` comes from the
//! command tree, so that a new one can't be forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::{Command, CommandFactory};
use haul::cli::args::Cli;

use crate::support::env::{TestEnv, bytes};
use crate::support::kill::{SIZE, kill_put};
use crate::support::remotes::hosts;

/// What each command is tried with: `{}` is the remote, `{other}` another one.
const TRIED: &[(&str, &[&[&str]])] = &[
    (
        "put",
        &[
            &["src", "{}:/in/"],
            &["src/", "{}:/old"],
            &["--if-exists", "replace", "src/a.txt", "{}:/old/a.txt"],
            &["big.bin", "{}:/half.bin"],
        ],
    ),
    ("get", &[&["{}:/old", "new-folder/"], &["{}:/old/a.txt", "src/a.txt"]]),
    ("cat", &[&["{}:/old/a.txt"]]),
    (
        "cp",
        &[
            &["{}:/old/a.txt", "{}:/made/b.txt"],
            &["{}:/old", "{other}:/made/"],
            &["--if-exists", "replace", "{}:/old/a.txt", "{}:/old/b.txt"],
        ],
    ),
    (
        "mv",
        &[
            &["{}:/old/a.txt", "{}:/made/b.txt"],
            &["{}:/old", "{other}:/made/"],
            &["--if-exists", "replace", "{}:/old/a.txt", "{}:/old/b.txt"],
        ],
    ),
    ("rm", &[&["{}:/old/a.txt"], &["-r", "--yes", "{}:/old"]]),
    ("sync", &[&["src", "{}:/old"], &["--delete", "src", "{}:/old"], &["{}:/old", "new-folder"], &["{}:/old", "{other}:/made"]]),
    ("apply", &[&["plan.jsonl"]]),
    ("transfers resume", &[&[], &["{}"]]),
    ("transfers clear", &[&[], &["{}"]]),
];

/// Requests that only ask, by the sandbox's names. Any other is taken for one that changes something.
const ASK: &[(&str, &[&str])] = &[
    ("iogates", &["sign-in", "auth-info", "file", "files", "share", "download", "tus-head", "tus-options"]),
    (
        "giga0",
        &[
            "authorize",
            "account/info",
            "account/package",
            "package/listing",
            "folder/listing",
            "folder/info",
            "file/info",
            "file/download",
            "download",
        ],
    ),
    ("fileago", &["sign-in", "groups", "details", "dirlist", "download"]),
];

fn with_dry_run(tree: &Command, path: &str, found: &mut BTreeSet<String>) {
    for verb in tree.get_subcommands() {
        let path = format!("{path} {}", verb.get_name()).trim().to_owned();
        if verb.get_arguments().any(|arg| arg.get_long() == Some("dry-run") || arg.get_short() == Some('n')) {
            found.insert(path.clone());
        }
        with_dry_run(verb, &path, found);
    }
}

#[test]
fn every_command_that_has_it_is_tried() {
    let mut found = BTreeSet::new();
    with_dry_run(&Cli::command(), "", &mut found);
    assert_eq!(found, TRIED.iter().map(|(path, _)| (*path).to_owned()).collect());
}

/// Every file below the home, but for the state: a sign-in may be noted there.
fn files(folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        match entry.path().is_dir() {
            true => {
                found.insert(entry.path().display().to_string(), Vec::new());
                files(&entry.path(), found);
            }
            false => drop(found.insert(entry.path().display().to_string(), std::fs::read(entry.path()).unwrap())),
        }
    }
}

/// What there is: here, in the state's list, and on the servers.
fn everything(env: &TestEnv) -> (BTreeMap<String, Vec<u8>>, String, String) {
    let mut here = BTreeMap::new();
    files(env.home.path(), &mut here);
    let listed = env.home.run(&["transfers", "list", "--json"]).ends_with(0).stdout;
    let folders = ["/", "/old", "/made", "/in", "/in/src"];
    let there: Vec<_> =
        hosts().iter().flat_map(|remote| folders.map(|folder| (*remote, folder, env.sandbox.entries(remote, folder)))).collect();
    (here, listed, format!("{there:?}"))
}

fn changing(env: &TestEnv) -> Vec<String> {
    let changes = |(remote, ask): &(&str, &[&str])| {
        let asked = env.sandbox.request_kinds(remote).into_iter().filter(|kind| !ask.contains(&kind.as_str()));
        asked.map(|kind| format!("{remote} {kind}")).collect::<Vec<_>>()
    };
    ASK.iter().flat_map(changes).collect()
}

#[test]
fn nothing_changes_anywhere() {
    for (remote, other) in [("iogates", "giga0"), ("giga0", "fileago"), ("fileago", "iogates")] {
        let env = TestEnv::new();
        env.home.file("src/a.txt", "new");
        env.home.file("src/sub/c.txt", "c");
        env.home.file("failed", "what failed before\n");
        env.home.file("big.bin", bytes(SIZE, 5).0);
        env.home.file("old/a.txt", "old");
        env.home.file("old/b.txt", "b");
        env.home.run(&["put", "old", &format!("{remote}:/")]).ends_with(0);
        kill_put(&env, &["big.bin", &format!("{remote}:/half.bin")], remote, 300_000);
        env.home.run(&["sync", "--plan", "plan.jsonl", "src", &format!("{remote}:/old")]).ends_with(0);
        let (before, changed) = (everything(&env), changing(&env));
        for (path, tries) in TRIED {
            for args in *tries {
                let mut line: Vec<String> = path.split(' ').map(str::to_owned).collect();
                line.push("-n".to_owned());
                if !["cat", "rm", "transfers clear"].contains(path) {
                    line.extend(["--receipt", "receipt", "--failed-to", "failed"].map(str::to_owned));
                }
                line.extend(args.iter().map(|arg| arg.replace("{}", remote).replace("{other}", other)));
                let line: Vec<&str> = line.iter().map(String::as_str).collect();
                let ran = env.home.run(&line);
                assert!([0, 10].contains(&ran.status), "{line:?} ended with {}: {}", ran.status, ran.stderr);
                assert_eq!(changing(&env), changed, "{line:?}");
                assert!(everything(&env) == before, "{line:?} changed something: {}{}", ran.stdout, ran.stderr);
            }
        }
        let told = env.home.run(&["transfers", "clear", "-n", "--json"]).ends_with(0);
        let actions: Vec<_> = told.events("planned").iter().map(|e| e["action"].as_str().unwrap().to_owned()).collect();
        assert_eq!(actions, ["clear", "forget"], "{remote}: {}", told.stdout);
    }
}
