//! `haul sandbox -- COMMAND` and signals: the command receives the signal, and haul exits with its status.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::command::{Home, Ran};
use crate::support::remotes::all;

/// Runs a script that says `ready` when a signal may come; sends the signals; gives status and what else it said.
fn run_script(script: &str, signals: &[&str]) -> (Option<i32>, String) {
    let home = Home::new();
    let mut child = home.command(&["sandbox", "--", "sh", "-c", script]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    out.read_line(&mut said).unwrap();
    for signal in signals {
        send(&child, signal);
        // Each is answered before the next is sent, as two of one kind that wait are one.
        if signals.len() > 1 {
            out.read_line(&mut said).unwrap();
        }
    }
    out.read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

fn send(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_signal_is_passed_on_and_the_command_has_the_last_word() {
    for (signal, trap, died) in [("-TERM", "TERM", 143), ("-INT", "INT", 130)] {
        let script = format!("trap 'echo told; exit 5' {trap}; echo ready; while :; do sleep 0.02; done");
        assert_eq!(run_script(&script, &[signal]), (Some(5), "ready\ntold\n".to_owned()), "{signal}");
        let (status, said) = run_script("echo $$; exec sleep 300", &[signal]);
        assert_eq!(status, Some(died), "{signal}");
        let left = Command::new("kill").args(["-0", said.trim()]).stderr(Stdio::null()).status().unwrap();
        assert!(!left.success(), "{signal}: the command runs on");
    }
}

#[test]
fn a_command_that_ignores_two_signals_is_killed_by_the_third() {
    let script = "trap 'echo no' TERM; echo ready; while :; do sleep 0.02; done";
    assert_eq!(run_script(script, &["-TERM", "-TERM", "-TERM"]), (Some(137), "ready\nno\nno\n".to_owned()));
}

/// Nobody else removes what lies in the sandbox's folder.
#[test]
fn the_folder_goes_with_the_sandbox() {
    for (signal, status) in [("-HUP", 129), ("-TERM", 143), ("-INT", 130)] {
        for command in [&["sandbox"][..], &["sandbox", "--", "sh", "-c", "echo ready; exec sleep 300"]] {
            let home = Home::new();
            let mut child = home.command(command).env("TMPDIR", home.path()).stdout(Stdio::piped()).spawn().unwrap();
            let mut said = String::new();
            BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
            let left = || std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
            assert!(left().iter().any(|name| name.to_string_lossy().starts_with("haul-sandbox-")), "{:?}", left());
            send(&child, signal);
            assert_eq!(child.wait().unwrap().code(), Some(status), "{signal} {command:?}");
            assert_eq!(left(), [""; 0], "{signal} {command:?}");
        }
    }
}

/// Waits for a file that is written in one go, and reads it.
fn read_when_there(path: &Path) -> String {
    let begun = Instant::now();
    while !path.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{path:?} does not come");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::fs::read_to_string(path).unwrap()
}

/// Whoever tests a script with it knows before which ports and passwords there are, and finds afterwards what came in.
#[test]
fn ports_credentials_and_data_stay() {
    // Ports that were free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let home = Home::new();
    home.file("seed/in/old.txt", "old");
    home.file("film.mov", "bytes of a film");
    for round in 0..2 {
        let seed = if round == 0 { &["--seed", "giga0=seed"][..] } else { &[] };
        let port = format!("giga0={port}");
        let fixed = ["sandbox", "-q", "--port", &port, "--fixed-credentials", "--data", "kept", "--env-file", "env"];
        let mut child = home.command(&[&fixed[..], seed].concat()).stdout(Stdio::null()).spawn().unwrap();
        let env = read_when_there(&home.path().join("env"));
        let lines: Vec<(&str, &str)> = env.lines().map(|line| line.split_once('=').unwrap()).collect();
        let value = |name: &str| lines.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name}: {env}")).1;
        assert_eq!(value("HAUL_REMOTE_GIGA0_URL"), format!("http://127.0.0.1:{}", &port[6..]));
        assert_eq!([value("HAUL_REMOTE_GIGA0_PASSWORD"), value("HAUL_REMOTE_TUS_TOKEN")], ["open-sesame"; 2]);
        assert!(!env.contains("XDG_"), "whose shell it is pasted into keeps its own folders: {env}");
        let haul = |args: &[&str]| Ran::of(home.command(args).envs(lines.iter().copied()).output().unwrap());
        haul(&["cat", "giga0:/in/old.txt"]).ends_with(0).prints("old");
        for remote in all() {
            let target = format!("{remote}:/in/{round}.mov");
            haul(&["put", "film.mov", &target]).ends_with(0);
            if round == 1 && remote != "tus" {
                haul(&["cat", &format!("{remote}:/in/0.mov")]).ends_with(0).prints("bytes of a film");
            }
        }
        send(&child, "-HUP");
        assert_eq!(child.wait().unwrap().code(), Some(129));
        std::fs::remove_file(home.path().join("env")).unwrap();
        for remote in all() {
            for file in 0..=round {
                let kept = home.path().join(format!("kept/{remote}/in/{file}.mov"));
                assert_eq!(std::fs::read_to_string(&kept).unwrap_or_else(|e| panic!("{kept:?}: {e}")), "bytes of a film");
            }
        }
        let left: Vec<String> =
            std::fs::read_dir(home.path().join("kept")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
    }
}

#[test]
fn a_port_in_use_is_told() {
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port().to_string();
    let home = Home::new();
    let ran = home.run(&["sandbox", "--port", &port, "--", "true"]).ends_with(12);
    assert!(ran.stderr.contains(&format!("port {port} of 127.0.0.1 can't be had")) && ran.stderr.contains("--port"), "{}", ran.stderr);
}

#[test]
fn requests_are_logged_and_what_arrived_is_short() {
    let home = Home::new();
    for n in 0..30 {
        home.file(&format!("d/{n:02}"), "x");
    }
    let line = ["sandbox", "--log", "log", "--", "haul", "put", "-q", "d", "giga0:/"];
    let ran = home.run(&line).ends_with(0);
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with("arrived  giga0:/d/")).count(), 10, "{}", ran.stdout);
    assert_eq!(ran.stderr, "… and 20 more arrived; 30 files, 30 B in all\n");
    let log = std::fs::read_to_string(home.path().join("log")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let uploads: Vec<&Value> = lines.iter().filter(|line| line["kind"] == "file/upload").collect();
    assert_eq!(uploads.len(), 30);
    assert!(uploads.iter().all(|line| line["remote"] == "giga0" && line["status"] == 200 && line["method"] == "POST"), "{log}");
    let quiet = home.run(&["sandbox", "-q", "--", "haul", "put", "-q", "d", "ftp:/"]).ends_with(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let json = home.run(&["sandbox", "--json", "--", "haul", "put", "-q", "d", "iogates:/"]).ends_with(0);
    assert_eq!((json.events("arrived").len(), json.json().len()), (30, 30), "all of them, and nothing else");
}

#[test]
fn faults_are_listed_and_checked() {
    let home = Home::new();
    let help = home.run(&["sandbox", "--fault", "help"]).ends_with(0);
    for word in ["tus-patch", "file/upload", "dirlist", "ftp-stor", "answer-lost", "cut after"] {
        assert!(help.stdout.contains(word) || word == "cut after", "{word}: {}", help.stdout);
    }
    for (fault, hint) in [
        ("iogates/PATCHX:cut=1", "has no requests of the kind"),
        ("iogates/tus-pach:cut=1", "write tus-patch"),
        ("giga0:cutt=1", "write cut"),
        ("gigao:cut=1", "write giga0"),
    ] {
        home.run(&["sandbox", "--fault", fault, "--", "true"]).ends_with(2).says(hint);
    }
}

#[test]
fn scripts_are_told_when_it_is_ready() {
    let home = Home::new();
    let mut child = home.command(&["sandbox", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&ready["event"], &ready["ready"]), (&"sandbox".into(), &true.into()));
    assert!(ready["env"]["HAUL_REMOTE_GIGA0_URL"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{ready}");
    let env: Vec<(String, String)> =
        ready["env"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
    Ran::of(home.command(&["ls", "giga0:"]).envs(env).output().unwrap()).ends_with(0);
    send(&child, "-TERM");
    child.wait().unwrap();
    // What is printed for people can be pasted as it stands.
    let script =
        "haul sandbox > env.sh 2> said & until grep -q '^ready: ' said; do sleep 0.05; done; . ./env.sh; haul ls giga0: && kill $!; wait";
    let own = Path::new(env!("CARGO_BIN_EXE_haul")).parent().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).current_dir(home.path()).env_clear().env("HOME", home.path());
    shell.env("PATH", format!("{}:{}", own.display(), std::env::var("PATH").unwrap()));
    let output = shell.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}
