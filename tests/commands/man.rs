//! `haul man`.

use clap::{Command, CommandFactory};
use haul::cli::args::Cli;

use crate::support::command::Home;

fn titles(command: &Command, title: &str, found: &mut Vec<String>) {
    found.push(title.to_owned());
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        titles(sub, &format!("{title}-{}", sub.get_name()), found);
    }
}

#[test]
fn every_command_has_a_page_of_its_own() {
    let home = Home::new();
    home.run(&["man", "--dir", "man1"]).ends_with(0);
    let mut wanted = Vec::new();
    titles(&Cli::command(), "haul", &mut wanted);
    assert!(wanted.len() > 35, "only {} commands", wanted.len());
    for title in &wanted {
        let page = std::fs::read_to_string(home.path().join(format!("man1/{title}.1"))).unwrap_or_else(|e| panic!("{title}: {e}"));
        assert!(page.contains(&format!(".TH {title} 1")), "{title}: {page}");
        let typed = title.replace("haul-", "haul ");
        let typed = if typed.starts_with("haul remote-") || typed.starts_with("haul transfers-") || typed.starts_with("haul comments-") {
            typed.replacen('-', " ", 1)
        } else {
            typed
        };
        assert!(page.contains(&format!("\\fB{typed}\\fR")) || page.contains(&typed), "{title} has another synopsis: {page}");
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES"] {
            assert!(page.contains(&format!(".SH {section}")), "{title} has no {section}: {page}");
        }
    }
    let count = std::fs::read_dir(home.path().join("man1")).unwrap().count();
    assert_eq!(count, wanted.len());
}

#[test]
fn one_page_is_printed() {
    let home = Home::new();
    let page = home.run(&["man", "put"]).ends_with(0).stdout;
    assert!(page.contains(".TH haul-put 1") && page.contains("haul put"), "{page}");
    home.run(&["man", "remote", "add"]).ends_with(0).prints(".TH haul-remote-add 1");
    home.run(&["man"]).ends_with(0).prints(".TH haul 1");
    home.run(&["man", "upload"]).ends_with(2).says("write `haul put`");
}
