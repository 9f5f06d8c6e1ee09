//! `haul providers`: the table of what each provider can do, produced by asking the providers themselves.

use clap::Args;

use crate::cli::abilities::provider_line;
use crate::cli::context::Context;
use crate::error::Result;
use crate::model::Report;
use crate::providers::REGISTRY;
use crate::render::exit::DONE;

/// Show what each provider can do
///
/// Examples:
///   haul providers
///   haul providers --json | jq 'select(.abilities.folders)'
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ProvidersArgs {
    /// As a Markdown table
    #[arg(long, hide = true)]
    pub markdown: bool,
}

pub fn run(context: &mut Context, args: ProvidersArgs) -> Result<u8> {
    let lines = REGISTRY.iter().map(|info| provider_line(info)).collect::<Result<Vec<_>>>()?;
    if args.markdown {
        context.renderer.out(&crate::render::providers_markdown(&lines));
        return Ok(DONE);
    }
    for line in lines {
        context.renderer.report(&Report::Providers(line));
    }
    Ok(DONE)
}
