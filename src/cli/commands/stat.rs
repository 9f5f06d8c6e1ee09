//! `haul stat`: all that a provider reports about a place.

use clap::Args;

use crate::cli::abilities::STAT;
use crate::cli::context::Context;
use crate::cli::file_times::FileTimes;
use crate::cli::listing::{Lister, LookArgs};
use crate::error::Result;
use crate::render::View;

/// Show all details of files and folders on a remote
///
/// Examples:
///   haul stat studio:/incoming/film.mov
///   haul stat --json studio:/incoming/film.mov | jq -r .md5
///
/// giga0 lists no times, so each file takes a request of its own, --jobs at the
/// same time.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct StatArgs {
    /// Folders or files; wildcards are expanded
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Show only exact sizes in bytes
    #[arg(long)]
    pub bytes: bool,
    #[command(flatten)]
    pub look: LookArgs,
}

pub async fn run(context: &mut Context, args: StatArgs) -> Result<u8> {
    context.show_as(View::Block, false, args.bytes);
    let mut look = Lister::new(args.look, &STAT);
    let mut dates = FileTimes::new(look.jobs());
    for found in look.find(context, &args.places).await? {
        if let Some(dated) = dates.add(context, found).await {
            look.on_stat(context, dated)?;
        }
        if context.renderer.is_closed() {
            return Ok(look.status());
        }
    }
    while let Some(dated) = dates.next().await {
        look.on_stat(context, dated)?;
    }
    Ok(look.status())
}
