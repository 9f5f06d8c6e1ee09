//! `sync --track-renames`.

use super::{counts, deleting, files_at};
use crate::support::env::{TestEnv, bytes};

/// Two files of a folder, which are at TO, and then in another folder of FROM.
fn two_moved_files(env: &TestEnv, place: &str) {
    for (name, seed) in [("a/one", 1), ("a/two", 2), ("keep", 3)] {
        env.home.file(&format!("src/{name}"), bytes(5_000, seed).0);
    }
    env.home.run(&["sync", "src", place]).ends_with(0);
    std::fs::rename(env.path("src/a"), env.path("src/b")).unwrap();
}

#[test]
fn what_moved_here_is_moved_there() {
    for remote in deleting() {
        let env = TestEnv::new();
        for (name, seed) in [("a/one.bin", 1), ("a/two.bin", 2), ("three.bin", 3)] {
            env.home.file(&format!("src/{name}"), bytes(20_000, seed).0);
        }
        let place = format!("{remote}:/t");
        env.home.run(&["sync", "src", &place]).ends_with(0);
        std::fs::create_dir(env.path("src/b")).unwrap();
        std::fs::rename(env.path("src/a/one.bin"), env.path("src/b/uno.bin")).unwrap();
        std::fs::rename(env.path("src/a/two.bin"), env.path("src/two.bin")).unwrap();
        std::fs::remove_dir(env.path("src/a")).unwrap();
        // Of the size of another that went, and not its content.
        std::fs::remove_file(env.path("src/three.bin")).unwrap();
        env.home.file("src/four.bin", bytes(20_000, 4).0);
        let sent = env.sandbox.counts().all_received_bytes(remote);
        let planned = env.json(&["sync", "-n", "--track-renames", "--delete", "src", &place]).ends_with(0).events("planned");
        let moves: Vec<_> = planned.iter().filter(|e| e["action"] == "move").map(|e| e["source"].clone()).collect();
        assert_eq!(moves.len(), 2, "{remote}: {planned:?}");
        let ran = env.json(&["sync", "--track-renames", "--delete", "src", &place]).ends_with(0);
        let mut moved: Vec<String> = ran.events("moved").iter().map(|e| format!("{} {}", e["source"], e["path"])).collect();
        moved.sort();
        let from = |name: &str| format!("\"{remote}:/t/a/{name}.bin\"");
        assert_eq!(moved, [format!("{} \"/t/b/uno.bin\"", from("one")), format!("{} \"/t/two.bin\"", from("two"))], "{remote}");
        let received = env.sandbox.counts().all_received_bytes(remote) - sent;
        assert!(received < 30_000, "{remote}: {received} bytes: only the new file was sent");
        assert_eq!(files_at(&env, &place), env.local("src"), "{remote}");
        assert!(!env.there(&place).contains("/t/a/"), "{remote}: its old folder is gone");
        let ran = env.json(&["sync", "--track-renames", "--delete", "src", &place]).ends_with(0);
        assert_eq!(counts(&ran), (0, 3, 0, 0), "{remote}: {}", ran.stdout);
    }
}

#[test]
fn what_moved_there_is_moved_here() {
    for remote in deleting() {
        let env = TestEnv::new();
        for (name, seed) in [("a/one.bin", 1), ("two.bin", 2), ("x", 7)] {
            env.home.file(&format!("src/{name}"), bytes(20_000, seed).0);
        }
        env.home.run(&["sync", "src", &format!("{remote}:/t")]).ends_with(0);
        env.home.run(&["sync", &format!("{remote}:/t"), "here"]).ends_with(0);
        std::fs::create_dir(env.path("src/b")).unwrap();
        std::fs::rename(env.path("src/a/one.bin"), env.path("src/b/uno.bin")).unwrap();
        std::fs::remove_dir(env.path("src/a")).unwrap();
        env.home.run(&["sync", "--track-renames", "--delete", "src", &format!("{remote}:/t")]).ends_with(0);
        let ran = env.json(&["sync", "--track-renames", "--delete", &format!("{remote}:/t"), "here"]).ends_with(0);
        let moved = ran.events("moved");
        assert_eq!(
            (moved.len(), &moved[0]["source"], &moved[0]["target"]),
            (1, &"here/a/one.bin".into(), &"here/b/uno.bin".into()),
            "{remote}"
        );
        assert_eq!((counts(&ran).0, env.local("here")), (1, env.local("src")), "{remote}: {}", ran.stdout);
        assert!(!env.path("here/a").exists(), "{remote}");
        let ran = env.json(&["sync", "--delete", &format!("{remote}:/t"), "here"]).ends_with(0);
        assert_eq!(counts(&ran), (0, 3, 0, 0), "{remote}: {}", ran.stdout);
    }
}

#[test]
fn where_nothing_can_be_moved_the_file_is_sent() {
    let env = TestEnv::new();
    env.home.file("src/a", bytes(2_000, 1).0);
    env.home.run(&["sync", "src", "iogates:/t"]).ends_with(0);
    std::fs::rename(env.path("src/a"), env.path("src/b")).unwrap();
    let ran = env.json(&["sync", "--track-renames", "src", "iogates:/t"]).ends_with(0);
    assert_eq!((counts(&ran), ran.events("moved").len()), ((1, 0, 0, 1), 0));
}

/// The old file of a move that failed counts for --max-delete, and the other move was done by then: the message says so.
#[test]
fn a_guard_after_moves_does_not_say_that_nothing_was_done() {
    let (env, place) = (TestEnv::new(), "giga0:/t");
    two_moved_files(&env, place);
    env.script("giga0/file/move:413");
    let ran = env.json(&["sync", "--track-renames", "--delete", "--max-delete", "0", "src", place]).ends_with(9);
    let ran = ran.says("nothing was deleted").says("--max-delete 0");
    assert_eq!((ran.events("moved").len(), ran.events("uploaded").len()), (1, 1), "{}", ran.stdout);
    let there = env.there(place);
    assert!(there.contains("/t/a/") && there.contains("/t/b/one") && there.contains("/t/b/two"), "{there:?}");
}

#[test]
fn the_old_file_of_a_failed_move_is_left() {
    let (env, place) = (TestEnv::new(), "giga0:/t");
    two_moved_files(&env, place);
    env.script("giga0/file/move:413");
    let ran = env.json(&["sync", "--track-renames", "src", place]).ends_with(0);
    assert_eq!((ran.events("moved").len(), counts(&ran)), (1, (2, 1, 0, 1)), "{}", ran.stdout);
}

/// A proxy's page in place of the answer: the file is looked for, and sent where it still has its old place.
#[test]
fn a_move_of_unknown_outcome_is_looked_up() {
    let (env, place) = (TestEnv::new(), "giga0:/t");
    two_moved_files(&env, place);
    env.script("giga0/file/move:read-page");
    let ran = env.json(&["sync", "--track-renames", "--delete", "src", place]).ends_with(0);
    assert_eq!((ran.events("moved").len(), ran.events("uploaded").len()), (1, 1), "{}", ran.stdout);
    assert_eq!(files_at(&env, place), env.local("src"));
}

/// A file of TO that changes after TO was listed is not moved. Then it is to be deleted, and the guard stops that before anything
/// is done.
#[test]
fn a_file_that_could_not_be_moved_here_counts_for_max_delete() {
    let (env, place) = (TestEnv::new(), "fileago:/t");
    env.home.file("src/a/b/c/keep", bytes(700, 1).0);
    env.home.file("src/a/b/c/new.bin", bytes(5_000, 2).0);
    env.home.run(&["put", "-q", "src/", place]).ends_with(0);
    env.home.run(&["get", "-q", "fileago:/t/", "here/"]).ends_with(0);
    std::fs::rename(env.path("here/a/b/c/new.bin"), env.path("here/old.bin")).unwrap();
    let sync = ["sync", "--track-renames", "--delete", "--max-delete", "0", place, "here"];
    let listed = || env.request_count("fileago", "dirlist");
    let before = listed();
    env.home.run(&[&sync[..], &["-n"]].concat()).ends_with(0).says("move");
    // The last folder of FROM is listed after TO.
    let last = listed() - before;
    env.script(&format!("fileago/dirlist:slow=3000+{}", last - 1));
    let (from, child) = (listed(), env.home.command(&sync).spawn().unwrap());
    while listed() < from + last {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let old = std::fs::File::options().write(true).open(env.path("here/old.bin")).unwrap();
    old.set_modified(std::time::UNIX_EPOCH).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(8));
    assert!(env.path("here/old.bin").exists() && !env.path("here/a/b/c/new.bin").exists());
}
