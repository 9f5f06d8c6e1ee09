//! Parallel commands that need the same new folder: giga0 would make it twice.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::command::Ran;
use crate::support::env::{TestEnv, set};
use crate::support::fixed_answers::one_file_server;

#[test]
fn a_folder_is_made_once() {
    let url = format!("http://{}/film.mov", one_file_server(b"film"));
    for args in [["mkdir", "-p", "giga0:/x"].as_slice(), &["import", &url, "giga0:/x/"]] {
        let env = TestEnv::new();
        env.home.file("a", "content");
        let asked = |call: &str| env.sandbox.counts().requests("giga0", call);
        // The answer that there is none is on its way to the one for as long as the other needs to make it.
        env.script("giga0/folder/listing:slow=3000");
        let second = env.home.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while asked("folder/listing") == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "nobody looks");
            std::thread::sleep(Duration::from_millis(10));
        }
        env.home.run(&["put", "-q", "a", "giga0:/x/"]).ends_with(0);
        Ran::of(second.wait_with_output().unwrap()).ends_with(0);
        assert_eq!(asked("folder/create"), 1, "{args:?}");
        let there = env.there("giga0:");
        assert!(there.is_superset(&set(["/x/", "/x/a"])), "{args:?}: {there:?}");
    }
}

/// `REMOTE:/films/x` and `REMOTE:@ID/x` are one place: the second run waits for the first, and sees what it has done.
#[test]
fn two_spellings_of_one_place_take_turns() {
    let env = TestEnv::with_files("giga0", &["/films/other"]);
    env.home.file("x", "content");
    let by_id = format!("giga0:@{}/x", env.id("giga0:/films"));
    let before = env.request_count("giga0", "file/upload");
    env.script("giga0/file/upload:slow=3000");
    let first = env.home.command(&["put", "x", "giga0:/films/x"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while env.request_count("giga0", "file/upload") == before {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody uploads");
        std::thread::sleep(Duration::from_millis(10));
    }
    env.home.run(&["put", "x", &by_id]).ends_with(0);
    Ran::of(first.wait_with_output().unwrap()).ends_with(0);
    assert_eq!(env.request_count("giga0", "file/upload") - before, 1);
}
