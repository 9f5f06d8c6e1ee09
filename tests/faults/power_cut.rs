//! A power cut at each write of the state, once just before its data is on the disk and once just after. All notes since the
//! last write are lost, while all requests that were sent are done by the server. The same command then transfers every file
//! completely and once.
//!
//! This shows that the order of notes and remote calls is sufficient. That a committed note of SQLite is on the disk
//! (write-ahead log, `synchronous=FULL`) is guaranteed by SQLite and the disk; no test here shows that.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::env::{Content, TestEnv};
use crate::support::kill::source_tree;

/// So many moments at a time, each with stand-ins of its own.
const CONCURRENT_RUNS: usize = 3;
const CHUNK: &str = "65536";

struct Route {
    remote: &'static str,
    protocol: &'static str,
}

impl Route {
    fn put<'a>(&self, place: &'a str) -> Vec<&'a str> {
        vec!["put", "--json", "--protocol", self.protocol, "--chunk-size", CHUNK, "src/", place]
    }

    /// False: the run had no such write, and came to its end.
    fn survives(&self, env: &TestEnv, files: &BTreeMap<String, Content>, cut: &str) -> bool {
        let folder = cut.replace(' ', "-");
        let (place, what) = (format!("{}:/{folder}", self.remote), format!("{} {} {cut}", self.remote, self.protocol));
        let mut command = env.home.command(&self.put(&place));
        command.env("HAUL_TEST_POWER_CUT", cut).stdout(Stdio::null()).stderr(Stdio::null());
        let ended = command.status().unwrap();
        assert!(ended.success() || ended.code().is_none(), "{what}: {ended}");
        let ran = env.home.run(&self.put(&place));
        assert_eq!(ran.status, 0, "{what}: {}{}", ran.stdout, ran.stderr);
        let of_this = |(path, content): (String, Content)| Some((path.strip_prefix(&format!("/{folder}/"))?.to_owned(), content));
        let arrived: BTreeMap<String, Content> = env.arrivals(self.remote).into_iter().filter_map(of_this).collect();
        assert_eq!(arrived, *files, "{what}: none is lost, and none is half good");
        let mut there = env.listed_names(&place);
        there.sort();
        if self.protocol == "plupload" {
            // Receivers can't be asked and the API removes nothing: an entry that was half sent stays, and is named.
            there.dedup();
        }
        assert_eq!(there, files.keys().cloned().collect::<Vec<_>>(), "{what}: none is doubled: {}", ran.stderr);
        let again = env.home.run(&self.put(&place)).ends_with(0);
        assert_eq!(again.events("skipped").len(), files.len(), "{what}: a third run has nothing to do: {}", again.stdout);
        ended.code().is_none()
    }
}

fn survives_each_cut(remote: &'static str, protocol: &'static str) {
    let route = Route { remote, protocol };
    let (next, cuts) = (AtomicUsize::new(2), Mutex::new(BTreeMap::<&str, usize>::new()));
    std::thread::scope(|workers| {
        for _ in 0..CONCURRENT_RUNS {
            workers.spawn(|| {
                let env = TestEnv::new();
                let files = source_tree(&env);
                loop {
                    // Even: what the write brings is lost; odd: it is kept.
                    let turn = next.fetch_add(1, Ordering::Relaxed);
                    let how = if turn % 2 == 0 { "lost" } else { "kept" };
                    if !route.survives(&env, &files, &format!("{how} {}", turn / 2)) {
                        return;
                    }
                    *cuts.lock().unwrap().entry(how).or_default() += 1;
                }
            });
        }
    });
    let cuts = cuts.into_inner().unwrap();
    println!("{remote} {protocol}: the power went {cuts:?}");
    assert!(["lost", "kept"].iter().all(|how| cuts.get(how).is_some_and(|n| *n >= 4)), "{cuts:?}");
}

#[test]
fn tus_survives_power_cuts() {
    survives_each_cut("iogates", "tus");
}

#[test]
fn ftps_survives_power_cuts() {
    survives_each_cut("iogates", "ftps");
}

#[test]
fn plupload_survives_power_cuts() {
    survives_each_cut("iogates", "plupload");
}

#[test]
fn giga0_survives_power_cuts() {
    survives_each_cut("giga0", "auto");
}

#[test]
fn fileago_survives_power_cuts() {
    survives_each_cut("fileago", "auto");
}

#[test]
fn a_bare_ftp_server_survives_power_cuts() {
    survives_each_cut("ftp", "auto");
}
