//! Several sources, one of which fails: the others are done, and the exit status shows the failure.

use crate::support::env::{TestEnv, text};
use crate::support::remotes::{hosts, hosts_that_change};

/// One that is not there among several is one failed file; the rest is done. One address alone keeps its own code.
#[test]
fn a_missing_source_fails_alone() {
    let env = TestEnv::new();
    for remote in hosts() {
        for name in ["a.txt", "b.txt"] {
            env.store(remote, &format!("/d/{name}"), &text(name));
        }
        let at = |name: &str| format!("{remote}:/d/{name}");
        let (a, b, none, pattern) = (at("a.txt"), at("b.txt"), at("none"), at("*.mov"));

        let into = format!("{remote}/new");
        let ran = env.get(&[&a, &none, &pattern, &b, &into]).ends_with(9);
        assert_eq!((ran.events("downloaded").len(), ran.events("failed").len()), (2, 2), "{remote}: {}", ran.stdout);
        assert!(ran.events("failed").iter().all(|f| f["error"]["kind"] == "not-found" && f["path"].is_string()), "{}", ran.stdout);
        assert_eq!(env.local(&into).len(), 2, "{remote}: LOCAL is a folder, however many are there");
        env.get(&[&none, &pattern, &into]).ends_with(3);
        env.get(&[&none, &format!("{remote}/none")]).ends_with(3);
        let one = format!("{remote}/one");
        env.get(&[&none, &a, &one]).ends_with(9);
        assert_eq!(env.local(&one).into_keys().collect::<Vec<_>>(), ["a.txt"], "{remote}");

        let cat = env.home.run(&["cat", &a, &none, &at(""), &b]).ends_with(9).says("none").says("this is a folder");
        assert_eq!(cat.stdout, "a.txtb.txt", "{remote}");
        assert_eq!(env.home.run(&["cat", &none, &pattern]).ends_with(3).stdout, "");
        env.home.run(&["cat", &none]).ends_with(3);
        env.home.run(&["cat", &at("")]).ends_with(2);

        let ran = env.home.run(&["stat", "--json", &a, &none, &b]).ends_with(9);
        assert_eq!((ran.events("entry").len(), ran.events("failed").len()), (2, 1), "{remote}");
        env.home.run(&["stat", &none, &pattern]).ends_with(3);
    }
    for remote in hosts_that_change() {
        let at = |name: &str| format!("{remote}:/d/{name}");
        let (a, b, none, pattern) = (at("a.txt"), at("b.txt"), at("none"), at("*.mov"));
        for (verb, event) in [("cp", "copied"), ("mv", "moved")] {
            let to = format!("{remote}:/{verb}");
            for missing in [&none, &pattern] {
                let ran = env.home.run(&[verb, "--json", "--if-exists", "replace", &a, missing, &to]).ends_with(9);
                assert_eq!((ran.events(event).len(), ran.events("failed").len()), (1, 1), "{remote} {verb}: {}", ran.stdout);
                assert_eq!(ran.events(event)[0]["path"], format!("/{verb}/a.txt"), "{remote} {verb}: TO is a folder all the same");
                env.store(remote, "/d/a.txt", &text("a.txt"));
            }
            env.home.run(&[verb, &none, &pattern, &to]).ends_with(3);
            env.home.run(&[verb, &pattern, &to]).ends_with(3);
            // Between two remotes.
            let other = if remote == "giga0" { "fileago" } else { "giga0" };
            let ran = env.home.run(&[verb, "--json", "--if-exists", "replace", &pattern, &none, &b, &format!("{other}:/{verb}-{remote}")]);
            let ran = ran.ends_with(9);
            assert_eq!((ran.events(event).len(), ran.events("failed").len()), (1, 2), "{remote} {verb}: {}", ran.stdout);
            env.store(remote, "/d/b.txt", &text("b.txt"));
        }
        let ran = env.home.run(&["rm", "--json", &pattern, &a, &none, &b]).ends_with(9);
        assert_eq!((ran.events("deleted").len(), ran.events("failed").len()), (2, 2), "{remote}: {}", ran.stdout);
        env.home.run(&["rm", &pattern, &none]).ends_with(3);
        env.home.run(&["rm", &pattern]).ends_with(3);
    }
}

/// A remote that can't be asked fails with all that lies there, and the others are done.
#[test]
fn a_remote_that_is_down_fails_alone() {
    let env = TestEnv::new();
    env.store("giga0", "/a.txt", &text("a"));
    env.store("fileago", "/a.txt", &text("a"));
    env.sandbox.faults().script("fileago:gone").unwrap();
    let ran = env.get(&["--retries", "1", "fileago:/a.txt", "fileago:/b.txt", "giga0:/a.txt", "in/"]).ends_with(9);
    assert_eq!((ran.events("downloaded").len(), ran.events("failed").len()), (1, 2), "{}", ran.stdout);
    let ran = env.home.run(&["stat", "--json", "fileago:/a.txt", "giga0:/a.txt"]).ends_with(9);
    assert_eq!((ran.events("entry").len(), ran.events("failed").len()), (1, 1), "{}", ran.stdout);
    env.get(&["--retries", "1", "fileago:/a.txt", "fileago:/b.txt", "in/"]).ends_with(5);
}
