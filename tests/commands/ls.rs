//! `haul ls`.

use crate::support::env::REMOTES;
use crate::support::listed_tree::{ALL, filled, lines, paths};

#[test]
fn a_listing_is_sorted_and_complete() {
    let play = filled();
    for remote in REMOTES {
        let at = |path: &str| format!("{remote}:{path}");
        let short = play.home.run(&["ls", &at("/in")]).ends_with(0);
        assert_eq!(lines(&short), ["[x].txt", "a.mov", "b.mov", "clips/", "empty/", "größe ✓.txt", "x.txt"], "{remote}");
        let whole = play.home.run(&["ls", "-R", "--json", &at("in")]).ends_with(0);
        assert_eq!(paths(&whole), ALL, "{remote}");
        let drawn = play.home.run(&["ls", "-R", &at("in/clips")]).ends_with(0);
        assert_eq!(lines(&drawn), ["/in/clips/-d.mov", "/in/clips/c.mov", "/in/clips/old/", "/in/clips/old/e.mov"], "{remote}");
        let long = play.home.run(&["ls", "-l", "--bytes", &at("/in/clips/c.mov")]).ends_with(0);
        let size = if remote == "iogates" { "-" } else { "2000" };
        let cells: Vec<&str> = long.stdout.split_whitespace().collect();
        assert_eq!((cells[0], cells[1], *cells.last().unwrap()), ("file", size, "c.mov"), "{remote}");
        assert!(play.home.run(&["ls", &at("/in/empty")]).ends_with(0).stdout.is_empty());
    }
}

#[test]
fn each_of_several_folders_has_a_heading() {
    let play = filled();
    let ran = play.home.run(&["ls", "giga0:/in/clips", "fileago:/in/a.mov", "fileago:/in/clips/old"]).ends_with(0);
    assert_eq!(ran.stdout, "a.mov\n\ngiga0:/in/clips:\n-d.mov\nc.mov\nold/\n\nfileago:/in/clips/old:\ne.mov\n");
    let long = play.home.run(&["ls", "-l", "giga0:/in/clips/old", "fileago:/in/a.mov"]).ends_with(0);
    let firsts: Vec<&str> = long.stdout.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(firsts, ["file", "", "giga0:/in/clips/old:", "file"], "a heading stands below the rows before it");
    let one_missing = play.home.run(&["ls", "giga0:/nope", "giga0:/in/clips/old"]).ends_with(9);
    assert_eq!(one_missing.stderr, "haul: giga0:/nope: there is no such file or folder\n");
    assert_eq!(one_missing.stdout, "giga0:/in/clips/old:\ne.mov\n");
}
