//! `haul remote`.

use crate::support::command::{Home, Ran};
use crate::support::env::{Play, REMOTES};

fn config(home: &Home) -> String {
    std::fs::read_to_string(home.path().join("c.toml")).unwrap()
}

#[test]
fn a_remote_is_added_shown_and_removed() {
    let home = Home::new();
    let haul = |args: &[&str]| home.run(&[&["--config", "c.toml"], args].concat());
    home.file("c.toml", "# mine\n[defaults]\njobs = 3\n");
    haul(&["remote", "add", "studio", "--provider", "iogates", "username=ann"]).ends_with(0);
    haul(&["remote", "add", "work", "-p", "fileago", "url=https://files.example.com", "username=ann@example.com"]).ends_with(0);
    let listed = haul(&["remote", "list", "--json"]).ends_with(0).events("remote");
    assert_eq!(listed.iter().map(|e| e["name"].as_str().unwrap()).collect::<Vec<_>>(), ["studio", "work"]);
    let shown = haul(&["remote", "show", "--json", "work"]).ends_with(0).events("remote");
    assert_eq!((&shown[0]["provider"], &shown[0]["url"]), (&"fileago".into(), &"https://files.example.com".into()));
    for (args, status) in [
        (&["remote", "add", "studio", "-p", "giga0"][..], 6),
        (&["remote", "add", "new", "-p", "dropbox"], 2),
        (&["remote", "add", "new", "-p", "iogates", "usrname=ann"], 2),
        (&["remote", "add", "new", "-p", "iogates", "username"], 2),
        (&["remote", "show", "nowhere"], 3),
        (&["remote", "remove", "nowhere"], 3),
    ] {
        let before = config(&home);
        haul(args).ends_with(status);
        assert_eq!(config(&home), before, "{args:?}");
    }
    haul(&["remote", "remove", "studio"]).ends_with(0);
    haul(&["remote", "show", "studio"]).ends_with(3);
    assert!(config(&home).starts_with("# mine\n[defaults]\njobs = 3\n") && config(&home).contains("[remotes.work]"), "{}", config(&home));
}

#[test]
fn secrets_are_shown_as_stars() {
    let play = Play::new();
    let secrets: Vec<String> = play.sandbox.env().into_iter().filter(|(k, _)| k.ends_with("_PASSWORD")).map(|(_, v)| v).collect();
    for args in
        [&["remote", "list", "--json"][..], &["remote", "list"], &["remote", "show", "giga0"], &["remote", "show", "--json", "giga0"]]
    {
        let ran = play.home.run(args).ends_with(0);
        assert!(!secrets.iter().any(|secret| ran.stdout.contains(secret) || ran.stderr.contains(secret)), "{args:?}: {}", ran.stdout);
        assert_eq!(ran.stdout.contains("***"), args.len() > 2, "{args:?}: {}", ran.stdout);
    }
}

#[test]
fn a_check_has_a_line_for_each_step_and_stops_at_the_first_that_fails() {
    let play = Play::new();
    for remote in REMOTES {
        let checked = play.home.run(&["remote", "check", "--json", remote]).ends_with(0).events("check");
        let steps: Vec<&str> = checked.iter().map(|e| e["step"].as_str().unwrap()).collect();
        assert_eq!(steps[..4], ["name", "connection", "sign-in", "listing"], "{remote}");
        assert!(steps.len() > 4 && steps[4..].iter().all(|step| step.starts_with("upload by ")), "{remote}: {steps:?}");
        assert!(checked.iter().all(|e| e["ok"] == true), "{remote}: {checked:?}");
    }
    let play = Play::new();
    let wrong = play.home.command(&["remote", "check", "--json", "giga0"]).env("HAUL_REMOTE_GIGA0_PASSWORD", "wrong").output().unwrap();
    let checked = Ran::of(wrong).ends_with(4).events("check");
    let steps: Vec<_> = checked.iter().map(|e| (e["step"].as_str().unwrap(), e["ok"].as_bool().unwrap())).collect();
    assert_eq!(steps, [("name", true), ("connection", true), ("sign-in", false)]);
}
