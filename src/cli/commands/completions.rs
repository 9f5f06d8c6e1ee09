//! `haul completions`: made from the command tree itself.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::context::Context;
use crate::error::Result;
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

pub fn run(context: &mut Context, args: CompletionsArgs, mut tree: Command) -> Result<u8> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut tree, "haul", &mut text);
    context.renderer.out(&String::from_utf8_lossy(&text));
    Ok(DONE)
}
