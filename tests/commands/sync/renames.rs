//! `sync --track-renames`.

use super::{counts, deleting, files_at};
use crate::support::env::{TestEnv, bytes};

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
