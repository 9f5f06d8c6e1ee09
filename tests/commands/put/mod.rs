//! `haul put` in the sandbox: the targets of files, the verification, the refusals, the exit status.

mod arrivals;
mod attributes;
mod batches;
mod iogates_answers;
mod names;

use std::collections::BTreeMap;

use crate::support::env::{TestEnv, below, bytes, text, tree};
use crate::support::remotes::hosts;

#[test]
fn a_folder_lands_whole_on_every_provider() {
    let env = TestEnv::new();
    let files = tree(&env.home);
    for remote in hosts() {
        let ran = env.home.run(&["put", "--json", "src", &format!("{remote}:/in/")]).ends_with(0);
        assert_eq!(env.arrivals(remote), below("/in/src", &files), "{remote}");
        let uploaded = ran.events("uploaded");
        assert_eq!(uploaded.len(), files.len(), "{remote}");
        for event in &uploaded {
            assert_eq!(event["schema"], 1);
            let path = event["path"].as_str().unwrap();
            let content = &files[path.strip_prefix("/in/src/").unwrap()];
            assert_eq!(event["size"], content.0.len(), "{remote} {path}");
            assert_eq!(event["md5"], format!("{:x}", md5::compute(&content.0)), "{remote} {path}");
            let verified = if remote == "fileago" { "size" } else { "md5" };
            assert_eq!(event["verified"], verified, "{remote} {path}");
            let protocol = if remote == "iogates" { "tus" } else { "multipart" };
            assert_eq!(event["protocol"], protocol, "{remote} {path}");
        }
        let last = ran.json().pop().unwrap();
        assert_eq!((&last["event"], &last["files"], &last["failed"]), (&"summary".into(), &files.len().into(), &0.into()));
    }
}

#[test]
fn every_protocol_of_iogates_brings_the_same_bytes() {
    let env = TestEnv::new();
    let files = tree(&env.home);
    for protocol in ["tus", "plupload", "ftps"] {
        let ran = env.home.run(&["put", "--json", "--protocol", protocol, "src/", &format!("iogates:/by-{protocol}")]).ends_with(0);
        assert!(ran.events("uploaded").iter().all(|e| e["protocol"] == protocol && e["verified"] == "md5"), "{}", ran.stdout);
        let there: BTreeMap<_, _> =
            env.arrivals("iogates").into_iter().filter(|(p, _)| p.starts_with(&format!("/by-{protocol}/"))).collect();
        assert_eq!(there, below(&format!("/by-{protocol}"), &files));
    }
}

#[test]
fn where_an_upload_lands() {
    let env = TestEnv::new();
    env.home.file("f.txt", "content");
    env.home.file("g.txt", "other");
    for remote in hosts() {
        let at = |path: &str| format!("{remote}:{path}");
        env.home.run(&["put", "f.txt", &at("/new-name.txt")]).ends_with(0);
        env.home.run(&["put", "f.txt", &at("/folder/")]).ends_with(0);
        env.home.run(&["put", "g.txt", &at("/folder")]).ends_with(0);
        env.home.run(&["put", "f.txt", "g.txt", &at("several")]).ends_with(0);
        env.home.run(&["put", "f.txt", &at("")]).ends_with(0);
        let paths: Vec<String> = env.arrivals(remote).into_keys().collect();
        assert_eq!(paths, ["/f.txt", "/folder/f.txt", "/folder/g.txt", "/new-name.txt", "/several/f.txt", "/several/g.txt"], "{remote}");
    }
}

#[test]
fn a_tus_server_is_asked_once_what_it_can_do() {
    let env = TestEnv::new();
    (0..6).for_each(|n| drop(env.home.file(&format!("d/{n}.txt"), format!("file {n}"))));
    env.home.run(&["put", "-j", "1", "d", "iogates:/"]).ends_with(0);
    let counts = env.sandbox.counts();
    assert_eq!((counts.requests("iogates", "tus-create"), counts.requests("iogates", "tus-options")), (6, 1));
}

#[test]
fn standard_input_on_every_provider() {
    let env = TestEnv::new();
    let content = bytes(9_000_000, 3);
    for remote in hosts() {
        let ran = env.home.run_with_input(&["put", "--json", "-", &format!("{remote}:/pipe/dump.sql")], &content.0).ends_with(0);
        assert_eq!(ran.events("uploaded")[0]["source"], "-");
        assert_eq!(env.arrivals(remote)["/pipe/dump.sql"], content, "{remote}");
        let sized = env.home.run_with_input(&["put", "--size", "9000000", "-", &format!("{remote}:/pipe/sized.sql")], &content.0);
        sized.ends_with(0);
        assert_eq!(env.arrivals(remote)["/pipe/sized.sql"], content, "{remote}");
        let lying = env.home.run_with_input(&["put", "--size", "9000001", "-", &format!("{remote}:/pipe/lying.sql")], &content.0);
        lying.ends_with(7).says("before its announced size");
        env.home.run(&["put", "-", &format!("{remote}:/pipe/")]).ends_with(2).says("no name of its own");
    }
}

#[test]
fn what_exists_is_treated_as_asked() {
    let env = TestEnv::new();
    for remote in hosts() {
        let source = env.home.file("v.txt", "one");
        let put = |policy: &str| env.home.run(&["put", "--json", "--if-exists", policy, "v.txt", &format!("{remote}:/v/v.txt")]);
        put("fail").ends_with(0);
        put("fail").ends_with(6);
        assert_eq!(put("update").ends_with(0).events("skipped").len(), 1, "{remote}: this machine put it there");
        assert_eq!(put("skip").ends_with(0).events("skipped").len(), 1);
        std::fs::write(&source, "two").unwrap();
        let renamed = put("rename").ends_with(0);
        assert_eq!(renamed.events("uploaded")[0]["path"], "/v/v (2).txt", "{remote}");
        let replaced = put("update").ends_with(0).events("uploaded");
        assert_eq!(replaced[0]["path"], "/v/v.txt", "{remote}");
        if remote == "iogates" {
            assert!(replaced[0]["kept"].is_string(), "ioGates can't replace, and that is said");
            let again = put("replace").ends_with(0).events("uploaded");
            assert_eq!(again[0]["kept"], replaced[0]["id"], "the newest of several");
        } else {
            assert_eq!(env.arrivals(remote)["/v/v.txt"], text("two"), "{remote}");
            put("replace").ends_with(0);
            assert_eq!(env.arrivals(remote)["/v/v.txt"], text("two"), "{remote}");
        }
    }
}

/// Nothing can be removed at ioGates, so each night's file lies beside those before it.
#[test]
fn a_nightly_file_goes_on_where_nothing_can_be_removed() {
    let env = TestEnv::new();
    let at = "iogates:/nightly/build.zip";
    let put = |policy: &str, content: &str| {
        env.home.file("build.zip", content);
        env.home.run(&["put", "--json", "--if-exists", policy, "build.zip", at])
    };
    let mut kept = serde_json::Value::Null;
    for night in ["monday", "tuesday", "wednesday", "thursday"] {
        let uploaded = put("update", night).ends_with(0).events("uploaded").remove(0);
        assert_eq!((&uploaded["path"], &uploaded["kept"]), (&"/nightly/build.zip".into(), &kept), "{night}");
        assert_eq!(env.arrivals("iogates")["/nightly/build.zip"], text(night));
        kept = uploaded["id"].clone();
    }
    let same = put("update", "thursday").ends_with(0).events("skipped").remove(0);
    assert_eq!(same["id"], kept, "the newest is this very content");
    let as_before = put("update", "tuesday").ends_with(0).events("uploaded").remove(0);
    assert_eq!(as_before["kept"], kept, "an older version is, but the newest is not");
    let skipped = put("skip", "friday").ends_with(0).events("skipped").remove(0);
    assert_eq!(skipped["id"], as_before["id"]);
    put("fail", "friday").ends_with(6);
    assert_eq!(put("rename", "friday").ends_with(0).events("uploaded")[0]["path"], "/nightly/build (2).zip");
    assert_eq!(put("replace", "tuesday").ends_with(0).events("uploaded")[0]["kept"], as_before["id"]);
    for verb in ["get", "stat", "cat", "link"] {
        env.home.run(&[verb, "-v", at]).ends_with(0).says("the newest of 6 entries of this name");
    }
    assert_eq!(env.home.run(&["cat", at]).ends_with(0).stdout, "tuesday");
}

/// What could be removed is not piled up: nobody knows which one is meant.
#[test]
fn of_two_that_can_be_removed_none_is_replaced() {
    let env = TestEnv::new();
    for content in ["one", "two"] {
        env.sandbox.fill("giga0", "/both", ["v.txt".to_owned()].into_iter(), content.as_bytes()).unwrap();
    }
    env.home.file("v.txt", "three");
    for policy in ["update", "replace"] {
        let put = env.home.run(&["put", "--if-exists", policy, "v.txt", "giga0:/both/"]);
        put.ends_with(3).says("2 entries have this name");
    }
}

#[test]
fn a_dry_run_sends_nothing() {
    let env = TestEnv::new();
    tree(&env.home);
    for remote in hosts() {
        let ran = env.home.run(&["put", "-n", "--json", "src", &format!("{remote}:/dry/")]).ends_with(0);
        assert_eq!(ran.events("planned").len(), 4);
        assert!(env.arrivals(remote).is_empty());
        assert!(env.home.run(&["ls", "--json", &format!("{remote}:")]).ends_with(0).json().is_empty(), "{remote}: no folder either");
    }
}

#[test]
fn bad_input_is_reported_before_anything_is_sent() {
    let env = TestEnv::new();
    let home = &env.home;
    home.file("f.txt", "x");
    home.file("empty", "");
    home.run(&["put", "nope", "iogates:/"]).ends_with(3).says("nope: there is no such file or folder here");
    home.run(&["put", "f.txt", "nowhere:/"]).ends_with(3).says("there is no such remote");
    home.run(&["put", "f.txt", "local"]).ends_with(2).says("REMOTE:PATH");
    home.run(&["put", "f.txt", "iogates:/a/../b"]).ends_with(2);
    home.run(&["put", "-j", "0", "f.txt", "iogates:/"]).ends_with(2);
    home.run(&["put", "empty", "giga0:/"]).ends_with(8);
    home.run(&["put", "--protocol", "ftp", "f.txt", "giga0:/"]).ends_with(10);
    home.run(&["put", "f.txt", "giga0:/a\nb"]).ends_with(8);
    for remote in hosts() {
        assert!(env.arrivals(remote).is_empty(), "{remote}");
    }
}

#[test]
fn some_files_of_several_fail() {
    let env = TestEnv::new();
    env.home.file("d/good.txt", "x");
    env.home.file("d/empty.txt", "");
    let ran = env.home.run(&["put", "--json", "d/", "giga0:/p"]).ends_with(9);
    let failed = ran.events("failed");
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["error"]["kind"], "refused");
    assert_eq!(failed[0]["error"]["retryable"], false);
    assert_eq!(env.arrivals("giga0").into_keys().collect::<Vec<_>>(), ["/p/good.txt"]);
    let left = env.home.run(&["transfers", "list", "--json"]).ends_with(0);
    assert_eq!(left.stdout, "", "what was refused before anything was sent is not unfinished");
}

#[test]
fn many_small_files_at_once() {
    let env = TestEnv::new();
    for n in 0..60 {
        env.home.file(&format!("many/{n:03}.txt"), format!("file {n}"));
    }
    for remote in hosts() {
        env.home.run(&["put", "-j", "8", "-q", "many", &format!("{remote}:/")]).ends_with(0);
        let there = env.arrivals(remote);
        assert_eq!(there.len(), 60, "{remote}");
        assert_eq!(there["/many/041.txt"], text("file 41"));
    }
}

#[test]
fn an_answer_in_plain_text_is_followed_by_a_look() {
    let env = TestEnv::new();
    env.home.file("a.txt", "content");
    env.sandbox.faults().script("fileago:plain-answers").unwrap();
    for event in ["uploaded", "skipped"] {
        let ran = env.home.run(&["put", "--json", "a.txt", "fileago:/"]).ends_with(0);
        assert_eq!(ran.events(event)[0]["path"], "/a.txt", "{}", ran.stdout);
    }
    assert_eq!((env.arrivals("fileago").len(), &env.arrivals("fileago")["/a.txt"]), (1, &text("content")));
}

#[test]
fn groups_that_cannot_be_read_stop_no_upload() {
    let env = TestEnv::new();
    env.home.file("a.txt", "content");
    for fault in ["503=1*always", "500*always", "cut*always"] {
        env.sandbox.faults().script(&format!("fileago/groups:{fault}")).unwrap();
        let ran = env.home.run(&["put", "a.txt", "fileago:/"]).ends_with(0).says("warning: the groups can't be told now");
        assert_eq!(ran.stderr.matches("groups").count(), 1, "{}", ran.stderr);
        env.sandbox.faults().clear();
    }
    let about = env.home.run(&["about", "--json", "fileago:"]).ends_with(0).events("about");
    assert!(about[0]["extra"]["groups"].is_array(), "{about:?}");
}

#[test]
fn a_failure_names_its_source() {
    let env = TestEnv::new();
    env.home.file("src/f.txt", "content");
    let missing = env.home.run(&["put", "--json", "src/f.txt", "nope", "giga0:"]).ends_with(9).events("failed");
    assert_eq!((missing.len(), &missing[0]["source"], missing[0].get("path")), (1, &"nope".into(), None));
    let twice = env.home.run(&["put", "--json", "src/f.txt", "src/", "giga0:/t/"]).ends_with(2).events("failed");
    assert_eq!(twice[0]["source"], "src/f.txt");
    env.home.run(&["put", "src/f.txt", "giga0:/demo/src/"]).ends_with(0);
    let below = env.home.run(&["put", "src/f.txt", "giga0:/demo/src/f.txt/"]).ends_with(6);
    below.says("haul: src/f.txt: giga0:/demo/src/f.txt: a file of this name is in the way");
}
