//! Runs of the command that are killed in the middle.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::env::{Content, TestEnv, bytes};

/// Bytes of a file that a slow put is still sending when it is killed.
pub const SIZE: usize = 1_200_000;
const BIG_FILE: usize = 500_000;

/// Starts a put that would take seconds, and kills it when `least` bytes have arrived.
pub fn kill_put(env: &TestEnv, args: &[&str], remote: &str, least: u64) {
    let before = env.sandbox.counts().all_received_bytes(remote);
    let slow: Vec<&str> = ["put", "--chunk-size", "100000", "--bwlimit", "400K"].into_iter().chain(args.iter().copied()).collect();
    kill_when(env, &slow, || env.sandbox.counts().all_received_bytes(remote) >= before + least);
}

/// Starts a long run, and kills it once `is_time`.
pub fn kill_when(env: &TestEnv, args: &[&str], is_time: impl Fn() -> bool) {
    let mut child = env.home.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while !is_time() {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none(), "it was not caught under way");
        std::thread::sleep(Duration::from_millis(3));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Kills one run after `wait`; true if it was still running.
pub fn kill_after(env: &TestEnv, args: &[&str], wait: Duration) -> bool {
    let mut child = env.home.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    while begun.elapsed() < wait {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

/// Four small files and `big.bin`, which is large enough to be killed in the middle, in `src`.
pub fn source_tree(env: &TestEnv) -> BTreeMap<String, Content> {
    let mut files: BTreeMap<String, Content> = (0..4).map(|n| (format!("small {n}.txt"), bytes(1_000 + n, n as u32 + 1))).collect();
    files.insert("big.bin".to_owned(), bytes(BIG_FILE, 77));
    for (name, content) in &files {
        env.home.file(&format!("src/{name}"), &content.0);
    }
    files
}
