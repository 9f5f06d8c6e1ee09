//! `sync --plan` and `apply`: exactly what the plan says, each action only where nothing has changed.

use std::path::Path;

use serde_json::Value;

use super::{DELETING, counts, files_at};
use crate::support::env::{Play, bytes, text};

/// The lines behind the header.
pub fn actions(play: &Play, plan: &str) -> Vec<Value> {
    let written = std::fs::read_to_string(play.path(plan)).unwrap();
    let mut lines = written.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let header = lines.next().unwrap();
    assert_eq!((&header["schema"], &header["event"], &header["version"]), (&1.into(), &"plan".into(), &1.into()));
    lines.collect()
}

pub fn told(actions: &[Value]) -> Vec<String> {
    let mut told: Vec<String> =
        actions.iter().map(|a| format!("{} {}", a["action"].as_str().unwrap(), a["path"].as_str().unwrap())).collect();
    told.sort();
    told
}

/// One file has changed here, one is new, a folder of one file has gone, an empty one has come.
fn up(remote: &str) -> (Play, String) {
    let (play, place) = (Play::new(), format!("{remote}:/t"));
    for name in ["changed", "same", "d/old", "z", "y"] {
        play.home.file(&format!("src/{name}"), name);
    }
    play.home.run(&["sync", "src", &place]).ends_with(0);
    play.home.file("src/changed", "changed here");
    play.home.file("src/new/n", "new");
    std::fs::remove_dir_all(play.path("src/d")).unwrap();
    std::fs::create_dir(play.path("src/hollow")).unwrap();
    (play, place)
}

#[test]
fn a_plan_changes_nothing_and_is_carried_out_to_the_letter() {
    for remote in DELETING {
        let (play, place) = up(remote);
        let before = files_at(&play, &place);
        play.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", &place]).ends_with(0).says("haul apply p.jsonl");
        assert_eq!(files_at(&play, &place), before, "{remote}: nothing was done");
        let wanted = ["create /hollow", "delete /d", "delete /d/old", "upload /changed", "upload /new/n"];
        assert_eq!(told(&actions(&play, "p.jsonl")), wanted, "{remote}");
        // What comes later is no part of the plan.
        play.home.file("src/later", "later");
        play.add_files(remote, &["/t/theirs"]);
        let elsewhere = play.home.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        let mut apply = play.home.command(&["apply", "--json", "--receipt", "r.jsonl", "../p.jsonl"]);
        let ran = crate::support::command::Ran::of(apply.current_dir(&elsewhere).output().unwrap()).ends_with(0);
        assert_eq!((ran.events("uploaded").len(), ran.events("deleted").len()), (2, 2), "{remote}: {}", ran.stdout);
        let mut after = play.local("src");
        after.remove("later");
        after.insert("theirs".into(), text("content of /t/theirs"));
        assert_eq!(files_at(&play, &place), after, "{remote}");
        assert!(play.there(&place).contains("/t/hollow/"), "{remote}");
        assert_eq!(std::fs::read_to_string(elsewhere.join("r.jsonl")).unwrap().lines().count(), 2, "{remote}");
        // What is done is found done.
        let ran = play.json(&["apply", "p.jsonl"]).ends_with(0);
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
    for remote in DELETING {
        let (play, place) = up(remote);
        play.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", &place]).ends_with(0);
        // One changed here, one came there.
        play.home.file("src/changed", "changed once more");
        play.stored(remote, "/t/new/n", &text("somebody's"));
        let before = files_at(&play, &place);
        let ran = play.json(&["apply", "p.jsonl"]).ends_with(9);
        let mut kinds: Vec<_> = ran.events("failed").iter().map(|e| e["error"]["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        assert_eq!(kinds, ["exists", "integrity"], "{remote}: {}", ran.stdout);
        assert_eq!((ran.events("uploaded").len(), ran.events("deleted").len()), (0, 0), "{remote}");
        ran.says("nothing was deleted");
        assert_eq!(files_at(&play, &place), before, "{remote}");
        // What was to be deleted, or replaced, is another one by now.
        let (play, place) = up(remote);
        play.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", &place]).ends_with(0);
        play.stored(remote, "/t/d/old", &text("newer, and longer"));
        let ran = play.json(&["apply", "p.jsonl"]).ends_with(9);
        assert_eq!(
            (ran.events("failed")[0]["error"]["kind"].clone(), ran.events("uploaded").len()),
            ("exists".into(), 2),
            "{remote}: {}",
            ran.stdout
        );
        assert_eq!(files_at(&play, &place)["d/old"], text("newer, and longer"), "{remote}");
    }
}

#[test]
fn a_plan_for_this_machine_and_one_between_remotes() {
    for remote in DELETING {
        let play = Play::with_files(remote, &["/t/a", "/t/d/b", "/t/e/c"]);
        let place = format!("{remote}:/t");
        play.home.file("here/a", "other");
        play.home.file("here/old/x", "x");
        play.home.file("here/y", "y");
        let before = play.local("here");
        // Two of three files would go.
        play.home.run(&["sync", "--delete", "--plan", "p.jsonl", &place, "here"]).ends_with(8);
        play.home.run(&["sync", "--delete", "--max-delete", "2", "--plan", "p.jsonl", &place, "here"]).ends_with(0);
        assert_eq!(play.local("here"), before, "{remote}");
        let wanted = ["delete /old", "delete /old/x", "delete /y", "download /a", "download /d/b", "download /e/c"];
        assert_eq!(told(&actions(&play, "p.jsonl")), wanted, "{remote}");
        play.home.run(&["apply", "p.jsonl"]).ends_with(0);
        assert_eq!(play.local("here"), files_at(&play, &place), "{remote}");
        assert!(!play.path("here/old").exists());
        assert_eq!(counts(&play.json(&["apply", "p.jsonl"]).ends_with(0)), (0, 3, 0, 0), "{remote}");
        // Changed here, and changed there.
        play.home.run(&["sync", "--if-exists", "replace", "--plan", "q.jsonl", &place, "here"]).ends_with(0);
        std::fs::write(play.path("here/a"), "mine").unwrap();
        play.stored(remote, "/t/d/b", &text("changed there"));
        let ran = play.json(&["apply", "q.jsonl"]).ends_with(9);
        let mut kinds: Vec<_> = ran.events("failed").iter().map(|e| e["error"]["kind"].as_str().unwrap().to_owned()).collect();
        kinds.sort();
        assert_eq!(
            (kinds.join(" "), play.local("here")["a"].clone()),
            ("exists integrity".into(), text("mine")),
            "{remote}: {}",
            ran.stdout
        );

        let other = if remote == "giga0" { "fileago:/u" } else { "giga0:/u" };
        play.home.run(&["sync", "--plan", "c.jsonl", &place, other]).ends_with(0);
        assert_eq!(told(&actions(&play, "c.jsonl")), ["copy /a", "copy /d/b", "copy /e/c"], "{remote}");
        play.home.run(&["apply", "c.jsonl"]).ends_with(0);
        assert_eq!(files_at(&play, other), files_at(&play, &place), "{remote}");
    }
}

#[test]
fn moves_are_planned_and_done() {
    for remote in DELETING {
        let play = Play::new();
        for (name, seed) in [("a/one", 1), ("two", 2), ("three", 3)] {
            play.home.file(&format!("src/{name}"), bytes(5_000, seed).0);
        }
        let place = format!("{remote}:/t");
        play.home.run(&["sync", "src", &place]).ends_with(0);
        play.home.run(&["sync", &place, "here"]).ends_with(0);
        std::fs::rename(play.path("src/a/one"), play.path("src/uno")).unwrap();
        std::fs::remove_dir(play.path("src/a")).unwrap();
        play.home.run(&["sync", "--delete", "--track-renames", "--plan", "p.jsonl", "src", &place]).ends_with(0);
        assert_eq!(told(&actions(&play, "p.jsonl")), ["delete /a", "move /uno"], "{remote}");
        let ran = play.json(&["apply", "p.jsonl"]).ends_with(0);
        assert_eq!((ran.events("moved").len(), files_at(&play, &place)), (1, play.local("src")), "{remote}: {}", ran.stdout);
        let ran = play.json(&["apply", "p.jsonl"]).ends_with(0);
        assert_eq!((ran.events("moved").len(), ran.events("skipped").len()), (0, 1), "{remote}: {}", ran.stdout);
        // The other way round.
        play.home.run(&["sync", "--delete", "--track-renames", "--plan", "q.jsonl", &place, "here"]).ends_with(0);
        assert_eq!(told(&actions(&play, "q.jsonl")), ["delete /a", "move /uno"], "{remote}");
        let ran = play.json(&["apply", "q.jsonl"]).ends_with(0);
        assert_eq!((ran.events("moved").len(), play.local("here")), (1, play.local("src")), "{remote}: {}", ran.stdout);
    }
}

#[test]
fn what_is_no_plan_or_a_hostile_one_is_refused() {
    let (play, place) = up("giga0");
    play.home.run(&["sync", "--delete", "--plan", "p.jsonl", "src", &place]).ends_with(0);
    let plan = std::fs::read_to_string(play.path("p.jsonl")).unwrap();
    let before = files_at(&play, &place);
    let refused = |changed: &str, words: &str| {
        play.home.file("q.jsonl", changed);
        play.home.run(&["apply", "q.jsonl"]).ends_with(2).says(words);
        assert_eq!(files_at(&play, &place), before);
    };
    refused(&plan.replace("\"version\":1", "\"version\":2"), "version 2");
    refused(&plan.replace("\"/new/n\"", "\"/../n\""), "q.jsonl, line ");
    refused(&plan.replace("\"/d/old\"", "\"../../d/old\""), "q.jsonl, line ");
    refused(&plan.replace("\"upload\"", "\"obliterate\""), "q.jsonl, line ");
    refused(&plan.replace("\"upload\"", "\"download\""), "not for a remote");
    refused("", "no plan");
    refused("{\"schema\":1,\"event\":\"uploaded\"}\n", "no plan");
    play.home.run(&["apply", "none.jsonl"]).ends_with(3);
    // What leads out through a link of this machine is not followed either.
    play.home.file("away/victim", "victim");
    play.add_files("giga0", &["/f/link/victim"]);
    play.home.file("here/keep", "keep");
    play.home.run(&["sync", "--plan", "l.jsonl", "giga0:/f", "here"]).ends_with(0);
    std::os::unix::fs::symlink(play.path("away"), play.path("here/link")).unwrap();
    play.home.run(&["apply", "l.jsonl"]).ends_with(8);
    assert_eq!(std::fs::read_to_string(Path::new(&play.path("away/victim"))).unwrap(), "victim");
}
