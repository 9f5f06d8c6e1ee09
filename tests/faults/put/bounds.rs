//! A file that always fails at the same byte: it is started and sent a limited number of times, with every protocol and
//! wherever the request fails.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::content;
use crate::support::env::TestEnv;

const SIZE: u64 = super::ALL;
const CHUNK: u64 = super::CHUNK;
const MAX_TRIES: u64 = 3;
/// After a line that was cut while we wrote, the beginning of the request goes once more to hear whether it was refused.
const BEGINNING: u64 = 16 << 10;

struct Row {
    remote: &'static str,
    protocol: &'static str,
    fault: String,
    /// Bytes that the fault never lets past, or keeps, do not count.
    entries: u64,
}

/// Each place at which a part begins or ends, and both sides of it.
fn places() -> impl Iterator<Item = u64> {
    (0..SIZE / CHUNK).flat_map(|n| [n * CHUNK, n * CHUNK + 1, (n + 1) * CHUNK - 1])
}

fn rows() -> VecDeque<Row> {
    let row = |remote, protocol, fault: String, entries| Row { remote, protocol, fault, entries };
    let mut rows = VecDeque::new();
    for at in places() {
        rows.push_back(row("iogates", "tus", format!("iogates:wall={at}"), 1));
        rows.push_back(row("iogates", "plupload", format!("iogates:wall={at}"), MAX_TRIES));
        if cfg!(unix) {
            rows.push_back(row("iogates", "ftps", format!("iogates:ftp-cut={at}*always iogates:ftp-no-resume"), 1));
        }
        rows.push_back(row("giga0", "auto", format!("giga0/file/upload:cut={at}*always"), 0));
        rows.push_back(row("fileago", "auto", format!("fileago/upload:cut={at}*always"), 0));
    }
    for skip in 0..SIZE / CHUNK {
        for fault in ["cut=50000", "answer-lost", "500", "html"] {
            rows.push_back(row("iogates", "plupload", format!("iogates/plupload:{fault}+{skip}*always"), MAX_TRIES));
        }
        // The upload is gone each time it has come so far.
        rows.push_back(row("iogates", "tus", format!("iogates:tus-gone+{skip}*always"), 1));
    }
    // One byte of each request is kept, and then none.
    rows.push_back(row("iogates", "tus", format!("iogates:tus-short={}*always", CHUNK - 1), 1));
    rows.push_back(row("iogates", "tus", "iogates:tus-overfull=1*always".to_owned(), MAX_TRIES));
    rows
}

fn check(row: &Row) -> Result<(), String> {
    let env = TestEnv::new();
    env.home.file("film.bin", content().0);
    env.sandbox.faults().script(&row.fault).unwrap();
    let (tries, chunk, target) = (MAX_TRIES.to_string(), CHUNK.to_string(), format!("{}:/film.bin", row.remote));
    let args = ["put", "--json", "--retries", &tries, "--timeout", "20s", "--chunk-size", &chunk, "--protocol", row.protocol];
    let ran = env.home.run(&[&args[..], &["film.bin", &target]].concat());
    let (received, created) = (env.sandbox.counts().all_received_bytes(row.remote), env.sandbox.counts().created_count(row.remote));
    let told = format!("{received} bytes, {created} entries, status {}: {}{}", ran.status, ran.stdout, ran.stderr);
    let most = (MAX_TRIES + 1) * SIZE + MAX_TRIES * BEGINNING;
    let wrong = match () {
        () if received > most => "too many bytes",
        // A connection that was kept and dies is no try, once a file; where each beginning makes an entry that is one more.
        () if row.entries > 0 && created > row.entries + u64::from(row.entries > 1) => "too many entries",
        // All its bytes arrived, and a look found them.
        () if ran.status == 0 && env.arrivals(row.remote).values().any(|there| *there == content()) => return Ok(()),
        () if ![5, 8, 11, 13].contains(&ran.status) || ran.stderr.contains("panicked") => "not told as it is",
        () if env.arrivals(row.remote).values().any(|there| *there == content()) => "it is there, and that is not said",
        () => return Ok(()),
    };
    Err(format!("{} {} {}: {wrong}: {told}", row.remote, row.protocol, row.fault))
}

#[test]
fn no_file_is_begun_or_sent_without_end() {
    let (rows, wrong) = (Mutex::new(rows()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                while let Some(row) = { rows.lock().unwrap().pop_front() } {
                    if let Err(why) = check(&row) {
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}

/// Progress that comes late is progress all the same: a line that breaks after each part brings the file.
#[test]
fn a_line_that_lets_a_part_through_each_time_brings_the_file() {
    let env = TestEnv::new();
    let content = crate::support::env::bytes(1_000_000, 4);
    env.home.file("film.bin", &content.0);
    env.sandbox.faults().script("iogates/tus-patch:answer-lost*always").unwrap();
    let put = ["put", "--json", "--retries", "2", "--chunk-size", "100000", "--protocol", "tus", "film.bin", "iogates:/film.bin"];
    let ran = env.home.run(&put).ends_with(0);
    assert_eq!((env.arrivals("iogates")["/film.bin"].clone(), ran.events("uploaded")[0]["retries"].as_u64()), (content, Some(10)));
    assert_eq!(env.sandbox.counts().all_received_bytes("iogates"), 1_000_000);
}
