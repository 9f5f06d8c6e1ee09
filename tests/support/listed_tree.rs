//! A tree that the commands which list are tried on.

use crate::support::command::Ran;
use crate::support::env::{Play, REMOTES};

/// The same tree at every remote, for the commands that list.
pub fn filled() -> Play {
    let play = Play::new();
    for remote in REMOTES {
        fill(&play, remote, "/in", &["b.mov", "a.mov", "größe ✓.txt", "[x].txt", "x.txt"], b"12345");
        fill(&play, remote, "/in/clips", &["c.mov", "-d.mov"], &[7; 2000]);
        fill(&play, remote, "/in/clips/old", &["e.mov"], &[7; 10_000]);
        fill(&play, remote, "/in/empty", &[], b"");
    }
    play
}

pub fn fill(play: &Play, remote: &str, path: &str, names: &[&str], bytes: &[u8]) {
    play.sandbox.fill(remote, path, names.iter().map(|name| (*name).to_owned()), bytes).unwrap();
}

pub fn paths(ran: &Ran) -> Vec<String> {
    ran.events("entry").iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect()
}

pub fn lines(ran: &Ran) -> Vec<&str> {
    ran.stdout.lines().collect()
}

/// What lies below `/in`, in the order of a listing.
pub const ALL: [&str; 11] = [
    "/in/[x].txt",
    "/in/a.mov",
    "/in/b.mov",
    "/in/clips",
    "/in/clips/-d.mov",
    "/in/clips/c.mov",
    "/in/clips/old",
    "/in/clips/old/e.mov",
    "/in/empty",
    "/in/größe ✓.txt",
    "/in/x.txt",
];
