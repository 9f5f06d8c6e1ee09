//! `sync --plan` and `apply`: exactly the actions of the plan, each only if nothing has changed.

use std::path::Path;

use serde_json::Value;

use super::{counts, deleting, files_at};
use crate::support::env::{TestEnv, bytes, text};
use crate::support::kill::kill_when;

/// The lines behind the header.
pub fn actions(env: &TestEnv, plan: &str) -> Vec<Value> {
    let written = std::fs::read_to_string(env.path(plan)).unwrap();
    let mut lines = written.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let header = lines.next().unwrap();
    assert_eq!((&header["schema"], &header["event"], &header["version"]), (&1.into(), &"plan".into(), &1.into()));
    lines.collect()
}

pub fn action_texts(actions: &[Value]) -> Vec<String> {
    let mut told: Vec<String> =
        actions.iter().map(|a| format!("{} {}", a["action"].as_str().unwrap(), a["path"].as_str().unwrap())).collect();
    told.sort();
    told
}

/// One file has changed here, one is new, a folder of one file has gone, an empty one has come.
fn up(remote: &str) -> (TestEnv, String) {
    let (env, place) = (TestEnv::new(), format!("{remote}:/t"));
    for name in ["changed", "same", "d/old", "z", "y"] {
        env.home.file(&format!("src/{name}"), name);
    }
    env.home.run(&["sync", "src", &place]).ends_with(0);
    env.home.file("src/changed", "changed here");
    env.home.file("src/new/n", "new");
    std::fs::remove_dir_all(env.path("src/d")).unwrap();
    std::fs::create_dir(env.path("src/hollow")).unwrap();
    (env, place)
}

#[test]
fn a_plan_changes_nothing_and_is_carried_out_to_the_letter() {
    for remote in deleting() {
        let (env, place) = up(remote);
        let before = files_at(&env, &place);
        env.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", &place]).ends_with(0).says("haul apply p.jsonl");
        assert_eq!(files_at(&env, &place), before, "{remote}: nothing was done");
        let wanted = ["create /hollow", "delete /d", "delete /d/old", "upload /changed", "upload /new/n"];
        assert_eq!(action_texts(&actions(&env, "p.jsonl")), wanted, "{remote}");
        // What comes later is no part of the plan.
        env.home.file("src/later", "later");
        env.add_files(remote, &["/t/theirs"]);
        let elsewhere = env.home.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        let mut apply = env.home.command(&["apply", "--json", "--receipt", "r.jsonl", "../p.jsonl"]);
        let ran = crate::support::command::Ran::of(apply.current_dir(&elsewhere).output().unwrap()).ends_with(0);
        assert_eq!((ran.events("uploaded").len(), ran.events("deleted").len()), (2, 2), "{remote}: {}", ran.stdout);
        let mut after = env.local("src");
        after.remove("later");
        after.insert("theirs".into(), text("content of /t/theirs"));
        assert_eq!(files_at(&env, &place), after, "{remote}");
        assert!(env.there(&place).contains("/t/hollow/"), "{remote}");
        assert_eq!(std::fs::read_to_string(elsewhere.join("r.jsonl")).unwrap().lines().count(), 2, "{remote}");
        // What is done is found done.
        let ran = env.json(&["apply", "p.jsonl"]).ends_with(0);
        assert_eq!(
            (ran.events("skipped").len(), ran.events("uploaded").len(), ran.events("deleted").len()),
            (2, 0, 0),
            "{remote}: {}",
            ran.stdout
        );
    }
}

#[test]
fn what_has_changed_since_is_refused_and_left() {
    for remote in deleting() {
        let (env, place) = up(remote);
        env.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", &place]).ends_with(0);
        // One changed here, one came there.
        env.home.file("src/changed", "changed once more");
        env.store(remote, "/t/new/n", &text("somebody's"));
        let before = files_at(&env, &place);
        let ran = env.json(&["apply", "p.jsonl"]).ends_with(9);
        let mut kinds: Vec<_> = ran.events("failed").iter().map(|e| e["error"]["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        assert_eq!(kinds, ["exists", "integrity"], "{remote}: {}", ran.stdout);
        assert_eq!((ran.events("uploaded").len(), ran.events("deleted").len()), (0, 0), "{remote}");
        ran.says("nothing was deleted");
        assert_eq!(files_at(&env, &place), before, "{remote}");
        // What was to be deleted, or replaced, is another one by now.
        let (env, place) = up(remote);
        env.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", &place]).ends_with(0);
        env.store(remote, "/t/d/old", &text("newer, and longer"));
        let ran = env.json(&["apply", "p.jsonl"]).ends_with(9);
        assert_eq!(
            (ran.events("failed")[0]["error"]["kind"].clone(), ran.events("uploaded").len()),
            ("exists".into(), 2),
            "{remote}: {}",
            ran.stdout
        );
        assert_eq!(files_at(&env, &place)["d/old"], text("newer, and longer"), "{remote}");
    }
}

#[test]
fn a_plan_for_this_machine_and_one_between_remotes() {
    for remote in deleting() {
        let env = TestEnv::with_files(remote, &["/t/a", "/t/d/b", "/t/e/c"]);
        let place = format!("{remote}:/t");
        env.home.file("here/a", "other");
        env.home.file("here/old/x", "x");
        env.home.file("here/y", "y");
        let before = env.local("here");
        // Two of three files would go.
        env.home.run(&["sync", "--delete", "--plan", "p.jsonl", &place, "here"]).ends_with(8);
        env.home.run(&["sync", "--delete", "--max-delete", "2", "--plan", "p.jsonl", &place, "here"]).ends_with(0);
        assert_eq!(env.local("here"), before, "{remote}");
        let wanted = ["delete /old", "delete /old/x", "delete /y", "download /a", "download /d/b", "download /e/c"];
        assert_eq!(action_texts(&actions(&env, "p.jsonl")), wanted, "{remote}");
        env.home.run(&["apply", "p.jsonl"]).ends_with(0);
        assert_eq!(env.local("here"), files_at(&env, &place), "{remote}");
        assert!(!env.path("here/old").exists());
        assert_eq!(counts(&env.json(&["apply", "p.jsonl"]).ends_with(0)), (0, 3, 0, 0), "{remote}");
        // Changed here, and changed there.
        env.home.run(&["sync", "--if-exists", "replace", "--plan", "q.jsonl", &place, "here"]).ends_with(0);
        std::fs::write(env.path("here/a"), "mine").unwrap();
        env.store(remote, "/t/d/b", &text("changed there"));
        let ran = env.json(&["apply", "q.jsonl"]).ends_with(9);
        let mut kinds: Vec<_> = ran.events("failed").iter().map(|e| e["error"]["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        assert_eq!(
            (kinds.join(" "), env.local("here")["a"].clone()),
            ("exists integrity".into(), text("mine")),
            "{remote}: {}",
            ran.stdout
        );

        let other = if remote == "giga0" { "fileago:/u" } else { "giga0:/u" };
        env.home.run(&["sync", "--plan", "c.jsonl", &place, other]).ends_with(0);
        assert_eq!(action_texts(&actions(&env, "c.jsonl")), ["copy /a", "copy /d/b", "copy /e/c"], "{remote}");
        env.home.run(&["apply", "c.jsonl"]).ends_with(0);
        assert_eq!(files_at(&env, other), files_at(&env, &place), "{remote}");
    }
}

/// A folder that is to be deleted is no file that is left.
#[test]
fn only_files_are_counted_as_left() {
    let (env, place) = up("giga0");
    env.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", &place]).ends_with(0);
    assert!(action_texts(&actions(&env, "p.jsonl")).contains(&"delete /d".to_owned()));
    env.script("giga0/file/upload:500*always");
    let ran = env.json(&["apply", "--retries", "1", "p.jsonl"]);
    assert!(ran.status != 0 && counts(&ran).3 == 1, "{}", ran.stdout);
}

/// Killed while the server copies: the copy is found by the next run, and nothing is copied or sent again.
#[test]
fn an_apply_that_was_killed_during_a_copy_finds_the_copy() {
    for again in [&["apply", "p.jsonl"][..], &["sync", "fileago:/from", "fileago:/to"]] {
        let env = TestEnv::new();
        env.home.file("src/big.bin", bytes((1 << 20) + 7, 5).0);
        env.home.run(&["put", "-q", "src/", "fileago:/from"]).ends_with(0);
        env.home.run(&["mkdir", "-q", "fileago:/to"]).ends_with(0);
        env.home.run(&["sync", "--plan", "p.jsonl", "fileago:/from", "fileago:/to"]).ends_with(0);
        let copies = env.request_count("fileago", "change");
        env.script("fileago/change:slow=60000");
        kill_when(&env, &["apply", "p.jsonl"], || {
            let is_asked = env.request_count("fileago", "change") > copies;
            std::thread::sleep(std::time::Duration::from_millis(if is_asked { 200 } else { 3 }));
            is_asked
        });
        assert!(env.there("fileago:/to").contains("/to/big.bin"));
        let sent = env.sandbox.counts().all_received_bytes("fileago");
        let ran = env.json(again).ends_with(0);
        assert_eq!((counts(&ran), env.request_count("fileago", "change")), ((0, 1, 0, 0), copies + 1), "{}", ran.stdout);
        assert!(env.sandbox.counts().all_received_bytes("fileago") - sent < 1 << 20);
        assert_eq!(files_at(&env, "fileago:/to"), env.local("src"));
    }
}

#[test]
fn moves_are_planned_and_done() {
    for remote in deleting() {
        let env = TestEnv::new();
        for (name, seed) in [("a/one", 1), ("two", 2), ("three", 3)] {
            env.home.file(&format!("src/{name}"), bytes(5_000, seed).0);
        }
        let place = format!("{remote}:/t");
        env.home.run(&["sync", "src", &place]).ends_with(0);
        env.home.run(&["sync", &place, "here"]).ends_with(0);
        std::fs::rename(env.path("src/a/one"), env.path("src/uno")).unwrap();
        std::fs::remove_dir(env.path("src/a")).unwrap();
        env.home.run(&["sync", "--delete", "--track-renames", "--plan", "p.jsonl", "src", &place]).ends_with(0);
        assert_eq!(action_texts(&actions(&env, "p.jsonl")), ["delete /a", "move /uno"], "{remote}");
        let ran = env.json(&["apply", "p.jsonl"]).ends_with(0);
        assert_eq!((ran.events("moved").len(), files_at(&env, &place)), (1, env.local("src")), "{remote}: {}", ran.stdout);
        let ran = env.json(&["apply", "p.jsonl"]).ends_with(0);
        assert_eq!((ran.events("moved").len(), ran.events("skipped").len()), (0, 1), "{remote}: {}", ran.stdout);
        // The other way round.
        env.home.run(&["sync", "--delete", "--track-renames", "--plan", "q.jsonl", &place, "here"]).ends_with(0);
        assert_eq!(action_texts(&actions(&env, "q.jsonl")), ["delete /a", "move /uno"], "{remote}");
        let ran = env.json(&["apply", "q.jsonl"]).ends_with(0);
        assert_eq!((ran.events("moved").len(), env.local("here")), (1, env.local("src")), "{remote}: {}", ran.stdout);
    }
}

#[test]
fn what_is_no_plan_or_a_hostile_one_is_refused() {
    let (env, place) = up("giga0");
    env.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", &place]).ends_with(0);
    let plan = std::fs::read_to_string(env.path("p.jsonl")).unwrap();
    let before = files_at(&env, &place);
    let refused = |changed: &str, words: &str| {
        env.home.file("q.jsonl", changed);
        env.home.run(&["apply", "q.jsonl"]).ends_with(2).says(words);
        assert_eq!(files_at(&env, &place), before);
    };
    refused(&plan.replace("\"version\":1", "\"version\":2"), "version 2");
    refused(&plan.replace("\"/new/n\"", "\"/../n\""), "q.jsonl, line ");
    refused(&plan.replace("\"/d/old\"", "\"../../d/old\""), "q.jsonl, line ");
    refused(&plan.replace("\"upload\"", "\"obliterate\""), "q.jsonl, line ");
    refused(&plan.replace("\"upload\"", "\"download\""), "not for a remote");
    refused("", "not a plan");
    refused("{\"schema\":1,\"event\":\"uploaded\"}\n", "not a plan");
    env.home.run(&["apply", "none.jsonl"]).ends_with(3);
    // What leads out through a link of this machine is not followed either.
    env.home.file("away/victim", "victim");
    env.add_files("giga0", &["/f/link/victim"]);
    env.home.file("here/keep", "keep");
    env.home.run(&["sync", "--plan", "l.jsonl", "giga0:/f", "here"]).ends_with(0);
    std::os::unix::fs::symlink(env.path("away"), env.path("here/link")).unwrap();
    env.home.run(&["apply", "l.jsonl"]).ends_with(8);
    assert_eq!(std::fs::read_to_string(Path::new(&env.path("away/victim"))).unwrap(), "victim");
}

/// ioGates keeps each version of a file. The plan is made for the newest, whose id comes last.
#[test]
fn a_plan_from_a_remote_that_keeps_versions_means_the_newest() {
    for (to, at) in [("here", "here"), ("giga0:/u", "giga0:/u")] {
        let env = TestEnv::new();
        for content in ["first", "the second"] {
            env.home.file("a.txt", content);
            env.home.run(&["put", "--if-exists", "replace", "a.txt", "iogates:/t/"]).ends_with(0);
        }
        env.home.run(&["sync", "--plan", "p.jsonl", "iogates:/t", to]).ends_with(0);
        env.home.run(&["apply", "p.jsonl"]).ends_with(0);
        let there = if at == "here" { env.local(at) } else { files_at(&env, at) };
        assert_eq!(there, [("a.txt".to_owned(), text("the second"))].into(), "{to}");
    }
}
