//! The walk below a folder: folders that fail, the number of requests, and the end of the walk.

use std::process::Stdio;

use haul::sandbox::Canned;

use crate::support::env::TestEnv;
use crate::support::listed_tree::{fill, filled_env};

#[test]
fn a_folder_that_fails_is_reported_and_the_rest_is_shown() {
    let env = filled_env();
    let refused = r#"{"status":"error","_status":"error","msg":"Not for you","response":"Not for you"}"#;
    for (remote, kind, status) in [("giga0", "folder/listing", 200), ("fileago", "dirlist", 403), ("fileago", "dirlist", 404)] {
        // 403 to a token of an earlier run may be about that token: asked once more with a new one.
        let times = if status == 403 { 2 } else { 1 };
        env.home.run(&["ls", &format!("{remote}:")]).ends_with(0);
        for (args, shown) in [
            (&["ls", "-R", "-j1"][..], "/in/x.txt"),
            (&["find", "-j1"], "/in/x.txt"),
            (&["tree", "-j1"], "└── x.txt"),
            (&["du", "-j1"], ":/in\n"),
        ] {
            let at = format!("{remote}:/in");
            // The root and /in are listed before it, by the walk to the place and by the listing itself.
            env.sandbox.faults().answer(Canned::new(remote, kind, status, refused).after(2).times(times));
            let ran = env.home.run(&[args, &[at.as_str()]].concat()).ends_with(9).says(&format!("haul: {at}/clips: the"));
            assert!(ran.stderr.contains("Not for you") && ran.stderr.lines().count() == 1, "{}", ran.stderr);
            assert!(ran.stdout.contains(shown) && !ran.stdout.contains("c.mov"), "{remote} {args:?}: {}", ran.stdout);
            env.sandbox.faults().answer(Canned::new(remote, kind, status, refused).after(2).times(times));
            let json = env.home.run(&[args, &["--json", at.as_str()]].concat()).ends_with(9);
            assert_eq!(json.events("failed")[0]["path"], "/in/clips", "{remote} {args:?}");
        }
        // The place itself: nothing else is there to be shown.
        env.sandbox.faults().answer(Canned::new(remote, kind, status, refused).after(1).times(times));
        env.home.run(&["ls", &format!("{remote}:/in")]).ends_with(if status == 404 { 3 } else { 8 });
    }
}

#[test]
fn a_sign_in_that_is_lost_ends_the_walk() {
    let env = filled_env();
    env.sandbox.faults().answer(Canned::new("fileago", "dirlist", 401, "{}").after(2).times(99));
    let ran = env.home.run(&["ls", "-R", "-j1", "fileago:/in"]).ends_with(4);
    assert_eq!(ran.stderr.lines().count(), 1, "the other folders would only say the same: {}", ran.stderr);
    // The first, and three for a token that was good before.
    assert_eq!(env.sandbox.counts().sign_ins("fileago"), 4);
}

#[test]
fn folders_are_listed_ahead_in_the_same_order_and_once() {
    let env = TestEnv::new();
    for n in 0..25 {
        fill(&env, "fileago", &format!("/{}/{}", n / 5, n % 5), &["a", "b"], b"1");
    }
    env.sandbox.faults().script("fileago/dirlist:slow=60*always").unwrap();
    let timed = |jobs: &str| {
        let before = env.sandbox.counts().requests("fileago", "dirlist");
        let begun = std::time::Instant::now();
        let ran = env.home.run(&["ls", "-R", "-j", jobs, "fileago:"]).ends_with(0);
        (ran.stdout, begun.elapsed(), env.sandbox.counts().requests("fileago", "dirlist") - before)
    };
    let (alone, long, asked) = timed("1");
    let (together, short, as_often) = timed("8");
    assert_eq!((alone.lines().count(), asked), (5 + 25 + 50, 1 + 5 + 25));
    assert_eq!((together, as_often), (alone, asked));
    assert!(short < long * 2 / 3, "eight at once took {short:?}, one after another {long:?}");
}

#[test]
fn a_folder_that_lies_in_itself_is_left() {
    let env = filled_env();
    let id = |path: &str| {
        let ran = env.home.run(&["stat", "--json", &format!("fileago:{path}")]).ends_with(0);
        ran.events("entry")[0]["id"].as_str().unwrap().to_owned()
    };
    let (clips, old) = (id("/in/clips"), id("/in/clips/old"));
    let row = |name: &str, uuid: &str| format!(r#"{{"name":"{name}","type":"Dir","uuid":"{uuid}","size":1}}"#);
    // `old` is said to hold `clips`, which holds `old`: for ever.
    let circle = format!(r#"{{"status":"success","data":[{},{}]}}"#, row("back", &clips), row("self", &old));
    env.sandbox.faults().answer(Canned::new("fileago", "dirlist", 200, circle).after(3));
    let ran = env.home.run(&["ls", "-R", "-j1", "fileago:/in"]).ends_with(9);
    assert!(ran.stdout.ends_with("/in/clips/old/\nfileago:/in/clips/old/back/\nfileago:/in/clips/old/self/\nfileago:/in/empty/\nfileago:/in/größe ✓.txt\nfileago:/in/x.txt\n"));
    assert_eq!(ran.stderr.matches("lists this folder inside itself").count(), 2, "{}", ran.stderr);
}

#[test]
fn a_reader_that_leaves_ends_the_listing() {
    let env = TestEnv::new();
    for n in 0..30 {
        let names = (0..100).map(|n| format!("a rather long name of a file, number {n:05}.txt"));
        env.sandbox.fill("fileago", &format!("/d{n:02}"), names, b"x").unwrap();
    }
    let mut child = env.home.command(&["ls", "-R", "-j", "1", "fileago:"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let asked = env.sandbox.counts().requests("fileago", "dirlist");
    assert!(asked < 15, "{asked} folders were listed for nobody");
}
