//! What a killed `put` left, and what happens to it: resumed, dropped because the source has changed, or cleared.

mod clear;
mod engine;
mod runs;
mod state;

use std::fs::{File, FileTimes};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use haul::sandbox::Canned;
use haul::transfer::fingerprint::FileFingerprint;

use crate::support::env::{Content, TestEnv, bytes};
use crate::support::kill::{SIZE, kill_put};

fn modified_at(path: &Path) -> SystemTime {
    path.metadata().unwrap().modified().unwrap()
}

fn set_modified(path: &Path, at: SystemTime) {
    File::options().write(true).open(path).unwrap().set_times(FileTimes::new().set_modified(at)).unwrap();
}

/// Writes into the file as it lies there, with the size and the time that it had.
fn overwrite(path: &Path, at: u64, with: &[u8]) {
    let then = modified_at(path);
    std::os::unix::fs::FileExt::write_all_at(&File::options().write(true).open(path).unwrap(), with, at).unwrap();
    set_modified(path, then);
}

/// An exact copy takes the file's place, as programs that save safely do.
fn replace(path: &Path) {
    let (then, copy) = (modified_at(path), path.with_extension("new"));
    std::fs::copy(path, &copy).unwrap();
    set_modified(&copy, then);
    std::fs::rename(copy, path).unwrap();
}

type Change = fn(&Path);

#[test]
fn each_sign_of_another_source_is_enough() {
    let signs: [(&str, Change); 4] = [
        ("head", |path| overwrite(path, 5, b"other")),
        ("tail", |path| overwrite(path, SIZE as u64 - 5, b"other")),
        ("time", |path| set_modified(path, modified_at(path) + Duration::from_nanos(4_000_000))),
        ("inode", replace),
    ];
    for (sign, change) in signs {
        let env = TestEnv::new();
        let path = env.home.file("big.bin", bytes(SIZE, 5).0);
        kill_put(&env, &["big.bin", "iogates:/big.bin"], "iogates", 300_000);
        change(&path);
        let ran = env.home.run(&["put", "--json", "big.bin", "iogates:/big.bin"]).ends_with(0).says("has changed since");
        assert_eq!(ran.events("uploaded")[0]["resumed_from"], 0, "{sign}");
        assert_eq!(env.arrivals("iogates")["/big.bin"], Content(std::fs::read(&path).unwrap()), "{sign}");
    }
}

#[test]
fn the_same_source_by_another_name_goes_on() {
    let env = TestEnv::new();
    let path = env.home.file("d/big.bin", bytes(SIZE, 5).0);
    std::os::unix::fs::symlink(path.parent().unwrap(), path.parent().unwrap().with_file_name("link")).unwrap();
    for (n, name) in ["d/big.bin", "./d/../d/big.bin", "link/big.bin", path.to_str().unwrap()].into_iter().enumerate() {
        let place = format!("iogates:/{n}.bin");
        kill_put(&env, &["d/big.bin", &place], "iogates", 300_000);
        let ran = env.home.run(&["put", "--json", name, &place]).ends_with(0);
        assert!(ran.events("uploaded")[0]["resumed_from"].as_u64().unwrap() >= 200_000, "{name}: {} {}", ran.stdout, ran.stderr);
    }
}

/// What the file is called in the notes: `make` gets what it is called now.
fn note_source(env: &TestEnv, path: &Path, make: impl Fn(FileFingerprint) -> String) {
    // A look at a file that was written to just now tells less.
    std::thread::sleep(Duration::from_millis(30));
    let noted = make(FileFingerprint::of(path).unwrap());
    let db = rusqlite::Connection::open(env.state_file()).unwrap();
    assert_eq!(db.execute("UPDATE unfinished SET identity = ?1", [noted]).unwrap(), 1);
}

/// As an older haul noted it, which did not ask when the inode had changed.
fn older(now: FileFingerprint) -> String {
    FileFingerprint { version: None, device: None, ..now }.text().replace("\"version\":null,\"device\":null,", "")
}

/// The middle is written to and its time put back: head and tail, size and time are as they were.
#[test]
fn a_middle_that_changed_is_seen_before_anything_is_mixed() {
    for protocol in ["tus", "ftps", "plupload"] {
        for checksum in ["auto", "after", "none"] {
            let env = TestEnv::new();
            let path = env.home.file("big.bin", bytes(SIZE, 5).0);
            let put = ["--protocol", protocol, "--checksum", checksum, "big.bin", "iogates:/big.bin"];
            kill_put(&env, &put, "iogates", 600_000);
            overwrite(&path, 200_000, b"other");
            let put: Vec<&str> = ["put", "--json"].into_iter().chain(put).collect();
            let again = env.home.run(&put).ends_with(0).says("so it starts from its first byte").events("uploaded");
            assert_eq!(again[0]["resumed_from"], 0, "{protocol} {checksum}");
            assert_eq!(env.arrivals("iogates")["/big.bin"], Content(std::fs::read(&path).unwrap()), "{protocol} {checksum}");
        }
    }
}

/// A mode or a link more changes the inode too: then the whole MD5 of before the first byte decides.
#[test]
fn a_source_that_only_looks_changed_goes_on() {
    let changes: [(&str, Change); 2] = [
        ("mode", |path| std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap()),
        ("link", |path| std::fs::hard_link(path, path.with_extension("link")).unwrap()),
    ];
    for (name, change) in changes {
        let env = TestEnv::new();
        let path = env.home.file("big.bin", bytes(SIZE, 5).0);
        kill_put(&env, &["big.bin", "iogates:/big.bin"], "iogates", 600_000);
        change(&path);
        let uploaded = env.home.run(&["put", "--json", "big.bin", "iogates:/big.bin"]).ends_with(0).events("uploaded");
        assert!(uploaded[0]["resumed_from"].as_u64().unwrap() > 0, "{name}");
        assert_eq!(env.arrivals("iogates")["/big.bin"], bytes(SIZE, 5), "{name}");
    }
}

/// Where nothing tells when the inode changed, the content decides: the MD5 that is remembered of the whole, or at the end
/// the provider's.
#[test]
fn without_the_time_of_the_inodes_change_the_whole_is_compared() {
    for (checksum, changed) in [("auto", false), ("auto", true), ("after", false), ("after", true), ("none", false)] {
        let env = TestEnv::new();
        let path = env.home.file("big.bin", bytes(SIZE, 5).0);
        kill_put(&env, &["--checksum", checksum, "big.bin", "iogates:/big.bin"], "iogates", 600_000);
        if changed {
            overwrite(&path, 200_000, b"other");
        }
        note_source(&env, &path, older);
        let put = || env.home.run(&["put", "--json", "--checksum", checksum, "big.bin", "iogates:/big.bin"]);
        let mut ran = put();
        if checksum == "after" && changed {
            ran.ends_with(7).says("the MD5 differs");
            ran = put();
        }
        let uploaded = ran.ends_with(0).events("uploaded").remove(0);
        let taken_up = uploaded["resumed_from"].as_u64().unwrap() > 0;
        assert_eq!(taken_up, !changed && checksum != "none", "{checksum} {changed}: {uploaded}");
        assert_eq!(env.arrivals("iogates")["/big.bin"], Content(std::fs::read(&path).unwrap()), "{checksum} {changed}");
    }
}

/// A second run that goes on without proof, and is killed as well, has proved nothing for a third.
#[test]
fn what_is_unproven_stays_so_for_the_run_after_next() {
    let env = TestEnv::new();
    let path = env.home.file("big.bin", bytes(SIZE, 5).0);
    let put = ["--checksum", "after", "big.bin", "iogates:/big.bin"];
    kill_put(&env, &put, "iogates", 300_000);
    overwrite(&path, 100_000, b"other");
    note_source(&env, &path, older);
    kill_put(&env, &put, "iogates", 300_000);
    let db = rusqlite::Connection::open(env.state_file()).unwrap();
    let (identity, upload): (String, String) =
        db.query_row("SELECT identity, upload FROM unfinished", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    drop(db);
    assert!(!identity.contains("changed") || upload.contains("\"unproven\":true"), "{identity} {upload}");
    env.home.run(&["put", "--checksum", "after", "big.bin", "iogates:/big.bin"]).ends_with(7).says("the MD5 differs");
}

/// Both sums are known, and are compared, whatever the signs of the file say.
#[test]
fn the_sum_of_then_and_the_sum_of_now_are_compared() {
    for protocol in ["tus", "ftps"] {
        let env = TestEnv::new();
        let path = env.home.file("big.bin", bytes(SIZE, 5).0);
        kill_put(&env, &["--protocol", protocol, "big.bin", "iogates:/big.bin"], "iogates", 600_000);
        overwrite(&path, 200_000, b"other");
        note_source(&env, &path, |now| now.text());
        let put = ["put", "--json", "--protocol", protocol, "big.bin", "iogates:/big.bin"];
        env.home.run(&put).ends_with(7).says("the file is not the one that an earlier run sent a part of");
        let again = env.home.run(&put).ends_with(0).events("uploaded");
        assert_eq!((&again[0]["resumed_from"], &again[0]["verified"]), (&0.into(), &"md5".into()), "{protocol}");
        assert_eq!(env.arrivals("iogates")["/big.bin"], Content(std::fs::read(&path).unwrap()), "{protocol}");
    }
}

/// A token in the upload's own address runs out while nobody works on it.
#[test]
fn an_upload_that_is_closed_to_us_by_now_starts_over() {
    for (status, changed) in [(401, false), (500, true), (401, true)] {
        let env = TestEnv::new();
        let path = env.home.file("big.bin", bytes(SIZE, 5).0);
        kill_put(&env, &["big.bin", "iogates:/big.bin"], "iogates", 300_000);
        env.sandbox.faults().answer(Canned::new("iogates", "tus-head", status, "").times(if status == 401 { 9 } else { 1 }));
        if changed {
            replace(&path);
        }
        let uploaded = env.home.run(&["put", "--json", "big.bin", "iogates:/big.bin"]).ends_with(0).events("uploaded");
        assert_eq!(uploaded[0]["resumed_from"], 0, "{status}");
        assert_eq!(env.arrivals("iogates")["/big.bin"], bytes(SIZE, 5));
    }
}

#[test]
fn an_upload_that_the_server_has_dropped_starts_over() {
    let env = TestEnv::new();
    env.home.file("big.bin", bytes(SIZE, 5).0);
    kill_put(&env, &["big.bin", "iogates:/big.bin"], "iogates", 300_000);
    env.sandbox.faults().script("iogates:tus-gone").unwrap();
    let uploaded = env.home.run(&["put", "--json", "big.bin", "iogates:/big.bin"]).ends_with(0).events("uploaded");
    assert_eq!(uploaded[0]["resumed_from"], 0);
    assert_eq!((env.arrivals("iogates")["/big.bin"].clone(), env.sandbox.counts().created_count("iogates")), (bytes(SIZE, 5), 1));
}

/// A signal that whoever started it wants ignored (`nohup`, a shell's `&`) is no reason to end.
#[test]
fn an_ignored_signal_stays_ignored() {
    for signal in ["INT", "TERM"] {
        let env = TestEnv::new();
        env.home.file("big.bin", bytes(SIZE, 5).0);
        let haul = env!("CARGO_BIN_EXE_haul");
        let script = format!("trap '' {signal}; exec {haul} put --chunk-size 100000 --bwlimit 400K big.bin iogates:/big.bin");
        let mut sh = env.home.command(&[]);
        let mut child = std::process::Command::new("sh");
        child.args(["-c", &script]).env_clear().envs(sh.get_envs().filter_map(|(name, value)| Some((name, value?))));
        child.current_dir(sh.stdin(Stdio::null()).get_current_dir().unwrap());
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while env.sandbox.counts().all_received_bytes("iogates") < 300_000 {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(3));
        }
        assert!(std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
        assert_eq!(env.arrivals("iogates")["/big.bin"], bytes(SIZE, 5), "{signal}");
    }
}

/// The terminal is closed: it ends at once, and what was accepted is taken up.
#[test]
fn a_terminal_that_is_closed_costs_nothing() {
    let env = TestEnv::new();
    env.home.file("big.bin", bytes(SIZE, 5).0);
    let put = ["put", "--json", "--chunk-size", "100000", "big.bin", "iogates:/big.bin"];
    let slow: Vec<&str> = put.iter().copied().chain(["--bwlimit", "400K"]).collect();
    let mut child = env.home.command(&slow).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while env.sandbox.counts().all_received_bytes("iogates") < 300_000 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(3));
    }
    assert!(std::process::Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
    let ended = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&ended), Some(1));
    assert!(env.home.run(&put).ends_with(0).events("uploaded")[0]["resumed_from"].as_u64().unwrap() > 0);
}

/// `haul put --json … | head -1`: who wanted no more lines still wants the files.
#[test]
fn a_reader_that_leaves_stops_no_upload() {
    let env = TestEnv::new();
    (0..20).for_each(|n| drop(env.home.file(&format!("d/{n}"), format!("file {n}"))));
    for remote in crate::support::remotes::hosts() {
        let mut child = env.home.command(&["put", "--json", "d/", &format!("{remote}:/p")]).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!((child.wait().unwrap().code(), env.arrivals(remote).len()), (Some(0), 20), "{remote}");
    }
}
