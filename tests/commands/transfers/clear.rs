//! `haul transfers clear`: forgets records here and removes half-sent files there, as far as the API can; complete files stay.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::env::{TestEnv, bytes};
use crate::support::kill::{SIZE, kill_put};

fn list_transfers(env: &TestEnv) -> Vec<Value> {
    env.home.run(&["transfers", "list", "--json"]).ends_with(0).events("transfers")
}

/// What lies in the folder that FTP goes to.
fn in_ftp(env: &TestEnv) -> Vec<String> {
    let (_, state) = env.sandbox.env().into_iter().find(|(name, _)| name == "XDG_STATE_HOME").unwrap();
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(state).with_file_name("ftp")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.path().is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.file_name().to_string_lossy().into_owned()),
            }
        }
    }
    found
}

fn interrupt_upload(protocol: &str, remote: &str) -> TestEnv {
    let env = TestEnv::new();
    env.home.file("big.bin", bytes(SIZE, 5).0);
    kill_put(&env, &["--protocol", protocol, "big.bin", &format!("{remote}:/c/big.bin")], remote, 300_000);
    assert_eq!(list_transfers(&env).len(), 1, "{protocol}");
    env
}

#[test]
fn what_a_protocol_left_is_removed() {
    let env = interrupt_upload("tus", "iogates");
    let id = env.home.run(&["ls", "--json", "iogates:/c"]).ends_with(0).json()[0]["id"].as_str().unwrap().to_owned();
    let told = env.home.run(&["transfers", "clear", "--json"]).ends_with(0).events("cleared");
    assert_eq!((&told[0]["removed"], &told[0]["stays"], &told[0]["empty"]), (&true.into(), &Value::Null, &format!("@{id}").into()));
    assert_eq!((env.sandbox.counts().requests("iogates", "tus-delete"), list_transfers(&env).len()), (1, 0));
    assert_eq!(env.home.run(&["ls", "iogates:/c"]).ends_with(0).stdout, "big.bin\n", "the dead entry is shown");
    env.home.run(&["put", "big.bin", "iogates:/c/"]).ends_with(0);
    assert_eq!(env.home.run(&["get", "iogates:/c/big.bin", "back.bin"]).ends_with(0).status, 0, "nobody means the dead one");

    let env = interrupt_upload("ftps", "iogates");
    assert!(matches!(&in_ftp(&env)[..], [one] if one.ends_with(".download")), "{:?}", in_ftp(&env));
    env.home.run(&["transfers", "clear"]).ends_with(0);
    assert_eq!((in_ftp(&env).len(), list_transfers(&env).len()), (0, 0));

    let env = interrupt_upload("plupload", "iogates");
    let id = env.home.run(&["ls", "--json", "iogates:/c"]).ends_with(0).json()[0]["id"].as_str().unwrap().to_owned();
    env.home.run(&["transfers", "clear"]).ends_with(10).says("can't be removed").says(&id).prints("stays there");
    assert_eq!(list_transfers(&env).len(), 0);

    for remote in ["giga0", "fileago"] {
        let env = interrupt_upload("auto", remote);
        env.home.run(&["transfers", "clear"]).ends_with(0);
        assert!(list_transfers(&env).is_empty() && env.arrivals(remote).is_empty(), "{remote}: a form that broke off leaves nothing");
    }
}

#[test]
fn what_can_not_be_removed_now_is_not_forgotten() {
    let env = interrupt_upload("tus", "iogates");
    env.sandbox.faults().script("iogates/tus-head:500*always").unwrap();
    env.home.run(&["transfers", "clear"]).ends_with(5).says("stays in the list");
    assert_eq!(list_transfers(&env).len(), 1);
    env.sandbox.faults().clear();
    env.home.run(&["transfers", "clear"]).ends_with(0);
    assert_eq!((env.sandbox.counts().requests("iogates", "tus-delete"), list_transfers(&env).len()), (1, 0));
}

#[test]
fn a_file_that_is_whole_stays() {
    for protocol in ["tus", "ftps", "plupload"] {
        let env = TestEnv::new();
        env.home.file("big.bin", bytes(SIZE, 5).0);
        // It has arrived, and the look that would tell so is still waited for.
        env.sandbox.faults().script("iogates/file:slow=20000").unwrap();
        let args = ["put", "--protocol", protocol, "big.bin", "iogates:/big.bin"];
        let mut child = env.home.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while env.sandbox.counts().requests("iogates", "file") == 0 {
            assert!(started.elapsed() < Duration::from_secs(60), "{protocol}");
            std::thread::sleep(Duration::from_millis(3));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(list_transfers(&env).len(), 1, "{protocol}");
        env.home.run(&["transfers", "clear"]).ends_with(0);
        assert_eq!((env.sandbox.counts().requests("iogates", "tus-delete"), list_transfers(&env).len()), (0, 0), "{protocol}");
        assert_eq!(env.arrivals("iogates")["/big.bin"], bytes(SIZE, 5), "{protocol}");
    }
}

#[test]
fn what_another_run_is_busy_with_is_left_alone() {
    let env = TestEnv::new();
    env.home.file("big.bin", bytes(SIZE, 5).0);
    let args = ["put", "--json", "--chunk-size", "100000", "--bwlimit", "600K", "big.bin", "iogates:/big.bin"];
    let child = env.home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while env.sandbox.counts().all_received_bytes("iogates") == 0 {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(3));
    }
    env.home.run(&["transfers", "clear"]).ends_with(1).says("busy with it");
    let ran = crate::support::command::Ran::of(child.wait_with_output().unwrap()).ends_with(0);
    assert_eq!(ran.events("uploaded").len(), 1);
    assert_eq!(env.arrivals("iogates")["/big.bin"], bytes(SIZE, 5));
}
