//! Downloads from a server with wrong answers: another content under the old name, text in place of bytes, a false end of the
//! file; and two runs that download to one place.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::command::Ran;
use crate::support::env::{Content, TestEnv, bytes};
use crate::support::remotes::{hosts, hosts_that_change};
use haul::sandbox::Canned;

const SIZE: usize = 300_000;

fn fill(env: &TestEnv, remote: &str) -> Content {
    let content = bytes(SIZE, 31);
    env.sandbox.fill(remote, "/", std::iter::once("f.bin".to_owned()), &content.0).unwrap();
    content
}

/// Another content of the same size, which the server calls by another name.
fn replace_content(env: &TestEnv, remote: &str) -> Content {
    let content = bytes(SIZE, 32);
    std::fs::write(env.sandbox.file(remote, "/f.bin").unwrap(), &content.0).unwrap();
    content
}

fn part(remote: &str) -> String {
    format!("{remote}/.f.bin.haul-part")
}

#[cfg(unix)]
#[test]
fn two_contents_make_no_third() {
    let env = TestEnv::new();
    // ioGates tells an MD5, which is compared.
    for remote in hosts_that_change() {
        fill(&env, remote);
        let get = [format!("{remote}:/f.bin"), format!("{remote}/f.bin")];
        let get = [get[0].as_str(), &get[1]];
        env.kill_during_get(&[&["get", "--bwlimit", "200K"], get.as_slice()].concat(), &env.path(&part(remote)), 100_000);
        let now = replace_content(&env, remote);
        let ran = env.get(&get).ends_with(0);
        assert_eq!(ran.events("downloaded")[0]["resumed_from"], 0, "{remote}");
        assert_eq!(env.local(remote).into_iter().collect::<Vec<_>>(), [("f.bin".to_owned(), now)], "{remote}");
    }
}

#[test]
fn a_file_that_changes_under_a_reader_is_a_failure() {
    for remote in hosts_that_change() {
        let env = TestEnv::new();
        let old = fill(&env, remote);
        let asked = |env: &TestEnv| env.sandbox.counts().requests(remote, "download");
        env.sandbox.faults().script(&format!("{remote}/download:cut=150000")).unwrap();
        let child = env.home.command(&["cat", &format!("{remote}:/f.bin")]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while asked(&env) == 0 || !env.sandbox.faults().remaining().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{remote}: it was not asked");
            std::thread::sleep(Duration::from_millis(2));
        }
        // Half a second before the next try; on a machine that sleeps longer the old content is read to its end.
        let new = replace_content(&env, remote);
        let output = child.wait_with_output().unwrap();
        // Where nothing had come before the line broke it is the new one.
        let fits = |content: &Content| match output.status.code() {
            Some(0) => content.0 == output.stdout,
            _ => content.0.starts_with(&output.stdout),
        };
        assert!(fits(&old) || fits(&new), "{remote}: bytes of both");
        assert!(matches!(output.status.code(), Some(0 | 7)), "{remote}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn words_in_place_of_bytes_are_not_saved() {
    let env = TestEnv::new();
    for remote in hosts() {
        let content = fill(&env, remote);
        let older = env.home.file(&format!("{remote}/f.bin"), "older");
        let get = [format!("{remote}:/f.bin"), format!("{remote}/f.bin")];
        for (status, ends) in [(200, 11), (404, 3), (403, if remote == "fileago" { 4 } else { 8 }), (410, 3)] {
            env.sandbox.faults().answer(Canned::new(remote, "download", status, r#"{"status":"error","message":"no"}"#).times(9));
            let ran = env.get(&["--if-exists", "replace", &get[0], &get[1]]);
            assert_eq!(ran.status, ends, "{remote} {status}: {}", ran.stderr);
            assert_eq!(std::fs::read(&older).unwrap(), b"older", "{remote}");
            let cat = env.home.command(&["cat", &get[0]]).output().unwrap();
            assert!(!cat.status.success() && cat.stdout.is_empty(), "{remote} {status}");
            env.sandbox.faults().clear();
        }
        // Its own words, without a length, and then an end: nothing of such an answer is gone on with. ioGates tells no
        // size, so there only the MD5 knows.
        let early = || env.sandbox.faults().script(&format!("{remote}/download:ends-early=100000")).unwrap();
        early();
        let ends = if remote == "iogates" { 7 } else { 5 };
        env.get(&["--if-exists", "replace", "--retries", "1", &get[0], &get[1]]).ends_with(ends);
        assert_eq!(env.path(&part(remote)).metadata().map_or(0, |meta| meta.len()), 0, "{remote}");
        assert_eq!(std::fs::read(&older).unwrap(), b"older", "{remote}");
        if remote != "iogates" {
            early();
        }
        env.get(&["--if-exists", "replace", &get[0], &get[1]]).ends_with(0);
        assert_eq!(env.local(remote).into_iter().collect::<Vec<_>>(), [("f.bin".to_owned(), content.clone())], "{remote}");
        early();
        let cat = env.home.command(&["cat", &get[0]]).output().unwrap();
        assert_eq!((cat.status.code(), Content(cat.stdout)), (Some(7), Content(content.0[..100_000].to_vec())), "{remote}");
    }
}

#[test]
fn two_runs_to_one_place() {
    let env = TestEnv::new();
    for remote in hosts() {
        let content = fill(&env, remote);
        for streams in ["1", "2"] {
            let target = format!("{remote}-{streams}/f.bin");
            let args = ["get", "--json", "--bwlimit", "1M", "--streams", streams, &format!("{remote}:/f.bin"), &target];
            let start = || env.home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            for child in [start(), start()] {
                Ran::of(child.wait_with_output().unwrap()).ends_with(0);
            }
            let here = env.local(&format!("{remote}-{streams}"));
            assert_eq!(here.into_iter().collect::<Vec<_>>(), [("f.bin".to_owned(), content.clone())], "{remote}");
        }
    }
}

/// Two containers with one disk: each has a state of its own, so only what lies beside the file tells that another is at it.
#[cfg(unix)]
#[test]
fn two_runs_to_one_place_that_know_nothing_of_each_other() {
    let env = TestEnv::new();
    for (remote, streams) in [("giga0", "1"), ("fileago", "2"), ("iogates", "1")] {
        let content = bytes(17_000_000, 33);
        env.sandbox.fill(remote, "/", std::iter::once("big.bin".to_owned()), &content.0).unwrap();
        let target = format!("apart-{remote}/f.bin");
        let start = |state: &str| {
            let source = format!("{remote}:/big.bin");
            let args = ["get", "--json", "--bwlimit", "16M", "--streams", streams, "--checksum", "after", &source, &target];
            let state = env.path(state);
            env.home.command(&args).env("XDG_STATE_HOME", state).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let md5 = format!("{:x}", md5::compute(&content.0));
        for child in [start("one"), start("two")] {
            let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(0);
            assert!(ran.events("downloaded").iter().all(|event| event["md5"] == md5), "{remote}: {}", ran.stdout);
        }
        let here = env.local(&format!("apart-{remote}"));
        assert_eq!(here.into_iter().collect::<Vec<_>>(), [("f.bin".to_owned(), content)], "{remote}: and nothing is left over");
    }
}

/// Two contents for one place: each run brings its own whole, one after the other.
#[cfg(unix)]
#[test]
fn two_contents_to_one_place_at_once_make_no_third() {
    let env = TestEnv::new();
    let (one, two) = (bytes(4_000_000, 34), bytes(4_000_000, 35));
    env.sandbox.fill("giga0", "/", std::iter::once("f.bin".to_owned()), &one.0).unwrap();
    env.sandbox.fill("fileago", "/", std::iter::once("f.bin".to_owned()), &two.0).unwrap();
    let start = |remote: &str| {
        let source = format!("{remote}:/f.bin");
        let args = ["get", "--json", "--bwlimit", "4M", "--checksum", "after", "--if-exists", "replace", &source, "both/f.bin"];
        env.home.command(&args).env("XDG_STATE_HOME", env.path(remote)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children = [(start("giga0"), &one), (start("fileago"), &two)];
    for (child, content) in children {
        let ran = Ran::of(child.wait_with_output().unwrap()).ends_with(0);
        assert_eq!(ran.events("downloaded")[0]["md5"], format!("{:x}", md5::compute(&content.0)));
    }
    let here = env.local("both").into_iter().collect::<Vec<_>>();
    assert!(here == [("f.bin".to_owned(), one)] || here == [("f.bin".to_owned(), two)], "{here:?}");
}

#[cfg(unix)]
#[test]
fn a_place_that_another_run_keeps_is_given_up_in_time() {
    let env = TestEnv::new();
    env.store("giga0", "/f.bin", &bytes(1000, 36));
    let part = env.home.file("held/.f.bin.haul-part", "");
    let held = std::fs::File::open(&part).unwrap();
    held.lock().unwrap();
    let ran = env.home.run(&["get", "--timeout", "2s", "giga0:/f.bin", "held/f.bin"]).ends_with(5);
    ran.says("is downloading to this place; waiting for it for 2s at most").says("run it again when that one has ended");
    drop(held);
    env.get(&["giga0:/f.bin", "held/f.bin"]).ends_with(0);
}

/// The listing tells a size, the answer tells none, and behind what was listed more comes, in a piece of its own.
#[test]
fn what_is_longer_than_listed_is_not_cut() {
    let env = TestEnv::new();
    // giga0 holds no empty files.
    for (remote, listed) in [("giga0", SIZE), ("fileago", SIZE), ("fileago", 0)] {
        let name = format!("{listed}.bin");
        env.sandbox.fill(remote, "/", std::iter::once(name.clone()), &bytes(listed, 37).0).unwrap();
        let source = format!("{remote}:/{name}");
        let on = || env.sandbox.faults().script(&format!("{remote}/download:runs-on=70000*always")).unwrap();
        on();
        let ran = env.get(&[&source, "long/f.bin"]).ends_with(7).says(&format!("more bytes come than the {listed} that were announced"));
        assert_eq!(ran.events("failed")[0]["error"]["kind"], "integrity", "{source}");
        assert!(env.local("long").is_empty(), "{source}: neither file nor part");
        assert_eq!(env.home.command(&["cat", &source]).output().unwrap().status.code(), Some(7), "{source}");
        for verb in ["cp", "mv"] {
            for to in hosts().into_iter().filter(|to| *to != remote && (*to != "iogates" || verb == "cp")) {
                env.home.run(&[verb, &source, &format!("{to}:/{verb}-{name}")]).ends_with(7);
                assert!(!env.arrivals(to).contains_key(&format!("/{verb}-{name}")), "{verb} {source} to {to}");
            }
        }
        env.sandbox.faults().clear();
        env.get(&[&source, &format!("whole-{remote}/f.bin")]).ends_with(0);
        assert_eq!(env.home.run(&["ls", &source]).ends_with(0).stdout.trim(), name, "{source}: and the source stays");
    }
}

/// `size` means what the listing told. Where nobody announced an end, text says so as well as JSON.
#[test]
fn an_end_that_nobody_announced_is_reported() {
    let env = TestEnv::new();
    let content = fill(&env, "iogates");
    let get = ["--checksum", "none", "iogates:/f.bin", "told/f.bin"];
    let ran = env.get(&get).ends_with(0);
    assert_eq!(ran.events("downloaded")[0]["verified"], "none", "the answer's own length is no proof");
    let early = || env.sandbox.faults().script("iogates/download:ends-early=100000").unwrap();
    let words = "iogates:/f.bin: nobody tells how long this file is, so nothing proves that all of it came";
    early();
    let ran = env.home.run(&["get", "--if-exists", "replace", "--checksum", "none", "iogates:/f.bin", "told/f.bin"]).ends_with(0);
    ran.prints("not verified").says(words);
    early();
    let cat = env.home.command(&["cat", "--checksum", "none", "iogates:/f.bin"]).output().unwrap();
    assert_eq!(Content(cat.stdout), Content(content.0[..100_000].to_vec()));
    assert!(String::from_utf8_lossy(&cat.stderr).contains(words), "{}", String::from_utf8_lossy(&cat.stderr));
}
