//! Runs the programs in `examples/`.

use std::path::Path;
use std::process::Command;

use crate::support::env::TestEnv;

/// Builds the examples as the suite was built, which takes a moment where that has been done, and runs one on the sandbox.
fn run(env: &TestEnv, example: &str, arguments: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_haul")).parent().unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--quiet", "--examples", "--target-dir"]).arg(folder.parent().unwrap());
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success());
    let variables: std::collections::BTreeMap<String, String> = env.sandbox.env().into_iter().collect();
    let mut program = Command::new(folder.join("examples").join(example));
    program.args(["giga0", &variables["HAUL_REMOTE_GIGA0_URL"], &variables["HAUL_REMOTE_GIGA0_USERNAME"]]).args(arguments);
    let output = program.env("PASSWORD", &variables["HAUL_REMOTE_GIGA0_PASSWORD"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_program_uploads_with_progress_and_lists() {
    let env = TestEnv::new();
    let film = env.home.file("film.mov", vec![7; 1_500_000]);
    let told = run(&env, "upload", &[film.to_str().unwrap(), "/in/"]);
    assert!(told.contains("Some(1500000) bytes") && told.contains("/in/film.mov is there, compared by Md5"), "{told}");
    let offsets: Vec<u64> = told.lines().filter_map(|line| line.split("accepted up to byte ").nth(1)?.parse().ok()).collect();
    assert!(offsets.is_sorted() && offsets.last() == Some(&1_500_000), "{told}");
    let listed = run(&env, "list", &["/in"]);
    assert_eq!(listed.trim(), "1500000  /in/film.mov");
}
