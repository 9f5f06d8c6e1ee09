//! The state when its file is spoilt, full or held: whatever is asked is answered, soon, and nothing is made up.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::contract::{PendingUpload, TokenStore, TransferStore};
use crate::model::Secret;
use crate::state::State;
use crate::state::folder::FILE;

fn upload(n: i64) -> PendingUpload {
    PendingUpload {
        key: format!("key {n}"),
        remote: "studio".into(),
        path: format!("/film {n}"),
        source: format!("/home/ann/film {n}"),
        identity: "i".repeat(200),
        upload: format!("{{\"n\":{n}}}"),
        size: 10,
        accepted: 4,
        at: n,
    }
}

fn open(dir: &Path) -> State {
    State::new(Some(dir.to_owned()))
}

/// Asks everything; none of it may fail, hang or break down. The warnings of it.
fn use_all(state: &State) -> Vec<String> {
    for n in [3, 70, 500] {
        if let Some(found) = state.pending_upload(&format!("key {n}")).unwrap() {
            assert_eq!(found.key, format!("key {n}"));
        }
        state.record_unfinished(&upload(n)).unwrap();
        state.forget_pending_upload(&format!("key {n}")).unwrap();
    }
    state.pending_uploads().unwrap();
    state.completed_transfer("r", "1").unwrap();
    state.has_completed_since("r", "/a", 0).unwrap();
    state.load("a").unwrap();
    state.take_warnings()
}

/// A file of some pages, closed.
fn fill_database(dir: &Path) {
    let state = open(dir);
    (0..100).for_each(|n| drop(state.record_unfinished(&upload(n))));
    assert_eq!(state.take_warnings(), [""; 0]);
}

#[test]
fn random_bytes_at_random_places() {
    let whole = tempfile::tempdir().unwrap();
    fill_database(whole.path());
    let good = fs::read(whole.path().join(FILE)).unwrap();
    let mut dice = 88_172_645_463_325_252_u64;
    let mut below = |most: usize| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice >> 11) as usize % most
    };
    for _ in 0..60 {
        let mut bad = good.clone();
        let from = below(bad.len());
        let to = (from + 1 + below(3000)).min(bad.len());
        bad[from..to].fill_with(|| below(256) as u8);
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), &bad).unwrap();
        use_all(&open(dir.path()));
    }
}

#[test]
fn a_file_that_was_cut_short() {
    let whole = tempfile::tempdir().unwrap();
    fill_database(whole.path());
    let good = fs::read(whole.path().join(FILE)).unwrap();
    for keep in [1, 15, 16, 99, 100, 4095, 4096, 4097, 8192, good.len() / 2, good.len() - 1] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), &good[..keep]).unwrap();
        let warnings = use_all(&open(dir.path()));
        // What is too short for a header is an empty file to SQLite, and is filled; a last page that lacks a byte may be
        // good enough.
        if (512..good.len() - 1).contains(&keep) {
            assert!(!warnings.is_empty(), "nothing is said of {keep} bytes that remain");
            assert_eq!(fs::read(dir.path().join(FILE)).unwrap().len(), keep, "it is left as it is");
        }
    }
}

/// As a kill leaves it: the log is there, and its end may be missing or be nonsense. What was written before is kept.
#[test]
fn a_log_that_was_half_written() {
    let live = tempfile::tempdir().unwrap();
    let state = open(live.path());
    for n in 0..40 {
        state.record_unfinished(&upload(n)).unwrap();
        assert!(state.writer.settle());
    }
    let log = fs::read(live.path().join("state.db-wal")).unwrap();
    for (keep, junk) in [(log.len(), 0), (log.len() - 1, 0), (log.len() / 2 + 7, 0), (log.len() / 3, 5000), (40, 0), (0, 700)] {
        let dir = tempfile::tempdir().unwrap();
        fs::copy(live.path().join(FILE), dir.path().join(FILE)).unwrap();
        fs::write(dir.path().join("state.db-wal"), [&log[..keep], &vec![0xa7; junk]].concat()).unwrap();
        let next = open(dir.path());
        let kept = next.pending_uploads().unwrap();
        assert!(kept.iter().enumerate().all(|(n, found)| *found == upload(n as i64)), "{keep} + {junk}: no hole, nothing made up");
        assert_eq!(kept.len() == 40, keep == log.len());
        assert_eq!(use_all(&next), [""; 0], "{keep} + {junk}");
    }
}

#[test]
fn a_full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let state = open(dir.path());
    state.record_unfinished(&upload(1)).unwrap();
    state.writer.with(|db| {
        let pages: i64 = db.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
    });
    (0..200).for_each(|n| drop(state.record_unfinished(&upload(n))));
    let warnings = state.take_warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("full"), "{warnings:?}");
    drop(state);
    assert_eq!(use_all(&open(dir.path())), [""; 0], "with room again all is well");
}

#[test]
fn another_process_that_holds_it_for_long_is_waited_for_once() {
    let dir = tempfile::tempdir().unwrap();
    let state = open(dir.path());
    state.record_unfinished(&upload(1)).unwrap();
    assert!(state.writer.settle());
    let other = Connection::open(dir.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let begun = Instant::now();
    for n in 0..60 {
        state.record_unfinished(&upload(n)).unwrap();
        assert!(!state.writer.settle(), "whoever waits is told that it is not there");
        assert_eq!(state.pending_upload("key 1").unwrap(), Some(upload(1)), "reading goes on");
    }
    assert!(begun.elapsed() < Duration::from_secs(15), "60 waits of half a second");
    let warnings = state.take_warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("locked"), "{warnings:?}");
    other.execute_batch("COMMIT").unwrap();
    state.record_unfinished(&upload(7)).unwrap();
    assert!(state.writer.settle());
    let all = open(dir.path()).pending_uploads().unwrap();
    assert_eq!(all, (0..60).map(upload).collect::<Vec<_>>(), "it is used again when it is free, and nothing was lost meanwhile");
    assert_eq!(state.take_warnings(), [""; 0]);
}

#[test]
fn one_that_is_held_before_we_open_it() {
    let dir = tempfile::tempdir().unwrap();
    fill_database(dir.path());
    let other = Connection::open(dir.path().join(FILE)).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM tokens; COMMIT").unwrap();
    let warnings = use_all(&open(dir.path()));
    assert!(warnings.len() == 1 && warnings[0].contains("locked"), "{warnings:?}");
}

#[test]
fn one_that_stands_still_while_it_opens_it() {
    let dir = tempfile::tempdir().unwrap();
    let turn = fs::File::create(dir.path().join("open.lock")).unwrap();
    turn.lock().unwrap();
    let state = open(dir.path());
    let warnings = use_all(&state);
    assert!(warnings[0].contains("stands still"), "{warnings:?}");
    let token = crate::contract::StoredToken { token: Secret::new("tttt"), fields: Vec::new() };
    state.save("a", &token).unwrap();
    assert_eq!(state.load("a").unwrap(), Some(token), "tokens live on in memory");
}
