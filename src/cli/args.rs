//! The command tree, and where a value comes from: flag beats environment beats file beats default. clap knows the first
//! two and the last; the file's `[defaults]` become the tree's defaults before it reads the arguments.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::builder::OsStr;
use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser};

use super::commands::put::PutArgs;
use super::global::{CurrentRenderer, Global};
use super::transfer_args::SyncOptionArgs;
use super::verb::Verb;
use super::{mistakes, top_help, tree};
use crate::config::{Config, DefaultValue, Defaults, Env, LoadOptions, Prompt};
use crate::error::{Error, Kind, Result};
use crate::providers::REGISTRY;
use crate::render::{LogFile, Renderer, Style, exit};

/// Deliver files to hosts that other tools don't know: ioGates, giga0 (and any YetiShare site), FileAgo; and to any FTP server or TUS endpoint
#[derive(Parser)]
#[command(name = "haul", version, long_version = super::commands::version::build(), max_term_width = 100, arg_required_else_help = true)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub verb: Verb,
}

pub struct Parsed {
    pub config: Config,
    pub global: Global,
    pub verb: Verb,
    /// The stage whose bars make room for a question. Code that draws bars sets it.
    pub stage: CurrentRenderer,
}

/// Why the program ends before it begins: help, version, a mistake in the arguments or in the configuration.
pub enum ParseExit {
    /// Help, version.
    Clap(clap::Error),
    Ours(Error),
    /// Nothing was typed but the name.
    Alone {
        has_remotes: bool,
    },
}

/// A script that asked for JSON gets its mistakes so, too, before its options could be read.
fn wants_json() -> bool {
    let typed = std::env::args_os().take_while(|arg| arg != "--").any(|arg| arg == "--json");
    let yes = ["y", "yes", "t", "true", "on", "1"];
    let set = std::env::var("HAUL_JSON").is_ok_and(|value| yes.contains(&value.to_lowercase().as_str()));
    typed || set
}

/// Returns what clap reports about the arguments, in one line. clap lists the arguments below its first line.
pub fn first_paragraph(e: &clap::Error) -> String {
    let text = e.to_string();
    let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

impl ParseExit {
    pub fn exit(self) -> ExitCode {
        match self {
            ParseExit::Alone { has_remotes } => {
                let renderer = Renderer::new(Style::default());
                renderer.print_message(&top_help::overview(&Cli::command(), has_remotes));
                ExitCode::from(exit::status(Kind::Usage))
            }
            ParseExit::Clap(e) => {
                // Help goes to standard output, a mistake to standard error. A closed pipe is not an error here.
                let _ = e.print();
                ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2))
            }
            ParseExit::Ours(e) => {
                let renderer = Renderer::new(Style { json: wants_json(), ..Style::default() });
                renderer.error(&e);
                let _ = renderer.finish();
                ExitCode::from(exit::status(e.kind()))
            }
        }
    }
}

pub fn parse(args: impl IntoIterator<Item = OsString>, env: &Env) -> Result<Parsed, ParseExit> {
    let args: Vec<OsString> = args.into_iter().collect();
    let tree = || tree::prepare_command(top_help::with_first_page(Cli::command()), &args);
    let whole = tree();
    if let Some(error) = mistakes::human_sizes(&args, &whole) {
        return Err(ParseExit::Ours(error));
    }
    if args.len() < 2 {
        return Err(ParseExit::Alone { has_remotes: has_remotes(env) });
    }
    let told = |e: clap::Error| match mistakes::explain_mistake(e, &args, &whole) {
        Ok(help) => ParseExit::Clap(help),
        Err(ours) => ParseExit::Ours(ours),
    };
    let matches = tree().try_get_matches_from(&args).map_err(told)?;
    let first = Cli::from_arg_matches(&matches).map_err(told)?;
    let stage = CurrentRenderer::default();
    let options = default_options();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let place = LoadOptions { explicit: first.global.config.clone(), env, options: &options, prompt: prompt(&first.global, stage.clone()) };
    let config = Config::load(place, REGISTRY).map_err(ParseExit::Ours)?;
    if config.defaults().iter().next().is_none() {
        return Ok(Parsed { config, global: first.global, verb: first.verb, stage });
    }
    for default in config.defaults().iter() {
        check_default(default)?;
    }
    let cli = with_defaults(tree(), config.defaults()).try_get_matches_from(&args);
    let cli = cli.and_then(|matches| Cli::from_arg_matches(&matches)).map_err(told)?;
    Ok(Parsed { config, global: cli.global, verb: cli.verb, stage })
}

/// Reads one command after another, with the defaults of the file (whose values `parse` has tried).
pub struct LineParser {
    tree: Command,
}

impl LineParser {
    pub fn new(config: &Config) -> LineParser {
        LineParser { tree: with_defaults(tree::prepare_command(Cli::command(), &[]), config.defaults()) }
    }

    /// `words`: without the program's name. Fails with what the shell would have been told, in one line.
    pub fn parse(&mut self, words: &[String]) -> Result<(Cli, ArgMatches), Error> {
        let words: Vec<OsString> = std::iter::once("haul").chain(words.iter().map(String::as_str)).map(OsString::from).collect();
        let parsed = self.tree.try_get_matches_from_mut(&words).and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, matches)));
        parsed.map_err(|error| {
            let tree = tree::prepare_command(top_help::with_first_page(Cli::command()), &words);
            match mistakes::explain_mistake(error, &words, &tree) {
                Ok(help) if help.use_stderr() => Error::new(Kind::Usage, first_paragraph(&help)),
                Ok(_) => Error::new(Kind::Usage, "help and version can't be shown in a batch").with_hint("ask for them in a shell"),
                Err(ours) => ours,
            }
        })
    }

    /// The words of a command that stand for themselves: files, places.
    pub fn places(&self, name: &str, matches: &ArgMatches) -> Vec<String> {
        let ids = self.tree.find_subcommand(name).into_iter().flat_map(Command::get_positionals).map(|arg| arg.get_id().as_str());
        let raw = ids.filter_map(|id| matches.try_get_raw(id).ok().flatten());
        raw.flatten().map(|word| word.to_string_lossy().into_owned()).collect()
    }
}

/// Reports a log file that can't be written, before anything is done.
pub fn unwritable_log(global: &Global) -> Option<ParseExit> {
    let path = global.log_file.as_deref()?;
    let cause = LogFile::open(path).err()?;
    let error = Error::new(Kind::Local, "this log file can't be written").on_local(path.display().to_string()).with_cause(cause);
    Some(ParseExit::Ours(error))
}

/// Is there anything to begin with? A configuration that can't be read has something.
fn has_remotes(env: &Env) -> bool {
    let place = LoadOptions { explicit: None, env, options: &[], prompt: None };
    Config::load(place, REGISTRY).map_or(true, |config| !config.remotes().is_empty())
}

/// Returns a warning for each variable with a name like ours that haul does not read.
pub fn misspelt_variables(env: &Env) -> Vec<String> {
    let whole = tree::with_variables(Cli::command(), &mut Vec::new());
    let options = tree::option_variables(&whole).into_iter().map(|(name, ..)| name);
    let known: Vec<String> = options.chain(tree::OTHER_VARIABLES.iter().map(|(name, _)| (*name).to_owned())).collect();
    let set = env.names_beginning_with("HAUL_").into_iter();
    let near = set.filter_map(|name| Some((name, mistakes::near_variable(name, &known)?)));
    near.map(|(name, near)| format!("{name}: haul reads no such variable; write {near}")).collect()
}

/// Returns the prompt for a secret that is set nowhere. None with `--quiet` or `--json`: haul asks no question then.
fn prompt(global: &Global, stage: CurrentRenderer) -> Option<Prompt> {
    (!global.quiet && !global.json).then(|| Arc::new(move |question: &str| stage.ask(question)) as Prompt)
}

/// The long options that `[defaults]` may set: those of the transfer commands, and the global ones but `config`.
fn default_options() -> Vec<String> {
    let tree = SyncOptionArgs::augment_args(PutArgs::augment_args(Command::new("put")));
    let tree = Global::augment_args(tree);
    let long = |arg: &Arg| arg.get_long().map(str::to_owned);
    tree.get_arguments().filter_map(long).filter(|name| !["config", "size", "recursive", "help"].contains(&name.as_str())).collect()
}

/// As [`default_options`], for code that reads a configuration without a command line.
pub fn default_option_names() -> Vec<&'static str> {
    static NAMES: std::sync::OnceLock<Vec<String>> = std::sync::OnceLock::new();
    NAMES.get_or_init(default_options).iter().map(String::as_str).collect()
}

/// Checks one value of the file alone, so that the error for a bad value names its line.
fn check_default(default: &DefaultValue) -> Result<(), ParseExit> {
    let tree = SyncOptionArgs::augment_args(PutArgs::augment_args(Command::new("haul").no_binary_name(true)));
    let tree = Global::augment_args(tree);
    let one = set_default(tree, default);
    let parsed = one.try_get_matches_from(["-", "x:"]);
    match parsed {
        Ok(_) => Ok(()),
        Err(e) => Err(ParseExit::Ours(default.error(first_paragraph(&e)))),
    }
}

fn with_defaults(tree: Command, defaults: &Defaults) -> Command {
    let globals = Global::augment_args(Command::new("global"));
    let global_names: Vec<&str> = globals.get_arguments().filter_map(Arg::get_long).collect();
    let mut tree = tree;
    for default in defaults.iter() {
        if global_names.contains(&default.option.as_str()) {
            tree = set_default(tree, default);
            continue;
        }
        tree = tree.mut_subcommands(|verb| set_default_below(verb, default));
    }
    tree
}

/// `transfers resume` and its like are two words.
fn set_default_below(verb: Command, default: &DefaultValue) -> Command {
    set_default(verb, default).mut_subcommands(|verb| set_default_below(verb, default))
}

fn set_default(tree: Command, default: &DefaultValue) -> Command {
    tree.mut_args(|arg| {
        if arg.get_long() != Some(default.option.as_str()) {
            return arg;
        }
        let values: Vec<OsStr> = default.values.iter().map(|v| OsStr::from(v.clone())).collect();
        arg.default_values(values)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(tree: &Command, path: &str, visit: &mut impl FnMut(&str, &Command)) {
        for verb in tree.get_subcommands().filter(|v| v.get_name() != "help") {
            let path = format!("{path} {}", verb.get_name());
            visit(&path, verb);
            walk(verb, &path, visit);
        }
    }

    #[test]
    fn every_verb_opens_with_two_examples_that_fit_a_terminal() {
        walk(&Cli::command(), "haul", &mut |path, verb| {
            if verb.has_subcommands() {
                return;
            }
            let text = verb.get_long_about().map(ToString::to_string).unwrap_or_default();
            let after = text.split_once("\nExamples:\n").map(|(_, after)| after).unwrap_or_default();
            let examples = after.lines().take_while(|line| line.starts_with("  ")).filter(|line| line.contains(path)).count();
            assert!(examples >= 2, "{path}: {examples} examples in {text}");
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{path} has lines that are broken on a terminal: {text}");
        });
    }

    #[test]
    fn every_option_says_what_it_is() {
        walk(&Cli::command(), "haul", &mut |path, verb| {
            for arg in verb.get_arguments() {
                assert!(arg.get_help().is_some(), "{path}: {} has no help", arg.get_id());
            }
        });
    }

    /// All others talk to a server.
    const WITHOUT_CONNECTION: [&str; 14] = [
        "haul batch",
        "haul report",
        "haul providers",
        "haul sandbox",
        "haul completions",
        "haul man",
        "haul version",
        "haul help",
        "haul remote list",
        "haul remote show",
        "haul remote set",
        "haul remote rename",
        "haul remote remove",
        "haul transfers list",
    ];

    #[test]
    fn every_verb_that_talks_to_a_server_has_the_options_of_its_connection() {
        walk(&Cli::command(), "haul", &mut |path, verb| {
            if (verb.has_subcommands() && path != "haul comments") || WITHOUT_CONNECTION.contains(&path) {
                return;
            }
            for (long, variable) in [("retries", "HAUL_RETRIES"), ("timeout", "HAUL_TIMEOUT")] {
                let arg = verb.get_arguments().find(|arg| arg.get_long() == Some(long));
                let env = arg.and_then(Arg::get_env);
                assert_eq!(env, Some(std::ffi::OsStr::new(variable)), "{path} --{long}");
            }
        });
    }

    /// Verbs of two words, too.
    #[test]
    fn defaults_of_the_file_reach_every_verb() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.toml");
        std::fs::write(&file, "[defaults]\nretries = 2\ntimeout = \"7s\"\n").unwrap();
        let env = Env::new([("HAUL_CONFIG", file)]);
        let parsed = |words: &[&str]| parse(words.iter().map(OsString::from), &env).ok().unwrap().verb;
        let Verb::Remote(crate::cli::commands::remote::RemoteVerb::Check(check)) = parsed(&["haul", "remote", "check", "r"]) else {
            panic!()
        };
        let Verb::About(about) = parsed(&["haul", "about", "r:", "--retries", "3"]) else { panic!() };
        let told = [check.connection, about.connection].map(|connection| (connection.retries, connection.timeout.as_secs()));
        assert_eq!(told, [(2, 7), (3, 7)]);
    }
}
