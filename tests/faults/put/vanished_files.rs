//! The server disappears for the rest of the run: finished files stay finished, the others are reported, and the same command
//! sends them when the server is back.

use std::net::TcpListener;

use crate::support::env::{TestEnv, bytes};

const FILES: u64 = 8;
/// Bytes of each.
const EACH: usize = 2_000;
/// Bringers of bytes that are let through; a file is one of them.
const DONE: u64 = 3;

const ROUTES: [(&str, &str, &str); 5] = [
    ("iogates", "tus", "tus-patch"),
    ("iogates", "plupload", "plupload"),
    ("iogates", "ftps", "ftp-stor"),
    ("giga0", "auto", "file/upload"),
    ("fileago", "auto", "upload"),
];

#[test]
fn for_good_in_the_middle_of_many_files() {
    std::thread::scope(|scope| {
        for (remote, protocol, carrier) in ROUTES {
            if protocol == "ftps" && !cfg!(unix) {
                continue;
            }
            for at_once in ["1", "3"] {
                scope.spawn(move || goes_away(remote, protocol, carrier, at_once));
            }
        }
    });
}

fn goes_away(remote: &str, protocol: &str, carrier: &str, at_once: &str) {
    let (env, what) = (TestEnv::new(), format!("{remote} {protocol} -j {at_once}"));
    for n in 0..FILES {
        env.home.file(&format!("d/{n}"), bytes(EACH, n as u32 + 1).0);
    }
    let target = format!("{remote}:/box/");
    let put = ["put", "--json", "-j", at_once, "--retries", "2", "--timeout", "20s", "--protocol", protocol, "d/", &target];
    env.sandbox.faults().script(&format!("{remote}/{carrier}:gone+{DONE}")).unwrap();
    let ran = env.home.run(&put);
    let (uploaded, failed) = (ran.events("uploaded"), ran.events("failed"));
    let told = format!("{what}: {}{}", ran.stdout, ran.stderr);
    // The next file is sent while the one before is looked for, so that the question whether a file is there may find nobody.
    assert!(uploaded.len() <= usize::try_from(DONE).unwrap(), "{told}");
    assert_eq!(uploaded.len() + failed.len(), usize::try_from(FILES).unwrap(), "{told}");
    // What was on its way then may have arrived, and nobody can be asked.
    assert!(failed.iter().all(|f| f["error"]["kind"] == "network" || f["error"]["kind"] == "unknown"), "{told}");
    let alike = failed.iter().all(|f| f["error"]["kind"] == failed[0]["error"]["kind"]);
    assert!(ran.status == 9 || (uploaded.is_empty() && alike && [5, 13].contains(&ran.status)), "{told}");
    let summary = &ran.events("summary")[0];
    let sent = (uploaded.len() * EACH) as u64;
    assert_eq!(
        (&summary["files"], &summary["failed"], &summary["bytes"]),
        (&uploaded.len().into(), &failed.len().into(), &sent.into()),
        "{told}"
    );

    // It is back, and the same command is typed again.
    env.sandbox.faults().clear();
    let ran = env.home.run(&put);
    let told = format!("{told}\n{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.status, 0, "{told}");
    let names = |events: Vec<serde_json::Value>| events.iter().map(|e| e["path"].to_string()).collect::<Vec<_>>();
    let (mut first, mut skipped) = (names(uploaded), names(ran.events("skipped")));
    first.sort();
    skipped.sort();
    assert_eq!(skipped, first, "{told}");
    assert_eq!(ran.events("uploaded").len() + first.len(), usize::try_from(FILES).unwrap(), "{told}");
    assert_eq!(env.sandbox.counts().all_received_bytes(remote), FILES * EACH as u64, "{told}: nothing twice");
    let created = env.sandbox.counts().created_count(remote);
    // A receiver of plupload may hold something of the old entry: it is not used again, and that is told.
    assert!(created == FILES || protocol == "plupload", "{told}: {created} entries");
    let mut there = env.sandbox.entries(remote, "/box");
    there.retain(|(_, md5)| md5.is_some());
    there.sort();
    let wanted: Vec<_> = (0..FILES).map(|n| (n.to_string(), Some(format!("{:x}", md5::compute(bytes(EACH, n as u32 + 1).0))))).collect();
    assert_eq!(there, wanted, "{told}");
}

/// A port where nobody listens: nothing is sent, and nothing is said to be.
#[test]
fn before_the_first_request() {
    let env = TestEnv::new();
    env.home.file("a", "content");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for remote in crate::support::remotes::hosts() {
        let mut command = env.home.command(&["put", "--json", "--retries", "2", "a", &format!("{remote}:/a")]);
        command.env(format!("HAUL_REMOTE_{}_URL", remote.to_uppercase()), format!("http://127.0.0.1:{port}"));
        let ran = crate::support::command::Ran::of(command.output().unwrap()).ends_with(5).says("can't be reached");
        assert_eq!(ran.events("uploaded").len(), 0, "{remote}");
        assert_eq!(env.sandbox.request_kinds(remote).len(), 0, "{remote}");
    }
}
