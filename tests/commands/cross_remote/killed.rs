//! `cp` and `mv` between remotes are killed with SIGKILL at random moments, then run again: each file exists once with its
//! content, and a moved file exists on at least one side at every moment.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::env::{Content, TestEnv, bytes};
use crate::support::kill::{kill_after, source_tree};
use crate::support::random::Random;

fn there(env: &TestEnv, remote: &str, folder: &str) -> BTreeMap<String, Content> {
    let below = |(path, content): (String, Content)| Some((path.strip_prefix(folder)?.to_owned(), content));
    env.arrivals(remote).into_iter().filter_map(below).collect()
}

/// At this rate most moments fall into the sending.
fn slow<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--bwlimit", "600K"]].concat()
}

/// How long a run takes that is not killed.
fn measure_run(env: &TestEnv, args: &[&str]) -> Duration {
    let begun = Instant::now();
    env.home.run(&slow(args)).ends_with(0);
    begun.elapsed()
}

/// `cp` or `mv` of a folder, killed and run to its end; returns whether it was killed while it worked.
fn survives(env: &TestEnv, files: &BTreeMap<String, Content>, args: &[&str], wait: Duration) -> bool {
    let killed = kill_after(env, &slow(args), wait);
    let (from, to) = (args[args.len() - 2].split_once(':').unwrap(), args[args.len() - 1].split_once(':').unwrap());
    let mut anywhere = there(env, to.0, &format!("{}src/", to.1));
    anywhere.extend(there(env, from.0, &format!("{}/", from.1)));
    assert_eq!(&anywhere, files, "killed after {wait:?}: each is there, or still here");
    // A move may have come to its end just before it was killed.
    if env.home.run(&["stat", args[args.len() - 2]]).status == 0 {
        env.home.run(args).ends_with(0);
    }
    assert_eq!(&there(env, to.0, &format!("{}src/", to.1)), files, "killed after {wait:?}");
    let mut names = env.listed_names(&format!("{}:{}src", to.0, to.1));
    names.sort();
    assert_eq!(names, files.keys().cloned().collect::<Vec<_>>(), "killed after {wait:?}");
    killed
}

#[test]
fn a_copy_survives_kills() {
    let env = TestEnv::new();
    let files = source_tree(&env);
    env.home.run(&["put", "src", "giga0:/"]).ends_with(0);
    let (mut random, mut killed) = (Random::from_env(7), 0);
    let whole = measure_run(&env, &["cp", "giga0:/src", "fileago:/measured/"]).as_micros() as u64;
    for (round, to) in ["iogates", "fileago"].iter().cycle().take(8).enumerate() {
        let target = format!("{to}:/round-{round}/");
        let cp = ["cp", "--json", "--chunk-size", "262144", "giga0:/src", &target];
        killed += u32::from(survives(&env, &files, &cp, Duration::from_micros(random.below(whole as usize) as u64)));
        let third = env.home.run(&cp).ends_with(0);
        assert_eq!(third.events("skipped").len(), files.len(), "a third run has nothing to do: {}", third.stdout);
    }
    assert!(killed >= 3, "only {killed} of 8 runs were killed while they worked");
}

#[test]
fn a_move_survives_kills_and_loses_nothing() {
    let env = TestEnv::new();
    let files = source_tree(&env);
    let (mut random, mut killed) = (Random::from_env(8), 0);
    env.home.run(&["put", "src", "giga0:/measured/"]).ends_with(0);
    let whole = measure_run(&env, &["mv", "giga0:/measured/src", "fileago:/measured/"]).as_micros() as u64;
    for round in 0..8 {
        let (from, to) = if round % 2 == 0 { ("giga0", "fileago") } else { ("fileago", "giga0") };
        let top = format!("{from}:/from-{round}/");
        env.home.run(&["put", "src", &top]).ends_with(0);
        let (source, target) = (format!("{top}src"), format!("{to}:/round-{round}/"));
        let mv = ["mv", "--json", &source, &target];
        killed += u32::from(survives(&env, &files, &mv, Duration::from_micros(random.below(whole as usize) as u64)));
        let left = env.home.run(&["stat", &source]);
        left.ends_with(3);
    }
    assert!(killed >= 3, "only {killed} of 8 runs were killed while they worked");
}

#[test]
fn a_move_that_was_killed_before_its_last_step_takes_it() {
    let env = TestEnv::new();
    env.store("fileago", "/f.bin", &bytes(100_000, 4));
    env.home.run(&["cp", "fileago:/f.bin", "giga0:/f.bin"]).ends_with(0);
    let dry = env.home.run(&["mv", "-n", "--json", "fileago:/f.bin", "giga0:/f.bin"]).ends_with(0);
    assert_eq!(dry.events("skipped").len(), 1);
    env.home.run(&["stat", "fileago:/f.bin"]).ends_with(0);
    let ran = env.home.run(&["mv", "--json", "fileago:/f.bin", "giga0:/f.bin"]).ends_with(0);
    assert_eq!(ran.events("skipped")[0]["reason"], "unchanged since it was put there; its source is removed");
    env.home.run(&["stat", "fileago:/f.bin"]).ends_with(3);
    assert_eq!(env.arrivals("giga0")["/f.bin"], bytes(100_000, 4));
}

#[test]
fn a_big_copy_is_resumed_inside_and_listed_meanwhile() {
    let env = TestEnv::new();
    let content = bytes(3_000_000, 5);
    env.store("giga0", "/big.bin", &content);
    for (round, resume) in [None, Some(&["transfers", "resume", "--json"])].into_iter().enumerate() {
        let target = format!("iogates:/in/{round}.bin");
        let args = ["cp", "--json", "--chunk-size", "262144", "giga0:/big.bin", &target];
        let slow: Vec<&str> = args.iter().copied().chain(["--bwlimit", "1M"]).collect();
        assert!(kill_after(&env, &slow, Duration::from_millis(1_500)));
        let listed = env.home.run(&["transfers", "list", "--json"]).ends_with(0).events("transfers");
        assert_eq!((listed.len(), &listed[0]["source"]), (1, &"giga0:/big.bin".into()));
        let ran = env.home.run(resume.map_or(&args[..], |resume| &resume[..])).ends_with(0);
        let copied = &ran.events("copied")[0];
        assert!(copied["resumed_from"].as_u64().unwrap() > 0 && copied["verified"] == "md5", "{copied}");
        assert_eq!(env.arrivals("iogates")[&format!("/in/{round}.bin")], content);
    }
}
