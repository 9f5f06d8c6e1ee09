//! `haul sync`: each direction, and a second run that only lists.

mod deletions;
mod equal_trees;
mod filters;
mod plans;
mod real_ftp;
mod renames;
mod scale;

use std::collections::BTreeMap;

use crate::support::command::Ran;
use crate::support::env::{Content, TestEnv, bytes, tree};
use crate::support::remotes::that_can;
use serde_json::Value;

/// Remotes that list, in the sandbox.
pub fn listing() -> Vec<&'static str> {
    that_can(&["list"])
}

/// Those at which something can be deleted.
pub fn deleting() -> Vec<&'static str> {
    that_can(&["list", "remove"])
}

pub fn summary(ran: &Ran) -> Value {
    let last = ran.json().pop().unwrap();
    assert_eq!(last["event"], "summary", "{}", ran.stdout);
    last
}

/// (sent, equal, deleted, left)
pub fn counts(ran: &Ran) -> (u64, u64, u64, u64) {
    let last = summary(ran);
    let count = |key: &str| last[key].as_u64().unwrap_or_else(|| panic!("no {key} in {last}"));
    (count("sent"), count("equal"), count("deleted"), count("left"))
}

/// The files below a place of a remote, by their paths from there.
pub fn files_at(env: &TestEnv, place: &str) -> BTreeMap<String, Content> {
    env.home.run(&["get", "-q", &format!("{}/", place.trim_end_matches('/')), "look/"]).ends_with(0);
    let found = env.local("look");
    std::fs::remove_dir_all(env.path("look")).unwrap();
    found
}

/// Requests of each kind that a stand-in has answered.
fn requests(env: &TestEnv, remote: &str) -> BTreeMap<String, u64> {
    let kinds = env.sandbox.request_kinds(remote);
    let mut counted = BTreeMap::new();
    for kind in kinds {
        *counted.entry(kind).or_default() += 1;
    }
    counted
}

#[test]
fn a_local_folder_goes_up_and_a_second_run_only_lists() {
    for remote in listing() {
        let env = TestEnv::new();
        let files = tree(&env.home);
        let place = format!("{remote}:/mirror");
        for from in ["src", "src/"] {
            let ran = env.json(&["sync", from, &place]).ends_with(0);
            let all = files.len() as u64;
            let wanted = if from == "src" { (all, 0, 0, 0) } else { (0, all, 0, 0) };
            assert_eq!(counts(&ran), wanted, "{remote} {from}: with or without a slash its contents are meant");
        }
        assert_eq!(files_at(&env, &place), files, "{remote}");
        let before = requests(&env, remote);
        let ran = env.json(&["sync", "src", &place]).ends_with(0);
        assert_eq!((counts(&ran), ran.events("skipped").len()), ((0, files.len() as u64, 0, 0), files.len()), "{remote}");
        let after = requests(&env, remote);
        let made: Vec<&String> = after.iter().filter(|(kind, n)| before.get(*kind) != Some(n)).map(|(kind, _)| kind).collect();
        const CHANGES: [&str; 9] = ["upload", "create", "edit", "delete", "move", "copy", "change", "patch", "tus"];
        assert!(made.iter().all(|kind| !CHANGES.iter().any(|change| kind.contains(change))), "{remote}: {made:?}");
        // What has changed, and nothing else.
        env.home.file("src/a.txt", "changed");
        env.home.file("src/new/n.txt", "new");
        let ran = env.json(&["sync", "src", &place]).ends_with(0);
        assert_eq!(counts(&ran), (2, files.len() as u64 - 1, 0, 0), "{remote}");
        assert_eq!(files_at(&env, &place)["a.txt"], crate::support::env::text("changed"), "{remote}");
    }
}

#[test]
fn a_remote_folder_comes_down_and_a_second_run_only_lists() {
    for remote in listing() {
        let env = TestEnv::new();
        let files = tree(&env.home);
        env.home.run(&["put", "-q", "src/", &format!("{remote}:/from")]).ends_with(0);
        let place = format!("{remote}:/from/");
        let ran = env.json(&["sync", &place, "here"]).ends_with(0);
        assert_eq!((counts(&ran).0, env.local("here")), (files.len() as u64, files.clone()), "{remote}");
        for _ in 0..2 {
            let ran = env.json(&["sync", &format!("{remote}:/from"), "here"]).ends_with(0);
            assert_eq!(counts(&ran), (0, files.len() as u64, 0, 0), "{remote}: {}", ran.stdout);
        }
        std::fs::write(env.path("here/a.txt"), "other").unwrap();
        std::fs::write(env.path("here/more"), "more").unwrap();
        let ran = env.json(&["sync", &place, "here"]).ends_with(0);
        assert_eq!(counts(&ran), (1, files.len() as u64 - 1, 0, 1), "{remote}");
        assert_eq!(env.local("here")["a.txt"], files["a.txt"], "{remote}");
    }
}

#[test]
fn one_remote_gets_what_another_has() {
    for (from, to) in [("giga0", "fileago"), ("fileago", "giga0"), ("iogates", "ftp"), ("ftp", "giga0"), ("giga0", "giga0"), ("ftp", "ftp")]
    {
        let env = TestEnv::new();
        let files = tree(&env.home);
        env.home.run(&["put", "-q", "src/", &format!("{from}:/from")]).ends_with(0);
        let (source, target) = (format!("{from}:/from"), format!("{to}:/to"));
        let ran = env.json(&["sync", &source, &target]).ends_with(0);
        assert_eq!((counts(&ran).0, ran.events("copied").len()), (files.len() as u64, files.len()), "{from} to {to}");
        assert_eq!(files_at(&env, &target), files, "{from} to {to}");
        let ran = env.json(&["sync", &source, &target]).ends_with(0);
        assert_eq!(counts(&ran), (0, files.len() as u64, 0, 0), "{from} to {to}: {}", ran.stdout);
    }
}

#[test]
fn sizes_alone_are_believed_only_when_asked() {
    for remote in listing() {
        let env = TestEnv::new();
        let place = format!("{remote}:/s");
        env.store(remote, "/s/a.txt", &crate::support::env::text("one"));
        env.home.file("src/a.txt", "two");
        let ran = env.json(&["sync", "--size-only", "src", &place]).ends_with(0);
        assert_eq!((counts(&ran).1, &ran.events("skipped")[0]["reason"]), (1, &"same size".into()), "{remote}");
        let ran = env.json(&["sync", "--size-only", &place, "src"]).ends_with(0);
        assert_eq!((counts(&ran).1, env.local("src")["a.txt"].clone()), (1, crate::support::env::text("two")), "{remote}");
        let ran = env.json(&["sync", "src", &place]).ends_with(0);
        assert_eq!((counts(&ran).0, env.text(remote, "/s/a.txt")), (1, "two".to_owned()), "{remote}");
    }
}

#[test]
fn places_that_can_not_be_synced() {
    let env = TestEnv::with_files("giga0", &["/a/b/f", "/file"]);
    env.home.file("src/f", "f");
    let says = |args: &[&str], status: i32, words: &str| drop(env.home.run(&[&["sync"], args].concat()).ends_with(status).says(words));
    says(&["src/f", "giga0:/x"], 2, "haul put");
    says(&["giga0:/file", "giga0:/x"], 2, "haul cp");
    says(&["giga0:/file", "x"], 2, "haul get");
    says(&["none", "giga0:/x"], 3, "none");
    says(&["giga0:/none", "x"], 3, "giga0:/none");
    says(&["src", "other"], 2, "REMOTE:PATH");
    says(&["-", "giga0:/x"], 2, "pipe");
    says(&["src", "tus:/x"], 10, "lists folders");
    says(&["tus:/x", "src"], 10, "lists folders");
    says(&["src", "nowhere:/x"], 3, "nowhere");
    for (from, to) in [("/", "/a"), ("/a", "/"), ("/a", "/a"), ("/a", "/a/b/new/deep"), ("/a/b", "/a")] {
        says(&[&format!("giga0:{from}"), &format!("giga0:{to}")], 2, "lies in the other");
    }
    // Nothing was done by any of them.
    assert_eq!(env.there("giga0:").len(), 4);
}

/// A file has the name of a folder, and the reverse: each is a failure, nothing is lost, and nothing is deleted.
#[test]
fn a_file_in_the_place_of_a_folder_is_a_failure_of_its_own() {
    for remote in deleting() {
        let env = TestEnv::with_files(remote, &["/t/a/inner", "/t/b", "/t/extra"]);
        let place = format!("{remote}:/t");
        let before = files_at(&env, &place);
        env.home.file("src/a", "a file");
        env.home.file("src/b/f", "in a folder");
        env.home.file("src/good", "good");
        let ran = env.json(&["sync", "--delete", "--max-delete", "99", "src", &place]).ends_with(9);
        let failed: Vec<_> = ran.events("failed").iter().map(|event| event["error"]["kind"].clone()).collect();
        assert_eq!(failed, ["exists", "exists"], "{remote}: {}", ran.stdout);
        ran.says("nothing was deleted");
        let mut wanted = before.clone();
        wanted.insert("good".into(), crate::support::env::text("good"));
        assert_eq!(files_at(&env, &place), wanted, "{remote}");
        // The other way round.
        let here = env.local("src");
        let ran = env.json(&["sync", "--delete", "--max-delete", "99", &place, "src"]).ends_with(9);
        assert_eq!(ran.events("failed").len(), 2, "{remote}: {}", ran.stdout);
        let now = env.local("src");
        assert!(here.iter().all(|(name, content)| now.get(name) == Some(content)), "{remote}: {now:?}");
    }
}

#[test]
fn a_dry_run_changes_nothing_anywhere() {
    for remote in deleting() {
        let env = TestEnv::with_files(remote, &["/t/old", "/t/same"]);
        let place = format!("{remote}:/t");
        env.home.file("src/new", "new");
        env.home.file("src/same", "content of /t/same");
        let (there, here) = (files_at(&env, &place), env.local("src"));
        let ran = env.json(&["sync", "-n", "--delete", "src", &place]).ends_with(0);
        let told = |ran: &Ran| {
            let mut told: Vec<String> = ran.events("planned").iter().map(|e| format!("{} {}", e["action"], e["path"])).collect();
            told.sort();
            told.join("; ").replace('"', "")
        };
        assert!(told(&ran).starts_with("delete /t/old; "), "{remote}: {}", told(&ran));
        assert!(told(&ran).contains("upload /t/new"), "{remote}: {}", told(&ran));
        let ran = env.json(&["sync", "-n", "--delete", &place, "src"]).ends_with(0);
        assert!(told(&ran).contains("delete /new") && told(&ran).contains("download /t/old"), "{remote}: {}", told(&ran));
        assert_eq!((files_at(&env, &place), env.local("src")), (there, here), "{remote}");
    }
}

#[test]
fn a_sync_that_was_killed_is_taken_up_as_a_whole() {
    use crate::support::env::bytes;
    use crate::support::kill::kill_when;
    let env = TestEnv::new();
    for n in 0..8 {
        env.home.file(&format!("src/{n}.bin"), bytes(100_000, n + 1).0);
    }
    env.add_files("giga0", &["/m/old"]);
    let args = ["sync", "--delete", "--max-delete", "5", "-j", "1", "--bwlimit", "300K", "src", "giga0:/m"];
    kill_when(&env, &args, || env.arrivals("giga0").len() >= 3);
    let listed = env.home.run(&["transfers", "list", "--json"]).ends_with(0).events("run");
    assert_eq!((&listed[0]["command"][0], &listed[0]["path"]), (&"sync".into(), &"/m".into()));
    let ran = env.home.run(&["transfers", "resume", "--json"]).ends_with(0);
    assert_eq!(files_at(&env, "giga0:/m"), env.local("src"));
    assert!(ran.events("deleted").len() == 1 && ran.events("uploaded").len() < 8, "{}", ran.stdout);
    assert_eq!(env.home.run(&["transfers", "list", "--json"]).ends_with(0).stdout, "");
}

#[test]
fn receipts_and_lists_of_failures_are_written() {
    let env = TestEnv::new();
    env.home.file("src/good", "good");
    env.home.file("src/bad\nname", "bad");
    env.home.file("src/folder/x", "x");
    env.add_files("giga0", &["/t/folder"]);
    let ran = env.json(&["sync", "--receipt", "r.jsonl", "--failed-to", "failed", "src", "giga0:/t"]).ends_with(9);
    assert_eq!(ran.events("failed").len(), 2, "{}", ran.stdout);
    let receipt = std::fs::read_to_string(env.path("r.jsonl")).unwrap();
    assert_eq!(receipt.lines().count(), 1);
    assert_eq!(std::fs::read_to_string(env.path("failed")).unwrap(), "folder/x\n");
    // Relative to FROM, as `--files-from` reads it.
    let ran = env.json(&["sync", "--files-from", "failed", "src", "giga0:/t"]).ends_with(6);
    assert_eq!(ran.events("failed").len(), 1, "{}", ran.stdout);
    env.home.run(&["verify", "r.jsonl"]).ends_with(0);
}

#[test]
fn the_last_line_says_what_was_equal_sent_deleted_and_left() {
    let env = TestEnv::with_files("fileago", &["/t/b", "/t/old", "/t/older"]);
    env.home.file("src/a", "a");
    env.home.file("src/b", "content of /t/b");
    env.home.run(&["sync", "src", "fileago:/t"]).ends_with(0).says("2 left");
    env.home.file("src/c", "c");
    env.home.run(&["sync", "--delete", "src", "fileago:/t"]).ends_with(0).says("1 file sent, ").says(", 2 equal, 2 deleted");
}

/// What is small, replaces a file or is to stand in a receipt comes through this machine.
#[test]
fn within_one_remote_the_server_copies_large_files() {
    let size = (1 << 20) + 7;
    for remote in that_can(&["list", "download", "copy"]) {
        let env = TestEnv::new();
        env.home.file("src/d/big.bin", bytes(size, 5).0);
        env.home.file("src/small", "small");
        let (from, to) = (format!("{remote}:/from"), format!("{remote}:/to"));
        env.home.run(&["put", "-q", "src/", &from]).ends_with(0);
        let received = || env.sandbox.counts().all_received_bytes(remote);
        let before = received();
        let ran = env.json(&["sync", &from, &to]).ends_with(0);
        assert_eq!((counts(&ran), ran.events("copied").len()), ((2, 0, 0, 0), 2), "{remote}: {}", ran.stdout);
        assert!(received() - before < size as u64, "{remote}: the large file came through this machine");
        assert_eq!(files_at(&env, &to), env.local("src"), "{remote}");
        let ran = env.json(&["sync", &from, &to]).ends_with(0);
        assert_eq!(counts(&ran), (0, 2, 0, 0), "{remote}: {}", ran.stdout);
        env.home.file("src/d/big.bin", bytes(size, 6).0);
        env.home.run(&["put", "-q", "src/", &from]).ends_with(0);
        env.json(&["sync", &from, &to]).ends_with(0);
        assert_eq!(files_at(&env, &to), env.local("src"), "{remote}: a file that was there");
        let receipt = env.path("r.jsonl");
        env.json(&["sync", "--receipt", "r.jsonl", &from, &format!("{remote}:/other")]).ends_with(0);
        assert_eq!(std::fs::read_to_string(&receipt).unwrap().lines().count(), 2, "{remote}");
    }
}

/// What another machine put there: nothing is known of the files, and giga0 lists neither MD5s nor times.
#[test]
fn files_of_another_machine_are_sent_once() {
    for (from, to) in [("giga0", "fileago"), ("giga0", "giga0"), ("fileago", "ftp"), ("ftp", "giga0")] {
        let env = TestEnv::new();
        env.home.file("src/d/big.bin", bytes((1 << 20) + 7, 5).0);
        env.home.file("src/small", "small");
        let (source, place) = (format!("{from}:/from"), format!("{to}:/to"));
        env.home.run(&["put", "-q", "src/", &source]).ends_with(0);
        std::fs::remove_dir_all(env.state_file().parent().unwrap()).unwrap();
        for wanted in [(2, 0, 0, 0), (0, 2, 0, 0)] {
            let ran = env.json(&["sync", &source, &place]).ends_with(0);
            assert_eq!(counts(&ran), wanted, "{from} to {to}: {}", ran.stdout);
        }
        assert_eq!(files_at(&env, &place), env.local("src"), "{from} to {to}");
    }
}
