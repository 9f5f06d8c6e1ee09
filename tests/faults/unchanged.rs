//! "Unchanged" is never reported for other bytes, whatever times were set back; and a file that only looks changed is not sent
//! again.

use std::fs::{File, FileTimes, Permissions};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use haul::transfer::fingerprint::FileFingerprint;

use crate::support::command::{Home, Ran};
use crate::support::env::{Content, TestEnv, text};
use crate::support::remotes::hosts;

fn modified_at(path: &Path) -> SystemTime {
    path.metadata().unwrap().modified().unwrap()
}

fn set_modified(path: &Path, at: SystemTime) {
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(at)).unwrap();
}

/// Writes into the file as it lies there.
fn in_place(path: &Path, content: &str) {
    File::options().write(true).open(path).unwrap().write_all_at(content.as_bytes(), 0).unwrap();
}

/// As `rm` and a new file do; a file system may give the same inode.
fn anew(path: &Path, content: &str) {
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, content).unwrap();
}

/// As programs that save safely do.
fn renamed_over(path: &Path, content: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, content).unwrap();
    std::fs::rename(new, path).unwrap();
}

fn outcome(ran: &Ran) -> (String, String) {
    let lines = ran.json();
    let reason = lines[0]["reason"].as_str().unwrap_or_default();
    (lines[0]["event"].as_str().unwrap().to_owned(), reason.to_owned())
}

type Change = fn(&Path, &str);
const CHANGES: [(&str, Change); 3] = [("in place", in_place), ("anew", anew), ("renamed over", renamed_over)];

#[test]
fn a_source_with_other_bytes_is_put_again() {
    let env = TestEnv::new();
    for remote in hosts() {
        for checksum in ["auto", "before", "after", "none"] {
            for (n, (name, change)) in CHANGES.into_iter().enumerate() {
                let source = env.home.file("v.bin", "one");
                let then = modified_at(&source);
                let place = format!("{remote}:/{checksum}/{n}.bin");
                let put = || env.home.run(&["put", "--json", "--checksum", checksum, "v.bin", &place]).ends_with(0);
                assert_eq!(outcome(&put()).0, "uploaded");
                change(&source, "two");
                set_modified(&source, then);
                assert_eq!(outcome(&put()).0, "uploaded", "{remote} {checksum} {name}");
                assert_eq!(env.arrivals(remote)[&format!("/{checksum}/{n}.bin")], text("two"), "{remote} {checksum} {name}");
            }
        }
    }
}

/// Where the provider tells an MD5, and where one is asked for, the content is compared although nothing looks changed.
#[test]
fn the_signs_of_a_file_are_not_enough_where_its_content_can_be_compared() {
    let env = TestEnv::new();
    let forged = |remote: &str, checksum: &str| {
        let source = env.home.file("v.bin", "one");
        let place = format!("{remote}:/{checksum}.bin");
        let put = || outcome(&env.home.run(&["put", "--json", "--checksum", checksum, "v.bin", &place]).ends_with(0));
        put();
        in_place(&source, "two");
        std::thread::sleep(std::time::Duration::from_millis(30));
        let now = FileFingerprint::of(&source).unwrap();
        let db = rusqlite::Connection::open(env.state_file()).unwrap();
        let changed = db.execute("UPDATE finished SET source_version = ?1, source_mtime_ns = ?2", (&now.version, now.modified_ns)).unwrap();
        assert!(changed > 0 && now.version.is_some());
        put().0
    };
    for (remote, checksum) in [("iogates", "auto"), ("giga0", "before"), ("fileago", "before"), ("fileago", "after")] {
        assert_eq!(forged(remote, checksum), "uploaded", "{remote} {checksum}");
    }
    assert_eq!(forged("fileago", "none"), "skipped", "the forgery is good");
}

#[test]
fn what_only_looks_changed_is_not_sent_again() {
    let env = TestEnv::new();
    for remote in hosts() {
        let source = env.home.file("v.bin", "one");
        let put = || outcome(&env.home.run(&["put", "--json", "v.bin", &format!("{remote}:/v.bin")]).ends_with(0));
        assert_eq!(put().0, "uploaded");
        // Only ioGates tells an MD5 in its listings.
        let by_signs = if remote == "iogates" { "same MD5" } else { "unchanged since it was put there" };
        assert_eq!(put(), ("skipped".into(), by_signs.into()), "{remote}");
        std::fs::set_permissions(&source, Permissions::from_mode(0o600)).unwrap();
        std::fs::hard_link(&source, source.with_extension(remote)).unwrap();
        assert_eq!(put(), ("skipped".into(), "same MD5".into()), "{remote}: the content decides");
        assert_eq!(put(), ("skipped".into(), by_signs.into()), "{remote}: and is not read for ever");
    }
}

/// Notes of an older haul say nothing of when the inode changed.
#[test]
fn older_notes_prove_nothing_alone() {
    let env = TestEnv::new();
    let source = env.home.file("v.bin", "one");
    let put = |checksum: &str| outcome(&env.home.run(&["put", "--json", "--checksum", checksum, "v.bin", "fileago:/v.bin"]).ends_with(0));
    let forget = || {
        let db = rusqlite::Connection::open(env.state_file()).unwrap();
        db.execute("UPDATE finished SET source_version = NULL, source_device = NULL", []).unwrap();
    };
    put("after");
    forget();
    assert_eq!(put("auto"), ("skipped".into(), "same MD5".into()));
    forget();
    let then = modified_at(&source);
    in_place(&source, "two");
    set_modified(&source, then);
    assert_eq!(put("none").0, "uploaded");
    forget();
    assert_eq!(put("none").0, "uploaded", "no MD5 was remembered: nothing tells that it is the same");
}

#[test]
fn a_download_that_was_written_to_is_fetched_again() {
    let env = TestEnv::new();
    for remote in hosts() {
        env.home.file("v.bin", "one");
        env.home.run(&["put", "v.bin", &format!("{remote}:/v.bin")]).ends_with(0);
        for checksum in ["auto", "after", "none"] {
            for (name, change) in CHANGES {
                let get = || {
                    outcome(&env.home.run(&["get", "--json", "--checksum", checksum, &format!("{remote}:/v.bin"), "got"]).ends_with(0)).0
                };
                let got = env.home.file("got", "");
                std::fs::remove_file(&got).unwrap();
                assert_eq!(get(), "downloaded");
                assert_eq!((get(), get()), ("skipped".into(), "skipped".into()), "{remote} {checksum}");
                let then = modified_at(&got);
                change(&got, "two");
                set_modified(&got, then);
                assert_eq!(get(), "downloaded", "{remote} {checksum} {name}");
                assert_eq!(std::fs::read(&got).unwrap(), b"one", "{remote} {checksum} {name}");
            }
        }
    }
}

/// A file of `/proc` says that it is empty.
#[cfg(target_os = "linux")]
#[test]
fn a_size_of_nothing_is_not_believed() {
    let env = TestEnv::new();
    let content = Content(std::fs::read("/proc/version").unwrap());
    assert_eq!((std::fs::metadata("/proc/version").unwrap().size(), content.0.is_empty()), (0, false));
    for remote in hosts() {
        for n in 0..2 {
            let ran = env.home.run(&["put", "--json", "/proc/version", &format!("{remote}:/p/{n}")]).ends_with(0);
            let uploaded = &ran.events("uploaded")[0];
            assert_eq!((&uploaded["source"], &uploaded["size"]), (&"/proc/version".into(), &content.0.len().into()), "{remote}");
            assert_eq!(env.arrivals(remote)[&format!("/p/{n}")], content, "{remote}");
        }
    }
    for protocol in ["tus", "plupload", "ftps"] {
        env.home.run(&["put", "--protocol", protocol, "/proc/version", &format!("iogates:/by/{protocol}")]).ends_with(0);
        assert_eq!(env.arrivals("iogates")[&format!("/by/{protocol}")], content);
    }
    // Among others that are made ready together; and an empty file stays one.
    for name in ["a", "b", "empty"] {
        env.home.file(&format!("d/{name}"), if name == "empty" { "" } else { name });
    }
    std::os::unix::fs::symlink("/proc/version", env.home.file("d/a", "a").with_file_name("version")).unwrap();
    for remote in ["iogates", "fileago"] {
        env.home.run(&["put", "d", &format!("{remote}:/")]).ends_with(0);
        let there = env.arrivals(remote);
        assert_eq!((&there["/d/version"], &there["/d/empty"], &there["/d/a"]), (&content, &text(""), &text("a")), "{remote}");
    }
    // An empty file there is not the same as what says that it is empty here.
    env.home.run(&["put", "d/empty", "fileago:/version"]).ends_with(0);
    assert_eq!(outcome(&env.home.run(&["put", "--json", "/proc/version", "fileago:/version"]).ends_with(0)).0, "uploaded");
    assert_eq!(env.arrivals("fileago")["/version"], content);
}

#[test]
fn standard_input_that_is_closed_is_no_empty_file() {
    let env = TestEnv::new();
    env.home.file("good", "good");
    let shell = |remote: &str, redirected: &str| {
        let haul = env!("CARGO_BIN_EXE_haul");
        let line = format!("'{haul}' put - {remote}:/x {redirected}");
        Ran::of(
            env.home
                .command(&[])
                .get_envs()
                .fold(&mut std::process::Command::new("sh"), |sh, (name, value)| match value {
                    Some(value) => sh.env(name, value),
                    None => sh,
                })
                .args(["-c", &line])
                .current_dir(env.home.file("w", "").parent().unwrap())
                .output()
                .unwrap(),
        )
    };
    for remote in hosts() {
        env.home.run(&["put", "good", &format!("{remote}:/x")]).ends_with(0);
        for redirected in ["<&-", "0>w", "<>/dev/null"] {
            shell(remote, redirected).ends_with(12).says("standard input is closed");
            assert_eq!(env.arrivals(remote)["/x"], text("good"), "{remote} {redirected}");
        }
        shell(remote, "<good").ends_with(0);
    }
    for redirected in ["</dev/null", "<w"] {
        shell("fileago", redirected).ends_with(0);
        assert_eq!(env.arrivals("fileago")["/x"], text(""), "an empty one is an empty file");
    }
}

/// However the process ends: there is no name to be left behind.
#[cfg(target_os = "linux")]
#[test]
fn spooled_input_has_no_name() {
    use std::io::Write;
    use std::process::Stdio;
    let env = TestEnv::new();
    let spool = env.home.file("spool/x", "").parent().unwrap().to_owned();
    std::fs::remove_file(spool.join("x")).unwrap();
    for signal in ["INT", "TERM", "HUP", "KILL"] {
        let mut command = env.home.command(&["put", "-", "fileago:/x"]);
        let mut child = command.env("TMPDIR", &spool).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(&[7; 100_000]).unwrap();
        let fds = PathBuf::from(format!("/proc/{}/fd", child.id()));
        let spools = || {
            let links = std::fs::read_dir(&fds).unwrap().filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok());
            links.filter(|to| to.starts_with(&spool)).count()
        };
        let begun = std::time::Instant::now();
        while spools() == 0 {
            assert!(begun.elapsed().as_secs() < 60, "nothing is spooled");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 0, "{signal}: it has a name");
        assert!(std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap().success());
        child.wait().unwrap();
        assert_eq!(std::fs::read_dir(&spool).unwrap().count(), 0, "{signal}");
    }
}

/// Between remotes and inside of one: name, size and time prove nothing of what has the name at the target.
#[test]
fn a_copy_replaces_other_bytes_of_the_same_size_and_time() {
    let pairs = [("giga0", "fileago"), ("fileago", "giga0"), ("fileago", "iogates"), ("iogates", "giga0"), ("iogates", "fileago")];
    for (from, to) in pairs.into_iter().chain([("giga0", "giga0"), ("fileago", "fileago")]) {
        let env = TestEnv::new();
        let (source, target) = (format!("{from}:/a/v.bin"), format!("{to}:/b/v.bin"));
        let then = SystemTime::now();
        let put = |content: &str, place: &str| {
            set_modified(&env.home.file("v.bin", content), then);
            env.home.run(&["put", "--if-exists", "replace", "v.bin", place]).ends_with(0);
        };
        let bring = |verb: &str| {
            let told = outcome(&env.home.run(&[verb, "--json", "--if-exists", "update", &source, &target]).ends_with(0)).0;
            (told, env.home.run(&["cat", &target]).ends_with(0).stdout)
        };
        let brought = |told: &str, content: &str| (told.to_owned(), content.to_owned());
        put("one", &source);
        put("two", &target);
        assert_eq!(bring("cp"), brought("copied", "one"), "{from} to {to}: somebody put the other one there");
        put("six", &source);
        assert_eq!(bring("cp"), brought("copied", "six"), "{from} to {to}: the source has changed");
        put("ten", &target);
        assert_eq!(bring("cp"), brought("copied", "six"), "{from} to {to}: the target has changed");
        if from != to {
            assert_eq!(bring("cp"), brought("skipped", "six"), "{from} to {to}");
        }
        if from != "iogates" {
            put("two", &source);
            assert_eq!(bring("mv"), brought("moved", "two"), "{from} to {to}");
            env.home.run(&["stat", &source]).ends_with(3);
        }
    }
}

#[test]
fn a_local_file_of_the_same_size_and_time_is_fetched_over() {
    for remote in hosts() {
        let env = TestEnv::new();
        let place = format!("{remote}:/v.bin");
        let then = modified_at(&env.home.file("v.bin", "one"));
        env.home.run(&["put", "v.bin", &place]).ends_with(0);
        let told = env.home.run(&["stat", "--json", &place]).ends_with(0).events("entry").remove(0);
        let told = told["modified"].as_str().map_or(then, |time| chrono::DateTime::parse_from_rfc3339(time).unwrap().into());
        // By this machine's own upload it knows the MD5 of what is there; another one knows nothing.
        for (name, home) in [("own", &env.home), ("other", &Home::new().env(env.sandbox.env()))] {
            let state = home.path().join(format!("state-{name}"));
            let got = home.file("got", "two");
            set_modified(&got, told);
            let mut get = home.command(&["get", "--json", "--if-exists", "update", &place, "got"]);
            if name == "other" {
                get.env("XDG_STATE_HOME", state);
            }
            let ran = Ran::of(get.output().unwrap()).ends_with(0);
            assert_eq!((outcome(&ran).0, std::fs::read(&got).unwrap()), ("downloaded".to_owned(), b"one".to_vec()), "{remote} {name}");
        }
    }
}
