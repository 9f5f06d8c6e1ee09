//! A batch is killed with SIGKILL in the middle, then run again: no file is lost, and none is there twice.

use crate::support::env::{TestEnv, bytes};
use crate::support::kill::kill_when;
use crate::support::remotes::hosts;

const FILES: usize = 12;
const SIZE: usize = 150_000;

#[test]
fn a_batch_that_was_killed_and_is_run_again_loses_and_doubles_nothing() {
    for remote in hosts() {
        let env = TestEnv::new();
        let (mut slow, mut fast) = (String::new(), String::new());
        for n in 0..FILES {
            env.home.file(&format!("f{n:02}.bin"), bytes(SIZE, n as u32 + 1).0);
            slow += &format!("put --bwlimit 200K f{n:02}.bin {remote}:/in/\n");
            fast += &format!("put f{n:02}.bin {remote}:/in/\n");
        }
        env.home.file("slow.txt", slow);
        env.home.file("fast.txt", fast);
        for arrived in [2, 6] {
            kill_when(&env, &["batch", "--jobs", "3", "slow.txt"], || env.arrivals(remote).len() >= arrived);
        }
        assert!(env.arrivals(remote).len() < FILES, "{remote}: it was not killed in the middle");
        let before = env.arrivals(remote);
        let ran = env.json(&["batch", "fast.txt"]).ends_with(0);
        assert_eq!(ran.events("line").len(), FILES, "{remote}: {}", ran.stdout);
        // A file that had arrived was noted as finished by the run that was killed, or is found now.
        let is_sent = |event: &&serde_json::Value| event["resumed_from"] != SIZE;
        let sent = ran.events("uploaded").iter().filter(is_sent).count();
        assert_eq!(sent, FILES - before.len(), "{remote}: what was there is not sent again: {}", ran.stdout);
        let there = env.json(&["find", "--kind", "file", &format!("{remote}:/in")]).ends_with(0);
        assert_eq!(there.events("entry").len(), FILES, "{remote}: {}", there.stdout);
        let arrived = env.arrivals(remote);
        (0..FILES).for_each(|n| assert_eq!(arrived[&format!("/in/f{n:02}.bin")], bytes(SIZE, n as u32 + 1), "{remote} {n}"));
    }
}
