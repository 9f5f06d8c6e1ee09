//! `haul sandbox -- COMMAND` and signals: the command is told, and its end is ours.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use crate::support::command::Home;

/// Runs a script that says `ready` when a signal may come; sends the signals; gives status and what else it said.
fn told(script: &str, signals: &[&str]) -> (Option<i32>, String) {
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
        assert_eq!(told(&script, &[signal]), (Some(5), "ready\ntold\n".to_owned()), "{signal}");
        let (status, said) = told("echo $$; exec sleep 300", &[signal]);
        assert_eq!(status, Some(died), "{signal}");
        let left = Command::new("kill").args(["-0", said.trim()]).stderr(Stdio::null()).status().unwrap();
        assert!(!left.success(), "{signal}: the command runs on");
    }
}

#[test]
fn a_command_that_ignores_two_signals_is_killed_by_the_third() {
    let script = "trap 'echo no' TERM; echo ready; while :; do sleep 0.02; done";
    assert_eq!(told(script, &["-TERM", "-TERM", "-TERM"]), (Some(137), "ready\nno\nno\n".to_owned()));
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
