//! `haul completions`, `haul man`: made from the command tree itself.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::context::Context;
use crate::error::{Error, Kind, Result};
use crate::render::exit::DONE;

/// Shell completions
///
/// Examples:
///   haul completions bash > /etc/bash_completion.d/haul
///   haul completions zsh > ~/.zfunc/_haul
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct CompletionsArgs {
    /// For which shell
    pub shell: Shell,
}

/// Manual page
///
/// Examples:
///   haul man | man -l -
///   haul man > /usr/local/share/man/man1/haul.1
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ManArgs {}

pub fn run(context: &mut Context, args: CompletionsArgs, mut tree: Command) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut tree, "haul", &mut text);
    context.renderer.out(&String::from_utf8_lossy(&text));
    Ok(DONE)
}

/// The page of `haul`, then one section after another for its commands.
pub fn run_man(context: &mut Context, tree: Command) -> Result<u8> {
    let mut text = Vec::new();
    let mut pages = vec![tree];
    while let Some(page) = pages.pop() {
        let prefix = page.get_display_name().unwrap_or(page.get_name()).to_owned();
        clap_mangen::Man::new(page.clone())
            .render(&mut text)
            .map_err(|e| Error::new(Kind::Other, "the manual could not be made").with_cause(e))?;
        for sub in page.get_subcommands().filter(|s| !s.is_hide_set() && s.get_name() != "help") {
            pages.push(sub.clone().display_name(format!("{prefix}-{}", sub.get_name())));
        }
    }
    context.renderer.out(&String::from_utf8_lossy(&text));
    Ok(DONE)
}
