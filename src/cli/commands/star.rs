//! `haul star` and `haul unstar`: favourites.

use std::time::Duration;

use clap::Args;

use crate::cli::abilities::{STAR, require};
use crate::cli::connection::ConnectArgs;
use crate::cli::context::Context;
use crate::error::Result;
use crate::model::{Address, Report};
use crate::render::exit::DONE;

/// Mark entries as favourites (FileAgo)
///
/// Examples:
///   haul star work:/plans/harbour.dwg
///   haul star work:/plans work:/contracts
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct StarArgs {
    #[command(flatten)]
    pub places: PathsArg,
}

/// Remove the mark as favourite (FileAgo)
///
/// Examples:
///   haul unstar work:/plans/harbour.dwg
///   haul unstar work:@favorites/harbour.dwg
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct UnstarArgs {
    #[command(flatten)]
    pub places: PathsArg,
}

#[derive(Args)]
pub struct PathsArg {
    /// Files and folders
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

pub async fn run(context: &mut Context, args: StarArgs) -> Result<u8> {
    mark(context, args.places, true).await
}

pub async fn run_unstar(context: &mut Context, args: UnstarArgs) -> Result<u8> {
    mark(context, args.places, false).await
}

async fn mark(context: &mut Context, args: PathsArg, starred: bool) -> Result<u8> {
    let addresses = args.places.iter().map(|p| Address::parse_remote(p)).collect::<Result<Vec<_>>>()?;
    for address in addresses {
        let remote = context.open(&address.remote, args.connection)?;
        require(&remote, &STAR)?;
        let calls = context.client(&remote);
        let entry = calls.stat(&address.place).await.map_err(|e| e.with_subject(address.to_string()))?;
        let entry = &entry;
        let star = calls.mutate_once(
            Duration::ZERO,
            |p| async move { p.abilities().stars()?.star(entry, starred).await },
            |p| async move { Ok((p.abilities().stars()?.is_starred(entry).await? == starred).then_some(())) },
        );
        star.await.map_err(|e| e.with_subject(address.to_string()))?;
        let path = address.place.display_path(&address.place.path);
        context.renderer.report(&Report::Star { remote: remote.name.clone(), path, starred });
    }
    Ok(DONE)
}
