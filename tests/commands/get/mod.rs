//! `haul get` in the sandbox: the targets of files, the verification, the refusals.

mod selection;

use std::collections::BTreeMap;

use crate::support::command::Ran;
use crate::support::env::{Content, TestEnv, below, bytes, text, tree};
use crate::support::remotes::hosts;

fn md5(content: &Content) -> String {
    format!("{:x}", md5::compute(&content.0))
}

#[test]
fn a_folder_comes_down_whole_from_every_provider() {
    let env = TestEnv::new();
    let files = tree(&env.home);
    for remote in hosts() {
        env.home.run(&["put", "-q", "src", &format!("{remote}:/in/")]).ends_with(0);
        let out = format!("out-{remote}");
        let ran = env.get(&[&format!("{remote}:/in/src"), &out]).ends_with(0);
        let there: BTreeMap<_, _> = below("src", &files);
        assert_eq!(env.local(&out), there, "{remote}");
        let events = ran.events("downloaded");
        assert_eq!(events.len(), files.len(), "{remote}");
        for event in &events {
            let path = event["path"].as_str().unwrap();
            let content = &files[path.strip_prefix("/in/src/").unwrap()];
            assert_eq!((&event["schema"], &event["size"], &event["protocol"]), (&1.into(), &content.0.len().into(), &"http".into()));
            assert_eq!((&event["verified"], &event["md5"]), (&"md5".into(), &md5(content).into()), "{remote}: told, or known from the put");
            assert_eq!(event["source"], format!("{remote}:{path}"));
            assert_eq!(event["target"], format!("{out}/{}", path.strip_prefix("/in/").unwrap()));
            assert_eq!((&event["resumed_from"], &event["retries"]), (&0.into(), &0.into()));
        }
        let last = ran.json().pop().unwrap();
        assert_eq!((&last["event"], &last["files"], &last["failed"]), (&"summary".into(), &files.len().into(), &0.into()));
        let contents = format!("contents-{remote}");
        env.get(&[&format!("{remote}:/in/src/"), &contents]).ends_with(0);
        assert_eq!(env.local(&contents), files, "{remote}: what is inside");
    }
}

#[test]
fn without_what_an_earlier_put_knew_size_or_md5_is_compared() {
    let env = TestEnv::new();
    let content = bytes(100_000, 4);
    let stranger = env.home.file("other-state/.keep", "").parent().unwrap().display().to_string();
    for remote in hosts() {
        env.store(remote, "/f.bin", &content);
        let mut command = env.home.command(&["get", "--json", &format!("{remote}:/f.bin"), &format!("{remote}.bin")]);
        let ran = Ran::of(command.env("XDG_STATE_HOME", &stranger).output().unwrap()).ends_with(0);
        let verified = if remote == "iogates" { "md5" } else { "size" };
        assert_eq!(ran.events("downloaded")[0]["verified"], verified, "{remote}");
        let ran = env.get(&["--checksum", "after", &format!("{remote}:/f.bin"), &format!("{remote}-2.bin")]).ends_with(0);
        assert_eq!(ran.events("downloaded")[0]["md5"], md5(&content));
        let ran = env.get(&["--checksum", "none", &format!("{remote}:/f.bin"), &format!("{remote}-3.bin")]).ends_with(0);
        // ioGates lists no sizes, and what the answer itself says proves nothing.
        let verified = if remote == "iogates" { "none" } else { "size" };
        assert_eq!((&ran.events("downloaded")[0]["verified"], &ran.events("downloaded")[0]["md5"]), (&verified.into(), &().into()));
    }
}

#[test]
fn where_a_download_lands() {
    let env = TestEnv::new();
    for remote in hosts() {
        env.store(remote, "/a/f.txt", &text("f"));
        env.store(remote, "/a/sub/g.txt", &text("g"));
        let (f, a) = (format!("{remote}:/a/f.txt"), format!("{remote}:/a"));
        let at = |name: &str| format!("{remote}/{name}");
        env.get(&[&f, &at("deep/new-name.txt")]).ends_with(0);
        env.get(&[&f, &at("slash/")]).ends_with(0);
        env.get(&[&f, &at("slash")]).ends_with(0);
        env.get(&[&f, &format!("{remote}:/a/sub/g.txt"), &at("several")]).ends_with(0);
        env.get(&[&a, &at("whole")]).ends_with(0);
        let paths: Vec<String> = env.local(remote).into_keys().collect();
        assert_eq!(
            paths,
            ["deep/new-name.txt", "several/f.txt", "several/g.txt", "slash/f.txt", "whole/a/f.txt", "whole/a/sub/g.txt"],
            "{remote}"
        );
        let id = env.home.run(&["ls", "--json", &f]).ends_with(0).json()[0]["id"].as_str().unwrap().to_owned();
        let ran = env.get(&[&format!("{remote}:@{id}"), &at("by-id/")]).ends_with(0);
        assert_eq!(env.local(&at("by-id")), BTreeMap::from([("f.txt".to_owned(), text("f"))]), "{remote}");
        // ioGates tells the way from the top to everything.
        let source = if remote == "iogates" { f.clone() } else { format!("{remote}:@{id}") };
        assert_eq!(ran.events("downloaded")[0]["source"], source);
        let mut here = env.home.command(&["get", "-q", &f]);
        let folder = env.path(&at("cwd"));
        std::fs::create_dir(&folder).unwrap();
        Ran::of(here.current_dir(&folder).output().unwrap()).ends_with(0);
        assert_eq!(env.local(&at("cwd")).into_keys().collect::<Vec<_>>(), ["f.txt"], "LOCAL is the working directory");
    }
    env.get(&["giga0:/a/f.txt", "fileago:/a/sub/g.txt", "both/"]).ends_with(0);
    assert_eq!(env.local("both").len(), 2, "from two remotes at once");
}

#[test]
fn what_is_here_is_treated_as_asked() {
    let env = TestEnv::new();
    for remote in hosts() {
        env.store(remote, "/v.txt", &text("there"));
        let target = env.home.file(&format!("{remote}/v.txt"), "local");
        let get = |policy: &str| env.get(&["--if-exists", policy, &format!("{remote}:/v.txt"), &format!("{remote}/")]);
        get("fail").ends_with(6);
        assert_eq!(get("skip").ends_with(0).events("skipped")[0]["target"], format!("{remote}/v.txt"));
        assert_eq!(std::fs::read(&target).unwrap(), b"local");
        assert_eq!(get("rename").ends_with(0).events("downloaded")[0]["target"], format!("{remote}/v (2).txt"));
        assert_eq!(get("update").ends_with(0).events("downloaded").len(), 1, "{remote}: same size, other content");
        assert_eq!(std::fs::read(&target).unwrap(), b"there");
        let reason = || get("update").ends_with(0).events("skipped")[0]["reason"].as_str().unwrap().to_owned();
        // Only ioGates tells an MD5 in its listings.
        let by_signs = if remote == "iogates" { "same MD5" } else { "unchanged since it was fetched" };
        assert_eq!([reason(), reason()], ["same MD5", by_signs], "{remote}");
        std::fs::write(&target, "there").unwrap();
        assert_eq!([reason(), reason()], ["same MD5", by_signs], "{remote}");
        assert_eq!(get("replace").ends_with(0).events("downloaded").len(), 1);
        std::fs::remove_file(&target).unwrap();
        std::fs::create_dir(&target).unwrap();
        get("replace").ends_with(6).says("a folder of this name is in the way");
    }
}

/// The new name of one file is the own name of another that is still on its way.
#[test]
fn two_files_of_one_run_get_two_names() {
    let env = TestEnv::new();
    let (first, second) = (bytes(2_000_000, 7), bytes(2_000_001, 8));
    for remote in hosts() {
        env.store(remote, "/d/x (2).mov", &first);
        env.store(remote, "/d/x.mov", &second);
        env.home.file(&format!("{remote}/x.mov"), "mine");
        let get = |more: &[&str]| env.get(&[more, &["--if-exists", "rename", &format!("{remote}:/d/"), remote]].concat()).ends_with(0);
        let planned = get(&["-n", "-j", "1"]).events("planned");
        let targets: Vec<_> = planned.iter().map(|event| event["target"].as_str().unwrap()).collect();
        assert_eq!(targets, [format!("{remote}/x (2).mov"), format!("{remote}/x (3).mov")]);
        // A line that breaks keeps the first on its way while the second looks for a name.
        env.sandbox.faults().script(&format!("{remote}/download:cut=1000000*2")).unwrap();
        get(&["-j", "4"]);
        let mut here: Vec<_> = env.local(remote).into_values().collect();
        here.sort_by_key(|content| content.0.len());
        assert_eq!(here, [text("mine"), first.clone(), second.clone()], "{remote}");
    }
}

#[test]
fn a_dry_run_fetches_nothing() {
    let env = TestEnv::new();
    tree(&env.home);
    for remote in hosts() {
        env.home.run(&["put", "-q", "src", &format!("{remote}:/")]).ends_with(0);
        let ran = env.get(&["-n", &format!("{remote}:/src"), "dry"]).ends_with(0);
        let planned = ran.events("planned");
        assert_eq!(planned.len(), 4, "{remote}");
        assert!(planned.iter().all(|e| e["action"] == "download" && e["target"].as_str().unwrap().starts_with("dry/src/")), "{planned:?}");
        assert!(!env.path("dry").exists());
    }
}

#[test]
fn bad_input_is_reported() {
    let env = TestEnv::new();
    let home = &env.home;
    home.file("file", "x");
    for remote in hosts() {
        env.store(remote, "/d/f.txt", &text("x"));
        home.run(&["get", &format!("{remote}:/nope"), "."]).ends_with(3).says("/nope");
        home.run(&["get", &format!("{remote}:/d/f.txt/"), "."]).ends_with(3).says("this is a file, not a folder");
        home.run(&["get", &format!("{remote}:/d"), "file"]).ends_with(6).says("in the way of the folder");
        home.run(&["get", &format!("{remote}:/d/f.txt"), &format!("{remote}:/d/f.txt"), "twice/"])
            .ends_with(9)
            .says("two sources have the same target");
        home.run(&["get", &format!("{remote}:/d/f.txt"), "file/x"]).ends_with(12);
        home.run(&["get", &format!("{remote}:/d/f.txt"), ".f.haul-part"]).ends_with(8);
    }
    home.run(&["get", "nowhere:/x"]).ends_with(3).says("there is no such remote");
    home.run(&["get", "local", "other"]).ends_with(2).says("REMOTE:PATH");
    home.run(&["get", "local"]).ends_with(2).says("REMOTE:PATH");
    home.run(&["get"]).ends_with(2);
    home.run(&["get", "--streams", "0", "giga0:/d"]).ends_with(2);
    home.run(&["cat", "local"]).ends_with(2);
}

#[test]
fn many_small_files_at_once() {
    let env = TestEnv::new();
    for n in 0..60 {
        env.home.file(&format!("many/{n:03}.txt"), format!("file {n}"));
    }
    for remote in hosts() {
        env.home.run(&["put", "-j", "8", "-q", "many", &format!("{remote}:/")]).ends_with(0);
        let out = format!("out-{remote}");
        env.home.run(&["get", "-j", "8", "-q", &format!("{remote}:/many"), &out]).ends_with(0);
        let here = env.local(&out);
        assert_eq!(here.len(), 60, "{remote}");
        assert_eq!(here["many/041.txt"], text("file 41"));
    }
}
