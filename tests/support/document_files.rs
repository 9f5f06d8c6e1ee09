//! The files that the commands in the documents work on.

use super::env::{TestEnv, bytes};

pub fn make_files(env: &TestEnv) {
    for (name, length) in [
        ("film.mov", 3 << 20),
        ("rushes/A001.mov", 300_000),
        ("rushes/A002.mov", 200_000),
        ("rushes/sound/T01.wav", 100_000),
        ("dist/app.tar.gz", 400_000),
        ("dist/app.tar.gz.sha256", 80),
    ] {
        env.home.file(name, bytes(length, length as u32).0);
    }
    env.home.file("notes.txt", "take 3 is the good one\n");
}
