//! A killed command as a whole: it is listed with its files, and `transfers resume` finishes all of them.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::env::{TestEnv, bytes};
use crate::support::kill::kill_put;
use crate::support::remotes::hosts;

const FILES: usize = 20;

fn fill(env: &TestEnv) {
    (0..FILES).for_each(|n| drop(env.home.file(&format!("d/{n:02}.bin"), bytes(100_000, n as u32 + 1).0)));
}

fn runs(env: &TestEnv) -> Vec<Value> {
    env.home.run(&["transfers", "list", "--json"]).ends_with(0).events("run")
}

/// Kills it when so many files have arrived there.
fn killed_at(env: &TestEnv, args: &[&str], remote: &str, files: usize) {
    let mut child = env.home.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while env.arrivals(remote).len() < files {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none(), "it was not caught under way");
        std::thread::sleep(Duration::from_millis(3));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_put_is_finished_whole() {
    for remote in hosts() {
        let env = TestEnv::new();
        fill(&env);
        killed_at(&env, &["put", "-j", "2", "--bwlimit", "300K", "d/", &format!("{remote}:/in")], remote, 5);
        let left = runs(&env);
        let [run] = &left[..] else { panic!("{left:?}") };
        let count = |name: &str| run[name].as_u64().unwrap();
        assert_eq!((count("files"), &run["remote"], &run["path"], &run["command"][0]), (20, &remote.into(), &"/in".into(), &"put".into()));
        assert_eq!(count("done") + count("failed") + count("in_flight") + count("not_begun"), 20, "{run}");
        assert!(count("done") > 0 && count("not_begun") > 0 && count("failed") == 0, "{run}");
        let shown = env.home.run(&["transfers", "list"]).ends_with(0);
        assert!(shown.stdout.contains("of 20 files done") && shown.stdout.contains("not begun"), "{}", shown.stdout);
        // From another folder, and more at once.
        env.home.file("elsewhere/x", "");
        let mut resume = env.home.command(&["transfers", "resume", "--json", "-j", "8"]);
        let ran = crate::support::command::Ran::of(resume.current_dir(env.home.path().join("elsewhere")).output().unwrap()).ends_with(0);
        let there = env.arrivals(remote);
        assert_eq!(there.len(), FILES, "{remote}");
        (0..FILES).for_each(|n| assert_eq!(there[&format!("/in/{n:02}.bin")], bytes(100_000, n as u32 + 1), "{remote} {n}"));
        assert!(ran.events("uploaded").len() < FILES, "{remote}: what was there is not sent again");
        assert_eq!(env.home.run(&["transfers", "list", "--json"]).ends_with(0).stdout, "", "{remote}");
    }
}

#[test]
fn the_same_command_typed_again_takes_the_place_of_the_killed_one() {
    let env = TestEnv::new();
    fill(&env);
    killed_at(&env, &["put", "-j", "1", "--bwlimit", "300K", "d/", "giga0:/in"], "giga0", 2);
    assert_eq!(runs(&env).len(), 1);
    env.home.run(&["put", "d/", "giga0:/in"]).ends_with(0);
    assert_eq!((runs(&env).len(), env.arrivals("giga0").len()), (0, FILES));
}

#[test]
fn what_is_to_be_done_stays_as_it_was_typed() {
    let env = TestEnv::new();
    fill(&env);
    killed_at(
        &env,
        &["put", "-j", "1", "--bwlimit", "300K", "--protocol", "ftps", "--checksum", "none", "d/", "iogates:/in"],
        "iogates",
        2,
    );
    let ran = env.home.run(&["transfers", "resume", "iogates", "--json"]).ends_with(0);
    assert!(ran.events("uploaded").iter().all(|event| event["protocol"] == "ftps"), "{}", ran.stdout);
    assert_eq!(env.arrivals("iogates").len(), FILES);
}

#[test]
fn a_killed_get_and_a_killed_move_are_finished_too() {
    let env = TestEnv::new();
    fill(&env);
    env.home.run(&["put", "d/", "giga0:/in"]).ends_with(0);
    let started = Instant::now();
    let mut child = env.home.command(&["get", "-j", "1", "--bwlimit", "300K", "giga0:/in", "back/"]).stderr(Stdio::null()).spawn().unwrap();
    while !env.home.path().join("back/in/02.bin").exists() {
        assert!(started.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(3));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((runs(&env)[0]["command"][0].clone(), runs(&env)[0]["path"].clone()), ("get".into(), "/in".into()));
    env.home.run(&["transfers", "resume"]).ends_with(0);
    assert_eq!(std::fs::read_dir(env.home.path().join("back/in")).unwrap().count(), FILES);

    killed_at(&env, &["mv", "-j", "1", "--bwlimit", "300K", "giga0:/in", "fileago:/"], "fileago", 3);
    env.home.run(&["transfers", "resume"]).ends_with(0);
    assert_eq!((env.sandbox.entries("giga0", "/in").len(), env.arrivals("fileago").len()), (0, FILES));
    assert_eq!(runs(&env), Vec::<Value>::new());
}

/// The server is down: what was not tried is not forgotten.
#[test]
fn a_run_that_is_given_up_stays_in_the_list() {
    let env = TestEnv::new();
    fill(&env);
    env.home.run(&["put", "d/00.bin", "giga0:/in/"]).ends_with(0);
    env.sandbox.faults().script("giga0/file/upload:503*always").unwrap();
    let ran = env.home.run(&["put", "--retries", "1", "-j", "1", "d/", "giga0:/in"]);
    assert!(ran.status != 0, "{}", ran.stderr);
    let left = runs(&env);
    assert_eq!((left.len(), &left[0]["files"]), (1, &FILES.into()), "{}", ran.stderr);
    env.sandbox.faults().clear();
    env.home.run(&["transfers", "resume"]).ends_with(0);
    assert_eq!((runs(&env).len(), env.arrivals("giga0").len()), (0, FILES));
}

#[test]
fn a_cleared_command_is_forgotten() {
    let env = TestEnv::new();
    env.home.file("big.bin", bytes(super::SIZE, 5).0);
    kill_put(&env, &["big.bin", "fileago:/c/big.bin"], "fileago", 300_000);
    assert_eq!(runs(&env).len(), 1);
    env.home.run(&["transfers", "clear"]).ends_with(0);
    assert_eq!(env.home.run(&["transfers", "list", "--json"]).ends_with(0).stdout, "");
}

#[test]
fn a_killed_apply_is_finished_whole() {
    let env = TestEnv::new();
    fill(&env);
    env.home.run(&["sync", "--plan", "p.jsonl", "d", "giga0:/in"]).ends_with(0);
    killed_at(&env, &["apply", "-j", "2", "--bwlimit", "300K", "p.jsonl"], "giga0", 5);
    let left = runs(&env);
    let [run] = &left[..] else { panic!("{left:?}") };
    let plan = env.path("p.jsonl").display().to_string();
    assert_eq!((&run["command"], &run["remote"]), (&serde_json::json!(["apply", plan]), &"giga0".into()));
    env.home.file("d/later.bin", "no part of the plan");
    let ran = env.home.run(&["transfers", "resume", "--json"]).ends_with(0);
    assert_eq!(env.arrivals("giga0").len(), FILES, "{}", ran.stdout);
    assert!(ran.events("uploaded").len() < FILES, "what was there is not sent again: {}", ran.stdout);
    assert!(runs(&env).is_empty());
    // A plan that is gone can only be forgotten.
    std::fs::remove_dir_all(env.path("d")).unwrap();
    fill(&env);
    env.home.run(&["sync", "--plan", "p.jsonl", "d", "giga0:/again"]).ends_with(0);
    killed_at(&env, &["apply", "-j", "1", "--bwlimit", "300K", "p.jsonl"], "giga0", FILES + 2);
    std::fs::remove_file(env.path("p.jsonl")).unwrap();
    env.home.run(&["transfers", "resume"]).ends_with(3).says("haul transfers clear");
    env.home.run(&["transfers", "clear"]).ends_with(0);
    assert!(runs(&env).is_empty());
}
