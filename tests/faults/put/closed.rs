//! The only offered protocol does not work: its own failure is reported, with its own status.

use crate::support::env::{TestEnv, bytes};

/// The protocol on offer, what closes it, the statuses that are right, and what is told.
const ROWS: [(&str, &str, &[i32], &str); 5] = [
    ("ftp", "ftp-connect:gone", &[5], "connection"),
    ("ftp", "ftp-stor:500*always", &[5], "451"),
    ("tus", "tus-create:html*always", &[11], "page"),
    ("tus", "tus-patch:413*always", &[8], "413"),
    // Every byte has left, and what came back is no answer: nobody can tell. Unless the page came before them.
    ("plupload", "plupload:html*always", &[13, 11], "page"),
];

#[test]
fn the_only_protocol_fails_as_it_does_alone() {
    for (offered, fault, statuses, says) in ROWS {
        if offered == "ftp" && !cfg!(unix) {
            continue;
        }
        // Auto and by name end alike: there is nothing to go on to.
        for wanted in ["auto", if offered == "ftp" { "ftps" } else { offered }] {
            let env = TestEnv::new();
            env.home.file("film.bin", bytes(20_000, 1).0);
            let blank: String =
                ["tus", "plupload", "ftp"].iter().filter(|p| **p != offered).map(|p| format!("iogates:server-blank={p} ")).collect();
            env.sandbox.faults().script(&format!("{blank} iogates/{fault}")).unwrap();
            // The FTP library of the stand-in breaks off a handshake now and then: that try is not the one that is meant.
            let tries = if offered == "ftp" { "5" } else { "2" };
            let args = ["put", "--retries", tries, "--timeout", "20s", "--protocol", wanted, "film.bin", "iogates:/box/film.bin"];
            let ran = env.home.run(&args);
            let what = format!("{offered} {fault} by {wanted}: {}", ran.stderr);
            assert!(statuses.contains(&ran.status), "{what}");
            assert!(ran.stderr.contains(says), "{what}");
            assert!(!ran.stderr.contains("no upload protocol"), "{what}");
        }
    }
}
