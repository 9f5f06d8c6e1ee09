//! Tokens: one sign-in for all tasks, no repetition of a refused sign-in, and another program that signs in to the same account
//! again and again.

use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::command::Ran;
use crate::support::env::{TestEnv, text};
use crate::support::remotes::hosts;

const ELSEWHERE: &str = "this account is signed in elsewhere again and again";

fn files(env: &TestEnv, folder: &str, count: usize) {
    for n in 0..count {
        env.home.file(&format!("{folder}/{n:02}"), format!("{folder} {n}"));
    }
}

/// A second machine: the same remotes, a state of its own.
fn elsewhere(env: &TestEnv, state: &std::path::Path, args: &[&str]) -> Child {
    let mut command = env.home.command(args);
    command.env("XDG_STATE_HOME", state).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ran(child: Child) -> Ran {
    Ran::of(child.wait_with_output().unwrap())
}

/// Until `there` says so; false when `child` ended before.
fn wait_until(child: &mut Child, there: impl Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !there() {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing happens");
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Each token brings one file, then somebody else signs in: the work gets done, and the user hears why it is slow.
#[test]
fn another_client_of_the_account_is_reported_once_and_the_run_continues() {
    let env = TestEnv::new();
    files(&env, "d", 7);
    env.sandbox.faults().script("giga0/file/upload:last-use*7").unwrap();
    let put = env.home.run(&["put", "-j", "1", "d/", "giga0:/in/"]).ends_with(0);
    assert_eq!((env.arrivals("giga0").len(), env.sandbox.arrivals().len()), (7, 7));
    assert_eq!(put.stderr.matches(ELSEWHERE).count(), 1, "{}", put.stderr);
    assert!(put.stderr.starts_with("haul: warning: giga0: "), "{}", put.stderr);
    // A token that runs out now and then is nobody's fault.
    env.sandbox.faults().script("giga0/file/upload:last-use*2").unwrap();
    let put = env.home.run(&["put", "-j", "1", "d/", "giga0:/more/"]).ends_with(0);
    assert!(!put.stderr.contains(ELSEWHERE), "{}", put.stderr);
}

/// The rival leaves us no time for a single file more: that ends, with the reason.
#[test]
fn a_rival_that_leaves_no_time_ends_the_run() {
    let env = TestEnv::new();
    files(&env, "d", 40);
    env.sandbox.faults().script("giga0/file/upload:last-use*always giga0/file/upload:slow=50*always").unwrap();
    let args = ["put", "--json", "-j", "1", "--retries", "2", "d/", "giga0:/in/"];
    let mut child = env.home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(wait_until(&mut child, || env.sandbox.arrivals().len() >= 5));
    env.sandbox.faults().script("giga0/file/upload:expired*always").unwrap();
    let sign_ins = env.sandbox.counts().sign_ins("giga0");
    let put = ran(child).ends_with(9);
    let failed = put.events("failed");
    assert_eq!(failed.len() + env.sandbox.arrivals().len(), 40, "each file has an end");
    assert!(failed.iter().all(|f| f["error"]["kind"] == "auth"), "{failed:?}");
    assert!(failed[0]["error"]["message"].as_str().unwrap().contains(ELSEWHERE), "{}", failed[0]);
    assert!(env.sandbox.counts().sign_ins("giga0") - sign_ins <= 4, "{}", env.sandbox.counts().sign_ins("giga0"));
}

/// What works for one call and for the next no more is not signed in for without end.
#[test]
fn where_nothing_is_gained_the_signing_in_ends() {
    for (remote, call) in [("giga0", "folder/listing"), ("fileago", "dirlist"), ("iogates", "files")] {
        let env = TestEnv::new();
        env.home.file("f.txt", "x");
        env.sandbox.faults().script(&format!("{remote}/{call}:expired*always")).unwrap();
        let put = env.home.run(&["put", "--json", "f.txt", &format!("{remote}:/in/")]).ends_with(4);
        assert!(put.stderr.contains("rejects even a fresh token"), "{remote}: {}", put.stderr);
        let sign_ins = env.sandbox.counts().sign_ins(remote);
        assert!((2..=4).contains(&sign_ins), "{remote}: {sign_ins} sign-ins");
    }
}

#[test]
fn two_machines_on_one_account_finish_or_say_what_is_wrong() {
    let env = TestEnv::new();
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    files(&env, "one", 12);
    files(&env, "two", 12);
    let first = elsewhere(&env, one.path(), &["put", "-j", "2", "one", "giga0:/in/"]);
    let second = elsewhere(&env, two.path(), &["put", "-j", "2", "two", "giga0:/in/"]);
    for put in [ran(first), ran(second)] {
        let told = put.stderr.contains(ELSEWHERE) || put.stderr.contains("whether something else signs it out");
        assert!(put.status == 0 || (matches!(put.status, 4 | 9) && told), "{} {}", put.status, put.stderr);
    }
    let there = env.arrivals("giga0");
    assert_eq!(env.sandbox.arrivals().len(), there.len(), "nothing came twice");
    assert!(there.iter().all(|(path, content)| *content == text(&path["/in/".len()..].replace("/0", " ").replace('/', " "))), "{there:?}");
}

#[test]
fn two_runs_here_share_one_token_and_its_renewal() {
    for (remote, call) in [("giga0", "file/upload"), ("fileago", "upload-token"), ("iogates", "file")] {
        let env = TestEnv::new();
        files(&env, "one", 10);
        files(&env, "two", 10);
        env.sandbox.faults().script(&format!("{remote}/{call}:expired")).unwrap();
        let put = |folder: &str| {
            let args = ["put", "-j", "8", folder, &format!("{remote}:/in/")];
            env.home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        for put in [put("one"), put("two")].map(ran) {
            let put = put.ends_with(0);
            assert!(!put.stderr.contains("warning"), "{remote}: {}", put.stderr);
        }
        assert_eq!((env.arrivals(remote).len(), env.sandbox.counts().sign_ins(remote)), (20, 2), "{remote}");
    }
}

/// Wrong logins lock accounts: whatever the command, however many files and places it has.
#[test]
fn a_refused_sign_in_is_repeated_by_no_command() {
    for (remote, kind) in [("iogates", "sign-in"), ("giga0", "authorize"), ("fileago", "sign-in")] {
        let env = TestEnv::new();
        files(&env, "d", 5);
        let at = |path: &str| format!("{remote}:{path}");
        let (a, b, to) = (at("/a"), at("/b*"), at("/to/"));
        let commands: &[&[&str]] = &[
            &["put", "-j", "8", "d", &to],
            &["get", "-j", "8", &a, &b, "."],
            &["cat", &a, &b],
            &["cp", &a, &b, &to],
            &["mv", &a, &b, &to],
            &["rm", &a, &b],
            &["ls", &a, &b],
            &["ls", "-R", &to],
            &["tree", &to],
            &["du", &a, &b],
            &["stat", &a, &b],
            &["find", &to],
            &["mkdir", "-p", &a, &to],
            &["link", &a],
            &["about", remote],
            &["edit", "--name", "c", &a],
            &["import", "https://h.example/x", &to],
            &["share", &a, "--with", "x"],
            &["star", &a, &to],
            &["comments", &a],
            &["login", remote],
            &["remote", "check", remote],
        ];
        for args in commands {
            let variable = format!("HAUL_REMOTE_{}_PASSWORD", remote.to_uppercase());
            let before = env.sandbox.counts().requests(remote, kind);
            let refused = Ran::of(env.home.command(args).env(variable, "not-the-password").output().unwrap());
            let tries = env.sandbox.counts().requests(remote, kind) - before;
            let what = format!("{remote} {args:?}: {} {}", refused.status, refused.stderr);
            assert!(tries == 1 || (refused.status == 10 && tries == 0), "{tries} tries: {what}");
            assert!(matches!(refused.status, 4 | 10), "{what}");
        }
    }
}

/// Two remotes may be one account.
#[test]
fn an_account_under_two_names_is_refused_once() {
    let env = TestEnv::new();
    let twin =
        |(key, value): (String, String)| key.strip_prefix("HAUL_REMOTE_GIGA0_").map(|key| (format!("HAUL_REMOTE_TWIN_{key}"), value));
    let twin: Vec<_> = env.sandbox.env().into_iter().filter_map(twin).collect();
    for args in [["cp", "giga0:/a", "twin:/b"], ["get", "giga0:/a", "twin:/b"]] {
        let before = env.sandbox.counts().requests("giga0", "authorize");
        let mut command = env.home.command(&args);
        command.envs(twin.clone()).env("HAUL_REMOTE_GIGA0_PASSWORD", "wrong").env("HAUL_REMOTE_TWIN_PASSWORD", "wrong");
        Ran::of(command.output().unwrap()).ends_with(4);
        assert_eq!(env.sandbox.counts().requests("giga0", "authorize"), before + 1, "{args:?}");
    }
}

/// FileAgo's upload token lives five seconds: it is asked for when there is something to send, not before.
#[test]
fn an_upload_token_waits_for_the_first_byte() {
    let env = TestEnv::new();
    let mut child = env
        .home
        .command(&["put", "--size", "5", "-", "fileago:/late.txt"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    wait_until(&mut child, || env.sandbox.counts().requests("fileago", "dirlist") > 0);
    // Longer than the token lives.
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(env.sandbox.counts().requests("fileago", "upload-token"), 0);
    stdin.write_all(b"bytes").unwrap();
    drop(stdin);
    ran(child).ends_with(0);
    assert_eq!(env.arrivals("fileago")["/late.txt"], text("bytes"));
    assert_eq!(env.sandbox.counts().requests("fileago", "upload-token"), 1);
}

#[test]
fn an_upload_token_that_came_late_is_asked_for_again() {
    let env = TestEnv::new();
    env.home.file("f.txt", "bytes");
    env.sandbox.faults().script("fileago:old-upload-token").unwrap();
    let put = env.home.run(&["put", "--json", "f.txt", "fileago:/f.txt"]).ends_with(0);
    assert_eq!(put.events("uploaded")[0]["retries"], 1);
    assert_eq!((env.sandbox.arrivals().len(), env.sandbox.counts().requests("fileago", "upload-token")), (1, 2));
}

#[test]
fn downloads_with_a_token_that_ran_out_cost_one_sign_in() {
    for remote in hosts() {
        let env = TestEnv::new();
        files(&env, "d", 16);
        env.home.run(&["put", "-q", "-j", "8", "d", &format!("{remote}:/")]).ends_with(0);
        let call = match remote {
            "giga0" => "file/download",
            "fileago" => "dirlist",
            _ => "file",
        };
        env.sandbox.faults().script(&format!("{remote}/{call}:expired")).unwrap();
        env.home.run(&["get", "-j", "8", &format!("{remote}:/d"), "back"]).ends_with(0);
        assert_eq!(env.sandbox.counts().sign_ins(remote), 2, "{remote}");
    }
}
