//! The tree for the tests of listing commands.

use crate::support::command::Ran;
use crate::support::env::TestEnv;
use crate::support::remotes::hosts;

/// The same tree at every remote, for the commands that list.
pub fn filled_env() -> TestEnv {
    let env = TestEnv::new();
    for remote in hosts() {
        fill(&env, remote, "/in", &["b.mov", "a.mov", "größe ✓.txt", "[x].txt", "x.txt"], b"12345");
        fill(&env, remote, "/in/clips", &["c.mov", "-d.mov"], &[7; 2000]);
        fill(&env, remote, "/in/clips/old", &["e.mov"], &[7; 10_000]);
        fill(&env, remote, "/in/empty", &[], b"");
    }
    env
}

pub fn fill(env: &TestEnv, remote: &str, path: &str, names: &[&str], bytes: &[u8]) {
    env.sandbox.fill(remote, path, names.iter().map(|name| (*name).to_owned()), bytes).unwrap();
}

pub fn paths(ran: &Ran) -> Vec<String> {
    ran.events("entry").iter().map(|e| e["path"].as_str().unwrap().to_owned()).collect()
}

pub fn lines(ran: &Ran) -> Vec<&str> {
    ran.stdout.lines().collect()
}

/// The content of `/in`, in the order of a listing.
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
