//! Folders that a server lists inside themselves: every walk of the tree ends.

use haul::sandbox::Canned;

use crate::support::env::TestEnv;

/// How often a wrong answer is given at most: a walk that never ends shows without taking for ever.
const TURNS: u64 = 40;

fn id(env: &TestEnv, address: &str) -> String {
    let ran = env.home.run(&["stat", "--json", address]).ends_with(0);
    ran.events("entry")[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_circle_is_fetched_once() {
    let env = TestEnv::new();
    env.sandbox.fill("fileago", "/in/old", ["e.mov".to_owned()].into_iter(), b"12345").unwrap();
    let (top, old) = (id(&env, "fileago:/in"), id(&env, "fileago:/in/old"));
    let row = |name: &str, uuid: &str| format!(r#"{{"name":"{name}","type":"Dir","uuid":"{uuid}","size":1}}"#);
    let circle = format!(r#"{{"status":"success","data":[{},{}]}}"#, row("back", &top), row("self", &old));
    let asked = env.sandbox.counts().requests("fileago", "dirlist");
    // The home and /in are listed as they are.
    env.sandbox.faults().answer(Canned::new("fileago", "dirlist", 200, circle).after(2).times(TURNS));
    let ran = env.home.run(&["get", "--json", "fileago:/in", "here/"]).ends_with(11);
    let why: Vec<_> = ran.events("failed").iter().map(|f| f["error"]["message"].as_str().unwrap().to_owned()).collect();
    assert!(why.len() == 2 && why.iter().all(|why| why.contains("lists this folder inside itself")), "{why:?}");
    let asked = env.sandbox.counts().requests("fileago", "dirlist") - asked;
    assert!(asked < 6, "{asked} listings");
}

#[test]
fn a_circle_is_not_copied_for_ever() {
    let env = TestEnv::new();
    env.sandbox.fill("giga0", "/in/old", ["e.mov".to_owned()].into_iter(), b"12345").unwrap();
    let old = id(&env, "giga0:/in/old");
    let circle = format!(r#"{{"_status":"success","data":{{"folders":[{{"id":"{old}","folderName":"old"}}],"files":[]}}}}"#);
    env.sandbox.faults().answer(Canned::new("giga0", "folder/listing", 200, circle).after(3).times(TURNS));
    // A dry run: what is to be made is not listed.
    let ran = env.home.run(&["cp", "-rn", "--json", "giga0:/in", "giga0:/copy"]);
    assert!(ran.status != 0 && ran.stderr.contains("lists this folder inside itself"), "{} {}{}", ran.status, ran.stdout, ran.stderr);
    let asked = env.sandbox.counts().requests("giga0", "folder/listing");
    assert!(asked < 12, "{asked} listings");
}
