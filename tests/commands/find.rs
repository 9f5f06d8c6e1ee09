//! `haul find`.

use haul::sandbox::Canned;

use crate::support::env::TestEnv;
use crate::support::listed_tree::{ALL, filled_env, lines, paths};
use crate::support::remotes::hosts;

#[test]
fn every_condition_selects() {
    let env = filled_env();
    for remote in hosts() {
        let find = |args: &[&str]| {
            let at = format!("{remote}:/in");
            let ran = env.home.run(&[&["find", "--json", at.as_str()], args].concat()).ends_with(0);
            paths(&ran)
        };
        assert_eq!(find(&[]).len(), 1 + ALL.len(), "{remote}: the place itself and all below");
        assert_eq!(find(&["--name", "*.mov"]), ["/in/a.mov", "/in/b.mov", "/in/clips/-d.mov", "/in/clips/c.mov", "/in/clips/old/e.mov"]);
        assert_eq!(find(&["--name", "gr??e*"]), ["/in/größe ✓.txt"]);
        assert_eq!(find(&["--kind", "folder"]), ["/in", "/in/clips", "/in/clips/old", "/in/empty"]);
        let sized = remote != "iogates";
        let only_if_sized = |wanted: &[&'static str]| if sized { wanted.to_vec() } else { vec![] };
        assert_eq!(find(&["--size", "+1K"]), only_if_sized(&["/in/clips/-d.mov", "/in/clips/c.mov", "/in/clips/old/e.mov"]), "{remote}");
        assert_eq!(find(&["--size", "-1K", "--name", "?.mov"]), only_if_sized(&["/in/a.mov", "/in/b.mov"]), "{remote}");
        assert_eq!(find(&["--size", "10000"]), only_if_sized(&["/in/clips/old/e.mov"]), "{remote}");
        assert_eq!(find(&["--newer", "1h", "--kind", "file"]).len(), 8, "{remote}");
        assert_eq!(find(&["--newer", "2100-01-01T00:00:00Z"]).len(), 0);
    }
    let plain = env.home.run(&["find", "giga0:/in", "--kind", "folder"]).ends_with(0);
    assert_eq!(lines(&plain), ["giga0:/in/", "giga0:/in/clips/", "giga0:/in/clips/old/", "giga0:/in/empty/"]);
    for wrong in [["--size", "much"], ["--newer", "soon"], ["--kind", "link"]] {
        env.home.run(&[&["find", "giga0:"], &wrong[..]].concat()).ends_with(2);
    }
}

/// As people count, as in `ls`.
#[test]
fn what_is_found_comes_in_the_order_of_ls() {
    let env = TestEnv::new();
    for remote in hosts() {
        env.add_files(remote, &["/n/file10", "/n/file2", "/n/file1", "/n/part9/x", "/n/part11/x"]);
        let found = env.home.run(&["find", &format!("{remote}:/n"), "--kind", "file"]).ends_with(0);
        let wanted = ["file1", "file2", "file10", "part9/x", "part11/x"].map(|name| format!("{remote}:/n/{name}"));
        assert_eq!(lines(&found), wanted);
    }
}

/// giga0's listings give files no date; each file that fits all else is asked for it.
#[test]
fn times_that_a_listing_lacks_are_requested() {
    let env = filled_env();
    let find = |args: &[&str]| env.home.run(&[&["find", "--json", "giga0:/in", "--newer", "1h"], args].concat());
    let asked = || env.sandbox.counts().requests("giga0", "file/info");
    for jobs in ["1", "3", "50"] {
        let before = asked();
        let fitting = ["/in/a.mov", "/in/b.mov", "/in/clips/c.mov", "/in/clips/old/e.mov"];
        assert_eq!(paths(&find(&["--name", "?.mov", "-j", jobs]).ends_with(0)), fitting, "-j {jobs}");
        assert_eq!(asked() - before, 4, "only for those that fit all else");
        assert_eq!(paths(&find(&["-j", jobs]).ends_with(0)), [&["/in"][..], &ALL].concat(), "files and folders in one order");
    }
    let before = asked();
    assert!(paths(&find(&["--kind", "folder", "--name", "c*"]).ends_with(0)) == ["/in/clips"] && asked() == before);
    let canned = |answer: &str| Canned::new("giga0", "file/info", 200, answer.to_owned());
    // One that tells no time, one that went while we looked, one that is refused.
    let timeless = r#"{"data":{"id":"1","filename":"a.mov","fileSize":"5"},"_status":"success"}"#;
    env.sandbox.faults().answer(canned(timeless));
    let ran = find(&["--name", "[ab].mov", "-j1"]).ends_with(0).says("the provider tells no time of 1 entry, which --newer left out");
    assert_eq!(paths(&ran), ["/in/b.mov"]);
    env.sandbox.faults().answer(canned(r#"{"response":"Could not find file based on file_id.","_status":"error"}"#));
    let ran = find(&["--name", "[ab].mov", "-j1"]).ends_with(0);
    assert_eq!((paths(&ran), ran.stderr.as_str()), (vec!["/in/b.mov".to_owned()], ""));
    env.sandbox.faults().answer(canned(r#"{"response":"Not for you","_status":"error"}"#));
    let ran = find(&["--name", "[ab].mov", "-j1"]).ends_with(9);
    assert_eq!((&ran.events("failed")[0]["path"], paths(&ran)), (&"/in/a.mov".into(), vec!["/in/b.mov".to_owned()]));
    env.sandbox.faults().answer(canned(r#"{"response":"Not for you","_status":"error"}"#));
    let ran = env.home.run(&["stat", "--json", "-j1", "giga0:/in/[ab].mov"]).ends_with(9);
    assert_eq!((&ran.events("failed")[0]["path"], paths(&ran)), (&"/in/a.mov".into(), vec!["/in/b.mov".to_owned()]));
    let sizeless = env.home.run(&["find", "iogates:/in", "--size", "+1", "--name", "*.mov"]).ends_with(0);
    sizeless.says("the provider tells no size of 5 entries, which --size left out");
}
