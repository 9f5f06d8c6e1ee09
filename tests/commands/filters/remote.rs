//! Filters on files of a remote: `get`, `cp`, `mv`, `rm`, `find`, `du`.

use std::collections::BTreeSet;

use crate::support::env::TestEnv;
use crate::support::listed_tree::{fill, paths};
use crate::support::remotes::that_can;

/// `/in` with seven files: small ones, larger ones below, and an empty folder.
fn filled_env(remotes: &[&str]) -> TestEnv {
    let env = TestEnv::new();
    for remote in remotes {
        fill(&env, remote, "/in", &["a.mov", "b.txt", "x.tmp"], b"12345");
        fill(&env, remote, "/in/clips", &["c.mov", "y.tmp"], &[7; 2000]);
        fill(&env, remote, "/in/clips/old", &["e.mov", "f.txt"], &[7; 10_000]);
        fill(&env, remote, "/in/empty", &[], b"");
    }
    env
}

const FILES: [&str; 7] = ["a.mov", "b.txt", "clips/c.mov", "clips/old/e.mov", "clips/old/f.txt", "clips/y.tmp", "x.tmp"];

fn below(place: &str, env: &TestEnv) -> BTreeSet<String> {
    let top = format!("/{}", place.split_once(":/").unwrap().1);
    env.there(place).into_iter().map(|path| path.strip_prefix(&top).unwrap().trim_start_matches('/').to_owned()).collect()
}

/// What each filter takes of `FILES`.
fn cases() -> Vec<(&'static [&'static str], Vec<&'static str>)> {
    let without = |left_out: &'static [&'static str]| FILES.into_iter().filter(|file| !left_out.contains(file)).collect::<Vec<_>>();
    vec![
        (&["--exclude", "*.tmp"], without(&["x.tmp", "clips/y.tmp"])),
        (&["--exclude", "/x.tmp"], without(&["x.tmp"])),
        (&["--exclude", "old/"], without(&["clips/old/e.mov", "clips/old/f.txt"])),
        (&["--exclude", "clips/", "--include", "clips/c.mov"], vec!["a.mov", "b.txt", "clips/c.mov", "x.tmp"]),
        (&["--include", "*.mov"], vec!["a.mov", "clips/c.mov", "clips/old/e.mov"]),
        (&["--include", "*.mov", "--exclude", "clips/old"], vec!["a.mov", "clips/c.mov"]),
        (&["--exclude", "*.mov", "--include", "c.mov"], without(&["a.mov", "clips/old/e.mov"])),
        (&["--include", "clips/", "--exclude", "*.tmp"], vec!["clips/c.mov", "clips/old/e.mov", "clips/old/f.txt"]),
        (&["--max-depth", "1"], vec!["a.mov", "b.txt", "x.tmp"]),
        (&["--max-depth", "2", "--exclude", "*.tmp"], vec!["a.mov", "b.txt", "clips/c.mov"]),
        (&["--newer", "1h"], FILES.to_vec()),
        (&["--older", "2001-02-03"], vec![]),
    ]
}

fn sized_cases() -> Vec<(&'static [&'static str], Vec<&'static str>)> {
    vec![
        (&["--min-size", "2000"], vec!["clips/c.mov", "clips/old/e.mov", "clips/old/f.txt", "clips/y.tmp"]),
        (&["--max-size", "2000", "--min-size", "6"], vec!["clips/c.mov", "clips/y.tmp"]),
        (&["--max-size", "1K", "--exclude", "*.tmp"], vec!["a.mov", "b.txt"]),
    ]
}

#[test]
fn every_command_that_looks_takes_the_same_files() {
    let env = filled_env(&that_can(&["list"]));
    for remote in that_can(&["list"]) {
        let at = format!("{remote}:/in");
        let sized = if remote == "iogates" { Vec::new() } else { sized_cases() };
        for (number, (filter, files)) in cases().into_iter().chain(sized).enumerate() {
            let told = format!("{remote} {filter:?}");
            let found = env.home.run(&[&["find", "--json", "--kind", "file", &at], filter].concat()).ends_with(0);
            let found: BTreeSet<String> = paths(&found).into_iter().map(|path| path.strip_prefix("/in/").unwrap().to_owned()).collect();
            assert_eq!(found, files.iter().map(|file| (*file).to_owned()).collect(), "find {told}");

            let into = format!("{remote}{number}/");
            let got = env.get(&[filter, &[&at, &into]].concat()).ends_with(0);
            let local: Vec<String> = env.local_or_none(&into).into_keys().collect();
            let wanted: Vec<String> = files.iter().map(|file| format!("in/{file}")).collect();
            assert_eq!(local, wanted, "get {told}: {}", got.stderr);
            if files.is_empty() {
                got.says("nothing fits: no file is taken");
                env.get(&[filter, &[&at, &into, "--fail-if-empty"]].concat()).ends_with(2);
                env.home.run(&[&["find", &at, "--fail-if-empty"], filter].concat()).ends_with(2);
            }
            // `du` has its own --max-depth.
            if !filter.contains(&"--max-depth") {
                let sum = env.home.run(&[&["du", "-s", "--json", &at], filter].concat()).ends_with(0);
                assert_eq!(sum.events("du")[0]["files"], files.len(), "du {told}");
            }
        }
    }
    // Where single files are chosen no folder is made for its own sake.
    assert!(env.path("giga00/in/empty").is_dir() && !env.path("giga04/in/empty").exists());
}

/// ioGates tells no sizes: whoever asks for a size gets what this machine put there itself, and hears of the rest.
#[test]
fn a_size_that_nobody_tells_fits_no_bound() {
    let env = filled_env(&["iogates"]);
    let ran = env.get(&["--max-size", "1M", "iogates:/in", "none/"]).ends_with(0);
    let ran = ran.says("the provider tells no size of 7 entries, which --max-size left out").says("nothing fits");
    assert!(ran.events("failed").is_empty());
    env.home.file("known.txt", "12345");
    env.home.run(&["put", "known.txt", "iogates:/in/"]).ends_with(0);
    env.get(&["--max-size", "1M", "iogates:/in", "one/"]).ends_with(0);
    assert_eq!(env.local("one").into_keys().collect::<Vec<_>>(), ["in/known.txt"]);
}

#[test]
fn a_folder_that_is_left_out_is_not_listed_and_the_reason_is_told() {
    let env = filled_env(&["giga0"]);
    let listings = |args: &[&str]| {
        let before = env.request_count("giga0", "folder/listing");
        let ran = env.home.run(args).ends_with(0);
        (env.request_count("giga0", "folder/listing") - before, ran)
    };
    let (all, _) = listings(&["find", "giga0:/in"]);
    let (fewer, ran) = listings(&["find", "-v", "giga0:/in", "--exclude", "clips/"]);
    assert_eq!(fewer, all - 2, "clips and old");
    ran.says("giga0:/in/clips: left out (--exclude \"clips/\")");
    let (fewer, ran) = listings(&["get", "-v", "giga0:/in", "out/", "--exclude", "clips/", "--exclude", "*.tmp"]);
    assert!(fewer < all, "{fewer}");
    ran.says("giga0:/in/x.tmp: left out (--exclude \"*.tmp\")").says("giga0:/in/clips: left out");
    let quiet = env.home.run(&["get", "giga0:/in", "out2/", "--exclude", "clips/"]).ends_with(0);
    assert!(!quiet.stderr.contains("left out"), "{}", quiet.stderr);
}

#[test]
fn only_what_fits_is_removed() {
    let cases = cases();
    for remote in that_can(&["list", "remove"]) {
        for (filter, files) in cases.iter().chain(&sized_cases()) {
            let env = filled_env(&[remote]);
            let at = format!("{remote}:/in");
            let dry = env.home.run(&[&["rm", "-r", "-n", "--json", &at], *filter].concat()).ends_with(0);
            let planned = dry.events("planned").len();
            assert_eq!(env.there(&at).len(), FILES.len() + 3, "{remote} {filter:?}: a dry run removes nothing");
            let ran = env.home.run(&[&["rm", "-r", "--json", &at], *filter].concat()).ends_with(0);
            assert_eq!(ran.events("deleted").len(), planned, "{remote} {filter:?}: {}\n{}", dry.stdout, ran.stdout);
            if files.len() == FILES.len() && !filter.contains(&"--newer") {
                continue;
            }
            let left: BTreeSet<String> = below(&at, &env).into_iter().filter(|path| !path.ends_with('/')).collect();
            let stays = FILES.iter().filter(|file| !files.contains(file)).map(|file| (*file).to_owned()).collect();
            assert_eq!(left, stays, "{remote} {filter:?}");
        }
        // A folder goes only when nothing in it was left out.
        let env = filled_env(&[remote]);
        env.home.run(&["rm", "-r", &format!("{remote}:/in"), "--exclude", "old/"]).ends_with(0);
        let left = ["clips/", "clips/old/", "clips/old/e.mov", "clips/old/f.txt"].map(str::to_owned);
        assert_eq!(below(&format!("{remote}:/in"), &env), left.into(), "{remote}");
        env.home.run(&["rm", "-r", &format!("{remote}:/in"), "--exclude", "*.none"]).ends_with(0);
        env.home.run(&["stat", &format!("{remote}:/in")]).ends_with(3);
    }
}

#[test]
fn what_is_named_itself_must_fit_too() {
    let env = filled_env(&["giga0"]);
    let ran = env.home.run(&["rm", "--json", "giga0:/in/a.mov", "giga0:/in/x.tmp", "--exclude", "*.tmp"]).ends_with(0);
    assert_eq!(ran.events("deleted").len(), 1);
    assert!(below("giga0:/in", &env).contains("x.tmp"));
    let ran = env.home.run(&["rm", "--json", "giga0:/in/*.*", "--max-size", "4"]).ends_with(0).says("nothing fits");
    assert!(ran.events("deleted").is_empty());
    env.home.run(&["rm", "--fail-if-empty", "giga0:/in/x.tmp", "--exclude", "*.tmp"]).ends_with(2);
    let copied = env.json(&["cp", "giga0:/in/b.txt", "giga0:/in/x.tmp", "giga0:/to/", "--exclude", "*.tmp"]).ends_with(0);
    assert_eq!(copied.events("copied").len(), 1);
    env.get(&["giga0:/in/b.txt", "giga0:/in/x.tmp", "got/", "--include", "*.txt"]).ends_with(0);
    assert_eq!(env.local("got").into_keys().collect::<Vec<_>>(), ["b.txt"]);
}

#[test]
fn only_what_fits_is_copied_and_moved() {
    let files = |env: &TestEnv, place: &str| -> Vec<String> { below(place, env).into_iter().filter(|path| !path.ends_with('/')).collect() };
    // On one remote, and to another one.
    for (from, to) in [("giga0", "giga0"), ("fileago", "fileago"), ("ftp", "ftp"), ("giga0", "fileago"), ("iogates", "giga0")] {
        let can_remove = from != "iogates";
        for (filter, wanted) in cases().into_iter().chain(if can_remove { sized_cases() } else { Vec::new() }) {
            let env = filled_env(&[from]);
            let (at, copies, moves) = (format!("{from}:/in"), format!("{to}:/copy/"), format!("{to}:/move/"));
            if from != "ftp" || to != "ftp" {
                let ran = env.json(&[&["cp", &at, &copies], filter].concat()).ends_with(0);
                assert_eq!(ran.events("copied").iter().filter(|e| e["kind"] != "folder").count(), wanted.len(), "{from} {filter:?}");
                if !wanted.is_empty() {
                    assert_eq!(files(&env, &format!("{to}:/copy/in")), wanted, "cp {from} {to} {filter:?}");
                }
                assert_eq!(files(&env, &at), FILES, "{from} {filter:?}");
            }
            if !can_remove {
                continue;
            }
            env.json(&[&["mv", &at, &moves], filter].concat()).ends_with(0);
            if !wanted.is_empty() {
                assert_eq!(files(&env, &format!("{to}:/move/in")), wanted, "mv {from} {to} {filter:?}");
            }
            if wanted.len() < FILES.len() {
                let stays: Vec<&str> = FILES.into_iter().filter(|file| !wanted.contains(file)).collect();
                assert_eq!(files(&env, &at), stays, "mv {from} {to} {filter:?}");
            }
        }
    }
    // What a move leaves empty goes, an empty folder goes along, and what holds something stays.
    for (from, to) in [("giga0", "giga0"), ("fileago", "giga0"), ("ftp", "ftp")] {
        let env = filled_env(&[from]);
        env.home.run(&["mv", &format!("{from}:/in"), &format!("{to}:/out/"), "--exclude", "old/"]).ends_with(0);
        let stays = ["clips/", "clips/old/", "clips/old/e.mov", "clips/old/f.txt"].map(str::to_owned);
        assert_eq!(below(&format!("{from}:/in"), &env), stays.into(), "{from} {to}");
        let moved = ["a.mov", "b.txt", "clips/", "clips/c.mov", "clips/y.tmp", "empty/", "x.tmp"].map(str::to_owned);
        assert_eq!(below(&format!("{to}:/out/in"), &env), moved.into(), "{from} {to}");
    }
}

#[test]
fn a_filter_that_can_not_be_read_is_refused() {
    let env = TestEnv::new();
    for wrong in [
        &["--exclude", "[z-a]"][..],
        &["--include", ""],
        &["--min-size", "much"],
        &["--newer", "soon"],
        &["--older", "2026-02-30"],
        &["--max-depth", "-1"],
        &["--links", "copy"],
    ] {
        env.home.run(&[&["find", "giga0:"], wrong].concat()).ends_with(2);
        env.home.run(&[&["rm", "giga0:/x"], wrong].concat()).ends_with(2);
        env.get(&[&["giga0:/x", "out/"], wrong].concat()).ends_with(2);
    }
    env.home.run(&["find", "giga0:", "--exclude-from", "none"]).ends_with(3);
    for verb in ["get", "rm", "cp"] {
        for (shard, says) in [("0/4", "no share 0 of 4"), ("5/4", "no share 5 of 4"), ("4", "is no share"), ("auto", "no job index")] {
            env.home.run(&[verb, "giga0:/x", "giga0:/y", "--shard", shard]).ends_with(2).says(says);
        }
    }
}

#[test]
fn patterns_come_from_a_file_the_environment_and_the_configuration() {
    let env = filled_env(&["giga0"]);
    let found = |ran: crate::support::command::Ran| paths(&ran.ends_with(0));
    env.home.file("patterns", "\u{feff}# comment\r\n*.tmp\r\n!y.tmp\r\n\r\nold/\r\n");
    let find = ["find", "--json", "--kind", "file", "giga0:/in"];
    let all = ["/in/a.mov", "/in/b.txt", "/in/clips/c.mov", "/in/clips/y.tmp"];
    assert_eq!(found(env.home.run(&[&find[..], &["--exclude-from", "patterns"]].concat())), all);
    let with_env = env.home.command(&find).env("HAUL_EXCLUDE", "*.tmp\nold/").output().unwrap();
    assert_eq!(found(crate::support::command::Ran::of(with_env)), ["/in/a.mov", "/in/b.txt", "/in/clips/c.mov"]);
    let config = env.home.file("config.toml", "[defaults]\nexclude = [\"*.tmp\", \"old/\"]\n");
    let of_file = ["--config", config.to_str().unwrap()];
    assert_eq!(found(env.home.run(&[&find[..], &of_file].concat())), ["/in/a.mov", "/in/b.txt", "/in/clips/c.mov"]);
    let included = found(env.home.run(&[&find[..], &of_file, &["--include", "*.mov"]].concat()));
    assert_eq!(included, ["/in/a.mov", "/in/clips/c.mov"], "an exclusion that always holds does not take the meaning of --include away");
}

/// Every file is taken by one machine of four, none by two.
#[test]
fn shares_are_disjoint_and_whole() {
    let env = filled_env(&["giga0"]);
    let mut all = Vec::new();
    for share in 1..=3 {
        let into = format!("share{share}");
        env.get(&["giga0:/in/", &into, "--shard", &format!("{share}/3")]).ends_with(0);
        all.extend(env.local_or_none(&into).into_keys());
    }
    all.sort();
    assert_eq!(all, FILES);
    for share in 1..=3 {
        env.home.run(&["rm", "-r", "giga0:/in", "--shard", &format!("{share}/3")]).ends_with(0);
    }
    env.home.run(&["stat", "giga0:/in"]).ends_with(3);
    let found = env.home.command(&["find", "giga0:/"]).env("HAUL_SHARD", "9/3").output().unwrap();
    assert_eq!(found.status.code(), Some(0), "it is no matter of find");
}

/// Folders come with the files that are chosen.
#[test]
fn what_takes_no_file_makes_no_folder() {
    let remotes = that_can(&["list", "copy", "move"]);
    let env = filled_env(&remotes);
    for remote in remotes {
        let (from, to) = (format!("{remote}:/in"), format!("{remote}:/out"));
        for verb in ["cp", "mv"] {
            env.home.run(&[verb, "--include", "*.none", &from, &to]).ends_with(0).says("nothing fits");
            env.home.run(&[verb, "--include", "*.none", "--fail-if-empty", &from, &to]).ends_with(2);
            env.home.run(&["stat", &to]).ends_with(3);
        }
        env.home.run(&["cp", "--include", "c.mov", &from, &to]).ends_with(0);
        assert_eq!(below(&to, &env), ["clips/", "clips/c.mov"].map(str::to_owned).into(), "{remote}");
        // A file that still changes fits, and is left for the next run.
        let ran = env.home.run(&["get", "--settle", "1h", "--fail-if-empty", &to, "here"]).ends_with(0);
        assert!(!ran.stderr.contains("nothing fits"), "{remote}: {}", ran.stderr);
    }
}
