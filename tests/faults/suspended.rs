//! Another haul is suspended while it holds locks (Ctrl-Z, a frozen container): a waiting run says after a second which process
//! it waits for, and does not wait for ever.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::env::{TestEnv, bytes};
use crate::support::remotes::hosts;

/// A command that was stopped in the middle. It goes on with [`Self::go_on`], and ends with the test.
struct Suspended(Child);

impl Suspended {
    /// Stopped as soon as `there`.
    fn when(env: &TestEnv, args: &[&str], there: impl Fn() -> bool) -> Suspended {
        let child = env.home.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while !there() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{args:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
        let suspended = Suspended(child);
        suspended.signal("STOP");
        suspended
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().unwrap().success());
    }

    fn name(&self) -> String {
        format!("another haul (process {})", self.0.id())
    }

    fn go_on(mut self) -> i32 {
        self.signal("CONT");
        self.0.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Suspended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn in_its_sign_in() {
    for (remote, kind) in [("giga0", "authorize"), ("fileago", "sign-in"), ("iogates", "sign-in")] {
        let env = TestEnv::new();
        env.sandbox.faults().script(&format!("{remote}/{kind}:slow=600000")).unwrap();
        let place = format!("{remote}:/");
        let counts = || env.sandbox.counts().requests(remote, kind) > 0;
        let suspended = Suspended::when(&env, &["ls", &place], counts);
        let begun = Instant::now();
        let ls = env.home.run(&["ls", "--timeout", "5s", &place]).ends_with(0);
        let (who, took) = (suspended.name(), begun.elapsed());
        ls.says(&format!("{who} signs in to the same account, so this one waits"))
            .says(&format!("{who} has been signing in for 5s, so this one signs in beside it"));
        assert!(took >= Duration::from_secs(5) && took < Duration::from_secs(60), "{remote}: {took:?}");
        // A token is kept now, and nobody needs a turn.
        let again = env.home.run(&["ls", "--timeout", "5s", &place]).ends_with(0);
        assert!(!again.stderr.contains("signs in"), "{remote}: {}", again.stderr);
    }
}

#[test]
fn in_the_middle_of_an_upload() {
    for remote in hosts() {
        let env = TestEnv::new();
        let content = bytes(1_500_000, 3);
        env.home.file("film.bin", &content.0);
        env.home.file("other.txt", "other");
        let target = format!("{remote}:/in/film.bin");
        let sends = || env.sandbox.counts().all_received_bytes(remote) > 200_000;
        let suspended = Suspended::when(&env, &["put", "--bwlimit", "500K", "film.bin", &target], sends);
        let who = suspended.name();
        let begun = Instant::now();
        let second = env.home.run(&["put", "--json", "--timeout", "5s", "film.bin", &target]).ends_with(5);
        let took = begun.elapsed();
        second
            .says(&format!("{who} is working on it, so this command waits"))
            .says("has made no progress for 15s")
            .says("let that process go on");
        assert!(took >= Duration::from_secs(15) && took < Duration::from_secs(90), "{remote}: {took:?}");
        // Nobody else is held up.
        env.home.run(&["ls", "--timeout", "5s", &format!("{remote}:/")]).ends_with(0);
        env.home.run(&["put", "--timeout", "5s", "other.txt", &format!("{remote}:/in/")]).ends_with(0);
        assert_eq!(suspended.go_on(), 0, "{remote}");
        assert_eq!(env.arrivals(remote)["/in/film.bin"], content, "{remote}");
    }
}
