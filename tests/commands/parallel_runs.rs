//! Commands at the same time that need the same new folder: giga0 would make it twice.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::command::Ran;
use crate::support::env::{Play, set};
use crate::support::fixed_answers::one_file_server;

#[test]
fn a_folder_is_made_once() {
    let url = format!("http://{}/film.mov", one_file_server(b"film"));
    for args in [["mkdir", "-p", "giga0:/x"].as_slice(), &["import", &url, "giga0:/x/"]] {
        let play = Play::new();
        play.home.file("a", "content");
        let asked = |call: &str| play.sandbox.counts().requests("giga0", call);
        // The answer that there is none is on its way to the one for as long as the other needs to make it.
        play.script("giga0/folder/listing:slow=3000");
        let second = play.home.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while asked("folder/listing") == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "nobody looks");
            std::thread::sleep(Duration::from_millis(10));
        }
        play.home.run(&["put", "-q", "a", "giga0:/x/"]).ends_with(0);
        Ran::of(second.wait_with_output().unwrap()).ends_with(0);
        assert_eq!(asked("folder/create"), 1, "{args:?}");
        let there = play.there("giga0:");
        assert!(there.is_superset(&set(["/x/", "/x/a"])), "{args:?}: {there:?}");
    }
}

/// `REMOTE:/films/x` and `REMOTE:@ID/x` are one place: the second run waits for the first, and sees what it has done.
#[test]
fn two_spellings_of_one_place_take_turns() {
    let play = Play::with_files("giga0", &["/films/other"]);
    play.home.file("x", "content");
    let by_id = format!("giga0:@{}/x", play.id("giga0:/films"));
    let before = play.asked("giga0", "file/upload");
    play.script("giga0/file/upload:slow=3000");
    let first = play.home.command(&["put", "x", "giga0:/films/x"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while play.asked("giga0", "file/upload") == before {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody uploads");
        std::thread::sleep(Duration::from_millis(10));
    }
    play.home.run(&["put", "x", &by_id]).ends_with(0);
    Ran::of(first.wait_with_output().unwrap()).ends_with(0);
    assert_eq!(play.asked("giga0", "file/upload") - before, 1);
}
