//! `sync --delete` is killed with SIGKILL at random moments, then run again: both sides are equal, no file exists twice, and
//! files were deleted before the kill only after all files had arrived.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::env::{Content, TestEnv, text};
use crate::support::kill::{kill_after, source_tree};
use crate::support::random::{Random, env_number};
use crate::support::remotes::that_can;

const KILLS: u64 = 10;

fn files(env: &TestEnv, place: &str) -> BTreeMap<String, Content> {
    let _ = std::fs::remove_dir_all(env.path("look"));
    std::fs::create_dir(env.path("look")).unwrap();
    if env.home.run(&["stat", place]).status == 0 {
        env.home.run(&["get", "-q", &format!("{place}/"), "look"]).ends_with(0);
    }
    env.local("look")
}

fn args(from: &str, to: &str, slowly: bool) -> Vec<String> {
    let mut args = ["sync", "--json", "--delete", "--max-delete", "9", "--chunk-size", "65536", from, to].map(str::to_owned).to_vec();
    if slowly {
        args.extend(["--bwlimit".to_owned(), "900K".to_owned()]);
    }
    args
}

fn run(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

#[test]
fn up_both_sides_are_equal_in_the_end() {
    for (salt, remote) in that_can(&["list", "remove"]).into_iter().enumerate() {
        let env = TestEnv::new();
        let wanted = source_tree(&env);
        let mut random = Random::from_env(400 + salt as u64);
        let begun = Instant::now();
        env.home.run(&run(&args("src", &format!("{remote}:/measured"), true))).ends_with(0);
        let whole = begun.elapsed();
        for round in 0..env_number("HAUL_TEST_KILLS", KILLS) {
            let place = format!("{remote}:/round-{round}");
            env.add_files(remote, &[&format!("/round-{round}/old"), &format!("/round-{round}/deep/older")]);
            let wait = Duration::from_micros(random.below(whole.as_micros() as usize) as u64);
            kill_after(&env, &run(&args("src", &place, true)), wait);
            let what = format!("{remote}, killed after {wait:?}");
            let between = files(&env, &place);
            let is_old = |name: &str| name == "old" || name == "deep/older";
            let has_all = wanted.iter().all(|(name, content)| between.get(name) == Some(content));
            assert!(has_all || between.keys().filter(|name| is_old(name)).count() == 2, "{what}: deleted too early: {between:?}");
            let ran = env.home.run(&run(&args("src", &place, false))).ends_with(0);
            assert_eq!(files(&env, &place), wanted, "{what}: {}", ran.stdout);
            let ran = env.home.run(&run(&args("src", &place, false))).ends_with(0);
            assert_eq!((ran.events("skipped").len(), ran.json().len()), (wanted.len(), wanted.len() + 1), "{what}: {}", ran.stdout);
        }
    }
}

#[test]
fn down_both_sides_are_equal_in_the_end() {
    let env = TestEnv::new();
    let wanted = source_tree(&env);
    env.home.run(&["put", "-q", "src/", "giga0:/from"]).ends_with(0);
    let mut random = Random::from_env(500);
    let begun = Instant::now();
    env.home.run(&run(&args("giga0:/from", "measured", true))).ends_with(0);
    let whole = begun.elapsed();
    for round in 0..env_number("HAUL_TEST_KILLS", KILLS) {
        let folder = format!("here-{round}");
        env.home.file(&format!("{folder}/old/er"), "old");
        let wait = Duration::from_micros(random.below(whole.as_micros() as usize) as u64);
        kill_after(&env, &run(&args("giga0:/from", &folder, true)), wait);
        let what = format!("killed after {wait:?}");
        let between = env.local(&folder);
        let has_all = wanted.iter().all(|(name, content)| between.get(name) == Some(content));
        assert!(has_all || between.get("old/er") == Some(&text("old")), "{what}: deleted too early: {between:?}");
        env.home.run(&run(&args("giga0:/from", &folder, false))).ends_with(0);
        assert_eq!(env.local(&folder), wanted, "{what}");
    }
}
