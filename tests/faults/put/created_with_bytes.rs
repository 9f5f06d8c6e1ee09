//! A small file in the request that creates its TUS upload: after a lost answer the file is looked for before it is sent again,
//! as with a form, because the upload's address is unknown.

use crate::support::env::{TestEnv, bytes};

const SIZE: usize = 30_000;

/// A fault of the creation, the bytes that may arrive at most, and how the command ends.
const FAULTS: &[(&str, u64, i32)] = &[
    ("answer-lost", 1, 0),
    ("answer-504", 1, 0),
    ("answer-page", 1, 0),
    ("read-page", 2, 13),
    ("cut=0", 2, 0),
    ("cut=15000", 2, 0),
    ("500", 2, 0),
    ("503=0", 2, 0),
    ("429=0", 2, 0),
    ("413", 2, 0),
    ("html", 2, 13),
];

#[test]
fn a_small_file_takes_one_request_and_is_never_there_twice() {
    let env = TestEnv::new();
    env.home.file("film.bin", bytes(SIZE, 7).0);
    let counts = |kind: &str| env.sandbox.counts().requests("iogates", kind);
    for (n, (fault, times, status)) in [("", 1, 0)].iter().chain(FAULTS).enumerate() {
        let scripted = if fault.is_empty() { String::new() } else { format!(" iogates/tus-create:{fault}") };
        env.sandbox.faults().script(&format!("iogates:tus-with-upload{scripted}")).unwrap();
        let (place, before) = (format!("iogates:/box-{n}/"), env.sandbox.counts().all_received_bytes("iogates"));
        let (posts, patches) = (counts("tus-create"), counts("tus-patch"));
        let put = ["put", "--json", "--protocol", "tus", "film.bin", &place];
        let ran = env.home.run(&put);
        assert_eq!(ran.status, *status, "{fault}: {}{}", ran.stdout, ran.stderr);
        if fault.is_empty() {
            assert_eq!((counts("tus-create") - posts, counts("tus-patch") - patches), (1, 0));
        }
        env.sandbox.faults().clear();
        if *status != 0 {
            env.home.run(&put).ends_with(0);
        }
        let received = env.sandbox.counts().all_received_bytes("iogates") - before;
        assert!(received <= times * SIZE as u64, "{fault}: {received} bytes");
        let there = env.sandbox.entries("iogates", &format!("/box-{n}"));
        let md5 = format!("{:x}", md5::compute(&bytes(SIZE, 7).0));
        assert_eq!(there, [("film.bin".to_owned(), Some(md5))], "{fault}");
    }
}

#[test]
fn a_large_file_is_created_first() {
    let env = TestEnv::new();
    env.home.file("film.bin", bytes(2 << 20, 7).0);
    env.sandbox.faults().script("iogates:tus-with-upload").unwrap();
    env.home.run(&["put", "--protocol", "tus", "film.bin", "iogates:/in/"]).ends_with(0);
    assert!(env.sandbox.counts().requests("iogates", "tus-patch") > 0);
}
