//! Codes by SMS, shares, and what an account may do.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{asked, play, script};
use crate::support::command::Ran;
use crate::support::env::Play;

/// `haul login REMOTE --code-stdin`, given what `code` makes of the code that the server sent.
fn login(play: &Play, remote: &str, code: impl FnOnce(String) -> String) -> Ran {
    let mut command = play.home.command(&["login", remote, "--code-stdin"]);
    answered(play, &mut command, code)
}

/// Runs `command` and writes what `code` makes of the next code to its standard input, which stays open: a line is enough.
fn answered(play: &Play, command: &mut std::process::Command, code: impl FnOnce(String) -> String) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    let sent = loop {
        if let Some(code) = play.sandbox.iogates().sms_code() {
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
        let play = play();
        play.sandbox.iogates().set(|s| s.two_factor = true);
        let refused = play.home.run(&["ls", &format!("{remote}:")]).ends_with(4);
        refused.says("wants a code that it sends by SMS; run `haul login");
        play.home.run(&["login", remote]).ends_with(4).says("in a terminal, or with --code-stdin");
        assert_eq!(asked(&play, "two-factor"), 0, "nobody was there to read a code");

        let ran = login(&play, remote, |code| code).ends_with(0);
        assert!(ran.stdout.contains(&format!("signed in to {remote} as {signs_in_as}")), "{}", ran.stdout);
        assert_eq!(asked(&play, "two-factor"), 2);
        play.home.run(&["ls", &format!("{remote}:")]).ends_with(0);
        play.home.file("f.txt", "x");
        play.home.run(&["put", "f.txt", &format!("{remote}:/")]).ends_with(0);
        // The same device with a new token.
        play.home.run(&["login", remote]).ends_with(0);
        play.home.run(&["ls", &format!("{remote}:")]).ends_with(0);
        assert_eq!(asked(&play, "two-factor"), 2);
    }
}

/// On a pseudo-terminal, made by `script` of util-linux.
#[cfg(target_os = "linux")]
#[test]
fn a_person_is_asked_for_the_code() {
    let play = play();
    play.sandbox.iogates().set(|s| s.two_factor = true);
    let plain = play.home.command(&[]);
    let mut script = std::process::Command::new("script");
    script.args(["-qec", &format!("{} login shared", plain.get_program().to_str().unwrap()), "/dev/null"]);
    script.env_clear().envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?)))).env("TERM", "xterm");
    script.current_dir(plain.get_current_dir().unwrap());
    let ran = answered(&play, &mut script, |code| code).ends_with(0);
    assert!(ran.stdout.contains("Code sent; the code: "), "{}", ran.stdout);
    assert!(ran.stdout.contains("signed in to shared as Shared with you"), "{}", ran.stdout);
}

#[test]
fn codes_that_are_not_accepted() {
    let play = play();
    play.sandbox.iogates().set(|s| s.two_factor = true);
    login(&play, "shared", |code| format!("{code}9")).ends_with(4).says("the code is wrong; run `haul login` again");
    script(&play, "iogates:code-too-old");
    login(&play, "shared", |code| code).ends_with(4).says("the code is too old");
    play.home.run(&["login", "shared", "--code-stdin", "--password-stdin"]).ends_with(2);
    play.home.run_with_input(&["login", "shared", "--code-stdin"], b"\n").ends_with(2).says("standard input holds no code");
    play.sandbox.iogates().sms_code().unwrap();
    script(&play, "iogates:code-by-get");
    login(&play, "shared", |code| code).ends_with(0);
    play.home.run(&["ls", "shared:"]).ends_with(0);
}

/// Without a word about the code in the refusal only the user knows.
#[test]
fn a_code_that_the_server_does_not_speak_of() {
    let play = play();
    script(&play, "iogates/auth-info:expired");
    login(&play, "shared", |code| code).ends_with(0);
}

#[test]
fn a_share_is_a_remote_like_any_other() {
    let play = play();
    play.home.file("d/a.txt", "one");
    play.home.file("d/b/c.txt", "two");
    play.home.run(&["put", "d/", "shared:/in"]).ends_with(0);
    let paths: Vec<String> = play.arrived("iogates").into_keys().collect();
    assert_eq!(paths, ["/in/a.txt", "/in/b/c.txt"]);
    let listed = play.home.run(&["ls", "-R", "shared:/"]).ends_with(0).stdout;
    assert_eq!(listed, "/in/\n/in/a.txt\n/in/b/\n/in/b/c.txt\n");
    assert_eq!(play.home.run(&["ls", "iogates:"]).ends_with(0).stdout, "", "another root");

    let about = play.home.run(&["about", "--json", "shared"]).ends_with(0).events("about").remove(0);
    assert_eq!((&about["account"], &about["limits"]["may_upload"]), (&"Shared with you".into(), &true.into()));
    assert_eq!((&about["limits"]["may_download"], &about["limits"]["expired"]), (&true.into(), &false.into()));
    assert_eq!(about["quota"]["free"], 29_301_996_265_u64);
    let extra = &about["extra"];
    assert_eq!((&extra["file_id"], &extra["share_type"], &extra["owner"]), (&"60999".into(), &"dir".into(), &"Ann Example".into()));
    assert_eq!(extra["permissions"]["attachments"], false);
    let spoken = play.home.run(&["-vv", "about", "shared"]).ends_with(0);
    assert!(!spoken.stderr.contains(play.sandbox.iogates().share_url()), "{}", spoken.stderr);
}

#[test]
fn what_a_share_forbids_is_refused_before_anything_is_sent() {
    let play = play();
    play.home.file("a.txt", "one");
    let nothing_sent = || {
        assert_eq!((asked(&play, "file-create"), asked(&play, "files-create"), asked(&play, "tus-create")), (0, 0, 0));
        assert!(play.arrived("iogates").is_empty());
    };
    play.sandbox.iogates().set(|s| s.share_may_upload = false);
    play.home.run(&["put", "a.txt", "shared:/"]).ends_with(8).says("this account may not upload");
    play.home.run(&["ls", "shared:/"]).ends_with(0);
    let about = play.home.run(&["about", "shared"]).ends_with(0);
    assert!(about.stdout.contains("uploads      not allowed") && about.stdout.matches("these credentials may not upload").count() == 1);
    play.sandbox.iogates().set(|s| (s.share_may_upload, s.share_expired) = (true, true));
    play.home.run(&["put", "a.txt", "shared:/"]).ends_with(8).says("the share or account has expired");
    play.home.run(&["put", "-n", "a.txt", "shared:/"]).ends_with(8);
    let about = play.home.run(&["about", "--json", "shared"]).ends_with(0).events("about").remove(0);
    assert_eq!(about["limits"]["expired"], true);
    play.sandbox.iogates().set(|s| (s.share_expired, s.max_file_size) = (false, 2));
    play.home.run(&["put", "a.txt", "shared:/"]).ends_with(8).says("3 bytes are more than this account may have in one file");
    nothing_sent();
}

#[test]
fn types_and_attributes() {
    let play = play();
    play.home.file("a.mov", "film");
    play.home.file("b.mov", "film");
    let args =
        ["put", "a.mov", "b.mov", "iogates:/m/", "--attr", "Scene=127", "--attr", "Take=007", "--attr", "Note=a=b, c", "--type", "movie"];
    play.home.run(&args).ends_with(0);
    let entries = play.home.run(&["ls", "--json", "iogates:/m"]).ends_with(0).events("entry");
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert_eq!(entry["extra"]["type"], "movie");
        let wanted = r#"[{"name":"Scene","value":127},{"name":"Take","value":"007"},{"name":"Note","value":"a=b, c"}]"#;
        assert_eq!(entry["extra"]["attributes"].to_string(), wanted);
    }
    for remote in ["giga0", "fileago"] {
        let before = play.sandbox.counts().all_requests(remote);
        play.home.run(&["put", "a.mov", &format!("{remote}:/"), "--attr", "Scene=1"]).ends_with(10).says("ioGates can");
        play.home.run(&["put", "a.mov", &format!("{remote}:/"), "--type", "movie"]).ends_with(10);
        assert_eq!(play.sandbox.counts().all_requests(remote), before);
    }
    play.home.run(&["put", "a.mov", "iogates:/", "--attr", "Scene"]).ends_with(2).says("NAME=VALUE");
    play.home.run(&["put", "a.mov", "iogates:/", "--attr", "=1"]).ends_with(2);
}
