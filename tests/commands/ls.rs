//! `haul ls`.

use crate::support::listed_tree::{ALL, filled_env, lines, paths};
use crate::support::remotes::hosts;

#[test]
fn a_listing_is_sorted_and_complete() {
    let env = filled_env();
    for remote in hosts() {
        let at = |path: &str| format!("{remote}:{path}");
        let short = env.home.run(&["ls", &at("/in")]).ends_with(0);
        assert_eq!(lines(&short), ["[x].txt", "a.mov", "b.mov", "clips/", "empty/", "größe ✓.txt", "x.txt"], "{remote}");
        let whole = env.home.run(&["ls", "-R", "--json", &at("in")]).ends_with(0);
        assert_eq!(paths(&whole), ALL, "{remote}");
        let drawn = env.home.run(&["ls", "-R", &at("in/clips")]).ends_with(0);
        assert_eq!(lines(&drawn), ["-d.mov", "c.mov", "old/", "old/e.mov"].map(|name| at(&format!("/in/clips/{name}"))), "{remote}");
        let long = env.home.run(&["ls", "-l", "--bytes", &at("/in/clips/c.mov")]).ends_with(0);
        let size = if remote == "iogates" { "-" } else { "2000" };
        let cells: Vec<&str> = long.stdout.split_whitespace().collect();
        assert_eq!((cells[0], cells[1], *cells.last().unwrap()), ("file", size, "c.mov"), "{remote}");
        assert!(env.home.run(&["ls", &at("/in/empty")]).ends_with(0).stdout.is_empty());
    }
}

#[test]
fn each_of_several_folders_has_a_heading() {
    let env = filled_env();
    let ran = env.home.run(&["ls", "giga0:/in/clips", "fileago:/in/a.mov", "fileago:/in/clips/old"]).ends_with(0);
    assert_eq!(ran.stdout, "a.mov\n\ngiga0:/in/clips:\n-d.mov\nc.mov\nold/\n\nfileago:/in/clips/old:\ne.mov\n");
    let long = env.home.run(&["ls", "-l", "giga0:/in/clips/old", "fileago:/in/a.mov"]).ends_with(0);
    let firsts: Vec<&str> = long.stdout.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(firsts, ["file", "", "giga0:/in/clips/old:", "file"], "a heading stands below the rows before it");
    let one_missing = env.home.run(&["ls", "giga0:/nope", "giga0:/in/clips/old"]).ends_with(9);
    assert_eq!(one_missing.stderr, "haul: giga0:/nope: there is no such file or folder\n");
    assert_eq!(one_missing.stdout, "giga0:/in/clips/old:\ne.mov\n");
}

/// As people count, by size and by time, and from the end.
#[test]
fn names_are_sorted_as_people_count() {
    let env = crate::support::env::TestEnv::with_files("fileago", &["/s/file10", "/s/file2", "/s/file1", "/s/a long one"]);
    let ls = |args: &[&str]| -> Vec<String> {
        let ran = env.home.run(&[&["ls"], args, &["fileago:/s"]].concat()).ends_with(0);
        lines(&ran).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(ls(&[]), ["a long one", "file1", "file2", "file10"]);
    assert_eq!(ls(&["-r"]), ["file10", "file2", "file1", "a long one"]);
    assert_eq!(ls(&["--sort", "size"]), ["a long one", "file10", "file1", "file2"]);
    assert_eq!(ls(&["--sort", "size", "-r"]), ["file2", "file1", "file10", "a long one"]);
    env.home.run(&["ls", "--sort", "tmie", "fileago:/s"]).ends_with(2).says("write `time`");
    let long = env.home.run(&["ls", "-l", "--id", "fileago:/s/file1"]).ends_with(0).stdout;
    assert!(long.contains(&env.id("fileago:/s/file1")), "{long}");
    let drawn = env.home.run(&["tree", "fileago:/s"]).ends_with(0).stdout;
    assert!(drawn.find("file2") < drawn.find("file10"), "{drawn}");
}

/// What is printed is an address; with NUL between, whatever the name holds.
#[test]
fn what_is_listed_can_be_given_back() {
    let env = crate::support::env::TestEnv::with_files("giga0", &["/n/a b", "/n/c/d's"]);
    let ran = env.home.run(&["ls", "-R", "-0", "giga0:/n"]).ends_with(0);
    assert_eq!(ran.stdout, "giga0:/n/a b\0giga0:/n/c/\0giga0:/n/c/d's\0");
    for place in ran.stdout.split_terminator('\0') {
        env.home.run(&["stat", "--literal", place]).ends_with(0);
    }
    let found = env.home.run(&["find", "-0", "giga0:/n", "--kind", "file"]).ends_with(0);
    assert_eq!(found.stdout, "giga0:/n/a b\0giga0:/n/c/d's\0");
    let by_id = env.home.run(&["find", &format!("giga0:@{}", env.id("giga0:/n")), "--name", "d*"]).ends_with(0);
    let place = by_id.stdout.trim_end();
    assert!(place.starts_with("giga0:@"), "{place}");
    env.home.run(&["stat", place]).ends_with(0);
    assert_eq!(env.home.run(&["ls", "-0", "giga0:/n"]).ends_with(0).stdout, "a b\0c/\0");
}

/// `-h` is help; a person who means human sizes is told, and no script takes the help for a listing.
#[test]
fn human_sizes_are_the_usual_ones() {
    let home = crate::support::command::Home::new();
    home.run(&["ls", "-h"]).ends_with(0).prints("Usage: haul ls");
    for (args, instead) in [(&["ls", "-lh", "x:"][..], "haul ls -l x:"), (&["du", "-h", "x:/a"], "haul du x:/a")] {
        let ran = home.run(args).ends_with(2).says("sizes are readable anyway").says(instead);
        assert_eq!(ran.stdout, "");
    }
}
