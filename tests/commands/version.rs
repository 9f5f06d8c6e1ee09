//! `haul version`, `haul --version`.

use crate::support::command::Home;

#[test]
fn a_bug_report_can_say_what_was_built_and_where_files_lie() {
    let home = Home::new();
    let told =
        home.run(&["version"]).ends_with(0).prints(env!("CARGO_PKG_VERSION")).prints("build ").prints("iogates, giga0, fileago, ftp, tus");
    assert!(told.stdout.contains(".config/haul/config.toml") && told.stdout.contains("state/haul"), "{}", told.stdout);
    home.run(&["--version"]).ends_with(0).prints("build ");
    assert_eq!(home.run(&["-V"]).ends_with(0).stdout, format!("haul {}\n", env!("CARGO_PKG_VERSION")));
}
