//! `haul man`.

use clap::{Command, CommandFactory};
use haul::cli::args::Cli;

use crate::support::command::Home;

/// The title that clap_mangen writes for each command: `haul-remote-add`.
fn titles(command: &Command, title: &str, found: &mut Vec<String>) {
    found.push(title.to_owned());
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        titles(sub, &format!("{title}-{}", sub.get_name()), found);
    }
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let manual = Home::new().run(&["man"]).ends_with(0).stdout;
    let pages: Vec<&str> = manual.lines().filter_map(|line| line.strip_prefix(".TH ")?.split(' ').next()).collect();
    let mut wanted = Vec::new();
    titles(&Cli::command(), "haul", &mut wanted);
    assert!(wanted.len() > 30, "only {} commands", wanted.len());
    for title in wanted {
        assert_eq!(pages.iter().filter(|page| **page == title).count(), 1, "{title}: {pages:?}");
    }
}
