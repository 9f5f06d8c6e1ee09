//! Checks the texts about the command: examples in the help, the table of providers in the README.

use std::path::Path;

use clap::{Command, CommandFactory};
use haul::cli::args::Cli;

use super::source_tree::product_files;
use crate::support::command::Home;
use crate::support::shell::{commands, split};

/// Every command that can be typed, with the words that lead to it.
fn verbs(tree: &Command, words: &str, found: &mut Vec<(String, String)>) {
    let mut below = tree.get_subcommands().filter(|sub| sub.get_name() != "help" && !sub.is_hide_set()).peekable();
    if below.peek().is_none() {
        let about = tree.get_long_about().or(tree.get_about()).map(ToString::to_string).unwrap_or_default();
        return found.push((words.to_owned(), about));
    }
    below.for_each(|sub| verbs(sub, &format!("{words} {}", sub.get_name()), found));
}

/// The lines below "Examples:".
fn examples(about: &str) -> Vec<&str> {
    about.lines().skip_while(|line| line.trim() != "Examples:").skip(1).map(str::trim).take_while(|line| !line.is_empty()).collect()
}

#[test]
fn every_help_begins_with_two_examples_that_work() {
    let mut found = Vec::new();
    verbs(&Cli::command(), "haul", &mut found);
    assert!(found.len() >= 15, "only {} commands were found", found.len());
    let mut wrong = Vec::new();
    for (verb, about) in &found {
        let lines = examples(about);
        if lines.len() < 2 {
            wrong.push(format!("{verb}: {} examples", lines.len()));
        }
        let head: Vec<&str> = about.lines().skip(1).filter(|line| !line.trim().is_empty()).take(1).collect();
        if head != ["Examples:"] {
            wrong.push(format!("{verb}: the examples do not come first"));
        }
        for line in lines {
            let ours: Vec<String> = commands(line).into_iter().filter(|command| command.starts_with("haul ")).collect();
            if !ours.iter().any(|command| command.starts_with(verb.as_str())) {
                wrong.push(format!("{verb}: {line:?} is about another command"));
            }
            for command in ours {
                if let Err(error) = Cli::command().try_get_matches_from(split(&command)) {
                    wrong.push(format!("{verb}: {command:?}: {error}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The commands that messages and hints name in backticks, with their placeholders filled in.
fn named_commands() -> Vec<(String, String)> {
    let mut named = Vec::new();
    for file in product_files() {
        for (number, line) in file.code_lines() {
            let quoted = line.split('`').skip(1).step_by(2).filter(|text| text.starts_with("haul ") && !text.contains('"'));
            named.extend(quoted.map(|text| (format!("{}:{number}", file.name), fill_in(text))));
            // Where nothing is quoted the command is the end of the sentence.
            let ends = line.split_once(": haul ").filter(|_| line.contains("with_hint(")).map(|(_, rest)| rest.split('"').next().unwrap());
            named.extend(ends.map(|text| (format!("{}:{number}", file.name), fill_in(&format!("haul {text}")))));
        }
    }
    named
}

fn fill_in(command: &str) -> String {
    let (mut text, mut rest) = (String::new(), command);
    while let Some((before, (_, after))) = rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        text += before;
        text += "x";
        rest = after;
    }
    (text + rest).replace('…', "x:/y")
}

#[test]
fn every_command_that_a_message_names_is_one() {
    use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, MissingRequiredArgument, MissingSubcommand};
    let named = named_commands();
    assert!(named.len() > 25, "only {} were found", named.len());
    let parse = |command: &str| match Cli::command().try_get_matches_from(split(command)) {
        // Only the verb was named.
        Err(error) => {
            matches!(error.kind(), MissingRequiredArgument | MissingSubcommand | DisplayHelp | DisplayHelpOnMissingArgumentOrSubcommand)
        }
        Ok(_) => true,
    };
    let wrong: Vec<_> =
        named.iter().filter(|(_, line)| !commands(line).iter().filter(|c| c.starts_with("haul ")).all(|c| parse(c))).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for nonsense in ["haul lss", "haul rm --recursively x:/y", "haul ls x: --all-of-it"] {
        assert!(!parse(nonsense), "{nonsense}");
    }
}

/// The options that hints name.
#[test]
fn every_option_that_a_hint_names_is_one() {
    fn options(tree: &Command, known: &mut Vec<String>) {
        known.extend(tree.get_arguments().filter_map(|argument| argument.get_long()).map(str::to_owned));
        tree.get_subcommands().for_each(|verb| options(verb, known));
    }
    let mut known = vec!["help".to_owned()];
    options(&Cli::command(), &mut known);
    let (mut wrong, mut count) = (Vec::new(), 0);
    for file in product_files().iter().filter(|file| !file.name.starts_with("sandbox/")) {
        let hints = file.code_lines().into_iter().filter(|(_, line)| line.contains("with_hint(") || line.trim_start().starts_with("const"));
        for (number, line) in hints {
            for option in line.split("--").skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '-').next().unwrap()) {
                count += 1;
                if !option.trim_matches('-').is_empty() && !known.iter().any(|known| known == option) {
                    wrong.push(format!("{}:{number}: --{option}", file.name));
                }
            }
        }
    }
    assert!(count > 10 && wrong.is_empty(), "{count} options, wrong: {wrong:#?}");
}

/// The table stands between `<!-- providers -->` and `<!-- /providers -->`.
#[test]
fn the_readme_shows_what_each_provider_can_do() {
    let table = Home::new().run(&["providers", "--markdown"]).ends_with(0).stdout;
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let shown =
        readme.split_once("<!-- providers -->").and_then(|(_, rest)| rest.split_once("<!-- /providers -->")).map(|(table, _)| table);
    assert!(
        shown.map(str::trim) == Some(table.trim()),
        "the README's table of providers is not up to date; paste this into README.md:\n<!-- providers -->\n{table}<!-- /providers -->"
    );
}
