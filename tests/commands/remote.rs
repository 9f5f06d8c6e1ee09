//! `haul remote`.

use crate::support::command::{Home, Ran};
use crate::support::env::TestEnv;
use crate::support::remotes::hosts;

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
    let env = TestEnv::new();
    let secrets: Vec<String> = env.sandbox.env().into_iter().filter(|(k, _)| k.ends_with("_PASSWORD")).map(|(_, v)| v).collect();
    for args in
        [&["remote", "list", "--json"][..], &["remote", "list"], &["remote", "show", "giga0"], &["remote", "show", "--json", "giga0"]]
    {
        let ran = env.home.run(args).ends_with(0);
        assert!(!secrets.iter().any(|secret| ran.stdout.contains(secret) || ran.stderr.contains(secret)), "{args:?}: {}", ran.stdout);
        assert_eq!(ran.stdout.contains("***"), args.len() > 2, "{args:?}: {}", ran.stdout);
    }
}

#[test]
fn a_check_has_a_line_for_each_step_and_stops_at_the_first_that_fails() {
    let env = TestEnv::new();
    for remote in hosts() {
        let checked = env.home.run(&["remote", "check", "--json", remote]).ends_with(0).events("check");
        let steps: Vec<&str> = checked.iter().map(|e| e["step"].as_str().unwrap()).collect();
        assert_eq!(steps[..5], ["version", "name", "connection", "sign-in", "listing"], "{remote}");
        assert!(checked[0]["detail"].as_str().unwrap().starts_with(concat!("haul ", env!("CARGO_PKG_VERSION"), " on ")), "{checked:?}");
        assert!(steps.len() > 5 && steps[5..].iter().all(|step| step.starts_with("upload by ")), "{remote}: {steps:?}");
        assert!(checked.iter().all(|e| e["ok"] == true), "{remote}: {checked:?}");
    }
    let env = TestEnv::new();
    let wrong = env.home.command(&["remote", "check", "--json", "giga0"]).env("HAUL_REMOTE_GIGA0_PASSWORD", "wrong").output().unwrap();
    let checked = Ran::of(wrong).ends_with(4).events("check");
    let steps: Vec<_> = checked.iter().map(|e| (e["step"].as_str().unwrap(), e["ok"].as_bool().unwrap())).collect();
    assert_eq!(steps, [("version", true), ("name", true), ("connection", true), ("sign-in", false)]);
}

/// Nobody can be asked: what is missing is named, with a command that has it.
#[test]
fn without_a_terminal_a_new_remote_needs_all() {
    let home = Home::new();
    for (args, missing, command) in [
        (&[][..], "a name", "haul remote add studio --provider iogates username=ann"),
        (&["x"][..], "--provider", "haul remote add x --provider iogates username=ann"),
        (&["x", "-p", "fileago"][..], "`url` (the address", "haul remote add x --provider fileago url=https://"),
        (&["x", "-p", "ftp", "username=bob"][..], "`url`", "haul remote add x --provider ftp username=bob url=ftp"),
        (&["username=bob"][..], "a name", "haul remote add studio --provider iogates username=bob`"),
    ] {
        let ran = home.run(&[&["remote", "add"], args].concat()).ends_with(2).says(missing).says(command);
        let written = ran.stderr.split('`').find(|text| text.starts_with("haul remote add")).unwrap().to_owned();
        let words: Vec<&str> = written.split(' ').skip(1).collect();
        let works = Home::new().run(&words).ends_with(0);
        assert!(works.stdout.starts_with("added  ") && works.stdout.contains("next: haul login "), "{}", works.stdout);
    }
    for wrong in ["url=htp://foo", "url=http://example.com"] {
        home.run(&["remote", "add", "x", "-p", "iogates", "username=ann", wrong]).ends_with(2);
    }
    assert!(!home.path().join(".config/haul/config.toml").exists());
    let plain = home.run(&["remote", "add", "x", "-p", "iogates", "url=http://example.com"]).ends_with(2);
    plain.says("`haul remote set x insecure=true`");
}

#[test]
fn settings_are_changed_and_taken_out() {
    let home = Home::new();
    home.run(&["remote", "add", "work", "-p", "fileago", "url=https://a.example.com", "username=ann"]).ends_with(0);
    let changed = home.run(&["remote", "set", "work:", "url=https://b.example.com", "protocol=multipart"]).ends_with(0);
    assert!(changed.stdout.starts_with("changed  work in "), "{}", changed.stdout);
    let shown = |home: &Home| home.run(&["remote", "show", "--json", "work"]).ends_with(0).events("remote").remove(0);
    assert_eq!((&shown(&home)["url"], &shown(&home)["settings"]["protocol"]), (&"https://b.example.com".into(), &"multipart".into()));
    home.run(&["remote", "set", "work", "protocol="]).ends_with(0);
    assert_eq!(shown(&home)["settings"]["protocol"], serde_json::Value::Null);
    for (args, status) in [
        (&["work", "url="][..], 2),
        (&["work", "ulr=https://x.example.com"], 2),
        (&["work", "password=x"], 2),
        (&["work", "provider=dropbox"], 2),
        (&["work", "url"], 2),
        (&["wrok", "username=x"], 3),
    ] {
        home.run(&[&["remote", "set"], args].concat()).ends_with(status);
    }
    assert_eq!(shown(&home)["url"], "https://b.example.com");
}

/// The password, the token and an unfinished upload are found under the new name.
#[test]
fn a_renamed_remote_keeps_what_is_its_own() {
    let env = TestEnv::new();
    let find = |key: &str| env.sandbox.env().into_iter().find(|(k, _)| k == key).unwrap().1;
    let home = Home::new();
    let settings =
        [("url", "URL"), ("username", "USERNAME")].map(|(key, name)| format!("{key}={}", find(&format!("HAUL_REMOTE_IOGATES_{name}"))));
    home.run(&["remote", "add", "old", "-p", "iogates", &settings[0], &settings[1], "protocol=tus"]).ends_with(0);
    home.run_with_input(&["login", "old", "--password-stdin"], find("HAUL_REMOTE_IOGATES_PASSWORD").as_bytes()).ends_with(0);
    home.file("big.mov", vec![7; 3_000_000]);
    let mut put = home.command(&["put", "--bwlimit", "500K", "--chunk-size", "100K", "big.mov", "old:/in/"]).spawn().unwrap();
    let begun = std::time::Instant::now();
    let is_on_its_way = || home.run(&["transfers", "list", "--json"]).json().iter().any(|event| event["accepted"].as_u64() > Some(0));
    while !is_on_its_way() {
        assert!(begun.elapsed().as_secs() < 60 && put.try_wait().unwrap().is_none(), "the upload was never noted");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    put.kill().unwrap();
    put.wait().unwrap();
    let signed_in = env.sandbox.counts().sign_ins("iogates");
    home.run(&["remote", "rename", "old", "new"]).ends_with(0).prints("next: haul ls new:");
    home.run(&["ls", "old:"]).ends_with(3);
    home.run(&["ls", "new:"]).ends_with(0);
    assert_eq!(env.sandbox.counts().sign_ins("iogates"), signed_in, "the token goes along");
    let listed = home.run(&["transfers", "list", "--json"]).ends_with(0).json();
    assert!(!listed.is_empty() && listed.iter().all(|event| event["remote"] == "new"), "{listed:?}");
    let resumed = home.run(&["transfers", "resume", "new", "--json"]).ends_with(0).events("uploaded");
    assert!(resumed[0]["resumed_from"].as_u64() > Some(0), "{resumed:?}");
    home.run(&["logout", "new"]).ends_with(0);
    let kept = std::fs::read_to_string(home.path().join(".config/haul/credentials.toml")).unwrap();
    assert!(!kept.contains("password ="), "the password went along, and out: {kept}");
    home.run(&["remote", "rename", "nowhere", "x"]).ends_with(3);
    home.run(&["remote", "rename", "new", "a:b"]).ends_with(2);
}
