//! Filters in a sync: files that are left out on either side are neither copied nor deleted.

use super::{counts, deleting, files_at};
use crate::support::env::{TestEnv, text};

#[test]
fn what_is_excluded_is_safe_on_both_sides() {
    for remote in deleting() {
        let env = TestEnv::with_files(remote, &["/t/a.txt", "/t/b.tmp", "/t/cache/x", "/t/old.txt", "/t/d/e.tmp", "/t/gone/f.txt"]);
        let place = format!("{remote}:/t");
        for name in ["a.txt", "new.txt", "mine.tmp", "cache/y", "z.txt"] {
            env.home.file(&format!("src/{name}"), name);
        }
        let args = ["sync", "--delete", "--max-delete", "9", "--exclude", "*.tmp", "--exclude", "cache/", "src", &place];
        let ran = env.json(&args).ends_with(0);
        let names: Vec<String> = files_at(&env, &place).into_keys().collect();
        assert_eq!(names, ["a.txt", "b.tmp", "cache/x", "d/e.tmp", "new.txt", "z.txt"], "{remote}: {}", ran.stdout);
        assert_eq!(counts(&ran).2, 3, "{remote}: two files and a folder went: {}", ran.stdout);
        // Towards this machine.
        env.home.file("here/own.tmp", "own");
        env.home.file("here/cache/own", "own");
        env.home.file("here/old.txt", "old");
        env.home.file("here/a.txt", "a.txt");
        env.home.run(&["sync", "--delete", "--max-delete", "9", "--exclude", "*.tmp", "--exclude", "cache/", &place, "here"]).ends_with(0);
        let names: Vec<String> = env.local("here").into_keys().collect();
        assert_eq!(names, ["a.txt", "cache/own", "new.txt", "own.tmp", "z.txt"], "{remote}");
    }
}

/// FROM has the file, and a bound leaves it out: TO's is not one that FROM lacks.
#[test]
fn what_a_bound_leaves_out_is_not_lacking() {
    for remote in deleting() {
        let env = TestEnv::new();
        let place = format!("{remote}:/t");
        env.store(remote, "/t/small", &text("a larger one there"));
        env.store(remote, "/t/other", &text("a larger one there, too"));
        env.home.file("src/small", "s");
        env.home.file("src/big", "big enough");
        let ran = env.json(&["sync", "--delete", "--min-size", "5", "src", &place]).ends_with(0);
        assert_eq!((counts(&ran).0, counts(&ran).2), (1, 1), "{remote}: {}", ran.stdout);
        assert_eq!(files_at(&env, &place).into_keys().collect::<Vec<_>>(), ["big", "small"], "{remote}");
    }
}

#[test]
fn a_file_of_patterns_in_the_source_counts() {
    let env = TestEnv::with_files("giga0", &["/t/a.log", "/t/x", "/t/y"]);
    env.home.file("src/.haulignore", "*.log\n");
    for name in ["b.log", "x", "y"] {
        env.home.file(&format!("src/{name}"), name);
    }
    env.home.run(&["sync", "--delete", "src", "giga0:/t"]).ends_with(0);
    let names: Vec<String> = files_at(&env, "giga0:/t").into_keys().collect();
    assert!(names.contains(&"a.log".to_owned()) && !names.contains(&"b.log".to_owned()), "{names:?}");
}

#[test]
fn nothing_that_fits_deletes_nothing() {
    let env = TestEnv::with_files("giga0", &["/t/a", "/t/b", "/t/c.mov"]);
    env.home.file("src/a", "a");
    env.home.run(&["sync", "--delete", "--include", "*.mov", "src", "giga0:/t"]).ends_with(8).says("/t/c.mov");
    env.home.run(&["sync", "--include", "*.mov", "src", "giga0:/t"]).ends_with(0).says("nothing fits");
    env.home.run(&["sync", "--include", "*.mov", "--fail-if-empty", "src", "giga0:/t"]).ends_with(2);
    assert_eq!(files_at(&env, "giga0:/t").len(), 3);
}

/// All shares together are the whole, and each deletes only in its own.
#[test]
fn each_share_brings_and_deletes_its_own() {
    for remote in deleting() {
        let env = TestEnv::new();
        let place = format!("{remote}:/t");
        for n in 0..24 {
            env.home.file(&format!("old/{n}"), format!("old {n}"));
            env.home.file(&format!("src/new-{n}"), format!("new {n}"));
        }
        env.home.run(&["put", "-q", "old/", &place]).ends_with(0);
        let (mut sent, mut deleted) = (0, 0);
        for share in 1..=3 {
            let before = files_at(&env, &place);
            let ran = env.json(&["sync", "--delete", "--max-delete", "99", "--shard", &format!("{share}/3"), "src", &place]).ends_with(0);
            let now = files_at(&env, &place);
            let (added, gone) = (counts(&ran).0, counts(&ran).2);
            assert!(added > 0 && added < 24 && gone > 0 && gone < 24, "{remote} {share}: {added} {gone}");
            assert_eq!(now.len() as u64, before.len() as u64 + added - gone, "{remote} {share}");
            (sent, deleted) = (sent + added, deleted + gone);
        }
        assert_eq!((sent, deleted, files_at(&env, &place)), (24, 24, env.local("src")), "{remote}");
    }
}

/// Only what a list names is brought, and only that is deleted, in both directions.
#[test]
fn a_list_chooses_on_both_sides() {
    for remote in deleting() {
        let env = TestEnv::with_files(remote, &["/t/old", "/t/safe", "/t/d/gone"]);
        let place = format!("{remote}:/t");
        for name in ["a", "b", "d/x", "d/deep/y", "e/z"] {
            env.home.file(&format!("src/{name}"), name);
        }
        env.home.file("list", "a\n./d\nnone\nold\n");
        let ran = env.json(&["sync", "--files-from", "list", "src", &place]).ends_with(9);
        let failed: Vec<_> = ran.events("failed").iter().map(|event| event["source"].clone()).collect();
        assert_eq!(failed, ["src/none", "src/old"], "{remote}: {}", ran.stdout);
        assert_eq!(ran.events("uploaded").len(), 3, "{remote}: {}", ran.stdout);
        let args = ["sync", "--delete", "--max-delete", "9", "--files-from", "list", "src", &place];
        let ran = env.json(&args).ends_with(0);
        assert_eq!(ran.events("deleted").len(), 2, "{remote}: {}", ran.stdout);
        let there: Vec<String> = files_at(&env, &place).into_keys().collect();
        assert_eq!(there, ["a", "d/deep/y", "d/x", "safe"], "{remote}");
        env.json(&args).ends_with(0);
        // The other way: lines may be places.
        env.home.file("places", format!("{place}/d/x\nsafe\n"));
        env.json(&["sync", "--files-from", "places", &place, "here"]).ends_with(0);
        assert_eq!(env.local("here").into_keys().collect::<Vec<_>>(), ["d/x", "safe"], "{remote}");
        env.home.file("out", "../x\n");
        env.home.run(&["sync", "--files-from", "out", "src", &place]).ends_with(2).says("not in FROM");
    }
}
