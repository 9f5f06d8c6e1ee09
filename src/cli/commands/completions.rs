//! `haul completions`: the script that a shell reads once, so that it asks haul while a user types.

use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::cli::complete;
use crate::cli::context::Context;
use crate::error::Result;
use crate::render::exit::DONE;

/// Print shell completions, also for remotes and paths on remotes
///
/// Examples:
///   haul completions bash > ~/.local/share/bash-completion/completions/haul
///   haul completions zsh > ~/.zfunc/_haul
///   haul completions fish > ~/.config/fish/completions/haul.fish
///   haul completions nushell > ~/.config/nushell/autoload/haul.nu
///
/// For PowerShell add to the profile: haul completions powershell | Out-String |
/// Invoke-Expression. Paths on remotes come from a listing that is kept for a
/// short time. Completion never asks for a password or runs a command for a secret.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct CompletionsArgs {
    /// bash, zsh, fish, powershell or nushell
    #[arg(hide_possible_values = true, value_parser = PossibleValuesParser::new(complete::SHELLS))]
    pub shell: String,
}

pub fn run(context: &mut Context, args: CompletionsArgs) -> Result<u8> {
    context.renderer.out(complete::script(&args.shell));
    Ok(DONE)
}
