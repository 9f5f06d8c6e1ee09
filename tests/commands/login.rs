//! `haul login`: a password on standard input, and the code that ioGates sends by SMS.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::command::{Home, Ran};
use crate::support::env::TestEnv;
use crate::support::remotes::hosts;
use crate::support::stand_ins::StandIns;

/// `haul login REMOTE --code-stdin`, given what `code` makes of the code that the server sent.
fn login(env: &TestEnv, remote: &str, code: impl FnOnce(String) -> String) -> Ran {
    let mut command = env.home.command(&["login", remote, "--code-stdin"]);
    run_with_code(env, &mut command, code)
}

/// Runs `command` and writes what `code` makes of the next code to its standard input, which stays open: a line is enough.
fn run_with_code(env: &TestEnv, command: &mut std::process::Command, code: impl FnOnce(String) -> String) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    let sent = loop {
        if let Some(code) = env.sandbox.iogates().sms_code() {
            break code;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "no code was sent: {:?}", child.wait_with_output());
        std::thread::sleep(Duration::from_millis(20));
    };
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", code(sent)).unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    drop(stdin);
    ran
}

#[test]
fn a_code_is_entered_once_and_then_remembered() {
    for (remote, signs_in_as) in [("shared", "Shared with you"), ("iogates", "ann")] {
        let env = TestEnv::with_share_link();
        env.sandbox.iogates().set(|s| s.two_factor = true);
        let refused = env.home.run(&["ls", &format!("{remote}:")]).ends_with(4);
        refused.says("wants a code that it sends by SMS; run `haul login");
        env.home.run(&["login", remote]).ends_with(4).says("in a terminal, or with --code-stdin");
        assert_eq!(env.request_count("iogates", "two-factor"), 0, "nobody was there to read a code");

        let ran = login(&env, remote, |code| code).ends_with(0);
        assert!(ran.stdout.contains(&format!("signed in to {remote} as {signs_in_as}")), "{}", ran.stdout);
        assert_eq!(env.request_count("iogates", "two-factor"), 2);
        env.home.run(&["ls", &format!("{remote}:")]).ends_with(0);
        env.home.file("f.txt", "x");
        env.home.run(&["put", "f.txt", &format!("{remote}:/")]).ends_with(0);
        // The same device with a new token.
        env.home.run(&["login", remote]).ends_with(0);
        env.home.run(&["ls", &format!("{remote}:")]).ends_with(0);
        assert_eq!(env.request_count("iogates", "two-factor"), 2);
    }
}

/// On a pseudo-terminal, made by `script` of util-linux.
#[cfg(target_os = "linux")]
#[test]
fn a_person_is_asked_for_the_code() {
    let env = TestEnv::with_share_link();
    env.sandbox.iogates().set(|s| s.two_factor = true);
    let plain = env.home.command(&[]);
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &format!("{} login shared", plain.get_program().to_str().unwrap()), "/dev/null"]);
    script.env_clear().envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?)))).env("TERM", "xterm");
    script.current_dir(plain.get_current_dir().unwrap());
    let ran = run_with_code(&env, &mut script, |code| code).ends_with(0);
    assert!(ran.stdout.contains("Code sent; the code: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("signed in to shared as Shared with you"), "{}", ran.stdout);
}

#[test]
fn codes_that_are_not_accepted_are_reported() {
    let env = TestEnv::with_share_link();
    env.sandbox.iogates().set(|s| s.two_factor = true);
    login(&env, "shared", |code| format!("{code}9")).ends_with(4).says("the code is wrong; run `haul login shared` again");
    env.script("iogates:code-too-old");
    login(&env, "shared", |code| code).ends_with(4).says("the code is too old");
    env.home.run(&["login", "shared", "--code-stdin", "--password-stdin"]).ends_with(2);
    env.home.run_with_input(&["login", "shared", "--code-stdin"], b"\n").ends_with(2).says("standard input holds no code");
    env.sandbox.iogates().sms_code().unwrap();
    env.script("iogates:code-by-get");
    login(&env, "shared", |code| code).ends_with(0);
    env.home.run(&["ls", "shared:"]).ends_with(0);
}

/// Without a word about the code in the refusal only the user knows.
#[test]
fn a_code_that_the_refusal_does_not_mention_is_sent() {
    let env = TestEnv::with_share_link();
    env.script("iogates/auth-info:expired");
    login(&env, "shared", |code| code).ends_with(0);
}

#[test]
fn a_login_by_standard_input_serves_later_puts_until_the_logout() {
    let env = TestEnv::new();
    env.home.file("f.txt", "x");
    for remote in hosts() {
        let key = format!("HAUL_REMOTE_{}_PASSWORD", remote.to_uppercase());
        let password = env.sandbox.env().into_iter().find(|(k, _)| *k == key).unwrap().1;
        let home = Home::new().env(env.sandbox.env().into_iter().filter(|(k, _)| *k != key));
        home.file("f.txt", "x");
        let put = |name: &str| home.run(&["put", "f.txt", &format!("{remote}:/{name}")]);
        put("before").ends_with(4).says(&format!("haul login {remote}"));
        assert_eq!(env.sandbox.counts().sign_ins(remote), 0, "{remote}: nobody to ask, nothing sent");

        let wrong = home.run_with_input(&["login", remote, "--password-stdin"], b"not-the-password\n").ends_with(4);
        assert!(wrong.stderr.contains("refused the sign-in"), "{remote}: {}", wrong.stderr);
        assert!(!wrong.stderr.contains("not-the-password"));
        put("still").ends_with(4);

        home.run_with_input(&["login", remote, "--password-stdin"], format!("{password}\n").as_bytes()).ends_with(0);
        let signed_in = env.sandbox.counts().sign_ins(remote);
        put("a").ends_with(0);
        put("b").ends_with(0);
        assert_eq!(env.sandbox.counts().sign_ins(remote), signed_in, "{remote}: the token is kept");
        home.run(&["logout", remote]).ends_with(0);
        put("after").ends_with(4);
    }
}
