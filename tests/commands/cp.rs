//! `haul cp`.

use crate::support::env::{TestEnv, set};
use crate::support::remotes::hosts_that_change;
use crate::support::stand_ins::StandIns;

#[test]
fn files_and_folders_are_copied() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/a.txt", "/d/b.txt", "/d/e/c.txt", "/d/e/g/h"]);
        let at = |path: &str| format!("{remote}:{path}");
        env.home.run(&["mkdir", &at("/d/empty")]).ends_with(0);
        env.home.run(&["cp", &at("/a.txt"), &at("/copy.txt")]).ends_with(0);
        env.home.run(&["cp", &at("/a.txt"), &at("/d")]).ends_with(0);
        env.home.run(&["cp", &at("/d/b.txt"), &at("/new/deep/b2.txt")]).ends_with(0);
        env.home.run(&["cp", "-r", &at("/d"), &at("/all/")]).ends_with(0);
        env.home.run(&["cp", &at("/d/e"), &at("/e-copy")]).ends_with(0);
        let wanted = set([
            "/a.txt",
            "/all/",
            "/all/d/",
            "/all/d/a.txt",
            "/all/d/b.txt",
            "/all/d/e/",
            "/all/d/e/c.txt",
            "/all/d/e/g/",
            "/all/d/e/g/h",
            "/all/d/empty/",
            "/copy.txt",
            "/d/",
            "/d/a.txt",
            "/d/b.txt",
            "/d/e/",
            "/d/e/c.txt",
            "/d/e/g/",
            "/d/e/g/h",
            "/d/empty/",
            "/e-copy/",
            "/e-copy/c.txt",
            "/e-copy/g/",
            "/e-copy/g/h",
            "/new/",
            "/new/deep/",
            "/new/deep/b2.txt",
        ]);
        assert_eq!(env.there(&at("")), wanted, "{remote}");
        assert_eq!(env.text(remote, "/all/d/e/g/h"), "content of /d/e/g/h");
        assert_eq!(env.text(remote, "/copy.txt"), "content of /a.txt");
        assert_eq!(env.text(remote, "/new/deep/b2.txt"), "content of /d/b.txt");
        assert_ne!(env.id(&at("/a.txt")), env.id(&at("/copy.txt")));
        if remote == "fileago" {
            let trash = env.there("fileago:@trash");
            assert!(trash.iter().all(|p| p.ends_with('/')), "only the folder of the detour is there: {trash:?}");
        }
    }
}

#[test]
fn the_events_are_those_of_the_contract() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/d/b", "/d/e/c"]);
        let at = |path: &str| format!("{remote}:{path}");
        let ran = env.json(&["cp", &at("/d"), &at("/copy")]).ends_with(0);
        let copied = ran.events("copied");
        let mut told: Vec<String> = copied.iter().map(|e| format!("{} -> {} ({})", e["source"], e["path"], e["kind"])).collect();
        // Whichever is there first is told first.
        told.sort();
        let whole = format!(r#""{remote}:/d" -> "/copy" ("folder")"#);
        let each = ["b", "e/c"].map(|p| format!(r#""{remote}:/d/{p}" -> "/copy/{p}" ("file")"#));
        assert_eq!(told, if remote == "giga0" { each.to_vec() } else { vec![whole] });
        let last = ran.json().pop().unwrap();
        assert_eq!((&last["event"], &last["files"], &last["failed"]), (&"summary".into(), &told.len().into(), &0.into()));
        let one = env.json(&["cp", &at("/d/b"), &at("/d/b2")]).ends_with(0);
        let (id, size) = (env.id(&at("/d/b2")), "content of /d/b".len());
        assert_eq!(
            one.stdout.lines().next().unwrap(),
            format!(
                r#"{{"schema":1,"event":"copied","source":"{remote}:/d/b","remote":"{remote}","path":"/d/b2","id":"{id}","kind":"file","size":{size}}}"#
            )
        );
    }
}

#[test]
fn a_taken_name_is_treated_as_requested() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/a", "/x/a", "/x/b", "/d/one", "/d/two", "/y/d/two", "/y/d/three"]);
        let at = |path: &str| format!("{remote}:{path}");
        let before = env.there(&at(""));
        env.home.run(&["cp", &at("/a"), &at("/x/")]).ends_with(6).says("it exists already");
        env.home.run(&["cp", &at("/d"), &at("/y")]).ends_with(6);
        env.home.run(&["cp", &at("/d"), &at("/a")]).ends_with(6);
        env.home.run(&["cp", "--if-exists", "replace", &at("/a"), &at("/a")]).ends_with(6).says("it exists already");
        env.home.run(&["cp", "--if-exists", "replace", &at("/d"), &at("/a")]).ends_with(6).says("a folder is never replaced");
        env.home.run(&["cp", "--if-exists", "skip", &at("/a"), &at("/x/")]).ends_with(0);
        assert_eq!(env.there(&at("")), before, "{remote}");

        let old = env.id(&at("/x/a"));
        env.home.run(&["cp", "--if-exists", "replace", &at("/a"), &at("/x/")]).ends_with(0);
        assert_ne!(env.id(&at("/x/a")), old);
        env.home.run(&["cp", "--if-exists", "update", &at("/x/a"), &at("/x/b")]).ends_with(0);
        assert_eq!(
            (env.text(remote, "/x/a"), env.text(remote, "/x/b")),
            ("content of /a".to_owned(), "content of /a".to_owned()),
            "{remote}"
        );
        assert_eq!(env.there(&at("")), before, "{remote}: replaced, not doubled");
        env.home.run(&["cp", "--if-exists", "rename", &at("/a"), &at("/x/")]).ends_with(0);
        env.home.run(&["cp", "--if-exists", "rename", &at("/a"), &at("/a")]).ends_with(0);
        assert_eq!(env.text(remote, "/x/a (2)"), "content of /a");
        assert_eq!(env.text(remote, "/a (2)"), "content of /a");

        // A folder onto one of its name: what is in it goes into the other, each file as it was asked for.
        let skipped = env.json(&["cp", "--if-exists", "skip", &at("/d"), &at("/y")]).ends_with(0);
        assert_eq!((skipped.events("skipped").len(), skipped.events("copied").len()), (1, 1), "{remote}");
        assert_eq!(env.text(remote, "/y/d/two"), "content of /y/d/two");
        env.home.run(&["cp", "--if-exists", "replace", &at("/d"), &at("/y")]).ends_with(0);
        assert_eq!(env.text(remote, "/y/d/two"), "content of /d/two");
        assert_eq!(env.there(&at("/y")), set(["/y/d/", "/y/d/one", "/y/d/three", "/y/d/two"]), "{remote}");
    }
}

#[test]
fn two_sources_of_one_name_are_refused() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/x/a", "/y/a"]);
        let at = |path: &str| format!("{remote}:{path}");
        let ran = env.json(&["cp", &at("/x/a"), &at("/y/a"), &at("/in/")]).ends_with(9);
        assert_eq!(ran.events("failed")[0]["error"]["kind"], "exists");
        env.home.run(&["cp", "--if-exists", "rename", &at("/x/a"), &at("/y/a"), &at("/in/")]).ends_with(0);
        assert_eq!(env.there(&at("/in")), set(["/in/a", "/in/a (2)", "/in/a (3)"]));
        let stopped = env.json(&["cp", "--fail-fast", &at("/x/a"), &at("/y/a"), &at("/in/")]).ends_with(6);
        assert_eq!(stopped.events("failed").len(), 1);
    }
}

#[test]
fn a_lost_answer_leaves_no_duplicate() {
    for (remote, call) in [("giga0", "file/copy"), ("fileago", "change")] {
        let env = TestEnv::with_files(remote, &["/a", "/d/x", "/d/y"]);
        let at = |path: &str| format!("{remote}:{path}");
        let copied = |env: &TestEnv| env.sandbox.counts().requests(remote, call);
        env.home.run(&["mkdir", "-p", &at("/in"), &at("/all")]).ends_with(0);
        let before = copied(&env);
        env.script(&format!("{remote}/{call}:answer-lost"));
        env.home.run(&["cp", &at("/a"), &at("/in/")]).ends_with(0);
        assert_eq!(copied(&env), before + 1, "{remote}: done once, seen by looking");
        env.script(&format!("{remote}/{call}:answer-lost"));
        env.home.run(&["cp", &at("/d"), &at("/all/")]).ends_with(0);
        // The server itself said that it failed: asked again at once.
        env.script(&format!("{remote}/{call}:500 {remote}/{call}:429=0"));
        env.home.run(&["cp", &at("/d/x"), &at("/in/")]).ends_with(0);
        env.faults_are_used_up();
        let wanted = set(["/a", "/all/", "/all/d/", "/all/d/x", "/all/d/y", "/d/", "/d/x", "/d/y", "/in/", "/in/a", "/in/x"]);
        assert_eq!(env.there(&at("")), wanted, "{remote}");
        // The same for every step of a copy under another name, and of a replacement: no answer comes at all.
        let calls = if remote == "giga0" {
            &["file/copy", "file/edit", "file/move", "file/delete", "folder/create"][..]
        } else {
            &["change", "delete"]
        };
        let faults: Vec<String> = calls.iter().map(|call| format!("{remote}/{call}:answer-lost*always")).collect();
        env.script(&faults.join(" "));
        env.home.run(&["cp", &at("/d/y"), &at("/d/z")]).ends_with(0);
        env.home.run(&["cp", "--if-exists=replace", &at("/d/z"), &at("/in/a")]).ends_with(0);
        env.home.run(&["mv", "--if-exists=replace", &at("/d/z"), &at("/in/x")]).ends_with(0);
        env.home.run(&["mv", &at("/all"), &at("/new/moved")]).ends_with(0);
        let wanted = set([
            "/a",
            "/d/",
            "/d/x",
            "/d/y",
            "/in/",
            "/in/a",
            "/in/x",
            "/new/",
            "/new/moved/",
            "/new/moved/d/",
            "/new/moved/d/x",
            "/new/moved/d/y",
        ]);
        assert_eq!(env.there(&at("")), wanted, "{remote}");
        assert_eq!((env.text(remote, "/in/a"), env.text(remote, "/in/x")), ("content of /d/y".to_owned(), "content of /d/y".to_owned()));
    }
}

#[test]
fn a_copy_of_a_folder_reports_the_files_that_fail() {
    let env = TestEnv::with_files("giga0", &["/d/a", "/d/b", "/d/c"]);
    env.script("giga0/file/copy:413");
    // One after the other, so that the fault meets the first.
    let ran = env.json(&["cp", "-j", "1", "giga0:/d", "giga0:/e"]).ends_with(9);
    let failed = ran.events("failed");
    assert_eq!((failed.len(), &failed[0]["source"], &failed[0]["path"]), (1, &"giga0:/d/a".into(), &"/e/a".into()));
    assert_eq!(env.there("giga0:/e"), set(["/e/b", "/e/c"]));
}

#[test]
fn a_dry_run_copies_nothing() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/d/a", "/d/e/b"]);
        let at = |path: &str| format!("{remote}:{path}");
        let planned = env.json(&["cp", "-n", &at("/d"), &at("/new/")]).ends_with(0).events("planned");
        let paths: Vec<&str> = planned.iter().map(|e| e["path"].as_str().unwrap()).collect();
        assert_eq!(paths, if remote == "giga0" { vec!["/new/d/a", "/new/d/e/b"] } else { vec!["/new/d"] });
        assert_eq!(env.there(&at("")), set(["/d/", "/d/a", "/d/e/", "/d/e/b"]));
    }
}

#[test]
fn a_failed_replacement_leaves_the_old_file_in_its_place() {
    let env = TestEnv::with_files("giga0", &["/a", "/d/a"]);
    for args in [["cp", "--if-exists=replace"], ["mv", "--if-exists=replace"]] {
        env.script("giga0/file/copy:413 giga0/file/move:413");
        env.home.run(&[args[0], args[1], "giga0:/a", "giga0:/d/"]).ends_with(8);
        env.sandbox.faults().clear();
        assert_eq!((env.text("giga0", "/d/a"), env.there("giga0:")), ("content of /d/a".to_owned(), set(["/a", "/d/", "/d/a"])));
    }
    env.script("giga0/file/delete:413");
    let ran = env.home.run(&["cp", "--if-exists=replace", "giga0:/a", "giga0:/d/"]).ends_with(8);
    assert!(ran.stderr.contains("could not be removed, so it stays"), "{}", ran.stderr);
    assert_eq!((env.text("giga0", "/d/a"), env.there("giga0:")), ("content of /d/a".to_owned(), set(["/a", "/d/", "/d/a"])));

    let env = TestEnv::with_files("fileago", &["/a", "/d/a"]);
    let old = env.id("fileago:/d/a");
    env.script("fileago/delete:413");
    let ran = env.home.run(&["cp", "--if-exists=replace", "fileago:/a", "fileago:/d/"]).ends_with(8);
    assert!(ran.stderr.contains(&format!("the old one is still there as \"a (2)\" (@{old})")), "{}", ran.stderr);
    assert_eq!(env.text("fileago", "/d/a"), "content of /a");
    // What can't be copied leaves the name where it was: nobody can copy what was removed meanwhile.
    env.home.run(&["rm", "fileago:/d/a (2)"]).ends_with(0);
    env.sandbox.fileago().refuse_copies();
    let before = env.id("fileago:/d/a");
    env.home.run(&["cp", "--if-exists=replace", "fileago:/a", "fileago:/d/"]).ends_with(8).says("permission");
    assert_eq!((env.id("fileago:/d/a"), env.there("fileago:/d")), (before, set(["/d/a"])));
}
