//! haul refuses missing abilities and invalid arguments before anything is sent.

use crate::support::env::TestEnv;
use crate::support::remotes::hosts;

#[test]
fn what_iogates_lacks_is_refused_before_anything_is_sent() {
    let env = TestEnv::new();
    for (args, others) in [
        (vec!["rm", "iogates:/a"], "giga0, FileAgo, FTP and TUS can"),
        (vec!["rm", "giga0:/a", "iogates:/a"], "giga0, FileAgo, FTP and TUS can"),
        (vec!["mv", "iogates:/a", "iogates:/b"], "giga0, FileAgo and FTP can"),
        (vec!["cp", "iogates:/a", "iogates:/b"], "giga0 and FileAgo can"),
        (vec!["mkdir", "iogates:/a"], "giga0, FileAgo and FTP can"),
        (vec!["edit", "iogates:/a", "--name", "b"], "giga0 and FileAgo can"),
        (vec!["import", "https://example.com/x", "iogates:/"], "giga0 can"),
        (vec!["import", "https://example.com/x", "fileago:/"], "giga0 can"),
        (vec!["share", "iogates:/a", "--with", "x"], "FileAgo can"),
        (vec!["share", "giga0:/a", "--with", "x"], "FileAgo can"),
        (vec!["star", "giga0:/a"], "FileAgo can"),
        (vec!["unstar", "iogates:/a"], "FileAgo can"),
        (vec!["edit", "fileago:/a", "--visibility", "public"], "giga0 can"),
        (vec!["mkdir", "fileago:/a", "--visibility", "public"], "giga0 can"),
        (vec!["edit", "giga0:/a", "--type", "x/y", "--visibility", "public"], ""),
    ] {
        let ran = env.json(&args).ends_with(10).says(others);
        assert_eq!(ran.events("failed")[0]["error"]["kind"], "unsupported", "{args:?}");
    }
    for remote in hosts() {
        assert_eq!(env.requests(remote), 0, "{remote}");
    }
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let env = TestEnv::new();
    for args in [
        vec!["mv", "giga0:/a"],
        vec!["mv", "local", "giga0:/a"],
        vec!["cp", "giga0:/a", "./local"],
        vec!["mv", "giga0:/a/../b", "giga0:/c"],
        vec!["mv", "--if-exists", "perhaps", "giga0:/a", "giga0:/b"],
        vec!["rm", "giga0:@"],
        vec!["rm", "-r", "giga0:"],
        vec!["rm", "-r", "fileago:@trash"],
        vec!["rm", "--yes", "giga0:/"],
        vec!["edit", "giga0:/a"],
        vec!["edit", "giga0:/a", "--visibility", "secret"],
        vec!["share", "fileago:/a"],
        vec!["share", "fileago:/a", "--with", "x,"],
        vec!["import", "no-url", "giga0:/"],
        vec!["import", "file:///etc/passwd", "giga0:/"],
        vec!["import", "https://example.com/x", "--wait-limit", "5s", "giga0:/"],
        vec!["mv", "giga0:", "giga0:/x"],
        vec!["cp", "fileago:@home", "fileago:/x"],
        vec!["edit", "giga0:", "--name", "x"],
    ] {
        env.home.run(&args).ends_with(2);
    }
    for remote in ["iogates", "giga0"] {
        assert_eq!(env.requests(remote), 0, "{remote}");
    }
    env.home.run(&["rm", "nowhere:/a"]).ends_with(3).says("no such remote");
    env.home.run(&["mv", "giga0:/a", "nowhere:/a"]).ends_with(3);
    env.home.run(&["mv", "nowhere:/a", "giga0:/a"]).ends_with(3);
    env.home.run(&["cp", "giga0:/a", "fileago:/a"]).ends_with(3);
}

#[test]
fn bad_addresses_are_refused_before_anything_is_sent() {
    let env = TestEnv::new();
    for verb in ["ls", "tree", "du", "stat", "find"] {
        env.home.run(&[verb, "giga0:/", "nowhere:/"]).ends_with(3).says("there is no such remote");
        env.home.run(&[verb, "giga0:/a/../b"]).ends_with(2);
        if verb != "ls" {
            env.home.run(&[verb]).ends_with(2);
        }
    }
    assert_eq!(env.sandbox.counts().all_requests("giga0"), 0);
}
