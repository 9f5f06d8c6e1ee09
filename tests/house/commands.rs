//! `tests/commands` has a file or a folder for each command, with the command's name, and few other files.

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory;
use haul::cli::args::Cli;

use super::source_tree::{is_test_file, rust_files};

/// What holds for several commands.
const SEVERAL_COMMANDS: &[&str] = &[
    "configuration",
    "cross_remote",
    "dry_run",
    "failed_sources",
    "filters",
    "folder_walk",
    "hints",
    "large_listings",
    "lists",
    "output",
    "parallel_runs",
    "partial_failure",
    "prompts",
    "refused_arguments",
    "share_links",
    "terminal",
    "wildcards",
];

#[test]
fn each_command_has_its_tests_under_its_name() {
    let files = rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands"));
    let with_tests: BTreeSet<&str> = files.iter().filter(|f| is_test_file(f)).map(|f| f.name.split(['/', '.']).next().unwrap()).collect();
    let tree = Cli::command();
    let commands: BTreeSet<&str> = tree.get_subcommands().map(|command| command.get_name()).collect();
    assert!(commands.len() > 20, "only {} commands", commands.len());
    let wanted: BTreeSet<&str> = commands.iter().chain(SEVERAL_COMMANDS).copied().collect();
    let missing: Vec<_> = wanted.difference(&with_tests).collect();
    assert!(missing.is_empty(), "without a test in tests/commands: {missing:?}");
    let others: Vec<_> = with_tests.difference(&wanted).collect();
    assert!(others.is_empty(), "neither a command nor in the list of what holds for several: {others:?}");
}
