//! Time and memory for a listing of twenty thousand entries. This is a measurement, so run it by hand and with a release build:
//! `cargo test --release --test suite twenty_thousand -- --ignored --nocapture`.

use std::process::Command;

use crate::support::env::TestEnv;
use crate::support::remotes::hosts;

const MAX_MIB: f64 = 100.0;
const MAX_SECONDS: f64 = 20.0;

#[test]
#[ignore = "a measurement, for a release build"]
fn twenty_thousand_entries() {
    println!("{:<8}  {:<32}  {:>7}  {:>8}  {:>6}", "remote", "command", "seconds", "MiB peak", "lines");
    let names = |from: u32, to: u32| (from..to).map(|n| format!("a file with a name of some length {n:06}.mov"));
    for remote in hosts() {
        let flat = TestEnv::new();
        flat.sandbox.fill(remote, "/flat", names(0, 20_000), b"x").unwrap();
        let commands = [
            &["ls"][..],
            &["ls", "-l"],
            &["ls", "-R", "--json"],
            &["find", "--name", "*1.mov"],
            &["find", "--newer", "1h"],
            &["du"],
            &["tree"],
        ];
        for args in commands {
            show(&flat, args, &format!("{remote}:/flat"));
        }
        show(&flat, &["stat", "--json"], &format!("{remote}:/flat/*"));
        let deep = TestEnv::new();
        for folder in 0..200 {
            deep.sandbox.fill(remote, &format!("/deep/{:02}/{folder:03}", folder / 10), names(0, 100), b"x").unwrap();
        }
        for args in commands {
            show(&deep, args, &format!("{remote}:/deep"));
        }
    }
}

fn show(env: &TestEnv, args: &[&str], at: &str) {
    let (seconds, mib, lines) = run_and_measure(env, &[args, &[at]].concat());
    let (remote, path) = at.split_once(':').unwrap();
    println!("{remote:<8}  {:<32}  {seconds:>7.2}  {mib:>8.1}  {lines:>6}", format!("{} {path}", args.join(" ")));
    assert!(mib < MAX_MIB && seconds < MAX_SECONDS, "{at} {args:?}: {seconds} s, {mib} MiB");
}

/// Seconds, peak of resident memory in MiB, lines of standard output.
fn run_and_measure(env: &TestEnv, args: &[&str]) -> (f64, f64, usize) {
    let haul = env.home.command(args);
    let mut command = Command::new("/usr/bin/time");
    command.args(["-f", "%e %M"]).arg(haul.get_program()).args(haul.get_args()).env_clear();
    command.envs(haul.get_envs().filter_map(|(key, value)| Some((key, value?)))).current_dir(haul.get_current_dir().unwrap());
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{args:?}: {told}");
    let mut numbers = told.lines().last().unwrap().split(' ').map(|n| n.parse::<f64>().unwrap());
    let (seconds, kib) = (numbers.next().unwrap(), numbers.next().unwrap());
    (seconds, kib / 1024.0, output.stdout.iter().filter(|b| **b == b'\n').count())
}
