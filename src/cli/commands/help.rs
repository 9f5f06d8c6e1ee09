//! `haul help`: a command's help, and what is no command's: errors, their kinds, the environment.

use std::fmt::Write;

use clap::{Args, Command};

use crate::cli::context::Context;
use crate::cli::mistakes::no_command;
use crate::cli::top_help::fold;
use crate::cli::tree::{COMMON_VARIABLES, OTHER_VARIABLES, option_variables, with_variables};
use crate::error::explained::{EXPLAINED, Explained, explanation};
use crate::error::{Kind, Result};
use crate::render::exit;

/// Show help for a command, for errors, or for the environment
///
/// Examples:
///   haul help put
///   haul help errors
///   haul help auth
///   haul help environment
///
/// TOPIC is a command, "errors" (all exit statuses), the kind of an error or its
/// status ("haul help 9"), or "environment" (all variables).
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct HelpArgs {
    /// A command, errors, a kind of error, a status, or environment
    #[arg(value_name = "TOPIC")]
    pub topic: Vec<String>,
    /// As Markdown, for the documentation
    #[arg(long, hide = true)]
    pub markdown: bool,
}

pub fn run(context: &mut Context, args: HelpArgs, tree: Command) -> Result<u8> {
    let words: Vec<&str> = args.topic.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        ["errors" | "error" | "exit" | "status"] if args.markdown => markdown(),
        ["errors" | "error" | "exit" | "status"] => statuses(),
        ["environment" | "env" | "variables"] => environment(&tree),
        [topic] if let Some(row) = of_kind(topic) => help_of(row),
        words => of_command(tree, words)?,
    };
    context.renderer.out(&text);
    Ok(exit::DONE)
}

fn of_kind(topic: &str) -> Option<&'static Explained> {
    let status = topic.parse::<u8>().ok();
    let by_status = || status.and_then(|status| EXPLAINED.iter().find(|row| exit::status(row.kind) == status));
    let interrupted = || EXPLAINED.iter().find(|row| row.kind == Kind::Cancelled && status == Some(exit::TERMINATED));
    explanation(topic).or_else(by_status).or_else(interrupted)
}

fn of_command(mut tree: Command, words: &[&str]) -> Result<String> {
    tree.build();
    let (mut command, mut path) = (tree, String::from("haul"));
    for word in words {
        let Some(sub) = command.find_subcommand(word).cloned() else {
            let topics = "`haul --help` lists the commands; `haul help errors` and `haul help environment` are topics, too";
            return Err(no_command(word, &command, &path).with_hint(topics));
        };
        let _ = write!(path, " {word}");
        command = sub;
    }
    Ok(command.render_long_help().to_string())
}

/// The table of exit statuses and kinds.
pub fn statuses() -> String {
    let mut text = String::from("Exit statuses, and the kinds of errors behind them (`error.kind` in --json)\n\n");
    let _ = writeln!(text, "  {:>3}  {:<11}  all done, skipped files included", exit::DONE, "");
    for row in EXPLAINED {
        let _ = writeln!(text, "  {:>3}  {:<11}  {}", exit::status(row.kind), row.kind.name(), row.when);
    }
    text + "\nIf one file fails: its own status. If all of several files fail with one status: that status; otherwise 9.\nCauses of each kind, and what to do: haul help KIND, as in `haul help auth` or `haul help 4`.\n"
}

fn help_of(row: &Explained) -> String {
    let list = |lines: &[&str]| lines.iter().map(|line| fold(line, "  - ", "    ") + "\n").collect::<String>();
    format!(
        "{} (exit status {}): {}\n\nCauses\n{}\nWhat to do\n{}",
        row.kind.name(),
        exit::status(row.kind),
        row.when,
        list(row.causes),
        list(row.cures)
    )
}

fn environment(tree: &Command) -> String {
    let mut text = String::from(
        "Variables that haul reads. An option on the command line takes precedence over its variable,\nand the variable over [defaults] in config.toml. An empty variable counts as not set.\n\nOf haul\n",
    );
    for (name, help) in OTHER_VARIABLES {
        let _ = writeln!(text, "  {name}\n        {help}");
    }
    text.push_str("\nOf options\n");
    for (name, option, help) in option_variables(&with_variables(tree.clone(), &mut Vec::new())) {
        let help = help.lines().next().unwrap_or_default();
        let _ = writeln!(text, "  {name:<22} {option:<20} {help}");
    }
    text.push_str("\nCommon ones\n");
    for (name, help) in COMMON_VARIABLES {
        let _ = writeln!(text, "  {name}\n        {help}");
    }
    text
}

/// The table of `docs/errors.md`.
fn markdown() -> String {
    let mut text = String::from("| status | kind | when |\n|---|---|---|\n| 0 | | all done, skipped files included |\n");
    for row in EXPLAINED {
        let _ = writeln!(text, "| {} | `{}` | {} |", exit::status(row.kind), row.kind.name(), row.when);
    }
    text
}
