//! For random trees on both sides: a second sync has nothing to do, and a sync that deletes makes both sides equal.

use std::collections::BTreeMap;

use super::{counts, deleting, files_at};
use crate::support::env::{Content, TestEnv, bytes};
use crate::support::random::{Random, env_number};

const ROUNDS: u64 = 4;
/// No name is a file in one tree and a folder in another: that is a failure of its own.
const FOLDERS: [&str; 5] = ["", "d/", "d/e/", "größe ✓/", "x y/z/"];
const FILES: [&str; 6] = ["a.txt", "b.bin", "c", "q\"#%&+.txt", ".hidden", "ä"];

fn random_tree(random: &mut Random) -> BTreeMap<String, Content> {
    let mut tree = BTreeMap::new();
    for _ in 0..random.below(12) {
        let name = format!("{}{}", random.text(&FOLDERS), random.text(&FILES));
        // giga0 stores no empty files. Few contents and sizes: some are the same on both sides, some have only the size in common.
        tree.insert(name, bytes(*random.of(&[1, 2, 100, 3_000]), random.below(3) as u32 + 1));
    }
    tree
}

fn write(env: &TestEnv, folder: &str, tree: &BTreeMap<String, Content>) {
    let _ = std::fs::remove_dir_all(env.path(folder));
    std::fs::create_dir_all(env.path(folder)).unwrap();
    for (name, content) in tree {
        env.home.file(&format!("{folder}/{name}"), &content.0);
    }
}

fn rounds(salt: u64, one: impl Fn(&TestEnv, &mut Random, u64)) {
    let env = TestEnv::new();
    let mut random = Random::from_env(salt);
    for round in 0..env_number("HAUL_TEST_ROUNDS", ROUNDS) {
        one(&env, &mut random, round);
    }
}

#[test]
fn up_a_second_run_sends_nothing_and_deletion_makes_both_equal() {
    for (salt, remote) in deleting().into_iter().enumerate() {
        rounds(salt as u64, |env, random, round| {
            let place = format!("{remote}:/r{round}");
            let (there, here) = (random_tree(random), random_tree(random));
            write(env, "there", &there);
            write(env, "here", &here);
            env.home.run(&["put", "-q", "there/", &place]).ends_with(0);
            env.home.run(&["mkdir", "-p", &format!("{place}/hollow/deep")]).ends_with(0);
            let what = format!("{remote}: {there:?} gets {here:?}");
            let ran = env.json(&["sync", "here", &place]).ends_with(0);
            let mut both = there.clone();
            both.extend(here.clone());
            assert_eq!(files_at(env, &place), both, "{what}: {}", ran.stdout);
            let ran = env.json(&["sync", "here", &place]).ends_with(0);
            assert_eq!(counts(&ran).0, 0, "{what}: {}", ran.stdout);
            if here.is_empty() {
                return;
            }
            env.json(&["sync", "--delete", "--max-delete", "99", "--track-renames", "here", &place]).ends_with(0);
            assert_eq!(files_at(env, &place), here, "{what}");
            assert!(!env.there(&place).iter().any(|path| path.contains("hollow")), "{what}");
            let ran = env.json(&["sync", "--delete", "here", &place]).ends_with(0);
            assert_eq!((counts(&ran).0, counts(&ran).2, counts(&ran).3), (0, 0, 0), "{what}: {}", ran.stdout);
        });
    }
}

#[test]
fn down_a_second_run_fetches_nothing_and_deletion_makes_both_equal() {
    for (salt, remote) in deleting().into_iter().enumerate() {
        rounds(100 + salt as u64, |env, random, round| {
            let place = format!("{remote}:/r{round}");
            let (there, here) = (random_tree(random), random_tree(random));
            write(env, "there", &there);
            write(env, "here", &here);
            std::fs::create_dir_all(env.path("here/hollow/deep")).unwrap();
            env.home.run(&["put", "-q", "there/", &place]).ends_with(0);
            env.home.run(&["mkdir", "-p", &place]).ends_with(0);
            let what = format!("{remote}: {here:?} gets {there:?}");
            env.json(&["sync", &place, "here"]).ends_with(0);
            let mut both = here.clone();
            both.extend(there.clone());
            assert_eq!(env.local("here"), both, "{what}");
            let ran = env.json(&["sync", &place, "here"]).ends_with(0);
            assert_eq!(counts(&ran).0, 0, "{what}: {}", ran.stdout);
            if there.is_empty() {
                return;
            }
            env.json(&["sync", "--delete", "--max-delete", "99", "--track-renames", &place, "here"]).ends_with(0);
            assert_eq!(env.local("here"), there, "{what}");
            assert!(!env.path("here/hollow").exists(), "{what}");
        });
    }
}

#[test]
fn across_deletion_makes_both_equal() {
    let pairs = [("giga0", "fileago"), ("fileago", "ftp"), ("ftp", "giga0"), ("giga0", "giga0"), ("fileago", "fileago"), ("ftp", "ftp")];
    for (salt, (from, to)) in pairs.into_iter().enumerate() {
        rounds(200 + salt as u64, |env, random, round| {
            if round >= 2 {
                return;
            }
            let (source, place) = (format!("{from}:/s{round}"), format!("{to}:/t{round}"));
            let (there, here) = (random_tree(random), random_tree(random));
            write(env, "there", &there);
            write(env, "here", &here);
            env.home.run(&["put", "-q", "there/", &place]).ends_with(0);
            env.home.run(&["put", "-q", "here/", &source]).ends_with(0);
            env.home.run(&["mkdir", "-p", &source]).ends_with(0);
            if here.is_empty() {
                return;
            }
            let what = format!("{from} {here:?} to {to} {there:?}");
            env.json(&["sync", "--delete", "--max-delete", "99", "--track-renames", &source, &place]).ends_with(0);
            assert_eq!(files_at(env, &place), here, "{what}");
            let ran = env.json(&["sync", "--delete", &source, &place]).ends_with(0);
            assert_eq!((counts(&ran).0, counts(&ran).2), (0, 0), "{what}: {}", ran.stdout);
        });
    }
}
