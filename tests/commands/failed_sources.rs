//! `--failed-to`: the failed sources, as a list for the next run. `--receipt` is in `verify.rs`.

use crate::support::env::TestEnv;

#[test]
fn sources_that_failed_are_listed_for_the_next_run() {
    let env = TestEnv::new();
    env.home.file("d/good.txt", "x");
    env.home.file("d/empty.txt", "");
    env.home.run(&["put", "--failed-to", "failed", "d/", "giga0:/f"]).ends_with(9);
    let path = env.home.file("touch", "").with_file_name("failed");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "empty.txt\n", "told from the one folder, as --files-from reads it");
    std::fs::remove_file(env.home.file("d/empty.txt", "")).unwrap();
    env.home.run(&["put", "--failed-to", "failed", "d/", "giga0:/f"]).ends_with(0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
}

#[test]
fn a_failed_name_that_would_be_two_lines_is_reported_and_not_listed() {
    let env = TestEnv::new();
    env.home.file("d/evil\nname", "x");
    env.home.file("d/empty.txt", "");
    let ran = env.home.run(&["put", "--failed-to", "failed", "d/", "giga0:/f"]).ends_with(8);
    ran.says("a name with a line end can't stand there");
    let path = env.home.file("touch", "").with_file_name("failed");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "empty.txt\n", "told from the one folder, as --files-from reads it");
}
