//! `haul help`, `haul -h`, and the messages for unknown words.

use crate::support::command::{Home, Ran};
use crate::support::env::TestEnv;

#[test]
fn the_name_alone_says_what_haul_is_and_what_to_type_next() {
    let home = Home::new();
    let ran = home.run(&[]).ends_with(2).says("haul remote add").says("haul sandbox -- bash").says("haul --help");
    assert!(ran.stdout.is_empty() && ran.stderr.lines().count() < 10, "{}", ran.stderr);
    TestEnv::new().home.run(&[]).ends_with(2).says("haul ls ").says("haul put FILE REMOTE:/");
}

/// Help that is asked for fits 24 lines of 80. A unit test has all commands.
#[test]
fn short_help_fits_a_screen() {
    let home = Home::new();
    let lengths = |args: &[&str]| {
        let help = Ran::of(home.command(args).env("COLUMNS", "80").output().unwrap()).ends_with(0).stdout;
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{args:?} is too wide:\n{help}");
        help.lines().count()
    };
    assert!(lengths(&["-h"]) <= 24, "{}", home.run(&["-h"]).stdout);
    for verb in [
        "ls", "rm", "mkdir", "stat", "tree", "du", "login", "cat", "link", "share", "version", "import", "put", "get", "cp", "mv", "find",
        "sync", "sandbox",
    ] {
        assert!(lengths(&[verb, "-h"]) <= 24, "{verb}: {}", home.run(&[verb, "-h"]).stdout);
    }
}

/// In `--help` an option's default and variable stand behind its text, in no paragraphs of their own.
#[test]
fn long_help_names_the_variables_without_growing() {
    let home = Home::new();
    let help = Ran::of(home.command(&["put", "--help"]).env("COLUMNS", "100").output().unwrap()).ends_with(0).stdout;
    assert!(help.contains("[default: auto] [env: HAUL_PROGRESS]") && help.contains("[env: HAUL_INCLUDE]"), "{help}");
    assert!(!help.lines().any(|line| line.trim_start().starts_with("[default") && line.contains("[env")), "{help}");
    assert!(help.lines().count() < 170, "{} lines:\n{help}", help.lines().count());
    assert!(!home.run(&["put", "-h"]).ends_with(0).stdout.contains("[env"));
}

#[test]
fn every_command_has_a_place_on_the_first_page() {
    let page = Home::new().run(&["--help"]).ends_with(0).stdout;
    assert!(page.find("Examples:") < page.find("Transfer:"), "{page}");
    for group in ["Transfer:", "Look:", "Change:", "Accounts:", "Runs:"] {
        assert!(page.contains(group), "{group}: {page}");
    }
    for name in ["put", "sandbox", "completions", "verify", "transfers", "help"] {
        assert!(page.lines().any(|line| line.trim_start().starts_with(&format!("{name} "))), "{name}: {page}");
    }
}

#[test]
fn errors_kinds_and_the_environment_are_topics() {
    let home = Home::new();
    let all = home.run(&["help", "errors"]).ends_with(0).stdout;
    for (status, kind) in [("0", "all done"), ("4", "auth"), ("9", "partial"), ("13", "unknown"), ("130", "cancelled")] {
        assert!(all.lines().any(|line| line.trim_start().starts_with(status) && line.contains(kind)), "{status} {kind}: {all}");
    }
    for topic in ["auth", "4"] {
        home.run(&["help", topic])
            .ends_with(0)
            .prints("auth (exit status 4)")
            .prints("Causes\n")
            .prints("What to do\n")
            .prints("haul login");
    }
    home.run(&["help", "143"]).ends_with(0).prints("interrupted");
    home.run(&["help", "environment"])
        .ends_with(0)
        .prints("HAUL_JOBS")
        .prints("HAUL_REMOTE_<NAME>_<KEY>")
        .prints("NO_COLOR")
        .prints("HAUL_YES");
    home.run(&["help", "put"]).ends_with(0).prints("Usage: haul put");
    home.run(&["help", "remote", "add"]).ends_with(0).prints("Usage: haul remote add");
    home.run(&["help", "nonsense"]).ends_with(2).says("haul help errors");
    home.run(&["help"]).ends_with(0).prints("Transfer:");
}

/// `docs/errors.md` is this table.
#[test]
fn the_documentation_has_the_same_table() {
    let made = Home::new().run(&["help", "--markdown", "errors"]).ends_with(0).stdout;
    let page = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors.md")).unwrap();
    let kept = page.split_once("<!-- errors -->").and_then(|(_, rest)| rest.split_once("<!-- /errors -->")).map(|(table, _)| table);
    assert!(
        kept.map(str::trim) == Some(made.trim()),
        "the table in docs/errors.md is not up to date; `haul help --markdown errors` prints it"
    );
}

/// One line each, in people's words and in JSON.
#[test]
fn words_of_others_and_typing_errors_lead_on() {
    let home = Home::new();
    for (args, told) in [
        (&["upload", "a", "x:/"][..], "haul: there is no command `upload`; write `haul put`"),
        (&["lst"], "haul: there is no command `lst`; write `haul ls`"),
        (&["put", "--jbos", "3", "a", "x:"], "haul: `haul put` has no option `--jbos`; write `--jobs`"),
        (&["rm", "-f", "x:/a"], "haul: `haul rm` has no option `-f`; write `--yes`"),
        (&["cat"], "haul: `haul cat` needs REMOTE:PATH…"),
        (&["put", "--jobs", "many", "a", "x:"], "invalid value 'many' for '--jobs <N>'"),
    ] {
        let ran = home.run(args).ends_with(2).says(told);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        let json = home.run(&[args, &["--json"]].concat()).ends_with(2);
        assert_eq!(json.events("failed")[0]["error"]["kind"], "usage");
        let message = json.events("failed")[0]["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(format!("haul: {message}\n"), ran.stderr, "the advice, too");
    }
    let env = TestEnv::new();
    env.home.run(&["ls", "giga:"]).ends_with(3).says("write `giga0:`");
}

/// Nobody typed `--jobs`: the variable is named.
#[test]
fn variables_are_read_and_their_mistakes_named() {
    let env = TestEnv::with_files("giga0", &["/d/a[1]", "/d/b"]);
    let with = |variable: (&str, &str), args: &[&str]| Ran::of(env.home.command(args).env(variable.0, variable.1).output().unwrap());
    let wrong = with(("HAUL_JOBS", "abc"), &["ls", "giga0:/d"]).ends_with(2).says("invalid value 'abc' for HAUL_JOBS");
    assert!(!wrong.stderr.contains("--jobs"), "{}", wrong.stderr);
    with(("HAUL_JOBS", "abc"), &["ls", "--jobs", "x", "giga0:/d"]).ends_with(2);
    with(("HAUL_VERBOSE", "true"), &["ls", "giga0:/d"]).ends_with(0);
    with(("HAUL_JBOS", "3"), &["ls", "giga0:/d"]).ends_with(0).says("HAUL_JBOS: haul reads no such variable; write HAUL_JOBS");
    assert_eq!(with(("HAUL_SOMETHING_ELSE", "3"), &["ls", "giga0:/d"]).ends_with(0).stderr, "");
    assert!(with(("HAUL_LONG", "1"), &["ls", "giga0:/d"]).ends_with(0).stdout.starts_with("file "));
    assert_eq!(with(("HAUL_LITERAL", "1"), &["ls", "giga0:/d/*"]).status, 3);
    with(("HAUL_RECURSIVE", "yes"), &["rm", "giga0:/d"]).ends_with(0);
}
