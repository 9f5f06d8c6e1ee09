//! `haul stat`: all that a provider tells of a place.

use clap::Args;

use super::desk::Desk;
use super::look::{Found, Look, LookArgs};
use crate::error::Result;
use crate::render::View;

/// Show all that is known of files and folders on a remote
///
/// Examples:
///   haul stat studio:/incoming/film.mov
///   haul stat --json cloud:@file:1253 | jq -r .md5
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct StatArgs {
    /// Where to look; wildcards are taken
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Exact sizes only
    #[arg(long)]
    pub bytes: bool,
    #[command(flatten)]
    pub look: LookArgs,
}

pub async fn run(desk: &mut Desk, args: StatArgs) -> Result<u8> {
    desk.show_as(View::Block, false, args.bytes);
    let mut look = Look::new(args.look);
    for Found { remote, entry } in look.find(desk, &args.places).await? {
        look.show(desk, &remote, entry);
    }
    Ok(look.status())
}
