//! Without a usable state everything works, but nothing is resumed, and a warning says so.

use std::path::PathBuf;

use crate::support::command::{Home, Ran};
use crate::support::env::{TestEnv, tree};

fn state_folder(env: &TestEnv) -> PathBuf {
    let (_, at) = env.sandbox.env().into_iter().find(|(name, _)| name == "XDG_STATE_HOME").unwrap();
    PathBuf::from(at).join("haul")
}

fn put(home: &Home, remote: &str, n: usize) -> Ran {
    home.run(&["put", "--json", "src", &format!("{remote}:/{n}/")])
}

type Spoil = fn(&PathBuf);

#[test]
fn a_state_that_is_of_no_use_stops_no_upload() {
    let spoils: [(&str, Spoil); 4] = [
        ("not a database", |state| std::fs::write(state.join("state.db"), [0xee; 9000]).unwrap()),
        ("a newer haul", |state| {
            let db = rusqlite::Connection::open(state.join("state.db")).unwrap();
            db.pragma_update(None, "user_version", 99).unwrap();
        }),
        ("malformed", |state| {
            let mut bytes = std::fs::read(state.join("state.db")).unwrap();
            bytes[4096..].fill(0xee);
            std::fs::write(state.join("state.db"), bytes).unwrap();
        }),
        ("state.db", |state| {
            std::fs::remove_dir_all(state).unwrap();
            std::fs::write(state, "a file where the folder should be").unwrap();
        }),
    ];
    for (says, spoil) in spoils {
        let env = TestEnv::new();
        let files = tree(&env.home);
        put(&env.home, "giga0", 0).ends_with(0);
        spoil(&state_folder(&env));
        for (n, remote) in crate::support::remotes::hosts().into_iter().enumerate() {
            let ran = put(&env.home, remote, n + 1).ends_with(0).says("can't be used").says(says);
            assert_eq!(ran.stderr.matches("can't be used").count(), 1, "{says}: said once: {}", ran.stderr);
            assert_eq!(ran.events("uploaded").len(), files.len(), "{says} {remote}");
        }
    }
}

#[test]
fn a_state_that_may_not_grow_stops_no_upload() {
    let home = Home::new();
    (0..30).for_each(|n| drop(home.file(&format!("d/{n}"), format!("file {n}"))));
    let ran = home.run(&["sandbox", "--", "sh", "-c", "ulimit -f 40; haul put --json d fileago:/"]).ends_with(0);
    assert_eq!(ran.stdout.matches("\"uploaded\"").count(), 30, "{}", ran.stdout);
    ran.says("can't be used");
}

/// A receipt is enough: another machine has no state and no token.
#[test]
fn a_receipt_is_verified_on_another_machine() {
    let env = TestEnv::new();
    tree(&env.home);
    let elsewhere = Home::new().env(env.sandbox.env());
    for remote in crate::support::remotes::hosts() {
        env.home.run(&["put", "--receipt", "r.jsonl", "src", &format!("{remote}:/in/")]).ends_with(0);
        let receipt = std::fs::read(env.home.file("touch", "").with_file_name("r.jsonl")).unwrap();
        elsewhere.file(remote, receipt);
        env.home.file("r.jsonl", "");
        std::fs::remove_dir_all(state_folder(&env)).unwrap();
        let same = elsewhere.run(&["verify", "--json", remote]).ends_with(0).events("verify");
        assert!(same.len() == 4 && same.iter().all(|line| line["status"] == "same"), "{remote}: {same:?}");
    }
}
