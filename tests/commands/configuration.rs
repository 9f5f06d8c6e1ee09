//! Configuration and secrets: where a value comes from, the message for a mistake, and what is never shown. No test here may
//! reach a wrong server: the stand-ins count every request.

use crate::support::command::{Home, Ran};
use crate::support::env::TestEnv;
use crate::support::remotes::hosts;
use crate::support::stand_ins::StandIns;

/// The stand-in's environment in two halves: what tells who we are at `giga0`, and the rest.
fn split_environment(env: &TestEnv) -> (String, String, Vec<(String, String)>) {
    let find = |key: &str| env.sandbox.env().into_iter().find(|(k, _)| k == key).unwrap().1;
    let rest = env.sandbox.env().into_iter().filter(|(k, _)| !k.starts_with("HAUL_REMOTE_GIGA0")).collect();
    (find("HAUL_REMOTE_GIGA0_URL"), find("HAUL_REMOTE_GIGA0_PASSWORD"), rest)
}

fn requests(env: &TestEnv) -> u64 {
    hosts().iter().map(|p| env.sandbox.counts().all_requests(p)).sum()
}

fn one_line(ran: &Ran) {
    assert_eq!(ran.stderr.trim_end().lines().count(), 1, "{}", ran.stderr);
}

#[test]
fn a_mistake_in_the_file_is_reported_with_its_place_and_the_nearest_word() {
    let home = Home::new();
    home.file("f.txt", "x");
    for (text, said) in [
        (
            "[remotes.studio]\nprovider = \"iogates\"\nusrname = \"ann\"\n",
            "line 3, column 1: a remote of ioGates has no key `usrname`; write `username`",
        ),
        ("[defaults]\njbos = 3\n", "line 2, column 1: there is no option `jbos`; write `jobs`"),
        ("[defaults]\njobs = 0\n", "line 2, column 8: invalid value '0' for '--jobs <N>': it must be at least 1"),
        ("[remotes.s]\nprovider = \"iogate\"\n", "line 2, column 12: there is no provider `iogate`; write `iogates`"),
        ("[remote.s]\nprovider = \"iogates\"\n", "line 1"),
        ("[defaults\njobs = 3\n", "line 1, column 10"),
        ("[remotes.A]\nprovider = \"giga0\"\n[remotes.a]\nprovider = \"giga0\"\n", "the same name"),
    ] {
        home.file("c.toml", text);
        let ran = home.run(&["--config", "c.toml", "put", "f.txt", "studio:/"]).ends_with(2).says(said);
        one_line(&ran);
        assert!(ran.stderr.starts_with("haul: c.toml"), "{}", ran.stderr);
    }
}

#[test]
fn a_file_that_is_not_there() {
    let home = Home::new();
    home.run(&["--config", "nope.toml", "ls"]).ends_with(2).says("nope.toml: there is no such configuration file");
    home.command(&["ls"]).env("HAUL_CONFIG", "nope.toml");
    let ran = Ran::of(home.command(&["ls"]).env("HAUL_CONFIG", "nope.toml").output().unwrap());
    ran.ends_with(0).says("there are no remotes yet");
}

#[cfg(unix)]
#[test]
fn secrets_that_others_may_read_are_refused_with_the_cure() {
    use std::os::unix::fs::PermissionsExt;
    let env = TestEnv::new();
    let (url, password, rest) = split_environment(&env);
    let home = Home::new().env(rest);
    home.file("f.txt", "x");
    let allow = |path: &std::path::Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let remote = format!("[remotes.giga0]\nprovider = \"giga0\"\nurl = \"{url}\"\nusername = \"ann\"\n");

    let config = home.file("c.toml", format!("{remote}password = \"{password}\"\n"));
    allow(&config, 0o644);
    let put = ["--config", "c.toml", "put", "f.txt", "giga0:/a"];
    home.run(&put).ends_with(2).says("run `chmod 600 c.toml`");
    assert_eq!(requests(&env), 0);
    allow(&config, 0o600);
    home.run(&put).ends_with(0);

    home.file("c.toml", format!("{remote}password_file = \"pw\"\n"));
    let secret = home.file("pw", format!("{password}\n"));
    allow(&secret, 0o640);
    home.run(&["--config", "c.toml", "logout", "giga0"]);
    let before = env.sandbox.counts().sign_ins("giga0");
    home.run(&["--config", "c.toml", "put", "f.txt", "giga0:/b"]).ends_with(2).says("chmod 600");
    assert_eq!(env.sandbox.counts().sign_ins("giga0"), before);
    allow(&secret, 0o600);
    home.run(&["--config", "c.toml", "put", "f.txt", "giga0:/b"]).ends_with(0);
}

#[test]
fn a_command_tells_the_password_or_fails_as_no_credentials() {
    let env = TestEnv::new();
    let (url, password, rest) = split_environment(&env);
    let home = Home::new().env(rest);
    home.file("f.txt", "x");
    let config = |command: &str| {
        let text =
            format!("[remotes.giga0]\nprovider = \"giga0\"\nurl = \"{url}\"\nusername = \"ann\"\npassword_command = \"{command}\"\n");
        home.file("c.toml", text);
    };
    config("echo no such entry >&2; exit 3");
    home.run(&["--config", "c.toml", "put", "f.txt", "giga0:/a"])
        .ends_with(4)
        .says("line 5, column 20: the command for this secret failed");
    config(&format!("echo {password} | cat"));
    home.run(&["--config", "c.toml", "put", "f.txt", "giga0:/a"]).ends_with(0);
}

#[test]
fn remotes_that_cannot_be_used_send_nothing() {
    let home = Home::new();
    home.file("f.txt", "x");
    for (lines, status, said) in [
        (
            "provider = \"fileago\"\nurl = \"http://files.example.com\"\nusername = \"a\"",
            2,
            "with plain http others on the network could read the password; use https",
        ),
        ("provider = \"fileago\"\nusername = \"a\"", 2, "has no `url`"),
        ("provider = \"giga0\"", 4, "credentials"),
        ("provider = \"iogates\"", 4, "no credentials"),
        ("provider = \"iogates\"\nusername = \"a\"", 4, "there is no password; run `haul login r`"),
        ("provider = \"iogates\"\nusername = \"a\"\nprotocol = \"smtp\"", 2, "smtp"),
    ] {
        home.file("c.toml", format!("[remotes.r]\n{lines}\n"));
        let ran = home.run(&["--config", "c.toml", "put", "f.txt", "r:/"]).ends_with(status).says(said);
        one_line(&ran);
    }
}

#[test]
fn a_flag_beats_the_environment_beats_the_file() {
    let env = TestEnv::new();
    let home = &env.home;
    home.file("f.txt", "x");
    home.file("c.toml", "[defaults]\nif_exists = \"fail\"\nretries = 1\njobs = 2\njson = true\n");
    let put = |variables: &[(&str, &str)], flags: &[&str]| {
        let args = [&["--config", "c.toml", "put", "f.txt", "giga0:/f.txt"], flags].concat();
        Ran::of(home.command(&args).envs(variables.iter().copied()).output().unwrap())
    };
    assert_eq!(put(&[], &[]).ends_with(0).events("uploaded").len(), 1, "json of the file");
    put(&[], &[]).ends_with(6);
    assert_eq!(put(&[("HAUL_IF_EXISTS", "skip")], &[]).ends_with(0).events("skipped").len(), 1);
    let renamed = put(&[("HAUL_IF_EXISTS", "skip")], &["--if-exists", "rename"]).ends_with(0);
    assert_eq!(renamed.events("uploaded")[0]["path"], "/f (2).txt");
    put(&[("HAUL_IF_EXISTS", "perhaps")], &[]).ends_with(2);
    put(&[("HAUL_JOBS", "0")], &[]).ends_with(2);

    // `retries = 1` of the file: the first busy answer is the last.
    env.sandbox.faults().script("giga0/file/upload:503=0*2").unwrap();
    put(&[], &["--if-exists", "replace"]).ends_with(5);
    put(&[("HAUL_RETRIES", "3")], &["--if-exists", "replace"]).ends_with(0);
    env.sandbox.faults().script("giga0/file/upload:503=0").unwrap();
    put(&[("HAUL_RETRIES", "3")], &["--if-exists", "replace", "--retries", "1"]).ends_with(5);
}

/// What editors, shells and CI systems add to a secret would lock the account; what nobody types is told before it is sent.
#[test]
fn a_line_end_around_a_password_is_not_sent() {
    let env = TestEnv::new();
    let password = env.sandbox.env().into_iter().find(|(name, _)| name == "HAUL_REMOTE_GIGA0_PASSWORD").unwrap().1;
    for around in [format!("{password}\n"), format!("\u{feff}{password}\r\n")] {
        let run = |args: &[&str]| Ran::of(env.home.command(args).env("HAUL_REMOTE_GIGA0_PASSWORD", &around).output().unwrap());
        run(&["ls", "giga0:/"]).ends_with(0);
        env.home.run_with_input(&["login", "giga0", "--password-stdin"], around.as_bytes()).ends_with(0);
    }
    for broken in [format!("{password}\t"), format!("{password}\n\n"), format!("\u{1b}[A{password}")] {
        let ls = env.home.command(&["ls", "giga0:/"]).env("HAUL_REMOTE_GIGA0_PASSWORD", &broken).output().unwrap();
        let ls = Ran::of(ls).ends_with(2).says("HAUL_REMOTE_GIGA0_PASSWORD: it holds a control character");
        assert!(!ls.stderr.contains(&password), "{}", ls.stderr);
    }
    env.home.run_with_input(&["login", "giga0", "--password-stdin"], format!("{password}\x01\n").as_bytes()).ends_with(2);
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let env = TestEnv::new();
    env.home.file("f.txt", "x");
    let empty =
        ["HAUL_JOBS", "HAUL_JSON", "HAUL_PROTOCOL", "HAUL_CHUNK_SIZE", "HAUL_IF_EXISTS", "HAUL_DRY_RUN", "HAUL_VERBOSE", "HAUL_TIMEOUT"];
    let mut command = env.home.command(&["put", "f.txt", "giga0:/f.txt"]);
    let ran = Ran::of(command.envs(empty.map(|name| (name, ""))).output().unwrap());
    assert!(ran.ends_with(0).stdout.starts_with("uploaded  f.txt"), "no JSON, and really sent");
}

#[test]
fn options_may_stand_anywhere_and_names_keep_their_spelling() {
    let env = TestEnv::new();
    env.home.file("f.txt", "x");
    env.home.file("g.txt", "y");
    let ran = env.home.run(&["put", "f.txt", "--json", "g.txt", "--jobs", "2", "GIGA0:/both/"]).ends_with(0);
    assert_eq!(ran.events("uploaded").len(), 2);
    assert!(ran.events("uploaded").iter().all(|e| e["remote"] == "giga0"), "as it is configured: {}", ran.stdout);
    env.home.run(&["put", "f.txt"]).ends_with(2).says("a source and a target are needed");
    env.home.run(&["put"]).ends_with(2).says("write it as haul put SOURCE… REMOTE:PATH");
    env.home.run(&["pt", "f.txt", "giga0:/"]).ends_with(2).says("`haul put`");
    env.home.run(&["put", "--jbos", "2", "f.txt", "giga0:/"]).ends_with(2).says("`--jobs`");
}

#[test]
fn one_remote_of_two_shares_is_not_taken_for_the_other() {
    let env = TestEnv::new();
    env.home.file("f.txt", "x");
    let url = env.sandbox.iogates().share_url().to_owned();
    let remote = |name: &str| {
        vec![(format!("HAUL_REMOTE_{name}_PROVIDER"), "iogates".to_owned()), (format!("HAUL_REMOTE_{name}_SHARE_URL"), url.clone())]
    };
    let home = Home::new().env(env.sandbox.env()).env(remote("ONE")).env(remote("TWO"));
    home.file("f.txt", "x");
    home.run(&["put", "f.txt", "one:/f.txt"]).ends_with(0);
    let said = home.run(&["put", "-v", "--json", "f.txt", "one:/f.txt"]).ends_with(0);
    assert_eq!(said.events("skipped")[0]["reason"], "same MD5");
    // The very share under another name: known by its MD5, not by what this machine remembers of `one`.
    let said = home.run(&["put", "--json", "f.txt", "two:/f.txt"]).ends_with(0);
    assert_eq!(said.events("skipped")[0]["reason"], "same MD5");
}
