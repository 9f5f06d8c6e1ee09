//! What was typed so far, and what may come next.

use clap::{Arg, ArgAction, Command};

use crate::error::explained::EXPLAINED;

/// A command line up to the cursor.
#[derive(Debug, Default, PartialEq)]
pub struct TypedLine {
    /// The whole words, the program's name first.
    pub before: Vec<String>,
    /// The word at the cursor, without its quotes.
    pub current: String,
    /// The quote that is still open in this word.
    pub quote: Option<char>,
}

impl TypedLine {
    pub fn of_words(mut words: Vec<String>) -> TypedLine {
        let current = words.pop().unwrap_or_default();
        TypedLine { before: words, current, quote: None }
    }

    /// Divided as a shell does: blanks, quotes and backslashes.
    pub fn of_line(line: &str) -> TypedLine {
        let mut typed = TypedLine::default();
        let (mut word, mut chars) = (None::<String>, line.chars());
        while let Some(c) = chars.next() {
            match (c, typed.quote) {
                (c, Some(open)) if c == open => typed.quote = None,
                ('\'' | '"', None) => {
                    typed.quote = Some(c);
                    word.get_or_insert_default();
                }
                ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
                (' ' | '\t' | '\n', None) => typed.before.extend(word.take()),
                (c, _) => word.get_or_insert_default().push(c),
            }
        }
        typed.current = word.unwrap_or_default();
        typed
    }

    /// The value of an option before the cursor.
    pub fn option(&self, name: &str) -> Option<String> {
        let with_value = format!("{name}=");
        let mut words = self.before.iter();
        while let Some(word) = words.next() {
            if word == name {
                return words.next().cloned();
            }
            if let Some(value) = word.strip_prefix(&with_value) {
                return Some(value.to_owned());
            }
        }
        None
    }
}

/// What a word may be.
#[derive(Debug, PartialEq)]
pub enum WantedWord {
    /// One of these, each with a few words beside.
    Words(Vec<(String, String)>),
    Providers,
    Remotes,
    /// `KEY=` of a remote.
    Settings,
    /// Files of this machine.
    Files,
    /// `REMOTE:PATH`.
    Places,
}

/// What the word at the cursor may be.
pub fn wanted_words(tree: &Command, typed: &TypedLine) -> Vec<WantedWord> {
    let (mut command, mut positional, mut escaped, mut path) = (tree, 0, false, Vec::new());
    let globals: Vec<&Arg> = tree.get_arguments().filter(|arg| arg.is_global_set()).collect();
    let mut words = typed.before.iter().skip(1);
    while let Some(word) = words.next() {
        if escaped {
            positional += 1;
        } else if word == "--" {
            escaped = true;
        } else if word.starts_with('-') && word.len() > 1 {
            let Some(arg) = option_of(command, &globals, word) else { continue };
            if takes_value(arg) && !word.contains('=') && !has_value_behind(word) && words.clone().next().is_none() {
                return of_arg(arg, &path);
            }
            if takes_value(arg) && !word.contains('=') && !has_value_behind(word) {
                words.next();
            }
        } else if let Some(sub) = command.find_subcommand(word).filter(|_| positional == 0) {
            command = sub;
            path.push(sub.get_name().to_owned());
        } else {
            positional += 1;
        }
    }
    if !escaped && let Some((option, _)) = typed.current.split_once('=').filter(|(option, _)| option.starts_with("--")) {
        let Some(arg) = option_of(command, &globals, option) else { return Vec::new() };
        return of_arg(arg, &path).into_iter().filter_map(|wanted| with_option(option, wanted)).collect();
    }
    if !escaped && typed.current.starts_with('-') {
        return vec![WantedWord::Words(options(command, &globals))];
    }
    if command.has_subcommands() && positional == 0 {
        let subs = command.get_subcommands().filter(|sub| !sub.is_hide_set());
        let subs: Vec<(String, String)> = subs.map(|sub| (sub.get_name().to_owned(), about(sub.get_about()))).collect();
        let more = if command.get_name() == tree.get_name() { Vec::new() } else { of_positional(command, positional, &path) };
        return std::iter::once(WantedWord::Words(subs)).chain(more).collect();
    }
    of_positional(command, positional, &path)
}

/// Only words can stand behind `--option=`.
fn with_option(option: &str, wanted: WantedWord) -> Option<WantedWord> {
    match wanted {
        WantedWord::Words(words) => {
            Some(WantedWord::Words(words.into_iter().map(|(word, about)| (format!("{option}={word}"), about)).collect()))
        }
        _ => None,
    }
}

fn about(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

fn takes_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}

/// `-j4`: the value follows its letter.
fn has_value_behind(word: &str) -> bool {
    !word.starts_with("--") && word.chars().count() > 2
}

fn option_of<'a>(command: &'a Command, globals: &[&'a Arg], word: &str) -> Option<&'a Arg> {
    let all = || command.get_arguments().chain(globals.iter().copied());
    match word.strip_prefix("--") {
        Some(long) => all().find(|arg| arg.get_long() == long.split('=').next()),
        None => {
            let letter = word.chars().nth(1)?;
            all().find(|arg| arg.get_short() == Some(letter))
        }
    }
}

fn options(command: &Command, globals: &[&Arg]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for arg in command.get_arguments().chain(globals.iter().copied()).filter(|arg| !arg.is_hide_set()) {
        let Some(long) = arg.get_long().map(|long| format!("--{long}")) else { continue };
        if !found.iter().any(|(known, _)| *known == long) {
            found.push((long, about(arg.get_help())));
        }
    }
    found.push(("--help".to_owned(), "Help with examples".to_owned()));
    found
}

fn of_positional(command: &Command, at: usize, path: &[String]) -> Vec<WantedWord> {
    let all: Vec<&Arg> = command.get_positionals().collect();
    let last = all.last().filter(|last| matches!(last.get_action(), ArgAction::Append)).copied();
    all.get(at).copied().or(last).map(|arg| of_arg(arg, path)).unwrap_or_default()
}

fn of_arg(arg: &Arg, path: &[String]) -> Vec<WantedWord> {
    let values: Vec<(String, String)> = arg
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| (value.get_name().to_owned(), about(value.get_help())))
        .collect();
    if !values.is_empty() {
        // A switch that a variable may set has values there, and none here.
        return if takes_value(arg) { vec![WantedWord::Words(values)] } else { Vec::new() };
    }
    if arg.get_id() == "provider" {
        return vec![WantedWord::Providers];
    }
    let name = arg.get_value_names().and_then(|names| names.first()).map(|name| name.to_string()).unwrap_or_default();
    let local_too = matches!(path.first().map(String::as_str), Some("put" | "get" | "sync" | "batch"));
    match name.as_str() {
        "REMOTE:PATH" | "REMOTE:" => vec![WantedWord::Places],
        "PLACE" | "FROM" | "TO" | "SOURCE" if local_too => vec![WantedWord::Places, WantedWord::Files],
        "PLACE" | "FROM" | "TO" | "SOURCE" => vec![WantedWord::Places],
        "REMOTE" => vec![WantedWord::Remotes],
        "KEY=VALUE" => vec![WantedWord::Settings],
        "TOPIC" => vec![WantedWord::Words(topics())],
        "FILE" | "DIR" | "LOCAL" | "RECEIPT" | "PLAN" | "F" => vec![WantedWord::Files],
        _ => Vec::new(),
    }
}

fn topics() -> Vec<(String, String)> {
    let kinds = EXPLAINED.iter().map(|row| (row.kind.name().to_owned(), row.when.to_owned()));
    let fixed = [("errors", "All exit statuses"), ("environment", "All variables")];
    fixed.into_iter().map(|(word, about)| (word.to_owned(), about.to_owned())).chain(kinds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_divided_as_a_shell_does() {
        let typed = TypedLine::of_line("haul ls 'giga0:/a b");
        assert_eq!((typed.before.len(), typed.current.as_str(), typed.quote), (2, "giga0:/a b", Some('\'')));
        let typed = TypedLine::of_line("haul put a\\ b.mov studio:/in/ ");
        assert_eq!((typed.before, typed.current.as_str()), (["haul", "put", "a b.mov", "studio:/in/"].map(str::to_owned).to_vec(), ""));
        assert_eq!(TypedLine::of_line("haul --config c.toml ls ").option("--config").as_deref(), Some("c.toml"));
        assert_eq!(TypedLine::of_line("haul --config=d ls ").option("--config").as_deref(), Some("d"));
    }
}
