//! Puts with faults: the file is there once as promised, and nothing that may have arrived is sent twice. Each row is one
//! scripted fault, one run of the command, and the counts of the stand-in.

mod bounds;
mod closed;
mod created_with_bytes;
mod matrix;
#[cfg(unix)]
mod restarted_uploads;
mod routes;
mod rules;
mod vanished_files;

use std::ops::RangeInclusive;
use std::sync::Mutex;

use crate::support::command::Ran;
use crate::support::env::{Content, TestEnv};
use crate::support::remotes::hosts_that_change;
use crate::support::stand_ins::StandIns;

const SIZE: usize = 300_000;
const CHUNK: u64 = 100_000;
const ALL: u64 = SIZE as u64;
/// Exactly the file.
const ONCE: RangeInclusive<u64> = ALL..=ALL;
/// At most one part of it again. (After a line that was cut while we wrote, the beginning of the request goes once more to
/// hear whether it was refused: 16 KiB, never ended, `protocols/long.rs`.)
const A_PART_TWICE: RangeInclusive<u64> = ALL..=ALL + CHUNK;
/// Begun once, then sent whole.
const BEGUN_TWICE: RangeInclusive<u64> = ALL..=2 * ALL;

fn content() -> Content {
    Content((0..SIZE).map(|n| (n % 251) as u8 ^ (n / 1000) as u8).collect())
}

struct Row {
    fault: &'static str,
    status: i32,
    /// Bytes of content that the server got in all.
    received: RangeInclusive<u64>,
    /// Entries that were made.
    created: u64,
    retries: u64,
    sign_ins: u64,
    says: &'static str,
}

/// The fault passes: the file is there once.
fn passes(fault: &'static str, received: RangeInclusive<u64>, retries: u64) -> Row {
    Row { fault, status: 0, received, created: 1, retries, sign_ins: 1, says: "" }
}

/// The fault stays: nothing is there.
fn fails(fault: &'static str, status: i32, created: u64, says: &'static str) -> Row {
    Row { fault, status, received: 0..=ALL, created, retries: 0, sign_ins: 1, says }
}

/// Every row on stand-ins of its own, some at a time: most of a row is waiting for the next try.
fn walk(remote: &str, protocol: &str, rows: Vec<Row>) {
    let rows = Mutex::new(rows);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let Some(row) = rows.lock().unwrap().pop() else { return };
                    check(remote, protocol, &row);
                }
            });
        }
    });
}

fn check(remote: &str, protocol: &str, row: &Row) {
    let (env, what) = (TestEnv::new(), format!("{protocol} {}", row.fault));
    env.home.file("film.bin", content().0);
    env.sandbox.faults().script(row.fault).unwrap();
    let target = format!("{remote}:/box/film.bin");
    let ran = env.home.run(&[
        "put",
        "--json",
        "-vv",
        "--timeout",
        "2s",
        "--retries",
        "3",
        "--chunk-size",
        "100000",
        "--protocol",
        protocol,
        "film.bin",
        &target,
    ]);
    assert_eq!(ran.status, row.status, "{what}: {}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(row.says), "{what}: {}", ran.stderr);
    assert!(!ran.stderr.contains("panicked"), "{what}: {}", ran.stderr);
    let counts = env.sandbox.counts();
    let (received, created) = (counts.all_received_bytes(remote), counts.created_count(remote));
    assert!(row.received.contains(&received), "{what}: {received} bytes were received");
    assert_eq!(created, row.created, "{what}: entries that were made");
    assert_eq!(counts.sign_ins(remote), row.sign_ins, "{what}: sign-ins");
    let lasting = |left: &haul::sandbox::ScriptedFault| left.to_string().ends_with("*always");
    assert!(env.sandbox.faults().remaining().iter().all(lasting), "{what}: the fault never struck");
    if row.status == 0 {
        let uploaded = ran.events("uploaded");
        // The FTP library of the stand-in answers a handshake in clear now and then, on a busy machine: a try more.
        let retries = row.retries + ran.stderr.matches("broke off the TLS handshake").count() as u64;
        assert_eq!((uploaded.len(), &uploaded[0]["retries"]), (1, &retries.into()), "{what}: {}{}", ran.stdout, ran.stderr);
        assert_eq!(env.arrivals(remote).into_iter().collect::<Vec<_>>(), [("/box/film.bin".to_owned(), content())], "{what}");
        assert_eq!(env.sandbox.arrivals().len(), 1, "{what}: arrived once");
    } else {
        assert_eq!(ran.events("uploaded").len(), 0, "{what}");
        assert!(env.arrivals(remote).is_empty(), "{what}");
    }
}

#[test]
fn tus() {
    walk(
        "iogates",
        "tus",
        vec![
            passes("iogates/tus-patch:cut=0", A_PART_TWICE, 1),
            passes("iogates/tus-patch:cut=50000", A_PART_TWICE, 1),
            passes("iogates/tus-patch:cut=50000*2", ALL..=ALL + 2 * CHUNK, 2),
            passes("iogates/tus-patch:answer-lost", ONCE, 1),
            passes("iogates/tus-patch:500", ONCE, 1),
            passes("iogates/tus-patch:429=0", ONCE, 1),
            passes("iogates/tus-patch:503=0*2", ONCE, 2),
            passes("iogates/tus-patch:slow=300", ONCE, 0),
            passes("iogates:tus-locked*2", ONCE, 2),
            passes("iogates:tus-conflict", A_PART_TWICE, 1),
            passes("iogates:tus-checksum", A_PART_TWICE, 1),
            passes("iogates:tus-short=7", ALL..=ALL + 7, 0),
            passes("iogates:tus-relative", ONCE, 0),
            passes("iogates:tus-no-options", ONCE, 0),
            passes("iogates/tus-create:answer-lost", ONCE, 1),
            passes("iogates/file-create:answer-lost", ONCE, 0),
            passes("iogates/file-create:500", ONCE, 1),
            passes("iogates/file:500*2", ONCE, 0),
            passes("iogates:late-download*3", ONCE, 0),
            passes("iogates:tus-gone", BEGUN_TWICE, 1),
            Row { sign_ins: 2, ..passes("iogates/file-create:expired", ONCE, 0) },
            Row { sign_ins: 2, ..passes("iogates/file:expired", ONCE, 0) },
            fails("iogates/file-create:html", 13, 0, "Down for maintenance"),
            fails("iogates/tus-patch:413", 8, 1, "too large for the server"),
            fails("iogates/tus-patch:503=0*always", 5, 1, "the server is busy and asks to wait"),
            Row { sign_ins: 0, ..fails("iogates/sign-in:html", 11, 0, "Down for maintenance") },
        ],
    );
}

#[test]
fn plupload() {
    walk(
        "iogates",
        "plupload",
        vec![
            // Refused unread: the same chunk may go again.
            passes("iogates/plupload:429=0", ONCE, 1),
            passes("iogates/plupload:503=0*2", ONCE, 2),
            passes("iogates/plupload:slow=300", ONCE, 0),
            passes("iogates:plupload-truncates", ONCE, 0),
            passes("iogates:plupload-ok", ONCE, 0),
            // May have arrived: receivers append, so a new entry from its first byte.
            Row { created: 2, ..passes("iogates/plupload:cut=0", A_PART_TWICE, 1) },
            Row { created: 2, ..passes("iogates/plupload:cut=50000", BEGUN_TWICE, 1) },
            Row { created: 2, ..passes("iogates/plupload:answer-lost", A_PART_TWICE, 1) },
            Row { created: 3, ..passes("iogates/plupload:answer-lost*2", ALL..=ALL + 2 * CHUNK, 2) },
            Row { created: 2, ..passes("iogates/plupload:500", ONCE, 1) },
            fails("iogates:plupload-error", 8, 1, "could not take a chunk"),
            fails("iogates/plupload:413", 8, 1, "too large for the server"),
        ],
    );
}

#[cfg(unix)]
#[test]
fn ftps() {
    walk(
        "iogates",
        "ftps",
        vec![
            passes("iogates:ftp-cut=0", A_PART_TWICE, 1),
            passes("iogates:ftp-cut=100000", ONCE, 1),
            passes("iogates:ftp-cut=100000 iogates:ftp-no-resume", BEGUN_TWICE, 2),
            passes("iogates/file:500*2", ONCE, 0),
            Row { sign_ins: 2, ..passes("iogates/file:expired", ONCE, 0) },
        ],
    );
}

#[test]
fn giga0() {
    walk(
        "giga0",
        "auto",
        vec![
            passes("giga0/file/upload:cut=0", A_PART_TWICE, 1),
            passes("giga0/file/upload:cut=50000", BEGUN_TWICE, 1),
            passes("giga0/file/upload:answer-lost", ONCE, 1),
            passes("giga0/file/upload:answer-lost giga0/folder/listing:503=0", ONCE, 1),
            passes("giga0/file/upload:500", ONCE, 1),
            passes("giga0/file/upload:429=0", ONCE, 1),
            passes("giga0/file/upload:503=0*2", ONCE, 2),
            passes("giga0/file/upload:slow=300", ONCE, 0),
            passes("giga0/folder/create:answer-lost", ONCE, 0),
            passes("giga0/folder/create:500", ONCE, 0),
            passes("giga0/folder/listing:answer-lost", ONCE, 0),
            passes("giga0/account/package:503=0", ONCE, 0),
            passes("giga0:folders-false", ONCE, 0),
            passes("giga0:trashed-rows", ONCE, 0),
            passes("giga0:hash-placeholder", ONCE, 0),
            Row { sign_ins: 2, ..passes("giga0/folder/create:expired", ONCE, 0) },
            // As in PHP the form is read before the token is looked at.
            Row { sign_ins: 2, ..passes("giga0/file/upload:expired", 2 * ALL..=2 * ALL, 0) },
            Row { sign_ins: 2, ..passes("giga0:error-form=status giga0/folder/create:expired", ONCE, 0) },
            Row { sign_ins: 2, ..passes("giga0:error-form=result giga0/folder/create:expired", ONCE, 0) },
            Row { sign_ins: 2, ..passes("giga0:error-form=success giga0/folder/create:expired", ONCE, 0) },
            Row { sign_ins: 2, ..passes("giga0:error-form=http giga0/folder/create:expired", ONCE, 0) },
            fails("giga0:data-error", 8, 0, "Storage space is full"),
            fails("giga0/file/upload:413", 8, 0, "may limit the size of uploads"),
            fails("giga0/folder/listing:html", 11, 0, "Down for maintenance"),
            fails("giga0/file/upload:429=0*always", 5, 0, ""),
            Row { sign_ins: 0, ..fails("giga0/authorize:html", 11, 0, "Down for maintenance") },
        ],
    );
}

#[test]
fn fileago() {
    walk(
        "fileago",
        "auto",
        vec![
            passes("fileago/upload:cut=0", A_PART_TWICE, 1),
            passes("fileago/upload:cut=50000", BEGUN_TWICE, 1),
            passes("fileago/upload:answer-lost", ONCE, 1),
            passes("fileago/upload:500", ONCE, 1),
            passes("fileago/upload:429=0", ONCE, 1),
            passes("fileago/upload:503=0*2", ONCE, 2),
            passes("fileago/upload:slow=300", ONCE, 0),
            passes("fileago/upload-token:answer-lost", ONCE, 1),
            passes("fileago/change:answer-lost", ONCE, 0),
            passes("fileago/change:500", ONCE, 0),
            passes("fileago/dirlist:answer-lost", ONCE, 0),
            passes("fileago:answers-data", ONCE, 0),
            Row { sign_ins: 2, ..passes("fileago/upload-token:expired", ONCE, 0) },
            Row { sign_ins: 2, ..passes("fileago:html-errors fileago/change:expired", ONCE, 0) },
            fails("fileago/upload:413", 8, 0, "the server's proxy limits the size"),
            fails("fileago/change:html", 13, 0, "Down for maintenance"),
            fails("fileago/upload:503=0*always", 5, 0, ""),
        ],
    );
}

#[test]
fn a_token_for_each_try_and_no_more() {
    let env = TestEnv::new();
    env.home.file("film.bin", content().0);
    env.sandbox.faults().script("fileago/upload:cut=50000 fileago/upload:503=0").unwrap();
    env.home.run(&["put", "film.bin", "fileago:/film.bin"]).ends_with(0);
    let counts = env.sandbox.counts();
    let (tokens, tries) = (counts.requests("fileago", "upload-token"), counts.requests("fileago", "upload"));
    // A fourth where the beginning went once more to hear a refusal.
    assert!(tokens == tries && (3..=4).contains(&tries), "{tokens} tokens, {tries} tries");
}

#[test]
fn retry_after_is_obeyed_and_told() {
    for (remote, kind) in [("iogates", "tus-patch"), ("giga0", "file/upload"), ("fileago", "upload")] {
        let env = TestEnv::new();
        env.home.file("film.bin", content().0);
        env.sandbox.faults().script(&format!("{remote}/{kind}:503=1 {remote}/{kind}:429=0")).unwrap();
        let ran = env.home.run(&["put", "-v", "--retries", "3", "film.bin", &format!("{remote}:/film.bin")]).ends_with(0);
        let waits: Vec<&str> = ran.stderr.lines().filter(|l| l.contains("waiting ")).collect();
        assert!(waits[0].contains("film.bin: waiting 0") && waits[0].ends_with("(try 2 of 3)"), "{remote}: {waits:?}");
        assert!(waits[1].contains("film.bin: waiting 1") && waits[1].ends_with("(try 3 of 3)"), "{remote}: {waits:?}");
        assert_eq!(waits.len(), 2, "{remote}: {waits:?}");
    }
}

#[test]
fn single_calls_tell_what_they_wait_for() {
    let env = TestEnv::new();
    env.sandbox.faults().script("giga0/folder/listing:503=3 giga0/folder/listing:503=0").unwrap();
    let ran = env.home.run(&["ls", "giga0:/"]).ends_with(0);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("haul: warning: waiting 3s: ") && ran.stderr.ends_with("(try 2 of 5)\n"), "{}", ran.stderr);
}

#[test]
fn a_folder_that_is_refused_is_asked_for_once() {
    let env = TestEnv::new();
    for n in 0..20 {
        env.home.file(&format!("d/{n:02}"), "x");
    }
    env.sandbox.faults().script("fileago/change:413*always").unwrap();
    let ran = env.home.run(&["put", "--json", "-j", "8", "d/", "fileago:/new/"]).ends_with(8);
    assert_eq!(ran.events("failed").len(), 20, "every file is told");
    assert_eq!(env.sandbox.counts().requests("fileago", "change"), 1);
}

#[test]
fn eight_workers_with_a_token_that_ran_out_sign_in_once_more() {
    for (remote, kind) in [("iogates", "file"), ("giga0", "file/upload"), ("fileago", "upload-token")] {
        let env = TestEnv::new();
        for n in 0..24 {
            env.home.file(&format!("d/{n:02}"), format!("file {n}"));
        }
        env.sandbox.faults().script(&format!("{remote}/{kind}:expired")).unwrap();
        env.home.run(&["put", "-j", "8", "d", &format!("{remote}:/")]).ends_with(0);
        assert_eq!((env.arrivals(remote).len(), env.sandbox.arrivals().len()), (24, 24), "{remote}");
        assert_eq!(env.sandbox.counts().sign_ins(remote), 2, "{remote}");
        // And the new token serves the next run.
        env.home.run(&["put", "-j", "8", "d", &format!("{remote}:/again/")]).ends_with(0);
        assert_eq!(env.sandbox.counts().sign_ins(remote), 2, "{remote}");
    }
}

#[test]
fn a_refused_sign_in_is_tried_once() {
    let env = TestEnv::new();
    for n in 0..10 {
        env.home.file(&format!("d/{n}"), "x");
    }
    for (remote, kind) in [("iogates", "sign-in"), ("giga0", "authorize"), ("fileago", "sign-in")] {
        let variable = format!("HAUL_REMOTE_{}_PASSWORD", remote.to_uppercase());
        let mut command = env.home.command(&["put", "-j", "8", "d", &format!("{remote}:/")]);
        Ran::of(command.env(variable, "not-the-password").output().unwrap()).ends_with(4).says("refused the sign-in");
        assert_eq!(env.sandbox.counts().requests(remote, kind), 1, "{remote}");
    }
}

#[test]
fn many_files_make_a_new_folder_once_and_list_it_once() {
    for (remote, fault, list, make) in [
        ("giga0", "giga0/folder/create:answer-lost", "folder/listing", "folder/create"),
        ("fileago", "fileago/change:answer-lost", "dirlist", "change"),
    ] {
        let env = TestEnv::new();
        for n in 0..40 {
            env.home.file(&format!("d/deep/{n:02}"), format!("file {n}"));
        }
        env.sandbox.faults().script(fault).unwrap();
        env.home.run(&["put", "-j", "8", "d", &format!("{remote}:/new/")]).ends_with(0);
        assert_eq!(env.arrivals(remote).len(), 40, "{remote}");
        let counts = env.sandbox.counts();
        assert_eq!(counts.requests(remote, make), 3, "{remote}: new, d, deep");
        if remote == "giga0" {
            assert!(counts.requests(remote, list) <= 8, "{}", counts.requests(remote, list));
        }
    }
}

#[test]
fn what_looking_cannot_decide_is_said_so() {
    let env = TestEnv::new();
    env.home.file("film.bin", content().0);
    env.sandbox.faults().script("iogates/file:500*always").unwrap();
    let ran = env.home.run(&["put", "--json", "--retries", "2", "film.bin", "iogates:/film.bin"]).ends_with(13);
    let failed = ran.events("failed");
    assert_eq!(failed[0]["error"]["kind"], "unknown");
    assert!(ran.stderr.contains("haul ls"), "{}", ran.stderr);
}

/// The last try is over, but a token that ran out meanwhile is no reason not to look.
#[test]
fn a_file_that_arrived_with_the_last_try_is_found_with_a_new_token() {
    let env = TestEnv::new();
    env.home.file("film.bin", content().0);
    env.sandbox.faults().script("iogates/tus-patch:answer-lost iogates/file:expired").unwrap();
    let ran = env.home.run(&["put", "--json", "--retries", "1", "film.bin", "iogates:/film.bin"]).ends_with(0);
    assert_eq!(ran.events("uploaded")[0]["verified"], "md5");
    assert_eq!(env.sandbox.counts().sign_ins("iogates"), 2);
}

/// The look itself may break, on the connection that the lost answer broke: with `--retries 1` too it is made again.
#[test]
fn a_look_is_made_again_whatever_the_tries_are() {
    let env = TestEnv::new();
    env.home.file("film.bin", content().0);
    env.sandbox.faults().script("iogates/tus-patch:answer-lost iogates/file:500*2").unwrap();
    let ran = env.home.run(&["put", "--json", "--retries", "1", "film.bin", "iogates:/film.bin"]).ends_with(0);
    assert_eq!(ran.events("uploaded")[0]["verified"], "md5");
}

/// A proxy answers in the server's place, which has taken the whole file: no other protocol sends it again.
#[test]
fn a_page_after_the_last_byte_is_looked_past() {
    let env = TestEnv::new();
    env.home.file("film.bin", content().0);
    env.sandbox.faults().script("iogates/tus-patch:answer-page").unwrap();
    let ran = env.home.run(&["put", "--json", "film.bin", "iogates:/film.bin"]).ends_with(0);
    assert_eq!((&ran.events("uploaded")[0]["protocol"], &ran.events("uploaded")[0]["verified"]), (&"tus".into(), &"md5".into()));
    let counts = env.sandbox.counts();
    assert_eq!((counts.all_received_bytes("iogates"), counts.created_count("iogates")), (300_000, 1));
}

#[test]
fn above_the_accounts_limit_nothing_is_sent() {
    let env = TestEnv::new();
    env.home.file("film.bin", content().0);
    env.sandbox.giga0().set(|p| p.max_upload_size = 299_999);
    env.sandbox.iogates().set(|s| s.max_file_size = 299_999);
    for remote in ["giga0", "iogates"] {
        let ran = env.home.run(&["put", "film.bin", &format!("{remote}:/box/film.bin")]).ends_with(8).says("300000 bytes");
        assert!(ran.stderr.starts_with("haul: film.bin: "), "{}", ran.stderr);
        let counts = env.sandbox.counts();
        assert_eq!(
            (counts.created_count(remote), counts.all_received_bytes(remote), counts.requests(remote, "folder/create")),
            (0, 0, 0),
            "{remote}"
        );
    }
}

#[cfg(unix)]
mod interrupted {
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;

    const ROUTES: [(&str, &str); 5] =
        [("iogates", "tus"), ("iogates", "plupload"), ("iogates", "ftps"), ("giga0", "auto"), ("fileago", "auto")];

    /// A put that would last for seconds, caught when its first bytes have arrived.
    fn under_way(env: &TestEnv, remote: &str, protocol: &str) -> Child {
        let before = env.sandbox.counts().all_received_bytes(remote);
        let target = format!("{remote}:/box/film.bin");
        let args = ["put", "--bwlimit", "60K", "--chunk-size", "50000", "--protocol", protocol, "film.bin", &target];
        let child = env.home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while env.sandbox.counts().all_received_bytes(remote) == before {
            assert!(begun.elapsed() < Duration::from_secs(20), "{protocol}: nothing arrived");
            std::thread::sleep(Duration::from_millis(5));
        }
        child
    }

    fn send(signal: &str, child: &Child) {
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    }

    /// However often it is stopped, the same command brings the file in the end.
    #[test]
    fn and_typed_again() {
        for (remote, protocol) in ROUTES {
            let env = TestEnv::new();
            env.home.file("film.bin", content().0);
            for (signal, status) in [("-INT", Some(130)), ("-TERM", Some(143)), ("-KILL", None)] {
                let child = under_way(&env, remote, protocol);
                send(signal, &child);
                let output = child.wait_with_output().unwrap();
                assert_eq!(output.status.code(), status, "{protocol} {signal}");
                let stderr = String::from_utf8(output.stderr).unwrap();
                // Its receivers can't be asked how far they are: what an earlier run left is told.
                let told = |line: &str| {
                    let left = protocol == "plupload" && line.contains("half-sent entry");
                    let stopped = line.starts_with("0 of 1 file done, ") && line.ends_with(", interrupted")
                        || line == "haul: warning: interrupted; the same command goes on where it stopped";
                    left || (signal != "-KILL" && stopped)
                };
                assert!(stderr.lines().all(told), "{protocol} {signal}: {stderr}");
            }
            let put = ["put", "--json", "--protocol", protocol, "film.bin", &format!("{remote}:/box/film.bin")];
            assert_eq!(env.home.run(&put).ends_with(0).events("uploaded").len(), 1, "{protocol}");
            assert_eq!(env.arrivals(remote).into_iter().collect::<Vec<_>>(), [("/box/film.bin".to_owned(), content())], "{protocol}");
            assert_eq!(env.home.run(&put).ends_with(0).events("skipped").len(), 1, "{protocol}");
        }
    }

    /// Bytes that are sent on to an entry which is gone would never appear.
    #[test]
    fn an_entry_that_was_removed_meanwhile_is_made_anew() {
        let env = TestEnv::new();
        env.home.file("film.bin", content().0);
        let mut child = under_way(&env, "iogates", "tus");
        send("-KILL", &child);
        child.wait().unwrap();
        env.sandbox.iogates().remove_entries();
        let put = ["put", "--json", "--protocol", "tus", "film.bin", "iogates:/box/film.bin"];
        let ran = env.home.run(&put).ends_with(0);
        assert!(ran.stderr.contains("was removed on the server, so it starts anew"), "{}", ran.stderr);
        assert_eq!(env.arrivals("iogates").into_iter().collect::<Vec<_>>(), [("/box/film.bin".to_owned(), content())]);
    }

    #[test]
    fn a_second_signal_leaves_although_nobody_reads_the_results() {
        let env = TestEnv::new();
        for n in 0..1200 {
            env.home.file(&format!("d/a-name-that-fills-a-pipe-when-it-is-listed-{n:04}"), "x");
        }
        env.home.run(&["put", "-q", "-j", "8", "d", "iogates:/"]).ends_with(0);
        let lists = env.sandbox.counts().requests("iogates", "files");
        let mut child = env.home.command(&["ls", "--json", "iogates:/d"]).stdout(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while env.sandbox.counts().requests("iogates", "files") == lists {
            assert!(begun.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(5));
        }
        let ended = loop {
            send("-TERM", &child);
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not leave");
            std::thread::sleep(Duration::from_millis(50));
        };
        assert_eq!(ended.code(), Some(143));
    }

    #[test]
    fn a_source_that_changes_or_goes_is_no_good_upload() {
        for (remote, protocol) in ROUTES {
            let env = TestEnv::new();
            let path = env.home.file("film.bin", content().0);
            let child = under_way(&env, remote, protocol);
            std::fs::write(&path, vec![1; SIZE / 3]).unwrap();
            let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(7);
            assert!(ran.stderr.contains("film.bin"), "{protocol}: {}", ran.stderr);
            assert!(!ran.stdout.contains("uploaded"), "{protocol}: {}", ran.stdout);
        }
    }

    /// A form has brought the whole of it before the change is seen: what came must not pass for a good copy.
    #[test]
    fn a_bad_copy_does_not_stay_looking_good() {
        for remote in hosts_that_change() {
            let env = TestEnv::new();
            let path = env.home.file("film.bin", content().0);
            let child = under_way(&env, remote, "auto");
            std::fs::write(&path, vec![1; SIZE]).unwrap();
            Ran::of(child.wait_with_output().unwrap()).ends_with(7).says("the bad copy is removed");
            env.home.run(&["stat", &format!("{remote}:/box/film.bin")]).ends_with(3);
        }
    }
}
