//! The cost of a sync of many files, run by hand: `cargo test --test suite sync::scale -- --ignored --nocapture`.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::env::TestEnv;
use crate::support::random::env_number;
use crate::support::remotes::{hosts, hosts_that_change};

/// Runs to its end; seconds, and the largest resident memory in MiB.
fn run_and_measure(env: &TestEnv, args: &[&str]) -> (f64, u64) {
    let begun = Instant::now();
    let mut child = env.home.command(args).stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        let told = std::fs::read_to_string(&status).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
        most = most.max(line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
    (begun.elapsed().as_secs_f64(), most / 1024)
}

#[test]
#[ignore = "takes minutes"]
fn many_unchanged_files() {
    let (folders, each) = (env_number("HAUL_TEST_FOLDERS", 100), 100);
    for remote in hosts() {
        let env = TestEnv::new();
        for folder in 0..folders {
            for file in 0..each {
                env.home.file(&format!("src/d{folder:04}/f{file:03}"), format!("{folder} {file}"));
            }
        }
        let place = format!("{remote}:/t");
        for run in ["first", "second", "third, with --delete"] {
            let before = env.requests(remote);
            let more: &[&str] = if run.starts_with("third") { &["--delete"] } else { &[] };
            let args = [&["sync", "-q", "-j", "8", "src", &place][..], more].concat();
            let (seconds, memory) = run_and_measure(&env, &args);
            println!("{remote}, {} files, {run}: {seconds:.1} s, {memory} MiB, {} requests", folders * each, env.requests(remote) - before);
        }
    }
}

/// A listing of as many files as lie here, compared by their sizes.
#[test]
#[ignore = "takes minutes"]
fn many_files_on_both_sides() {
    let (folders, each) = (env_number("HAUL_TEST_FOLDERS", 1000), 100);
    for remote in hosts_that_change() {
        let env = TestEnv::new();
        for folder in 0..folders {
            for file in 0..each {
                env.home.file(&format!("src/d{folder:04}/f{file:03}"), "content");
            }
            let names = (0..each).map(|file| format!("f{file:03}"));
            env.sandbox.fill(remote, &format!("/t/d{folder:04}"), names, b"content").unwrap();
        }
        let place = format!("{remote}:/t");
        for args in [["sync", "-q", "--size-only", "src", &place], ["sync", "-q", "--size-only", &place, "src"]] {
            let before = env.requests(remote);
            let (seconds, memory) = run_and_measure(&env, &args);
            println!("{args:?}, {} files: {seconds:.1} s, {memory} MiB, {} requests", folders * each, env.requests(remote) - before);
        }
    }
}
