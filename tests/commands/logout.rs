//! `haul logout`.

use haul::sandbox::Canned;

use crate::support::env::TestEnv;
use crate::support::remotes::hosts;

#[test]
fn the_token_is_forgotten_and_the_next_command_signs_in() {
    for remote in hosts() {
        let env = TestEnv::new();
        let at = format!("{remote}:/");
        let ls = || env.home.run(&["ls", &at]).ends_with(0);
        ls();
        ls();
        assert_eq!(env.sandbox.counts().sign_ins(remote), 1, "{remote}: the token is kept");
        let first = env.home.run(&["logout", remote]).ends_with(0);
        // Only giga0 has a call that ends a token.
        let ended = env.request_count("giga0", "disable_access_token");
        assert_eq!(ended, u64::from(remote == "giga0"));
        assert_eq!(
            first.stdout.contains("signed out") || first.stderr.contains("signed out"),
            remote == "giga0",
            "{}{}",
            first.stdout,
            first.stderr
        );
        // Nothing is left to be ended.
        env.home.run(&["logout", remote]).ends_with(0);
        assert_eq!((env.request_count("giga0", "disable_access_token"), env.sandbox.counts().sign_ins(remote)), (ended, 1), "{remote}");
        ls();
        assert_eq!(env.sandbox.counts().sign_ins(remote), 2, "{remote}");
    }
    TestEnv::new().home.run(&["logout", "nowhere"]).ends_with(3).says("there is no such remote");
}

/// The token is ended there and forgotten here, whatever became of the answer; where nobody can tell, that is what is said.
#[test]
fn an_answer_that_says_nothing_is_neither_success_nor_failure() {
    let sign_ins = |env: &TestEnv| env.sandbox.counts().sign_ins("giga0");
    // Done, with its answer lost or in a form that nobody reads; not done at first; a server that breaks once.
    for fault in ["answer-lost", "answer-page", "answer-504", "html", "503=0", "cut=0"] {
        let env = TestEnv::new();
        env.home.run(&["ls", "giga0:/"]).ends_with(0);
        env.sandbox.faults().script(&format!("giga0/disable_access_token:{fault}")).unwrap();
        env.home.run(&["logout", "giga0"]).ends_with(0).prints("signed out of giga0");
        assert_eq!(env.request_count("giga0", "disable_access_token"), 2, "{fault}: the second try is the look");
        env.home.run(&["ls", "giga0:/"]).ends_with(0);
        assert_eq!(sign_ins(&env), 2, "{fault}");
    }
    for (fault, status, says) in [
        ("html*always", 13, "whether the server has ended the token is not known"),
        ("answer-page*always", 13, "whether the server has ended the token is not known"),
        ("500*always", 13, "HTTP 500"),
    ] {
        let env = TestEnv::new();
        env.home.run(&["ls", "giga0:/"]).ends_with(0);
        env.sandbox.faults().script(&format!("giga0/disable_access_token:{fault}")).unwrap();
        let ran = env.home.run(&["logout", "giga0", "--retries", "2"]).ends_with(status).says(says);
        assert_eq!(ran.stderr.contains("the token is forgotten here, but the server may accept it"), status != 0, "{}", ran.stderr);
        env.sandbox.faults().clear();
        // Nothing is left here to be ended.
        let asked = env.request_count("giga0", "disable_access_token");
        env.home.run(&["logout", "giga0"]).ends_with(0).prints("forgot the token");
        assert_eq!(env.request_count("giga0", "disable_access_token"), asked, "{fault}");
        env.home.run(&["ls", "giga0:/"]).ends_with(0);
        assert_eq!(sign_ins(&env), 2, "{fault}");
    }
    // A refusal in words, which is an answer.
    let env = TestEnv::new();
    env.home.run(&["ls", "giga0:/"]).ends_with(0);
    let no = r#"{"_status":"error","response":"Not today."}"#;
    env.sandbox.faults().answer(Canned::new("giga0", "disable_access_token", 200, no).times(9));
    env.home.run(&["logout", "giga0"]).ends_with(8).says("Not today").says("the token is forgotten here");
}
