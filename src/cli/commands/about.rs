//! `haul about`: account, package, quota, limits, upload protocols on offer.

use clap::Args;

use crate::cli::connection::ConnectArgs;
use crate::cli::context::Context;
use crate::error::Result;
use crate::model::{Address, Report};
use crate::render::exit::DONE;

/// Show account, package, quota, limits and upload protocols of a remote
///
/// Examples:
///   haul about studio:
///   haul about --json studio: | jq .quota.free
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct AboutArgs {
    /// The remote's name
    #[arg(value_name = "REMOTE:")]
    pub remote: String,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

pub async fn run(context: &mut Context, args: AboutArgs) -> Result<u8> {
    let remote = context.open(&Address::parse_remote(&args.remote)?.remote, args.connection)?;
    let calls = context.client(&remote);
    let account = calls.call(|p| p.sign_in()).await?;
    context.renderer.report(&Report::About { remote: remote.name, provider: remote.provider.info().id, account: Box::new(account) });
    Ok(DONE)
}
