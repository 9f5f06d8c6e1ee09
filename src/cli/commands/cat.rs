//! `haul cat`: the content of files on remotes.

use clap::Args;

use super::get::{address, to_stdout};
use crate::cli::context::Context;
use crate::cli::transfer_args::{LiteralArgs, TransferArgs};
use crate::error::Result;

/// Write files to standard output, one after the other
///
/// Examples:
///   haul cat studio:/notes.txt
///   haul cat cloud:/logs/a.gz cloud:/logs/b.gz | zcat | grep error
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct CatArgs {
    /// Files on remotes
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub literal: LiteralArgs,
    #[command(flatten)]
    pub transfer: TransferArgs,
}

pub async fn run(context: &mut Context, args: CatArgs) -> Result<u8> {
    let sources = args.sources.iter().map(|source| address(source)).collect::<Result<Vec<_>>>()?;
    to_stdout(context, sources, args.literal.literal, &args.transfer).await
}
