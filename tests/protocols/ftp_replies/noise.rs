//! Random and nearly correct replies: an upload ends with an error that can be shown, or completely.
//!
//! `HAUL_FUZZ_SEED=7 HAUL_FUZZ_RUNS=2000 cargo test --test suite -- hostile_network noise` runs longer, with another seed.

use std::sync::LazyLock;

use super::*;
use crate::support::random::{Random, env_number};

const RUNS: u64 = 60;

static REPLIES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let long: &'static str = format!("250 {}", "x".repeat(1 << 20)).leak();
    let endless: &'static str = format!("211-Features:{}", "\r\n REST STREAM".repeat(50_000)).leak();
    let words = "250 \x1b[2J\u{9b}31m\u{202e}\0\x07 swordfish";
    let refused = "550 \x1b]0;x\x07 too many maximum tls required use auth";
    vec![
        long,
        endless,
        words,
        refused,
        "",
        " ",
        "2",
        "250",
        "250-",
        "-1 no",
        "000 zero",
        "999 what",
        "25O fine",
        "99999999999 much",
        "é",
        "250é fine",
        "226 done\r\n226 done",
        "229 (|||99999|)",
        "229 (|||0|)",
        "229 (",
        "229 ()",
        "229 (|é|é|1|)",
        "227 (1,2,3,4,256,1)",
        "227 (,,,,,)",
        "227 1,2,3,4,0,0",
        "213",
        "213 ",
        "213 18446744073709551616",
        "213 +10",
        "213 -10",
        "213 10 20",
        "213-10\r\n213 11",
        "150 send",
        "150 send|",
        "150 send|150 more",
        "150 send|999 what",
        "125 send|250 done",
        "421 bye",
        "450 later",
        "522 no",
        "530 no",
        "332 account",
    ]
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_replied() {
    let (first, runs) = (env_number("HAUL_FUZZ_SEED", 1), env_number("HAUL_FUZZ_RUNS", RUNS));
    for seed in first..first.saturating_add(runs) {
        let random = Mutex::new(Random::new(seed));
        let played = env(Security::Plain, move |_| {
            let mut random = random.lock().unwrap();
            (random.below(6) == 0).then(|| *random.of(&REPLIES))
        })
        .await;
        let pool = FtpPool::new(FtpServer { timeout: Duration::from_millis(300), ..played.server.clone() });
        let whole = async {
            let mut session = open(&pool, FtpTarget { size: Some(5000), ..target("a.bin", 5000) }).await?;
            let source = MemorySource::new(bytes(5000));
            if let Err(failure) = session.send(source.part_from(0)).await
                && let Recovery::ResumeAt(from) = session.recover(&failure).await?
            {
                assert!(from <= 5000, "seed {seed}: resumed at {from}");
                session.send(source.part_from(from)).await?;
            }
            session.finish().await
        };
        let ended = tokio::time::timeout(Duration::from_secs(60), whole).await;
        let ended = ended.unwrap_or_else(|_| panic!("HAUL_FUZZ_SEED={seed}: no end after {:?}", played.commands.lock().unwrap()));
        if let Err(error) = ended {
            let shown = error.to_string();
            assert!(!shown.chars().any(|c| c.is_control() || c == '\u{202e}') && shown.len() < 8000, "HAUL_FUZZ_SEED={seed}: {shown:?}");
        }
    }
}
