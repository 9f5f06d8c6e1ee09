//! Uploads that can never complete: all bytes were accepted and no file appears, the server refuses the whole file, or it
//! reports bytes that were never sent. haul does not resume them; the file starts over.

use std::time::Duration;

use super::content;
use crate::support::env::{TestEnv, bytes};
use crate::support::kill;
use crate::support::stand_ins::StandIns;

const PROTOCOLS: &[&str] = &[
    "tus",
    "plupload",
    #[cfg(unix)]
    "ftps",
];

fn put<'a>(protocol: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let timeout = if more.contains(&"--timeout") { &[][..] } else { &["--timeout", "1s"] };
    let args = ["put", "--json", "--chunk-size", "100000", "--protocol", protocol];
    [&args[..], timeout, more, &["film.bin", "iogates:/film.bin"]].concat()
}

fn env() -> TestEnv {
    let env = TestEnv::new();
    env.home.file("film.bin", content().0);
    env
}

#[test]
fn what_was_accepted_and_never_appears_begins_anew_with_the_next_run() {
    for protocol in PROTOCOLS {
        for more in [&[][..], &["--if-exists", "replace"]] {
            let env = env();
            env.sandbox.faults().script("iogates:not-taken-in").unwrap();
            env.home.run(&put(protocol, more)).ends_with(13).says("the file does not appear");
            let again = env.home.run(&put(protocol, more)).ends_with(0).says("no file came of them, so it begins anew");
            assert_eq!((&again.events("uploaded")[0]["resumed_from"], again.stderr.contains('@')), (&0.into(), true), "{protocol}");
            assert_eq!(env.arrivals("iogates")["/film.bin"], content(), "{protocol}");
            assert_eq!(env.sandbox.counts().created_count("iogates"), 2, "{protocol}: under an entry of its own");
            assert_eq!(env.home.run(&["transfers", "list", "--json"]).ends_with(0).stdout, "");
        }
    }
}

/// It was late, and is there by now: nothing is sent twice.
#[test]
fn what_appears_after_all_is_found_by_the_next_run() {
    for protocol in PROTOCOLS {
        let env = env();
        env.sandbox.faults().script("iogates:late-download*always").unwrap();
        env.home.run(&put(protocol, &[])).ends_with(13);
        env.sandbox.faults().clear();
        env.home.run(&put(protocol, &[])).ends_with(0);
        assert_eq!(env.sandbox.counts().all_received_bytes("iogates"), super::ALL, "{protocol}");
    }
}

#[test]
fn transfers_resume_mends_it_too() {
    for protocol in PROTOCOLS {
        let env = env();
        env.sandbox.faults().script("iogates:not-taken-in").unwrap();
        env.home.run(&put(protocol, &[])).ends_with(13);
        env.home.run(&["transfers", "resume", "--timeout", "1s"]).ends_with(0);
        assert_eq!(env.arrivals("iogates")["/film.bin"], content(), "{protocol}");
    }
}

/// The run that would have waited for it was killed: the next one waits, and the one after that begins anew.
#[test]
fn a_killed_run_s_file_that_never_appears_is_waited_for_once() {
    let env = env();
    env.sandbox.faults().script("iogates:not-taken-in").unwrap();
    let mut child = env.home.command(&put("tus", &["--timeout", "60s"])).spawn().unwrap();
    let begun = std::time::Instant::now();
    while env.sandbox.counts().all_received_bytes("iogates") < super::ALL || !env.sandbox.faults().remaining().is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    let statuses = [(); 3].map(|()| env.home.run(&put("tus", &[])).status);
    assert!(statuses == [13, 0, 0] || statuses[0] == 0, "{statuses:?}");
    assert_eq!(env.arrivals("iogates")["/film.bin"], content());
}

/// The server keeps the last byte and says no: its HEAD, which says "complete", does not make that a success.
#[test]
fn a_refusal_of_the_last_byte_is_a_failure() {
    let env = env();
    env.sandbox.faults().script("iogates:tus-refuses-end").unwrap();
    let ran = env.home.run(&put("tus", &[])).ends_with(8).says("has all bytes, and refuses the file");
    assert_eq!(ran.events("failed")[0]["error"]["status"], 422);
    assert_eq!(env.home.run(&["transfers", "list", "--json"]).ends_with(0).stdout, "", "nobody goes on with it");
    env.home.run(&put("tus", &[])).ends_with(0);
    assert_eq!(env.arrivals("iogates")["/film.bin"], content());
}

/// In the answer to a PATCH, and in that to a look after a lost one.
#[test]
fn an_offset_beyond_what_was_sent_ends_the_upload() {
    let in_answers = ["iogates:tus-overfull=50000", "iogates:tus-overfull=50000+1", "iogates:tus-overfull=900000"];
    for fault in in_answers.into_iter().chain(["iogates/tus-patch:cut=50000 iogates:tus-overfull=150000*3"]) {
        let env = env();
        env.sandbox.faults().script(fault).unwrap();
        let ran = env.home.run(&put("tus", &["--timeout", "20s"])).ends_with(0).says("begins anew");
        assert!(ran.stderr.contains("the server claims"), "{}", ran.stderr);
        assert_eq!(env.arrivals("iogates")["/film.bin"], content(), "{fault}");
        assert_eq!(ran.events("uploaded")[0]["verified"], "md5");
        assert!((2..=4).contains(&env.sandbox.counts().created_count("iogates")), "{fault}: under a new entry");
    }
}

/// By FTP the size of what lies there tells it.
#[cfg(unix)]
#[test]
fn a_partial_file_longer_than_what_was_sent_is_not_resumed() {
    let env = TestEnv::new();
    // More than lies in buffers on the way.
    let content = bytes(40_000_000, 8);
    env.home.file("film.bin", &content.0);
    env.sandbox.faults().script("iogates:ftp-cut=100000 iogates:ftp-padded=39000000").unwrap();
    env.home.run(&put("ftps", &["--timeout", "20s"])).ends_with(0);
    assert!(env.sandbox.counts().all_received_bytes("iogates") >= 40_100_000, "it began anew");
    assert_eq!(env.arrivals("iogates")["/film.bin"], content);
}

/// It claims so for ever: the answer makes no sense, and the next run takes nothing of it up.
#[test]
fn an_upload_that_is_nonsense_is_not_taken_up() {
    let env = env();
    env.sandbox.faults().script("iogates:tus-overfull=50000*always").unwrap();
    env.home.run(&put("tus", &["--retries", "2"])).ends_with(11).says("the server claims");
    assert_eq!(env.home.run(&["transfers", "list", "--json"]).ends_with(0).stdout, "");
    env.sandbox.faults().clear();
    assert_eq!(env.home.run(&put("tus", &[])).ends_with(0).events("uploaded")[0]["resumed_from"], 0);
    assert_eq!(env.arrivals("iogates")["/film.bin"], content());
}

/// What a killed run's kernel still sends arrives behind the first look.
#[test]
fn an_offset_that_moves_is_not_resumed() {
    let env = env();
    env.home.file("big.bin", bytes(kill::SIZE, 5).0);
    kill::kill_put(&env, &["big.bin", "iogates:/big.bin"], "iogates", 300_000);
    let counts = || (env.sandbox.counts().requests("iogates", "tus-patch"), env.sandbox.counts().all_received_bytes("iogates"));
    // What the kernel still sends for the killed run belongs to that run.
    let mut before = counts();
    for _ in 0..40 {
        std::thread::sleep(std::time::Duration::from_millis(250));
        if std::mem::replace(&mut before, counts()) == before {
            break;
        }
    }
    env.sandbox.faults().script("iogates:tus-trails=70000").unwrap();
    let args = ["put", "--json", "--chunk-size", "100000", "big.bin", "iogates:/big.bin"];
    let uploaded = env.home.run(&args).ends_with(0).events("uploaded");
    let rest = kill::SIZE as u64 - uploaded[0]["resumed_from"].as_u64().unwrap();
    let after = counts();
    assert_eq!((after.0 - before.0, after.1 - before.1), (rest.div_ceil(100_000), rest), "{uploaded:?}");
    assert_eq!(env.arrivals("iogates")["/big.bin"], bytes(kill::SIZE, 5));
}

#[test]
fn an_empty_file_that_waits_for_a_patch_gets_one() {
    for (fault, patches) in [("iogates:tus-empty-waits", 1), ("", 0)] {
        let env = TestEnv::new();
        env.home.file("film.bin", "");
        env.sandbox.faults().script(fault).unwrap();
        env.home.run(&put("tus", &[])).ends_with(0);
        assert_eq!(env.arrivals("iogates").len(), 1, "{fault}");
        assert_eq!(env.sandbox.counts().requests("iogates", "tus-patch"), patches, "{fault}");
    }
}

/// A web server in front takes small bodies only: the parts shrink, and that costs no try.
#[test]
fn parts_that_are_too_large_cost_no_try() {
    for protocol in ["tus", "plupload"] {
        let env = TestEnv::new();
        let content = bytes(3_000_000, 6);
        env.home.file("film.bin", &content.0);
        env.sandbox.iogates().set(|settings| settings.chunk_size = 0);
        env.sandbox.faults().script("iogates:largest-body=300000").unwrap();
        let args = ["put", "--json", "--retries", "1", "--protocol", protocol, "film.bin", "iogates:/film.bin"];
        let uploaded = env.home.run(&args).ends_with(0).events("uploaded");
        assert_eq!((&uploaded[0]["retries"], env.arrivals("iogates")["/film.bin"].clone()), (&0.into(), content), "{protocol}");
        assert_eq!(env.sandbox.counts().created_count("iogates"), 1, "{protocol}");
    }
}
