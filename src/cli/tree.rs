//! The command tree as it is read: each option may come from a variable, and `-h` is short.

use std::ffi::{OsStr, OsString};

use clap::builder::{BoolishValueParser, Resettable, StyledStr};
use clap::{Arg, ArgAction, Command};

/// Commands whose options with a value come from the environment, too. Of the others the switches do: a value says what is
/// looked for or changed, and differs from command to command.
const WITH_VALUES: &[&str] = &["put", "get", "cat", "cp", "mv", "sync", "batch", "apply"];

/// Options that no variable sets: `HAUL_CONFIG` is read by itself (its file may be missing), the rest is of one moment.
const WITHOUT_VARIABLE: &[&str] =
    &["config", "help", "version", "password-stdin", "code-stdin", "folder-password-stdin", "dir", "markdown"];

/// Options that `-h` leaves to `--help`, so that it fits a screen.
const RARE: &[&str] = &[
    "streams",
    "protocol",
    "chunk-size",
    "checksum",
    "retries",
    "timeout",
    "min-rate",
    "fail-fast",
    "attr",
    "type",
    "literal",
    "failed-to",
    "exclude-from",
    "files-from",
    "files-from0",
    "min-size",
    "max-size",
    "newer",
    "older",
    "max-depth",
    "links",
    "fail-if-empty",
    "settle",
    "shard",
    "size-only",
    "track-renames",
    "config",
    "json",
    "dotenv",
    "progress",
    "log-file",
    "quiet",
    "verbose",
];

/// Variables that haul reads and that belong to no option.
pub const OTHER_VARIABLES: &[(&str, &str)] = &[
    ("HAUL_CONFIG", "the configuration file; a missing file counts as empty"),
    ("HAUL_REMOTE_<NAME>_<KEY>", "a key of a remote, such as HAUL_REMOTE_STUDIO_PASSWORD; such variables alone define a remote"),
    ("HAUL_USERNAME", "the user for an address that is a URL (ftp://…)"),
    ("HAUL_PASSWORD", "the password for an address that is a URL"),
    ("HAUL_TOKEN", "the token for an address that is a URL (tus+https://…)"),
    ("HAUL_SHARD", "for --shard auto: I/N"),
    ("HAUL_SHARDS", "for --shard auto: N, if the job's own variables contain only I"),
];

/// Variables with their usual meaning.
pub const COMMON_VARIABLES: &[(&str, &str)] = &[
    ("XDG_CONFIG_HOME", "the folder of haul/config.toml (unset: ~/.config; on macOS and Windows the system's own folder)"),
    ("XDG_STATE_HOME", "the folder of haul/ with tokens and records of transfers (unset: ~/.local/state)"),
    ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY", "the proxy for connections to servers"),
    ("SSL_CERT_FILE", "certificates to trust in place of the system's"),
    ("NO_COLOR, CLICOLOR_FORCE, TERM", "colours, and whether lines can be redrawn"),
    ("CI, GITHUB_ACTIONS, GITLAB_CI", "output for a log: lines instead of bars; annotations and a summary for the job"),
    ("TZ", "the time zone of printed times"),
];

/// The tree for these arguments: with a variable for each option, without those that are empty, as CI systems pass inputs on
/// that nobody gave.
pub fn prepare_command(tree: Command, args: &[OsString]) -> Command {
    let tree = with_variables(tree, &mut Vec::new());
    let tree = ignore_empty_env(tree);
    let mut options = args.iter().take_while(|arg| *arg != "--");
    if options.clone().any(is_short_help) {
        shorten_help(tree, true)
    } else if options.any(|arg| arg == "--help" || arg == "help") {
        with_notes(tree)
    } else {
        tree
    }
}

/// `-h`, also among other letters.
pub fn is_short_help(arg: &OsString) -> bool {
    let text = arg.to_string_lossy();
    text.strip_prefix('-').is_some_and(|letters| letters.contains('h') && letters.chars().all(char::is_alphabetic))
}

/// Adds variables for the options of the whole tree. `path`: the names of the commands down to this tree.
pub fn with_variables(tree: Command, path: &mut Vec<String>) -> Command {
    let values = path.first().is_none_or(|verb| WITH_VALUES.contains(&verb.as_str()));
    let tree = tree.mut_args(|arg| with_variable(arg, values));
    let names: Vec<String> = tree.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.into_iter().fold(tree, |tree, name| {
        path.push(name.clone());
        let tree = tree.mut_subcommand(name, |sub| with_variables(sub, path));
        path.pop();
        tree
    })
}

fn with_variable(arg: Arg, values: bool) -> Arg {
    let Some(long) = arg.get_long().map(str::to_owned) else { return arg };
    if arg.get_env().is_some() || arg.is_hide_set() || WITHOUT_VARIABLE.contains(&long.as_str()) {
        return arg;
    }
    let variable = format!("HAUL_{}", long.replace('-', "_").to_uppercase());
    match arg.get_action() {
        ArgAction::SetTrue => arg.env(variable).value_parser(BoolishValueParser::new()),
        ArgAction::Set | ArgAction::Append if values => arg.env(variable),
        _ => arg,
    }
}

fn ignore_empty_env(tree: Command) -> Command {
    let is_empty = |arg: &Arg| arg.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    tree.mut_args(|arg| if is_empty(&arg) { arg.env(Resettable::Reset) } else { arg }).mut_subcommands(ignore_empty_env)
}

fn shorten_help(tree: Command, is_top: bool) -> Command {
    let is_rare = |arg: &Arg| arg.get_long().is_some_and(|long| RARE.contains(&long));
    let tree = tree.mut_args(|arg| {
        let rare = is_top || is_rare(&arg);
        let short = arg.get_help().map(|text| first_clause(&text.to_string()));
        let arg = arg.hide_env(true).hide_short_help(rare).help(Resettable::from(short.map(StyledStr::from)));
        // One list of options: each heading would take two lines.
        if arg.is_positional() { arg } else { arg.help_heading(Resettable::Reset) }
    });
    tree.mut_subcommands(|sub| shorten_help(sub, false))
}

/// What `-h` says of an option: its help up to the first `;` or full stop, and its default.
fn first_clause(text: &str) -> String {
    let end = [text.find("; "), text.find(". ")].into_iter().flatten().min().unwrap_or(text.len());
    let (clause, rest) = text.split_at(end);
    let default = rest.rfind("[default: ").and_then(|at| rest.get(at..)).map(|default| format!(" {default}")).unwrap_or_default();
    format!("{clause}{default}")
}

/// Puts default and variable of an option behind its text: in paragraphs of their own they triple the length of `--help`.
fn with_notes(tree: Command) -> Command {
    tree.mut_args(with_note).mut_subcommands(with_notes)
}

fn with_note(arg: Arg) -> Arg {
    let Some(text) = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).filter(|_| arg.get_long().is_some()) else {
        return arg;
    };
    let shown = |value: &OsStr| value.to_string_lossy().into_owned();
    let arg_takes_values = arg.get_action().takes_values();
    let defaults: Vec<String> = match arg.is_hide_default_value_set() || !arg_takes_values {
        true => Vec::new(),
        false => arg.get_default_values().iter().map(|value| shown(value)).collect(),
    };
    let default = if defaults.is_empty() { String::new() } else { format!(" [default: {}]", defaults.join(" ")) };
    let variable = arg.get_env().map(|name| format!(" [env: {}]", shown(name))).unwrap_or_default();
    arg.long_help(format!("{text}{default}{variable}")).hide_default_value(arg_takes_values).hide_env(true)
}

/// Every variable of an option: its name, the option, and what the option means.
pub fn option_variables(tree: &Command) -> Vec<(String, String, String)> {
    let mut found: Vec<(String, String, String)> = Vec::new();
    collect(tree, &mut found);
    found.sort();
    found
}

fn collect(tree: &Command, found: &mut Vec<(String, String, String)>) {
    for arg in tree.get_arguments() {
        let (Some(variable), Some(long)) = (arg.get_env().and_then(|name| name.to_str()), arg.get_long()) else { continue };
        if !found.iter().any(|(known, ..)| known == variable) {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            found.push((variable.to_owned(), format!("--{long}"), help));
        }
    }
    tree.get_subcommands().for_each(|sub| collect(sub, found));
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::args::Cli;

    /// Every option of the transfer commands, every global one, and the switches of the rest.
    #[test]
    fn each_option_has_its_variable() {
        let tree = with_variables(Cli::command(), &mut Vec::new());
        let known = option_variables(&tree);
        let named = |variable: &str| known.iter().any(|(name, ..)| name == variable);
        for variable in ["HAUL_JOBS", "HAUL_YES", "HAUL_LONG", "HAUL_LITERAL", "HAUL_BYTES", "HAUL_RECURSIVE", "HAUL_SIZE", "HAUL_QUIET"] {
            assert!(named(variable), "{variable}");
        }
        for verb in tree.get_subcommands().filter(|sub| WITH_VALUES.contains(&sub.get_name())) {
            for arg in verb.get_arguments().filter(|arg| arg.get_long().is_some_and(|long| !WITHOUT_VARIABLE.contains(&long))) {
                let wanted = format!("HAUL_{}", arg.get_long().unwrap_or_default().replace('-', "_").to_uppercase());
                let variable = arg.get_env().map(|name| name.to_string_lossy().into_owned());
                assert!(arg.is_hide_set() || variable.as_deref() == Some(wanted.as_str()), "{}: {wanted} is {variable:?}", verb.get_name());
            }
        }
        assert!(!named("HAUL_CONFIG") && !named("HAUL_NAME") && !named("HAUL_TEXT"), "{known:?}");
    }

    /// A terminal has 24 lines of 80.
    #[test]
    fn the_short_help_of_every_command_fits_a_screen() {
        fn check(tree: &mut Command, path: &str, too_long: &mut Vec<String>) {
            let help = tree.clone().term_width(80).render_help().to_string();
            assert!(help.lines().all(|line| line.chars().count() <= 80), "{path}:\n{help}");
            if help.lines().count() > 24 {
                too_long.push(format!("{path} has {} lines:\n{help}", help.lines().count()));
            }
            for sub in tree.get_subcommands_mut() {
                let path = format!("{path} {}", sub.get_name());
                check(sub, &path, too_long);
            }
        }
        let mut tree = prepare_command(crate::cli::command(), &["haul".into(), "-h".into()]);
        tree.build();
        let mut too_long = Vec::new();
        check(&mut tree, "haul", &mut too_long);
        assert!(too_long.is_empty(), "{}", too_long.join("\n\n"));
    }

    #[test]
    fn short_help_keeps_the_default_of_a_longer_text() {
        for (text, short) in [
            ("Files at the same time; fewer if the server is busy", "Files at the same time"),
            ("Delete; nothing. More [default: half; or so]", "Delete [default: half; or so]"),
            ("update (replace), skip [default: update]", "update (replace), skip [default: update]"),
            ("As in 1.5", "As in 1.5"),
        ] {
            assert_eq!(first_clause(text), short);
        }
    }

    #[test]
    fn help_among_other_letters_is_seen() {
        for (arg, is) in [("-h", true), ("-lh", true), ("-l", false), ("--help", false), ("-", false), ("h", false), ("-x=h", false)] {
            assert_eq!(is_short_help(&arg.into()), is, "{arg}");
        }
    }
}
