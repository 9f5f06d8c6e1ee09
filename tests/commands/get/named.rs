//! `haul get` by wildcards, with a receipt, and past uploads that never ended.

use std::collections::BTreeMap;

use crate::support::env::{Play, REMOTES, text};

#[test]
fn wildcards_name_what_they_fit() {
    let play = Play::new();
    for (path, content) in [("/d/a.txt", "a"), ("/d/b.txt", "b"), ("/d/c.bin", "c"), ("/d/sub/d.txt", "d"), ("/d/[x].txt", "x")] {
        play.stored("giga0", path, &text(content));
    }
    let names = |folder: &str| play.local(folder).into_keys().collect::<Vec<_>>();
    play.get(&["giga0:/d/?.txt", "some"]).ends_with(0);
    assert_eq!(names("some"), ["a.txt", "b.txt"]);
    play.get(&["giga0:/d/**", "all"]).ends_with(0);
    assert_eq!(names("all"), ["[x].txt", "a.txt", "b.txt", "c.bin", "sub/d.txt"], "a folder is got whole, once");
    play.get(&["--literal", "giga0:/d/[x].txt", "literal/"]).ends_with(0);
    assert_eq!(names("literal"), ["[x].txt"]);
    play.home.run(&["get", "giga0:/d/*.mov"]).ends_with(3).says("nothing there fits");
    let cat = play.home.run(&["cat", "giga0:/d/[ab].txt"]).ends_with(0);
    assert_eq!(cat.stdout, "ab");
}

#[test]
fn a_receipt_has_a_line_for_each_file_and_the_failed_are_listed() {
    let play = Play::new();
    play.stored("fileago", "/d/a.txt", &text("a"));
    play.stored("fileago", "/d/b.txt", &text("b"));
    play.home.file("here/b.txt/in-the-way", "");
    let args = ["--receipt", "r.jsonl", "--failed-to", "failed.txt", "fileago:/d/", "here"];
    play.get(&args).ends_with(9);
    let lines = std::fs::read_to_string(play.path("r.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.trim_end()).unwrap();
    assert_eq!((&line["path"], &line["source"]), (&"/d/a.txt".into(), &"fileago:/d/a.txt".into()));
    assert_eq!(std::fs::read_to_string(play.path("failed.txt")).unwrap(), "fileago:/d/b.txt\n");
    play.home.run(&["verify", "r.jsonl"]).ends_with(0);
}

#[test]
fn what_never_ended_there_is_left_out() {
    let play = Play::new();
    play.home.file("d/a.txt", "a");
    play.home.file("d/b.txt", "b");
    play.home.run(&["put", "-q", "d/a.txt", "iogates:/d/"]).ends_with(0);
    // An entry is made, and no byte ever reaches it.
    play.sandbox.faults().script("iogates/tus-create:500*always iogates/plupload:500*always").unwrap();
    play.home.run(&["put", "-q", "--retries", "1", "--protocol", "tus", "d/b.txt", "iogates:/d/"]);
    play.sandbox.faults().clear();
    play.get(&["iogates:/d/", "here"]).ends_with(0);
    assert_eq!(play.local("here"), BTreeMap::from([("a.txt".to_owned(), text("a"))]));
}

/// One that is not there among several is one failed file; the rest is done. One address alone keeps its own code.
#[test]
fn what_is_missing_fails_alone() {
    let play = Play::new();
    for remote in REMOTES {
        for name in ["a.txt", "b.txt"] {
            play.stored(remote, &format!("/d/{name}"), &text(name));
        }
        let at = |name: &str| format!("{remote}:/d/{name}");
        let (a, b, none, pattern) = (at("a.txt"), at("b.txt"), at("none"), at("*.mov"));

        let into = format!("{remote}/new");
        let ran = play.get(&[&a, &none, &pattern, &b, &into]).ends_with(9);
        assert_eq!((ran.events("downloaded").len(), ran.events("failed").len()), (2, 2), "{remote}: {}", ran.stdout);
        assert!(ran.events("failed").iter().all(|f| f["error"]["kind"] == "not-found" && f["path"].is_string()), "{}", ran.stdout);
        assert_eq!(play.local(&into).len(), 2, "{remote}: LOCAL is a folder, however many are there");
        play.get(&[&none, &pattern, &into]).ends_with(3);
        play.get(&[&none, &format!("{remote}/none")]).ends_with(3);
        let one = format!("{remote}/one");
        play.get(&[&none, &a, &one]).ends_with(9);
        assert_eq!(play.local(&one).into_keys().collect::<Vec<_>>(), ["a.txt"], "{remote}");

        let cat = play.home.run(&["cat", &a, &none, &at(""), &b]).ends_with(9).says("none").says("this is a folder");
        assert_eq!(cat.stdout, "a.txtb.txt", "{remote}");
        assert_eq!(play.home.run(&["cat", &none, &pattern]).ends_with(3).stdout, "");
        play.home.run(&["cat", &none]).ends_with(3);
        play.home.run(&["cat", &at("")]).ends_with(2);

        let ran = play.home.run(&["stat", "--json", &a, &none, &b]).ends_with(9);
        assert_eq!((ran.events("entry").len(), ran.events("failed").len()), (2, 1), "{remote}");
        play.home.run(&["stat", &none, &pattern]).ends_with(3);
    }
    for remote in ["giga0", "fileago"] {
        let at = |name: &str| format!("{remote}:/d/{name}");
        let (a, b, none, pattern) = (at("a.txt"), at("b.txt"), at("none"), at("*.mov"));
        for (verb, event) in [("cp", "copied"), ("mv", "moved")] {
            let to = format!("{remote}:/{verb}");
            for missing in [&none, &pattern] {
                let ran = play.home.run(&[verb, "--json", "--if-exists", "replace", &a, missing, &to]).ends_with(9);
                assert_eq!((ran.events(event).len(), ran.events("failed").len()), (1, 1), "{remote} {verb}: {}", ran.stdout);
                assert_eq!(ran.events(event)[0]["path"], format!("/{verb}/a.txt"), "{remote} {verb}: TO is a folder all the same");
                play.stored(remote, "/d/a.txt", &text("a.txt"));
            }
            play.home.run(&[verb, &none, &pattern, &to]).ends_with(3);
            play.home.run(&[verb, &pattern, &to]).ends_with(3);
            // Between two remotes.
            let other = if remote == "giga0" { "fileago" } else { "giga0" };
            let ran = play.home.run(&[verb, "--json", "--if-exists", "replace", &pattern, &none, &b, &format!("{other}:/{verb}-{remote}")]);
            let ran = ran.ends_with(9);
            assert_eq!((ran.events(event).len(), ran.events("failed").len()), (1, 2), "{remote} {verb}: {}", ran.stdout);
            play.stored(remote, "/d/b.txt", &text("b.txt"));
        }
        let ran = play.home.run(&["rm", "--json", &pattern, &a, &none, &b]).ends_with(9);
        assert_eq!((ran.events("deleted").len(), ran.events("failed").len()), (2, 2), "{remote}: {}", ran.stdout);
        play.home.run(&["rm", &pattern, &none]).ends_with(3);
        play.home.run(&["rm", &pattern]).ends_with(3);
    }
}

/// A remote that can't be asked fails with all that lies there, and the others are done.
#[test]
fn a_remote_that_is_down_takes_no_other_with_it() {
    let play = Play::new();
    play.stored("giga0", "/a.txt", &text("a"));
    play.stored("fileago", "/a.txt", &text("a"));
    play.sandbox.faults().script("fileago:gone").unwrap();
    let ran = play.get(&["--retries", "1", "fileago:/a.txt", "fileago:/b.txt", "giga0:/a.txt", "in/"]).ends_with(9);
    assert_eq!((ran.events("downloaded").len(), ran.events("failed").len()), (1, 2), "{}", ran.stdout);
    let ran = play.home.run(&["stat", "--json", "fileago:/a.txt", "giga0:/a.txt"]).ends_with(9);
    assert_eq!((ran.events("entry").len(), ran.events("failed").len()), (1, 1), "{}", ran.stdout);
    play.get(&["--retries", "1", "fileago:/a.txt", "fileago:/b.txt", "in/"]).ends_with(5);
}
