//! `sync --delete` is killed with SIGKILL at random moments, then typed again: both sides are equal, nothing is there twice, and
//! whatever was deleted before the kill was deleted because all files had arrived.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::support::env::{Content, Play, text};
use crate::support::kill::{kill_after, source_tree};
use crate::support::random::{Random, env_number};

const KILLS: u64 = 10;

fn files(play: &Play, place: &str) -> BTreeMap<String, Content> {
    let _ = std::fs::remove_dir_all(play.path("look"));
    std::fs::create_dir(play.path("look")).unwrap();
    if play.home.run(&["stat", place]).status == 0 {
        play.home.run(&["get", "-q", &format!("{place}/"), "look"]).ends_with(0);
    }
    play.local("look")
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
    for (salt, remote) in ["giga0", "fileago", "ftp"].into_iter().enumerate() {
        let play = Play::new();
        let wanted = source_tree(&play);
        let mut random = Random::from_env(400 + salt as u64);
        let begun = Instant::now();
        play.home.run(&run(&args("src", &format!("{remote}:/measured"), true))).ends_with(0);
        let whole = begun.elapsed();
        for round in 0..env_number("HAUL_TEST_KILLS", KILLS) {
            let place = format!("{remote}:/round-{round}");
            play.add_files(remote, &[&format!("/round-{round}/old"), &format!("/round-{round}/deep/older")]);
            let wait = Duration::from_micros(random.below(whole.as_micros() as usize) as u64);
            kill_after(&play, &run(&args("src", &place, true)), wait);
            let what = format!("{remote}, killed after {wait:?}");
            let between = files(&play, &place);
            let is_old = |name: &str| name == "old" || name == "deep/older";
            let has_all = wanted.iter().all(|(name, content)| between.get(name) == Some(content));
            assert!(has_all || between.keys().filter(|name| is_old(name)).count() == 2, "{what}: deleted too early: {between:?}");
            let ran = play.home.run(&run(&args("src", &place, false))).ends_with(0);
            assert_eq!(files(&play, &place), wanted, "{what}: {}", ran.stdout);
            let ran = play.home.run(&run(&args("src", &place, false))).ends_with(0);
            assert_eq!((ran.events("skipped").len(), ran.json().len()), (wanted.len(), wanted.len() + 1), "{what}: {}", ran.stdout);
        }
    }
}

#[test]
fn down_both_sides_are_equal_in_the_end() {
    let play = Play::new();
    let wanted = source_tree(&play);
    play.home.run(&["put", "-q", "src/", "giga0:/from"]).ends_with(0);
    let mut random = Random::from_env(500);
    let begun = Instant::now();
    play.home.run(&run(&args("giga0:/from", "measured", true))).ends_with(0);
    let whole = begun.elapsed();
    for round in 0..env_number("HAUL_TEST_KILLS", KILLS) {
        let folder = format!("here-{round}");
        play.home.file(&format!("{folder}/old/er"), "old");
        let wait = Duration::from_micros(random.below(whole.as_micros() as usize) as u64);
        kill_after(&play, &run(&args("giga0:/from", &folder, true)), wait);
        let what = format!("killed after {wait:?}");
        let between = play.local(&folder);
        let has_all = wanted.iter().all(|(name, content)| between.get(name) == Some(content));
        assert!(has_all || between.get("old/er") == Some(&text("old")), "{what}: deleted too early: {between:?}");
        play.home.run(&run(&args("giga0:/from", &folder, false))).ends_with(0);
        assert_eq!(play.local(&folder), wanted, "{what}");
    }
}
