//! `cp` and `mv` between two remotes.

mod duplicate_names;
mod faults;
#[cfg(unix)]
mod killed;

use crate::support::env::{TestEnv, bytes, text};

#[test]
fn a_copy_has_the_same_bytes_whatever_the_two_providers() {
    for (from, to) in [("giga0", "fileago"), ("fileago", "iogates"), ("iogates", "giga0")] {
        let env = TestEnv::new();
        env.home.file("d/big.bin", &bytes(1_500_000, 9).0);
        env.home.file("d/sub/ü.txt", "small");
        env.home.run(&["put", "d", &format!("{from}:/from/")]).ends_with(0);
        let ran = env.home.run(&["cp", "--json", &format!("{from}:/from/d"), &format!("{to}:/to/")]).ends_with(0);
        assert_eq!(ran.events("copied").len(), 2, "{from} to {to}: {}", ran.stdout);
        let there = env.arrivals(to);
        assert_eq!((&there["/to/d/big.bin"], &there["/to/d/sub/ü.txt"]), (&bytes(1_500_000, 9), &text("small")), "{from} to {to}");
        let again = env.home.run(&["cp", &format!("{from}:/from/d/big.bin"), &format!("{to}:/to/d/big.bin")]);
        let again = again.ends_with(0);
        assert!(again.stdout.starts_with("skipped"), "{from} to {to}: {}", again.stdout);
        let taken = ["cp", "--if-exists", "fail", &format!("{from}:/from/d/big.bin"), &format!("{to}:/to/d/big.bin")];
        env.home.run(&taken).ends_with(6).says("it exists already");
        env.home.run(&["cp", "-n", &format!("{from}:/from/d/big.bin"), &format!("{to}:/dry.bin")]).ends_with(0);
        assert!(!env.arrivals(to).contains_key("/dry.bin"));
    }
}

#[test]
fn the_source_of_a_move_goes_after_its_copy_is_verified() {
    let env = TestEnv::new();
    env.home.file("d/a.bin", &bytes(300_000, 3).0);
    env.home.file("d/sub/b.txt", "b");
    env.home.run(&["put", "d", "giga0:/"]).ends_with(0);
    env.home.run(&["mv", "giga0:/d", "fileago:/moved/"]).ends_with(0);
    assert_eq!(env.arrivals("fileago")["/moved/d/a.bin"], bytes(300_000, 3));
    env.home.run(&["stat", "giga0:/d"]).ends_with(3);

    env.home.run(&["put", "d/a.bin", "giga0:/keep.bin"]).ends_with(0);
    env.sandbox.faults().script("fileago/upload:500*always").unwrap();
    env.home.run(&["mv", "--retries", "2", "giga0:/keep.bin", "fileago:/lost.bin"]).ends_with(5);
    env.home.run(&["stat", "giga0:/keep.bin"]).ends_with(0);
}

#[test]
fn what_can_t_be_moved_away_is_reported_before_anything_is_sent() {
    let env = TestEnv::new();
    env.home.file("a.txt", "a");
    env.home.run(&["put", "a.txt", "iogates:/a.txt"]).ends_with(0);
    env.home.run(&["mv", "iogates:/a.txt", "giga0:/a.txt"]).ends_with(10).says("giga0");
    assert!(env.arrivals("giga0").is_empty());
    env.home.run(&["cp", "giga0:/nope", "fileago:/x"]).ends_with(3);
}

/// A file that was skipped has not been copied: it must still be there, and so must a folder's empty ones.
#[test]
fn a_folder_that_was_not_moved_whole_stays() {
    let env = TestEnv::new();
    env.home.file("d/a.txt", "mine");
    env.home.file("d/b.txt", "b");
    env.home.file("other/a.txt", "theirs");
    env.home.run(&["put", "d", "giga0:/"]).ends_with(0);
    env.home.run(&["mkdir", "-p", "giga0:/d/empty"]).ends_with(0);
    env.home.run(&["put", "other/a.txt", "fileago:/to/d/"]).ends_with(0);
    let ran = env.home.run(&["mv", "--json", "--if-exists", "skip", "giga0:/d", "fileago:/to/"]).ends_with(0);
    assert_eq!((ran.events("moved").len(), ran.events("skipped").len()), (1, 1), "{}", ran.stdout);
    assert_eq!(env.home.run(&["cat", "giga0:/d/a.txt"]).ends_with(0).stdout, "mine");
    assert_eq!(env.home.run(&["cat", "fileago:/to/d/a.txt"]).ends_with(0).stdout, "theirs");
    env.home.run(&["stat", "fileago:/to/d/empty"]).ends_with(0);
}

/// One source that is not there is one failure of several; the others are brought, and the last line says so.
#[test]
fn a_source_that_is_missing_fails_alone() {
    let env = TestEnv::new();
    env.home.file("a.txt", "a");
    env.home.run(&["put", "a.txt", "giga0:/"]).ends_with(0);
    let ran = env.home.run(&["cp", "--json", "giga0:/nope", "giga0:/a.txt", "fileago:/in/"]).ends_with(9);
    assert_eq!((ran.events("copied").len(), ran.events("failed").len()), (1, 1), "{}", ran.stdout);
    assert_eq!(ran.json().pop().unwrap()["event"], "summary");
    assert_eq!(env.arrivals("fileago")["/in/a.txt"], text("a"));
}
