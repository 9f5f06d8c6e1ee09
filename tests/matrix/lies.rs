//! Downloads from a server that is not what it says: another content under the old name, words in place of bytes, an end
//! that is none; and two runs that fetch to one place.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::haul::Ran;
use crate::put::{Content, Play, REMOTES, bytes};
use haul::sandbox::Canned;

const SIZE: usize = 300_000;

fn filled(play: &Play, remote: &str) -> Content {
    let content = bytes(SIZE, 31);
    play.sandbox.fill(remote, "/", std::iter::once("f.bin".to_owned()), &content.0).unwrap();
    content
}

/// Another content of the same size, which the server calls by another name.
fn changed(play: &Play, remote: &str) -> Content {
    let content = bytes(SIZE, 32);
    std::fs::write(play.sandbox.file(remote, "/f.bin").unwrap(), &content.0).unwrap();
    content
}

fn part(remote: &str) -> String {
    format!("{remote}/.f.bin.haul-part")
}

#[cfg(unix)]
#[test]
fn two_contents_make_no_third() {
    let play = Play::new();
    // ioGates tells an MD5, which is compared.
    for remote in ["giga0", "fileago"] {
        filled(&play, remote);
        let get = [format!("{remote}:/f.bin"), format!("{remote}/f.bin")];
        let get = [get[0].as_str(), &get[1]];
        play.killed(&[&["get", "--bwlimit", "200K"], get.as_slice()].concat(), &play.path(&part(remote)), 100_000);
        let now = changed(&play, remote);
        let ran = play.get(&get).ends_with(0);
        assert_eq!(ran.events("downloaded")[0]["resumed_from"], 0, "{remote}");
        assert_eq!(play.local(remote).into_iter().collect::<Vec<_>>(), [("f.bin".to_owned(), now)], "{remote}");
    }
}

#[test]
fn a_file_that_changes_under_a_reader_is_a_failure() {
    for remote in ["giga0", "fileago"] {
        let play = Play::new();
        let old = filled(&play, remote);
        let asked = |play: &Play| play.sandbox.counts().requests(remote, "download");
        play.sandbox.faults().script(&format!("{remote}/download:cut=150000")).unwrap();
        let child = play.home.command(&["cat", &format!("{remote}:/f.bin")]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while asked(&play) == 0 || !play.sandbox.faults().left().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{remote}: it was not asked");
            std::thread::sleep(Duration::from_millis(2));
        }
        // Half a second before the next try; on a machine that sleeps longer the old content is read to its end.
        let new = changed(&play, remote);
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
    let play = Play::new();
    for remote in REMOTES {
        let content = filled(&play, remote);
        let older = play.home.file(&format!("{remote}/f.bin"), "older");
        let get = [format!("{remote}:/f.bin"), format!("{remote}/f.bin")];
        for (status, ends) in [(200, 11), (404, 3), (403, if remote == "fileago" { 4 } else { 8 }), (410, 3)] {
            play.sandbox.faults().answer(Canned::new(remote, "download", status, r#"{"status":"error","message":"no"}"#).times(9));
            let ran = play.get(&["--if-exists", "replace", &get[0], &get[1]]);
            assert_eq!(ran.status, ends, "{remote} {status}: {}", ran.stderr);
            assert_eq!(std::fs::read(&older).unwrap(), b"older", "{remote}");
            let cat = play.home.command(&["cat", &get[0]]).output().unwrap();
            assert!(!cat.status.success() && cat.stdout.is_empty(), "{remote} {status}");
            play.sandbox.faults().clear();
        }
        // Its own words, without a length, and then an end: nothing of such an answer is gone on with. ioGates tells no
        // size, so there only the MD5 knows.
        let early = || play.sandbox.faults().script(&format!("{remote}/download:ends-early=100000")).unwrap();
        early();
        let ends = if remote == "iogates" { 7 } else { 5 };
        play.get(&["--if-exists", "replace", "--retries", "1", &get[0], &get[1]]).ends_with(ends);
        assert_eq!(play.path(&part(remote)).metadata().map_or(0, |meta| meta.len()), 0, "{remote}");
        assert_eq!(std::fs::read(&older).unwrap(), b"older", "{remote}");
        if remote != "iogates" {
            early();
        }
        play.get(&["--if-exists", "replace", &get[0], &get[1]]).ends_with(0);
        assert_eq!(play.local(remote).into_iter().collect::<Vec<_>>(), [("f.bin".to_owned(), content.clone())], "{remote}");
        early();
        let cat = play.home.command(&["cat", &get[0]]).output().unwrap();
        assert_eq!((cat.status.code(), Content(cat.stdout)), (Some(7), Content(content.0[..100_000].to_vec())), "{remote}");
    }
}

#[test]
fn two_runs_to_one_place() {
    let play = Play::new();
    for remote in REMOTES {
        let content = filled(&play, remote);
        for streams in ["1", "2"] {
            let target = format!("{remote}-{streams}/f.bin");
            let args = ["get", "--json", "--bwlimit", "1M", "--streams", streams, &format!("{remote}:/f.bin"), &target];
            let start = || play.home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            for child in [start(), start()] {
                Ran::of(child.wait_with_output().unwrap()).ends_with(0);
            }
            let here = play.local(&format!("{remote}-{streams}"));
            assert_eq!(here.into_iter().collect::<Vec<_>>(), [("f.bin".to_owned(), content.clone())], "{remote}");
        }
    }
}
