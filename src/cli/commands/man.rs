//! `haul man`: manual pages, one a command.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use crate::cli::context::Context;
use crate::cli::mistakes::no_command;
use crate::cli::tree::{COMMON_VARIABLES, OTHER_VARIABLES, with_variables};
use crate::error::explained::EXPLAINED;
use crate::error::{Error, Kind, Result};
use crate::render::exit;

/// Print manual pages, one for each command
///
/// Examples:
///   haul man put | man -l -
///   haul man --dir /usr/local/share/man/man1
///
/// Without a command it prints the page of haul itself. --dir writes all pages into
/// a folder: haul.1, haul-put.1, …
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ManArgs {
    /// The command, such as put or remote add
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Write all pages into this folder, which is made if it is missing
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub dir: Option<PathBuf>,
}

pub fn run(context: &mut Context, args: ManArgs, tree: Command) -> Result<u8> {
    let tree = with_variables(tree, &mut Vec::new());
    match &args.dir {
        Some(dir) => write_all(dir, &tree)?,
        None => {
            let page = page(&find(&tree, &args.command)?)?;
            context.renderer.out(&String::from_utf8_lossy(&page));
        }
    }
    Ok(exit::DONE)
}

/// A command and the words that lead to it.
struct ManPage {
    command: Command,
    words: Vec<String>,
}

fn find(tree: &Command, words: &[String]) -> Result<ManPage> {
    let (mut command, mut path) = (tree, String::from("haul"));
    for word in words {
        command = command.find_subcommand(word).ok_or_else(|| no_command(word, command, &path))?;
        path = format!("{path} {word}");
    }
    Ok(ManPage { command: command.clone(), words: words.to_vec() })
}

fn write_all(dir: &Path, tree: &Command) -> Result<()> {
    let failed = |path: &Path, e: std::io::Error| {
        Error::new(Kind::Local, "the manual can't be written").on_local(path.display().to_string()).with_cause(e)
    };
    std::fs::create_dir_all(dir).map_err(|e| failed(dir, e))?;
    let mut open = vec![ManPage { command: tree.clone(), words: Vec::new() }];
    while let Some(named) = open.pop() {
        let path = dir.join(format!("{}.1", named.title()));
        std::fs::write(&path, page(&named)?).map_err(|e| failed(&path, e))?;
        for sub in named.command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let words = named.words.iter().cloned().chain([sub.get_name().to_owned()]).collect();
            open.push(ManPage { command: sub.clone(), words });
        }
    }
    Ok(())
}

impl ManPage {
    fn title(&self) -> String {
        std::iter::once("haul").chain(self.words.iter().map(String::as_str)).collect::<Vec<_>>().join("-")
    }

    fn invocation(&self) -> String {
        std::iter::once("haul").chain(self.words.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
    }
}

fn page(named: &ManPage) -> Result<Vec<u8>> {
    let about = named.command.get_long_about().or(named.command.get_about()).map(ToString::to_string).unwrap_or_default();
    let command = named.command.clone().display_name(named.title()).bin_name(named.invocation()).disable_help_subcommand(true);
    let subcommands: Vec<(String, String)> = command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set())
        .map(|sub| (format!("{}-{}", named.title(), sub.get_name()), sub.get_about().map(ToString::to_string).unwrap_or_default()))
        .collect();
    let source = format!("haul {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command).title(named.title()).source(source).manual("haul");
    let mut text = Vec::new();
    let broken = |e: std::io::Error| Error::new(Kind::Other, "the manual could not be made").with_cause(e);
    man.render_title(&mut text).map_err(broken)?;
    man.render_name_section(&mut text).map_err(broken)?;
    man.render_synopsis_section(&mut text).map_err(broken)?;
    let mut roff = Roff::default();
    description(&mut roff, &about);
    roff.to_writer(&mut text).map_err(broken)?;
    man.render_options_section(&mut text).map_err(broken)?;
    let mut roff = Roff::default();
    if !subcommands.is_empty() {
        roff.control("SH", ["COMMANDS"]);
        subcommands.iter().for_each(|(name, about)| push_tagged(&mut roff, &format!("{name}(1)"), about));
    }
    closing(&mut roff, named.words.is_empty());
    roff.to_writer(&mut text).map_err(broken)?;
    Ok(text)
}

/// Indented lines (examples) stand as they are.
fn description(roff: &mut Roff, about: &str) {
    roff.control("SH", ["DESCRIPTION"]);
    let mut is_code = false;
    for line in about.lines() {
        let indented = line.starts_with("  ");
        if indented != is_code {
            roff.control(if indented { "nf" } else { "fi" }, []);
            is_code = indented;
        }
        match line.trim() {
            "" => drop(roff.control("PP", [])),
            _ => drop(roff.text([roman(line)])),
        }
    }
    if is_code {
        roff.control("fi", []);
    }
}

fn push_tagged(roff: &mut Roff, tag: &str, text: &str) {
    roff.control("TP", []);
    roff.text([bold(tag)]);
    roff.text([roman(text)]);
}

/// Writes the part that is the same for every command. Only the first page has the list of variables.
fn closing(roff: &mut Roff, is_first: bool) {
    roff.control("SH", ["EXIT STATUS"]);
    push_tagged(roff, "0", "all done, skipped files included");
    for row in EXPLAINED {
        push_tagged(roff, &exit::status(row.kind).to_string(), &format!("{}: {}", row.kind.name(), row.when));
    }
    let see: &[Inline] = &[roman("Causes of each kind, and what to do: "), bold("haul help KIND"), roman(".")];
    roff.control("PP", []);
    roff.text(see.to_vec());
    roff.control("SH", ["ENVIRONMENT"]);
    roff.text([roman("Each option can come from the variable beside it. "), bold("haul help environment"), roman(" lists all.")]);
    if is_first {
        OTHER_VARIABLES.iter().chain(COMMON_VARIABLES).for_each(|(name, help)| push_tagged(roff, name, help));
    }
    roff.control("SH", ["FILES"]);
    push_tagged(roff, "$XDG_CONFIG_HOME/haul/config.toml", "remotes and [defaults]; another by --config or HAUL_CONFIG");
    push_tagged(roff, "$XDG_CONFIG_HOME/haul/credentials.toml", "the secrets that haul login saves (mode 0600)");
    push_tagged(roff, "$XDG_STATE_HOME/haul/", "tokens, unfinished uploads, and what was put where (mode 0600)");
    if !is_first {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold("haul(1)")]);
    }
}
