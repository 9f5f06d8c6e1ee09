//! `haul edit`.

use serde_json::Value;

use crate::support::env::{TestEnv, set};
use crate::support::remotes::hosts_that_change;
use crate::support::stand_ins::StandIns;

#[test]
fn a_name_is_changed() {
    for remote in hosts_that_change() {
        let env = TestEnv::with_files(remote, &["/a", "/b", "/d/x"]);
        let at = |path: &str| format!("{remote}:{path}");
        let ran = env.json(&["edit", &at("/a"), "--name", "c.txt"]).ends_with(0).events("edit");
        assert_eq!((&ran[0]["path"], &ran[0]["name"], &ran[0]["id"]), (&"/c.txt".into(), &"c.txt".into(), &env.id(&at("/c.txt")).into()));
        env.home.run(&["edit", &at("/c.txt"), "--name", "b"]).ends_with(6).says("another entry is named");
        env.home.run(&["edit", &at("/c.txt"), "--name", "x/y"]).ends_with(8);
        env.home.run(&["edit", &at("/none"), "--name", "x"]).ends_with(3);
        for fault in ["answer-lost", "cut=0", "500"] {
            let call = if remote == "giga0" { "folder/edit" } else { "change" };
            env.script(&format!("{remote}/{call}:{fault}"));
            env.home.run(&["edit", &at("/d"), "--name", "e"]).ends_with(0);
            env.home.run(&["edit", &at("/e"), "--name", "d"]).ends_with(0);
            env.faults_are_used_up();
        }
        assert_eq!(env.there(&at("")), set(["/b", "/c.txt", "/d/", "/d/x"]), "{remote}");
    }
}

fn of_folder(env: &TestEnv, path: &str, field: &str) -> Value {
    let entries = env.json(&["ls", "giga0:/"]).ends_with(0).events("entry");
    entries.iter().find(|e| e["path"] == path).unwrap()["extra"][field].clone()
}

#[test]
fn types_and_visibility_are_changed() {
    let env = TestEnv::with_files("giga0", &["/a.bin", "/d/x"]);
    let ran = env.json(&["edit", "giga0:/a.bin", "--type", "application/pdf", "--name", "a.pdf"]).ends_with(0).events("edit");
    assert_eq!((&ran[0]["extra"]["type"], &ran[0]["name"]), (&"application/pdf".into(), &"a.pdf".into()));
    for (word, path) in [("public", "giga0:/d"), ("unlisted", "giga0:/d"), ("private", "giga0:/d"), ("public", "giga0:/d")] {
        env.home.run(&["edit", path, "--visibility", word]).ends_with(0);
        assert_eq!(of_folder(&env, "/d", "visibility"), word);
    }
    env.home.run(&["edit", "giga0:/a.pdf", "--visibility", "public"]).ends_with(10).says("only its folder has");
    env.home.run(&["edit", "giga0:/d", "--type", "x/y"]).ends_with(10).says("a folder has no type");
}

#[test]
fn a_folder_gets_a_password() {
    let env = TestEnv::with_files("giga0", &["/d/x", "/a"]);
    let given = env.home.run_with_input(&["edit", "-vv", "giga0:/d", "--folder-password-stdin"], b"correct horse\nnot this").ends_with(0);
    assert_eq!(env.sandbox.giga0().folder_password("/d").as_deref(), Some(format!("{:x}", md5::compute("correct horse")).as_str()));
    for text in [given.stdout, given.stderr] {
        assert!(!text.contains("correct horse") && !text.contains(&format!("{:x}", md5::compute("correct horse"))), "{text}");
    }
    env.home.run(&["edit", "giga0:/d", "--name", "e"]).ends_with(0);
    assert!(env.sandbox.giga0().folder_password("/e").is_some(), "a new name leaves it alone");
    env.home.run_with_input(&["edit", "giga0:/e", "--folder-password-stdin"], b"\n").ends_with(0);
    assert_eq!(env.sandbox.giga0().folder_password("/e"), None);
    env.home.run_with_input(&["edit", "giga0:/a", "--folder-password-stdin"], b"x").ends_with(10);
}
