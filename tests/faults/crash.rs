//! `put` is killed with SIGKILL at random moments, then run again: the contents are equal, no file exists twice, and a protocol
//! that can resume inside a file sends at most one chunk a second time.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::support::env::{Content, TestEnv, bytes};
use crate::support::kill::{kill_after, source_tree};
use crate::support::random::Random;
use crate::support::remotes::hosts;

const CHUNK: u64 = 64 * 1024;
const CHUNK_TEXT: &str = "65536";
/// For what is killed once, at a moment that must lie inside.
const LARGE: usize = 3_000_000;

/// Kills for each route; HAUL_TEST_KILLS=… makes it more.
const KILLS: usize = 50;
/// So many of them at a time, each with stand-ins of its own: most of a round is waiting.
const CONCURRENT_RUNS: usize = 4;

/// The furthest stage of what a run had begun when it died; `none`: nothing, or all that it had begun was over.
fn died_in(env: &TestEnv) -> &'static str {
    let Ok(db) = rusqlite::Connection::open(env.state_file()) else { return "none" };
    let Ok(mut rows) = db.prepare("SELECT upload FROM unfinished") else { return "none" };
    let notes: Vec<String> = rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let reached = |stage: &&str| notes.iter().any(|note| note.contains(&format!("\"stage\":\"{stage}\"")));
    ["finishing", "leaving", "sending", "made", "planned"].into_iter().find(reached).unwrap_or("none")
}

fn salt(remote: &str, protocol: &str) -> u64 {
    remote.bytes().chain(protocol.bytes()).fold(0, |salt: u64, byte| salt.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

struct Route {
    remote: &'static str,
    protocol: &'static str,
    /// Bytes sent again are at most a chunk for each file that was on its way.
    resumes: bool,
}

/// As often as `KILLS` says: a put into a fresh folder, killed at a random moment, then run to its end.
fn survives(remote: &'static str, protocol: &'static str, resumes: bool) {
    let route = Route { remote, protocol, resumes };
    let kills = std::env::var("HAUL_TEST_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let died = Mutex::new(BTreeMap::<&str, usize>::new());
    std::thread::scope(|workers| {
        for n in 0..CONCURRENT_RUNS {
            let random = Random::from_env(salt(remote, protocol).wrapping_add(n as u64));
            let (route, died, share) = (&route, &died, (kills + CONCURRENT_RUNS - 1 - n) / CONCURRENT_RUNS);
            workers.spawn(move || route.killed_again_and_again(share, random, died));
        }
    });
    let died = died.into_inner().unwrap();
    println!("{remote} {protocol}: the runs died in {died:?}");
    let all = died.values().sum::<usize>();
    assert!(all >= kills, "{died:?}");
    assert!(died.get("over").copied().unwrap_or_default() * 3 <= all * 2, "too few runs were alive: {died:?}");
    assert!(has_hit_the_sending(&died, kills), "too few kills fell into the sending: {died:?}");
}

fn has_hit_the_sending(died: &BTreeMap<&str, usize>, kills: usize) -> bool {
    let hits = ["sending", "leaving", "finishing"].iter().filter_map(|stage| died.get(stage)).sum::<usize>();
    hits * 5 >= kills
}

impl Route {
    fn killed_again_and_again(&self, times: usize, mut random: Random, died: &Mutex<BTreeMap<&'static str, usize>>) {
        let env = TestEnv::new();
        let files = source_tree(&env);
        let begun = Instant::now();
        let measured = format!("{}:/measured", self.remote);
        env.home.run(&self.slow_put(&measured)).ends_with(0);
        let whole = begun.elapsed();
        // Moments are spread over the time that a run takes when the machine is as busy as at the beginning: where it became busier
        // or idler, more of them are tried.
        for round in 0..3 * times {
            if round >= times && has_hit_the_sending(&died.lock().unwrap(), times * CONCURRENT_RUNS) {
                break;
            }
            let place = format!("{}:/round-{round}", self.remote);
            let before = env.sandbox.counts().all_received_bytes(self.remote);
            let wait = Duration::from_micros(random.below(whole.as_micros() as usize) as u64);
            let alive = kill_after(&env, &self.slow_put(&place), wait);
            let stage = if alive { died_in(&env) } else { "over" };
            *died.lock().unwrap().entry(stage).or_default() += 1;
            self.comes_to_its_end(&env, &files, round, before, &format!("{} {}, killed after {wait:?}", self.remote, self.protocol));
        }
    }

    fn put<'a>(&self, place: &'a str) -> Vec<&'a str> {
        vec!["put", "--json", "--protocol", self.protocol, "--chunk-size", CHUNK_TEXT, "src/", place]
    }

    /// At this rate most moments fall into the sending.
    fn slow_put<'a>(&self, place: &'a str) -> Vec<&'a str> {
        [&self.put(place)[..], &["--bwlimit", "900K"]].concat()
    }

    fn comes_to_its_end(&self, env: &TestEnv, files: &BTreeMap<String, Content>, round: usize, before: u64, what: &str) {
        let place = format!("{}:/round-{round}", self.remote);
        let ran = env.home.run(&self.put(&place));
        assert_eq!(ran.status, 0, "{what}: {}{}", ran.stdout, ran.stderr);
        let arrived: BTreeMap<String, Content> = env
            .arrivals(self.remote)
            .into_iter()
            .filter_map(|(path, content)| Some((path.strip_prefix(&format!("/round-{round}/"))?.to_owned(), content)))
            .collect();
        assert_eq!(arrived, *files, "{what}");
        // A TUS endpoint lists nothing: the stand-in tells what it holds.
        let entries = || env.sandbox.entries(self.remote, &format!("/round-{round}")).into_iter().map(|(name, _)| name).collect();
        let mut there = if self.remote == "tus" { entries() } else { env.listed_names(&place) };
        there.sort();
        let wanted: Vec<String> = files.keys().cloned().collect();
        if self.protocol == "plupload" {
            // Receivers can't be asked and the API removes nothing: an entry that was half sent stays, and is named.
            there.dedup();
        }
        assert_eq!(there, wanted, "{what}: {}", ran.stderr);
        if self.resumes {
            let total: u64 = files.values().map(|c| c.0.len() as u64).sum();
            let again = env.sandbox.counts().all_received_bytes(self.remote) - before - total;
            // Four files are in flight at once; the small ones are smaller than a chunk.
            assert!(again <= CHUNK + 3 * 1_100, "{what}: {again} bytes were sent again");
        }
        assert_eq!(
            env.home.run(&self.put(&place)).ends_with(0).events("skipped").len(),
            files.len(),
            "{what}: a third run has nothing to do"
        );
    }
}

#[test]
fn tus_survives_kills() {
    survives("iogates", "tus", true);
}

#[test]
fn ftps_survives_kills() {
    survives("iogates", "ftps", true);
}

#[test]
fn plupload_survives_kills() {
    survives("iogates", "plupload", false);
}

#[test]
fn giga0_survives_kills() {
    survives("giga0", "auto", false);
}

#[test]
fn fileago_survives_kills() {
    survives("fileago", "auto", false);
}

#[test]
fn an_ftp_server_survives_kills() {
    survives("ftp", "ftps", true);
}

#[test]
fn a_tus_endpoint_survives_kills() {
    survives("tus", "tus", true);
}

#[test]
fn a_big_file_is_resumed_inside_and_reported() {
    let env = TestEnv::new();
    env.home.file("big.bin", &bytes(LARGE, 5).0);
    for protocol in ["tus", "ftps"] {
        let place = format!("iogates:/{protocol}.bin");
        let put = ["put", "--json", "--protocol", protocol, "--chunk-size", "262144", "big.bin", &place];
        let slow: Vec<&str> = put.iter().copied().chain(["--bwlimit", "1M"]).collect();
        assert!(kill_after(&env, &slow, Duration::from_millis(1_500)));
        let uploaded = env.home.run(&put).ends_with(0).events("uploaded");
        assert!(uploaded[0]["resumed_from"].as_u64().unwrap() > 0, "{protocol}: {uploaded:?}");
        assert_eq!(uploaded[0]["verified"], "md5");
        assert_eq!(env.arrivals("iogates")[&format!("/{protocol}.bin")], bytes(LARGE, 5));
    }
}

#[test]
fn a_source_that_changed_starts_from_its_first_byte() {
    let env = TestEnv::new();
    env.home.file("big.bin", &bytes(LARGE, 5).0);
    let put = ["put", "--json", "--chunk-size", "262144", "big.bin", "iogates:/c.bin"];
    let slow: Vec<&str> = put.iter().copied().chain(["--bwlimit", "1M"]).collect();
    assert!(kill_after(&env, &slow, Duration::from_millis(1_500)));
    env.home.file("big.bin", &bytes(LARGE, 6).0);
    let ran = env.home.run(&put).ends_with(0).says("has changed since");
    assert_eq!(ran.events("uploaded")[0]["resumed_from"], 0);
    assert_eq!(env.arrivals("iogates")["/c.bin"], bytes(LARGE, 6));
}

#[test]
fn two_runs_at_once_put_one_file() {
    for remote in hosts() {
        let env = TestEnv::new();
        env.home.file("big.bin", &bytes(LARGE, 5).0);
        let put = ["put", "--json", "--bwlimit", "3M", "big.bin", &format!("{remote}:/one/big.bin")];
        let first = env.home.command(&put).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let second = env.home.command(&put).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let ends: Vec<_> = [first, second].map(|c| crate::support::command::Ran::of(c.wait_with_output().unwrap())).into_iter().collect();
        let uploaded: usize = ends.iter().map(|ran| ran.events("uploaded").len()).sum();
        assert!(ends.iter().all(|ran| ran.status == 0), "{remote}: {} {}", ends[0].stderr, ends[1].stderr);
        assert_eq!((uploaded, env.listed_names(&format!("{remote}:/one"))), (1, vec!["big.bin".to_owned()]), "{remote}");
    }
}

#[test]
fn what_is_unfinished_is_listed_taken_up_and_cleared() {
    let env = TestEnv::new();
    env.home.file("big.bin", &bytes(LARGE, 5).0);
    let slow = |place: &str| {
        kill_after(&env, &["put", "--chunk-size", "262144", "--bwlimit", "1M", "big.bin", place], Duration::from_millis(1_500))
    };
    assert!(slow("iogates:/t/one.bin"));
    let listed = env.home.run(&["transfers", "list", "--json"]).ends_with(0).events("transfers");
    assert_eq!((listed.len(), &listed[0]["remote"], &listed[0]["path"]), (1, &"iogates".into(), &"/t/one.bin".into()));
    assert_eq!(listed[0]["size"], LARGE);
    let resumed = env.home.run(&["transfers", "resume", "--json"]).ends_with(0);
    assert!(resumed.events("uploaded")[0]["resumed_from"].as_u64().unwrap() > 0, "{}", resumed.stdout);
    assert_eq!(env.arrivals("iogates")["/t/one.bin"], bytes(LARGE, 5));
    assert!(env.home.run(&["transfers", "list", "--json"]).ends_with(0).json().is_empty());

    assert!(slow("iogates:/t/two.bin"));
    let deleted = env.sandbox.counts().requests("iogates", "tus-delete");
    for verb in ["resume", "clear"] {
        env.home.run(&["transfers", verb, "giga9"]).ends_with(3).says("there is no such remote");
    }
    env.home.run(&["transfers", "clear"]).ends_with(0);
    assert_eq!(env.sandbox.counts().requests("iogates", "tus-delete"), deleted + 1, "the half of it is gone from the server");
    assert!(env.home.run(&["transfers", "list", "--json"]).ends_with(0).json().is_empty());
}
