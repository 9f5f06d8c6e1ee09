//! `haul get` with wildcards and with a receipt, and without incomplete uploads.

use std::collections::BTreeMap;

use crate::support::env::{TestEnv, text};

#[test]
fn wildcards_select_files() {
    let env = TestEnv::new();
    for (path, content) in [("/d/a.txt", "a"), ("/d/b.txt", "b"), ("/d/c.bin", "c"), ("/d/sub/d.txt", "d"), ("/d/[x].txt", "x")] {
        env.store("giga0", path, &text(content));
    }
    let names = |folder: &str| env.local(folder).into_keys().collect::<Vec<_>>();
    env.get(&["giga0:/d/?.txt", "some"]).ends_with(0);
    assert_eq!(names("some"), ["a.txt", "b.txt"]);
    env.get(&["giga0:/d/**", "all"]).ends_with(0);
    assert_eq!(names("all"), ["[x].txt", "a.txt", "b.txt", "c.bin", "sub/d.txt"], "a folder is got whole, once");
    env.get(&["--literal", "giga0:/d/[x].txt", "literal/"]).ends_with(0);
    assert_eq!(names("literal"), ["[x].txt"]);
    env.home.run(&["get", "giga0:/d/*.mov"]).ends_with(3).says("nothing there matches");
    let cat = env.home.run(&["cat", "giga0:/d/[ab].txt"]).ends_with(0);
    assert_eq!(cat.stdout, "ab");
}

#[test]
fn a_receipt_has_a_line_for_each_file_and_the_failed_are_listed() {
    let env = TestEnv::new();
    env.store("fileago", "/d/a.txt", &text("a"));
    env.store("fileago", "/d/b.txt", &text("b"));
    env.home.file("here/b.txt/in-the-way", "");
    let args = ["--receipt", "r.jsonl", "--failed-to", "failed.txt", "fileago:/d/", "here"];
    env.get(&args).ends_with(9);
    let lines = std::fs::read_to_string(env.path("r.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.trim_end()).unwrap();
    assert_eq!((&line["path"], &line["source"]), (&"/d/a.txt".into(), &"fileago:/d/a.txt".into()));
    assert_eq!(std::fs::read_to_string(env.path("failed.txt")).unwrap(), "fileago:/d/b.txt\n");
    env.home.run(&["verify", "r.jsonl"]).ends_with(0);
}

#[test]
fn uploads_that_never_ended_are_left_out() {
    let env = TestEnv::new();
    env.home.file("d/a.txt", "a");
    env.home.file("d/b.txt", "b");
    env.home.run(&["put", "-q", "d/a.txt", "iogates:/d/"]).ends_with(0);
    // An entry is made, and no byte ever reaches it.
    env.sandbox.faults().script("iogates/tus-create:500*always iogates/plupload:500*always").unwrap();
    env.home.run(&["put", "-q", "--retries", "1", "--protocol", "tus", "d/b.txt", "iogates:/d/"]);
    env.sandbox.faults().clear();
    env.get(&["iogates:/d/", "here"]).ends_with(0);
    assert_eq!(env.local("here"), BTreeMap::from([("a.txt".to_owned(), text("a"))]));
}
