//! Whole runs of the command with servers that answer wrongly: the stand-ins, with random changes of their answers. A run must
//! end in time and with a documented status, print nothing that controls a terminal, show no secret, and report success only
//! for what was done.
//!
//! `HAUL_FUZZ_SEED=7 HAUL_FUZZ_RUNS=2000 cargo test --test suite -- hostile_network noise` runs longer, with another seed.

pub mod line;

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use self::line::Line;
use crate::support::command::{Home, Ran};
use crate::support::env::{TestEnv, bytes};
use crate::support::random::{Random, env_number};
use crate::support::remotes::hosts;

/// Far more than any run takes on a machine that is busy with other things.
const LIMIT: Duration = Duration::from_secs(120);
const RUNS: u64 = 72;
const VERBS: [&str; 8] = ["put", "put", "get", "get", "ls", "about", "stat", "rm"];
const HELD: &str = "/in/held.bin";

#[test]
fn whatever_servers_answer() {
    let env = TestEnv::new();
    let held = bytes(100_000, 9).0;
    for remote in hosts() {
        env.sandbox.fill(remote, "/in", ["held.bin".to_owned(), "other.txt".to_owned()].into_iter(), &held).unwrap();
    }
    let (first, runs) = (env_number("HAUL_FUZZ_SEED", 1), env_number("HAUL_FUZZ_RUNS", RUNS));
    let (next, hits) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= runs {
                        break;
                    }
                    hits.fetch_add(one(&env, &held, first.wrapping_add(n)), Ordering::Relaxed);
                }
            });
        }
    });
    let hits = hits.into_inner();
    assert!(hits > runs / 2, "only {hits} answers of {runs} runs were changed");
}

/// Gives the number of answers that were changed.
fn one(env: &TestEnv, held: &[u8], seed: u64) -> u64 {
    let mut random = Random::new(seed);
    let remote = *random.of(&hosts());
    let verb = *random.of(&VERBS);
    let url_key = format!("HAUL_REMOTE_{}_URL", remote.to_uppercase());
    let variables = env.sandbox.env();
    let url = variables.iter().find(|(key, _)| *key == url_key).map(|(_, url)| url.clone()).unwrap();
    let line = Line::to(url.trim_start_matches("http://"), seed, if verb == "put" { 8 } else { 3 });
    let variables = variables.into_iter().filter(|(key, _)| !key.starts_with("XDG_"));
    let variables: Vec<_> =
        variables.map(|(key, value)| if key == url_key { (key, format!("http://{}", line.address)) } else { (key, value) }).collect();
    let secrets: Vec<String> = variables.iter().filter(|(key, _)| key.ends_with("_PASSWORD")).map(|(_, secret)| secret.clone()).collect();
    let times = [("HAUL_TIMEOUT", "1s"), ("HAUL_RETRIES", "1")];
    let home = Home::new().env(variables).env(times.map(|(key, value)| (key.to_owned(), value.to_owned())));
    home.file("new.bin", held);
    let (at, to) = (format!("{remote}:{HELD}"), format!("{remote}:/new/{seed}.bin"));
    let args: Vec<&str> = match verb {
        "put" if remote == "iogates" => {
            vec!["put", "--json", "-v", "--protocol", if random.below(2) == 0 { "tus" } else { "plupload" }, "new.bin", &to]
        }
        "put" => vec!["put", "--json", "-vv", "new.bin", &to],
        "get" => vec!["get", "--json", &at, "got.bin"],
        "ls" => vec!["ls", "-R", &at[..at.len() - "/held.bin".len()]],
        "rm" => vec!["rm", "--json", &to],
        "about" => vec!["about", remote],
        other => vec![other, &at],
    };
    let ran = run_to_end(home.command(&args), seed);
    let told =
        format!("HAUL_FUZZ_SEED={seed} HAUL_FUZZ_RUNS=1: haul {args:?} ended with {}, after {:?}\n{}", ran.status, line.log(), ran.stderr);
    assert!((0..=13).contains(&ran.status) && ran.status != 1, "{told}");
    assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("RUST_BACKTRACE"), "{told}");
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    let obeyed = shown.chars().find(|c| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c));
    assert_eq!(obeyed, None, "{told}");
    assert!(ran.stderr.len() < 1 << 20, "{} bytes: {told}", ran.stderr.len());
    assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{told}");
    if args.contains(&"--json") {
        ran.json();
    }
    match verb {
        "put" if ran.status == 0 => {
            let there = env.sandbox.file(remote, &format!("/new/{seed}.bin")).unwrap_or_else(|| panic!("it is not there: {told}"));
            assert!(std::fs::read(there).unwrap() == held, "other bytes are there: {told}");
        }
        "get" => {
            let got = std::fs::read(home.file(".x", "").with_file_name("got.bin")).ok();
            assert!(got.as_deref().is_none_or(|got| got == held), "other bytes are here: {told}");
            assert!(ran.status != 0 || got.is_some(), "nothing is here: {told}");
        }
        _ => {}
    }
    line.change_count()
}

/// Its outcome; a run that does not end is a failure.
fn run_to_end(mut command: Command, seed: u64) -> Ran {
    let child = command.env("RUST_BACKTRACE", "0").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id().to_string();
    let (done, outcome) = mpsc::channel();
    std::thread::spawn(move || done.send(child.wait_with_output()));
    match outcome.recv_timeout(LIMIT) {
        Ok(output) => Ran::of(output.unwrap()),
        Err(_) => {
            let _ = Command::new("kill").arg(&id).status();
            panic!("HAUL_FUZZ_SEED={seed} HAUL_FUZZ_RUNS=1: {command:?} does not end");
        }
    }
}
