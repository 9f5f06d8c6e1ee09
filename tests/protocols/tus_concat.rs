//! `--streams` at a TUS endpoint: one file in several uploads side by side, which the server joins.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::command::Home;
use crate::support::env::{Content, TestEnv, bytes};
use crate::support::kill::kill_when;
use crate::support::web_servers;
use crate::support::web_servers::Server;

/// Large enough for four spans.
const SIZE: usize = (33 << 20) + 11;
const PUT: &[&str] = &["put", "--json", "--streams", "4", "a.bin", "tus:/in/"];
/// OPTIONS and the creations of the parts: what a run asks before its first byte.
const BEFORE_BYTES: u64 = 5;

fn with_file() -> (TestEnv, Content) {
    let (env, content) = (TestEnv::new(), bytes(SIZE, 21));
    env.home.file("a.bin", &content.0);
    (env, content)
}

fn assert_there_once(env: &TestEnv, content: &Content) {
    assert_eq!(env.sandbox.arrivals().len(), 1, "{:?}", env.sandbox.arrivals());
    assert_eq!(env.arrivals("tus")["/in/a.bin"], *content);
}

#[test]
fn four_parts_become_one_file() {
    let (env, content) = with_file();
    let uploaded = env.home.run(PUT).ends_with(0).events("uploaded").remove(0);
    assert_there_once(&env, &content);
    assert_eq!(uploaded["verified"], "size");
    assert_eq!(uploaded["md5"], format!("{:x}", md5::compute(&content.0)));
    assert_eq!((env.request_count("tus", "tus-create"), env.request_count("tus", "tus-patch")), (5, 4));
    assert_eq!(env.request_count("tus", "tus-delete"), 0, "a server may need the parts for the file");
    let told = env.home.run(&["stat", "--json", &format!("tus:@{}", uploaded["id"].as_str().unwrap())]).ends_with(0).json().remove(0);
    assert_eq!((told["name"].as_str(), told["size"].as_u64()), (Some("a.bin"), Some(SIZE as u64)));
    assert_eq!(env.home.run(PUT).ends_with(0).events("skipped").len(), 1, "the same again sends nothing");
}

/// No answer to the first request for bytes comes before all four have come.
#[test]
fn the_parts_travel_side_by_side() {
    let (env, content) = with_file();
    env.script("tus/tus-patch:slow=600000*4");
    let mut child = env.home.command(PUT).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while env.request_count("tus", "tus-patch") < 4 {
        assert!(Instant::now() < until && child.try_wait().unwrap().is_none(), "{}", env.request_count("tus", "tus-patch"));
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    env.home.run(PUT).ends_with(0);
    assert_there_once(&env, &content);
}

#[test]
fn a_server_without_it_gets_one_stream() {
    let (env, content) = with_file();
    env.script("tus:tus-no-options");
    let ran = env.home.run(&["put", "-v", "--streams", "4", "a.bin", "tus:/in/"]).ends_with(0);
    assert!(ran.stderr.contains("one stream"), "{}", ran.stderr);
    assert_there_once(&env, &content);
    assert_eq!(env.request_count("tus", "tus-create"), 1);
    env.home.file("small.bin", &bytes(100_000, 3).0);
    let ran = env.home.run(&["put", "-v", "--streams", "4", "small.bin", "tus:/in/"]).ends_with(0);
    assert!(!ran.stderr.contains("one stream"), "a small file is nobody's disappointment: {}", ran.stderr);
}

/// It announces what it does not do.
#[test]
fn a_server_that_refuses_to_join_gets_one_stream() {
    let (env, content) = with_file();
    env.script("tus:tus-no-concat");
    env.home.run(PUT).ends_with(0);
    assert_there_once(&env, &content);
    assert_eq!(env.request_count("tus", "tus-delete"), 4, "the parts are of no use");
}

#[test]
fn what_befalls_a_part_or_the_joining_is_got_over() {
    for fault in [
        "tus/tus-patch:cut=500000",
        "tus/tus-patch:answer-lost*3",
        "tus/tus-create:503",
        "tus/tus-create:answer-lost",
        "tus:tus-conflict",
        "tus:tus-checksum",
        "tus:tus-locked",
        "tus:tus-gone",
        "tus:tus-concat-slow",
        "tus:tus-parts-gone",
        "tus:tus-concat-first",
    ] {
        let (env, content) = with_file();
        env.script(fault);
        let uploaded = env.home.run(PUT).ends_with(0).events("uploaded").remove(0);
        assert_there_once(&env, &content);
        assert_eq!(uploaded["md5"], format!("{:x}", md5::compute(&content.0)), "{fault}");
    }
}

/// Nobody can be asked about an upload without its address: the outcome is unknown, and told before anything is done twice.
#[test]
fn a_joined_file_whose_address_is_lost_is_unknown() {
    for (more, doubled) in [("", 2), ("tus:tus-parts-gone", 2)] {
        let (env, content) = with_file();
        env.script(more);
        env.sandbox.faults().later(BEFORE_BYTES, "tus/tus-create:answer-lost").unwrap();
        let ran = env.home.run(PUT).ends_with(13);
        assert!(ran.stderr.contains("look there whether the file is there"), "{}", ran.stderr);
        assert_there_once(&env, &content);
        assert_eq!(env.request_count("tus", "tus-create"), 5, "it is asked for once");
        // Who puts it again knows that it may be there twice.
        env.home.run(PUT).ends_with(0);
        assert_eq!(env.sandbox.arrivals().len(), doubled);
    }
}

/// The request had left when the run died. Whether the server has read it only the server knows, and it tells nobody.
#[test]
fn a_run_that_dies_while_the_parts_are_joined_is_unknown_too() {
    let (env, content) = with_file();
    env.sandbox.faults().later(BEFORE_BYTES, "tus/tus-create:slow=600000").unwrap();
    kill_when(&env, PUT, || env.request_count("tus", "tus-create") == 5);
    env.sandbox.faults().clear();
    env.home.run(PUT).ends_with(13).says("look there whether the file is there");
    assert_eq!(env.request_count("tus", "tus-create"), 5, "it is told before it is asked for again");
    env.home.run(PUT).ends_with(0);
    assert_there_once(&env, &content);
}

/// A server that joins parts which are not complete yet is asked first, when nothing can be doubled.
#[test]
fn nothing_is_unknown_where_the_file_is_created_first() {
    let (env, content) = with_file();
    env.script("tus:tus-concat-first");
    env.sandbox.faults().later(BEFORE_BYTES, "tus/tus-create:answer-lost").unwrap();
    env.home.run(PUT).ends_with(0);
    assert_there_once(&env, &content);
}

/// The received bytes, once none has come for a while.
fn bytes_at_rest(env: &TestEnv) -> u64 {
    let received = || env.sandbox.counts().all_received_bytes("tus");
    let mut before = received();
    loop {
        std::thread::sleep(std::time::Duration::from_millis(300));
        let now = received();
        if now == before {
            return now;
        }
        before = now;
    }
}

#[test]
fn a_killed_run_goes_on_with_each_part() {
    for more in ["", "tus:tus-concat-first"] {
        let (env, content) = with_file();
        env.script(more);
        let slow = [&PUT[..1], &["--bwlimit", "3M", "--chunk-size", "300K"], &PUT[1..]].concat();
        kill_when(&env, &slow, || env.sandbox.counts().all_received_bytes("tus") >= 4 << 20);
        // The server may still read what the killed run has sent.
        let before = bytes_at_rest(&env);
        env.home.run(&["transfers", "list"]).ends_with(0).prints("tus:/in/a.bin");
        let uploaded = env.home.run(&["put", "--json", "a.bin", "tus:/in/"]).ends_with(0).events("uploaded").remove(0);
        assert_there_once(&env, &content);
        assert!(uploaded["resumed_from"].as_u64().unwrap() >= 1 << 20, "{uploaded}");
        let sent = env.sandbox.counts().all_received_bytes("tus") - before;
        assert!(sent <= SIZE as u64 - uploaded["resumed_from"].as_u64().unwrap(), "{sent}");
        assert_eq!(uploaded["md5"], format!("{:x}", md5::compute(&content.0)));
    }
}

#[test]
fn what_nobody_goes_on_with_is_removed() {
    let (env, _) = with_file();
    let slow = [&PUT[..1], &["--bwlimit", "3M"], &PUT[1..]].concat();
    kill_when(&env, &slow, || env.sandbox.counts().all_received_bytes("tus") >= 1 << 20);
    env.home.run(&["transfers", "clear"]).ends_with(0);
    assert_eq!(env.request_count("tus", "tus-delete"), 4);
    assert!(env.sandbox.arrivals().is_empty());
}

fn remote(server: &Server) -> Home {
    let keys = [("PROVIDER", "tus"), ("URL", server.url.as_str())];
    Home::new().env(keys.map(|(key, value)| (format!("HAUL_REMOTE_TUS_{key}"), value.to_owned())))
}

fn read_stored(server: &Server, uploaded: &Value) -> Vec<u8> {
    std::fs::read(server.stored_path(uploaded["id"].as_str().unwrap().rsplit('/').next().unwrap())).unwrap()
}

/// tuspyserver joins, and removes the parts.
#[test]
fn a_real_server_joins_them() {
    let Some(server) = web_servers::tuspy() else { return };
    let (home, content) = (remote(&server), bytes(SIZE, 5));
    home.file("a.bin", &content.0);
    let uploaded = home.run(PUT).ends_with(0).events("uploaded").remove(0);
    assert!(read_stored(&server, &uploaded) == content.0);
    assert_eq!(
        std::fs::read_dir(server.stored_path("")).unwrap().flatten().filter(|file| file.metadata().unwrap().len() > 1 << 20).count(),
        1
    );

    let slow = [&PUT[..1], &["--chunk-size", "1M", "--bwlimit", "6M", "--if-exists", "replace"], &PUT[1..]].concat();
    let mut child = home.command(&slow).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = |least: u64| {
        std::fs::read_dir(server.stored_path(""))
            .unwrap()
            .flatten()
            .filter(|file| file.metadata().is_ok_and(|meta| meta.len() >= least))
            .count()
    };
    let until = Instant::now() + Duration::from_secs(120);
    while begun(1 << 20) < 4 {
        assert!(Instant::now() < until && child.try_wait().unwrap().is_none(), "it was not caught under way");
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let uploaded = home.run(&["put", "--json", "--if-exists", "replace", "a.bin", "tus:/in/"]).ends_with(0).events("uploaded").remove(0);
    assert!(uploaded["resumed_from"].as_u64().unwrap() >= 2 << 20, "{uploaded}");
    assert!(read_stored(&server, &uploaded) == content.0);
}

/// The Node server has no concatenation.
#[test]
fn a_real_server_without_it_gets_one_stream() {
    let Some(server) = web_servers::tus(3_600_000) else { return };
    let (home, content) = (remote(&server), bytes(SIZE, 5));
    home.file("a.bin", &content.0);
    let ran = home.run(&["put", "-v", "--streams", "4", "--receipt", "receipt", "a.bin", "tus:/in/"]).ends_with(0);
    assert!(ran.stderr.contains("one stream"), "{}", ran.stderr);
    let receipt: Value = serde_json::from_str(std::fs::read_to_string(home.path().join("receipt")).unwrap().trim()).unwrap();
    assert!(read_stored(&server, &receipt) == content.0);
}
