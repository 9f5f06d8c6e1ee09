//! What is written about the command says what it does: examples in the help, the table of providers in the README.

use std::path::Path;

use clap::{Command, CommandFactory};
use haul::cli::args::Cli;

use crate::support::command::Home;

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

/// One command of a pipe as a shell divides it: quotes and blanks, no more.
fn split(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in command.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (' ', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    assert_eq!(quote, None, "an open quote in {command}");
    words.extend(word);
    words
}

/// The commands of a line, divided where a shell divides them: at `|`, `>`, `<`, `&&` and `;` outside of quotes.
fn commands(line: &str) -> Vec<String> {
    let (mut all, mut quote) = (vec![String::new()], None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            ('|' | '>' | '<' | '&' | ';', None) => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    all.into_iter().map(|command| command.trim().to_owned()).filter(|command| !command.is_empty()).collect()
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

#[test]
fn lines_are_divided_as_a_shell_does() {
    assert_eq!(split("haul find x: --name '*.mov' \"a b\" ''"), ["haul", "find", "x:", "--name", "*.mov", "a b", ""]);
    assert_eq!(commands("haul ls --json x: | jq '.a | .b' > out"), ["haul ls --json x:", "jq '.a | .b'", "out"]);
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
