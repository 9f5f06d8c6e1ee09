//! What `haul`, `haul -h` and `haul --help` show: the commands in groups, so that they fit a screen.

use std::fmt::Write;

use clap::Command;

/// The commands by purpose. A command that is in no group comes last.
const GROUPS: &[(&str, &[&str])] = &[
    ("Transfer", &["put", "get", "cat", "sync", "cp", "mv", "import", "batch", "apply"]),
    ("Look", &["ls", "tree", "du", "stat", "find", "about", "link", "verify"]),
    ("Change", &["mkdir", "rm", "edit", "share", "star", "unstar", "comments"]),
    ("Accounts", &["remote", "login", "logout", "providers"]),
    ("Runs", &["transfers", "report"]),
    ("This program", &["sandbox", "help", "man", "completions", "version"]),
];

const EXAMPLES: &str = "\
Examples:
  haul remote add                                   # asks for all that it needs
  haul put footage/ studio:/incoming/               # upload a folder's content
  haul get 'studio:/incoming/*.mov' .               # download matching files
  haul ls -l studio:/incoming
  haul sandbox -- bash                              # try haul without an account";

/// The tree with its first page.
pub fn with_first_page(tree: Command) -> Command {
    let (short, long) = (groups(&tree), details(&tree));
    let about = tree.get_about().map(ToString::to_string).unwrap_or_default();
    tree.help_template("{about-with-newline}\n{usage-heading} {usage}\n\n{before-help}{options}{after-help}")
        .long_about(format!("{about}\n\n{EXAMPLES}"))
        .override_usage("haul COMMAND [OPTIONS] …")
        .before_help(short)
        .before_long_help(long)
        .after_help(
            "Everywhere: --json, -q, -v, -vv, --progress P, --config FILE, --log-file FILE\nhaul COMMAND --help has all options and examples, `haul help errors` the exit\nstatuses. Addresses are REMOTE:PATH; `haul remote add` makes a remote.",
        )
        .after_long_help("`haul help errors` explains exit statuses, `haul help environment` lists variables.\nAddresses are REMOTE:PATH, or a URL such as ftp://host/folder.")
}

/// Each group's commands, those that the tree has.
fn group_commands(tree: &Command) -> Vec<(&'static str, Vec<&Command>)> {
    let known = |name: &&str| tree.find_subcommand(name).filter(|sub| !sub.is_hide_set());
    let mut all: Vec<(&str, Vec<&Command>)> =
        GROUPS.iter().map(|(title, names)| (*title, names.iter().filter_map(known).collect())).collect();
    let has_place = |sub: &&Command| GROUPS.iter().any(|(_, names)| names.contains(&sub.get_name()));
    if let Some((_, last)) = all.last_mut() {
        last.extend(tree.get_subcommands().filter(|sub| !sub.is_hide_set() && !has_place(sub)));
    }
    all
}

fn groups(tree: &Command) -> String {
    let line = |(title, commands): (&str, Vec<&Command>)| {
        let names: Vec<&str> = commands.iter().map(|sub| sub.get_name()).collect();
        format!("  {title:<13} {}\n", names.join(", "))
    };
    format!("Commands:\n{}", group_commands(tree).into_iter().map(line).collect::<String>()).trim_end().to_owned()
}

fn details(tree: &Command) -> String {
    let mut text = String::new();
    for (title, commands) in group_commands(tree) {
        let _ = writeln!(text, "{title}:");
        for sub in commands {
            let _ = writeln!(text, "  {:<12} {}", sub.get_name(), sub.get_about().map(ToString::to_string).unwrap_or_default());
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// What a person reads who typed nothing but the name.
pub fn overview(tree: &Command, has_remotes: bool) -> String {
    let what = fold(&format!("haul: {}", tree.get_about().map(ToString::to_string).unwrap_or_default()), "", "");
    let next = match has_remotes {
        true => {
            "  haul ls                      the remotes that are set up\n  haul put FILE REMOTE:/       upload a file\n  haul --help                  all commands, with examples\n"
        }
        false => {
            "  haul remote add              set up a remote; asks for all that it needs\n  haul sandbox -- bash         try everything in a shell, without an account\n  haul --help                  all commands, with examples\n"
        }
    };
    format!("{what}\n\n{next}")
}

/// Lines of at most 80 characters; the first begins with `first`, all others with `indent`.
pub fn fold(text: &str, first: &str, indent: &str) -> String {
    let mut lines = vec![first.to_owned()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line == first => line.push_str(word),
            Some(line) if line.chars().count() + word.chars().count() < 80 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("{indent}{word}")),
        }
    }
    lines.join("\n")
}
