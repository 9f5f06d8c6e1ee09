//! Names from a server, and links on this machine: nothing is written outside the given folder.

use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::command::Ran;
use crate::support::env::{TestEnv, bytes};
use crate::support::remotes::hosts;

/// A name is one step here, whatever another system would read in it; what no file can have is refused by name.
#[test]
fn names_that_other_systems_would_take_apart() {
    let env = TestEnv::new();
    for remote in hosts() {
        let odd = ["a\\..\\b", "C:evil", "CON", "a\r\nb", "con.txt", "x. "];
        let names = odd.into_iter().chain(["nul\0byte", "good"]).map(str::to_owned);
        env.sandbox.fill(remote, "/odd", names, b"odd").unwrap();
        let ran = env.get(&[&format!("{remote}:/odd"), &format!("{remote}-in")]).ends_with(9);
        let failed = ran.events("failed");
        assert_eq!((failed.len(), &failed[0]["error"]["kind"]), (1, &"refused".into()), "{remote}: {failed:?}");
        let here: Vec<String> = env.local(&format!("{remote}-in")).into_keys().collect();
        let mut wanted: Vec<String> = odd.into_iter().chain(["good"]).map(|name| format!("odd/{name}")).collect();
        wanted.sort();
        assert_eq!(here, wanted, "{remote}");
        let shown = env.home.run(&["get", "--if-exists", "replace", &format!("{remote}:/odd"), &format!("{remote}-in")]).ends_with(9);
        assert!(!shown.stdout.contains('\r') && !shown.stderr.contains('\r'), "{remote}: {}{}", shown.stdout, shown.stderr);
    }
}

/// What is put in the way while the bytes come is neither written through nor followed.
#[test]
fn a_link_that_appears_meanwhile_is_not_written_through() {
    let env = TestEnv::new();
    for (remote, policy, status) in [("giga0", "replace", 0), ("fileago", "fail", 6)] {
        let content = bytes(300_000, 22);
        env.sandbox.fill(remote, "/", std::iter::once("f.bin".to_owned()), &content.0).unwrap();
        let (victim, target) = (env.home.file("victim", "mine"), env.path(&format!("{remote}/f.bin")));
        let args = ["get", "--bwlimit", "200K", "--if-exists", policy, &format!("{remote}:/f.bin"), &format!("{remote}/f.bin")];
        if policy == "replace" {
            env.home.file(&format!("{remote}/f.bin"), "older");
        }
        let child = env.home.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while !env.path(&format!("{remote}/.f.bin.haul-part")).exists() {
            assert!(begun.elapsed() < Duration::from_secs(30), "{remote}: it does not begin");
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = std::fs::remove_file(&target);
        symlink(&victim, &target).unwrap();
        Ran::of(child.wait_with_output().unwrap()).ends_with(status);
        assert_eq!(std::fs::read(&victim).unwrap(), b"mine", "{remote}");
        assert_eq!(target.is_symlink(), policy == "fail", "{remote}: replaced itself, or left");
    }
}
