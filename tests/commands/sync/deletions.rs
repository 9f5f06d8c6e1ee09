//! `sync --delete`: what FROM lacks is deleted, and the guards that stop it before the first deletion.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::{counts, deleting, files_at};
use crate::support::env::{TestEnv, set, text};
use crate::support::remotes::hosts_that_change;

#[test]
fn what_from_lacks_goes_with_its_folders() {
    for remote in deleting() {
        let env = TestEnv::with_files(remote, &["/t/a", "/t/d/b", "/t/d/e/c", "/t/keep/k", "/t/z"]);
        let place = format!("{remote}:/t");
        for name in ["a", "keep/k", "z"] {
            env.home.file(&format!("src/{name}"), format!("content of /t/{name}"));
        }
        std::fs::create_dir(env.path("src/empty")).unwrap();
        let ran = env.json(&["sync", "--delete", "src", &place]).ends_with(0);
        let mut gone: Vec<String> = ran.events("deleted").iter().map(|e| format!("{} {}", e["kind"], e["path"])).collect();
        gone.sort();
        assert_eq!(gone.join(", ").replace('"', ""), "file /t/d/b, file /t/d/e/c, folder /t/d, folder /t/d/e", "{remote}");
        assert_eq!(env.there(&place), set(["/t/a", "/t/empty/", "/t/keep/", "/t/keep/k", "/t/z"]), "{remote}");
        let ran = env.json(&["sync", "--delete", "src", &place]).ends_with(0);
        assert_eq!(counts(&ran), (0, 3, 0, 0), "{remote}");
    }
}

#[test]
fn here_it_goes_too_but_never_through_a_link() {
    for remote in deleting() {
        let env = TestEnv::with_files(remote, &["/t/a", "/t/d/b"]);
        env.home.file("away/victim", "victim");
        for name in ["a", "d/b"] {
            env.home.file(&format!("here/{name}"), format!("content of /t/{name}"));
        }
        env.home.file("here/old/er/f", "f");
        env.home.file("here/.x.haul-part", "half");
        symlink(env.path("away"), env.path("here/link")).unwrap();
        symlink(env.path("away/victim"), env.path("here/file-link")).unwrap();
        let ran = env.json(&["sync", "--delete", "--max-delete", "3", &format!("{remote}:/t"), "here"]).ends_with(0);
        assert_eq!((ran.events("deleted").len(), counts(&ran).2), (5, 5), "{remote}: {}", ran.stdout);
        assert!(ran.events("deleted").iter().any(|e| e["target"] == "here/old/er/f" && e["path"] == "/old/er/f"), "{}", ran.stdout);
        let names: Vec<String> = env.local("here").into_keys().collect();
        assert_eq!(names, [".x.haul-part", "a", "d/b"], "{remote}");
        assert!(!env.path("here/old").exists(), "{remote}: folders that are empty then go");
        assert_eq!(env.local("away")["victim"], text("victim"), "{remote}");
    }
}

#[test]
fn guards_stop_it_before_anything_is_done() {
    for remote in deleting() {
        let env = TestEnv::with_files(remote, &["/t/a", "/t/b", "/t/c", "/t/d", "/t/e"]);
        let place = format!("{remote}:/t");
        let before = files_at(&env, &place);
        env.home.file("src/new", "new");
        std::fs::create_dir(env.path("nothing")).unwrap();
        let stopped = |args: &[&str], words: &str| {
            let ran = env.json(&[&["sync", "--delete"], args, &[&place]].concat()).ends_with(8);
            let failed = ran.events("failed").remove(0);
            assert_eq!(failed["error"]["kind"], "refused");
            let message = failed["error"]["message"].as_str().unwrap();
            assert!(message.contains(words) && message.contains("/t/a, /t/b, /t/c, …"), "{message}");
            assert_eq!(files_at(&env, &place), before, "{remote} {args:?}");
        };
        stopped(&["src"], "5 files would be deleted");
        stopped(&["--max-delete", "4", "src"], "more than --max-delete 4");
        stopped(&["-n", "src"], "more than half of the 5 files there");
        stopped(&["nothing"], "nothing holds no file");
        stopped(&["--max-delete", "99", "nothing"], "5 files would be deleted");
        // Nothing is to be deleted: nothing is stopped.
        env.home.run(&["sync", "nothing", &place]).ends_with(0);
        env.home.run(&["sync", "--delete", "nothing", &format!("{remote}:/other")]).ends_with(0);
        // The same towards this machine.
        for name in ["a", "b", "c", "d", "e"] {
            env.home.file(&format!("many/{name}"), name);
        }
        env.home.run(&["mkdir", &format!("{remote}:/empty")]).ends_with(0);
        env.home.run(&["sync", "--delete", &format!("{remote}:/empty"), "many"]).ends_with(8).says("many/a, many/b, many/c, …");
        env.add_files(remote, &["/one/a"]);
        env.home.run(&["sync", "--delete", &format!("{remote}:/one"), "many"]).ends_with(8).says("4 files would be deleted");
        assert_eq!(env.local("many").len(), 5, "{remote}");
    }
}

#[test]
fn an_unreadable_folder_at_the_source_stops_deletions_only() {
    // Root reads everything.
    if std::fs::read_dir("/proc/1/fd").is_ok() && nobody().is_none() {
        println!("skipped: this user reads everything");
        return;
    }
    for remote in deleting() {
        let env = TestEnv::with_files(remote, &["/t/closed/f", "/t/a", "/t/b", "/t/c"]);
        let place = format!("{remote}:/t");
        env.home.file("src/closed/f", "content of /t/closed/f");
        env.home.file("src/new", "new");
        let closed = env.path("src/closed");
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o000)).unwrap();
        let ran = as_nobody(&env, &["sync", "--json", "--delete", "--max-delete", "99", "src", &place]);
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o755)).unwrap();
        let Some(ran) = ran else { return };
        let ran = ran
            .ends_with(8)
            .says("1 folder of src can't be read (src/closed), so nothing was deleted")
            .says("3 files stay (/t/a, /t/b, /t/c)");
        assert_eq!(ran.events("uploaded").len(), 1, "{remote}: what can be read is sent");
        assert_eq!(files_at(&env, &place).len(), 5, "{remote}");
    }
}

/// A row of a listing that can't be read may be anything.
#[test]
fn an_unreadable_row_of_a_remote_source_stops_deletions() {
    for remote in hosts_that_change() {
        let env = TestEnv::new();
        let names = ["x", "y"].map(str::to_owned);
        env.sandbox.fill(remote, "/f", names.into_iter(), b"there").unwrap();
        for name in ["x", "old"] {
            env.home.file(&format!("here/{name}"), "local");
        }
        env.sandbox.faults().script(&format!("{remote}:row-unreadable")).unwrap();
        let ran = env.json(&["sync", "--delete", "--max-delete", "9", &format!("{remote}:/f"), "here"]).ends_with(8);
        assert_eq!((ran.events("downloaded").len(), ran.events("deleted").len()), (2, 0), "{remote}: {}", ran.stdout);
        ran.says("can't be read").says("nothing was deleted").says("here/old");
        assert_eq!(env.local("here").len(), 3, "{remote}");
    }
}

#[test]
fn a_failed_file_keeps_everything() {
    for (remote, fault) in [("giga0", "giga0/file/upload:500*always"), ("fileago", "fileago/upload:500*always")] {
        let env = TestEnv::with_files(remote, &["/t/a", "/t/b", "/t/old"]);
        let place = format!("{remote}:/t");
        for name in ["a", "b"] {
            env.home.file(&format!("src/{name}"), format!("content of /t/{name}"));
        }
        env.home.file("src/new", "new");
        env.sandbox.faults().script(fault).unwrap();
        let ran = env.json(&["sync", "--delete", "--retries", "1", "src", &place]);
        assert!(ran.status != 0, "{remote}: {}", ran.stdout);
        assert_eq!(ran.events("deleted").len(), 0, "{remote}");
        env.sandbox.faults().clear();
        assert!(files_at(&env, &place).contains_key("old"), "{remote}");
        env.home.run(&["sync", "--delete", "src", &place]).ends_with(0);
        assert_eq!(files_at(&env, &place), env.local("src"), "{remote}");
    }
}

#[test]
fn where_nothing_can_be_removed_nothing_is_sent() {
    let env = TestEnv::with_files("iogates", &["/t/a", "/t/old"]);
    env.home.file("src/a", "content of /t/a");
    env.home.file("src/new", "new");
    let before = env.sandbox.arrivals().len();
    env.home.run(&["sync", "--delete", "src", "iogates:/t"]).ends_with(10).says("has no call that removes").says("/t/old");
    assert_eq!(env.sandbox.arrivals().len(), before, "nothing was sent");
    // Nothing to delete: as without --delete. A newer version lies beside the older one, which FROM does not lack.
    env.home.file("src/old", "content of /t/old");
    env.home.run(&["sync", "--delete", "src", "iogates:/t"]).ends_with(0);
    env.home.file("src/a", "newer");
    env.home.run(&["sync", "--delete", "src", "iogates:/t"]).ends_with(0);
    env.home.run(&["sync", "--delete", "src", "iogates:/t"]).ends_with(0).says("0 files sent");
    assert_eq!(env.text("iogates", "/t/a"), "newer");
}

/// A user who can't read everything, where the suite runs as root.
fn nobody() -> Option<u32> {
    std::process::Command::new("setpriv").arg("--version").output().ok().map(|_| 65534)
}

fn as_nobody(env: &TestEnv, args: &[&str]) -> Option<crate::support::command::Ran> {
    let command = env.home.command(args);
    if std::fs::read_dir(env.path("src/closed")).is_err() {
        let mut command = command;
        return Some(crate::support::command::Ran::of(command.output().unwrap()));
    }
    // Without the right to read whatever is there.
    let mut dropped = std::process::Command::new("setpriv");
    dropped.args(["--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-dac_override,-dac_read_search"]);
    dropped.arg(env!("CARGO_BIN_EXE_haul")).args(args).env_clear().current_dir(env.home.path());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            dropped.env(name, value);
        }
    }
    let output = dropped.output().ok()?;
    Some(crate::support::command::Ran::of(output))
}
