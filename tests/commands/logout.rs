//! `haul logout`.

use crate::support::env::{Play, REMOTES};

#[test]
fn the_token_is_forgotten_and_the_next_command_signs_in() {
    for remote in REMOTES {
        let play = Play::new();
        let at = format!("{remote}:/");
        let ls = || play.home.run(&["ls", &at]).ends_with(0);
        ls();
        ls();
        assert_eq!(play.sandbox.counts().sign_ins(remote), 1, "{remote}: the token is kept");
        let first = play.home.run(&["logout", remote]).ends_with(0);
        // Only giga0 has a call that ends a token.
        let ended = play.asked("giga0", "disable_access_token");
        assert_eq!(ended, u64::from(remote == "giga0"));
        assert_eq!(
            first.stdout.contains("signed out") || first.stderr.contains("signed out"),
            remote == "giga0",
            "{}{}",
            first.stdout,
            first.stderr
        );
        // Nothing is left to be ended.
        play.home.run(&["logout", remote]).ends_with(0);
        assert_eq!((play.asked("giga0", "disable_access_token"), play.sandbox.counts().sign_ins(remote)), (ended, 1), "{remote}");
        ls();
        assert_eq!(play.sandbox.counts().sign_ins(remote), 2, "{remote}");
    }
    Play::new().home.run(&["logout", "nowhere"]).ends_with(3).says("there is no such remote");
}
