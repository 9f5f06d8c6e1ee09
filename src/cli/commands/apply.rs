//! `haul apply`: what a plan of `haul sync` says.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::sync::SyncJob;
use crate::cli::context::Context;
use crate::cli::plan_file;
use crate::cli::plan_file::PlanHeader;
use crate::cli::receipt::ReceiptArgs;
use crate::cli::transfer_args::{MetadataArgs, TransferArgs};
use crate::error::Result;

/// Carry out a plan that `haul sync --plan` has written
///
/// Examples:
///   haul apply plan.jsonl
///   haul apply --receipt receipt.jsonl plan.jsonl
///
/// Only the actions of the plan are done, and each only if its file has not changed
/// since the plan was made, on both sides: otherwise the action fails (exists,
/// integrity) and changes nothing. Deletions come last, if all else succeeded.
/// After an interruption run the same command again: it resumes.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ApplyArgs {
    /// A file that `haul sync --plan` has written
    #[arg(value_name = "PLAN")]
    pub plan: PathBuf,
    #[command(flatten)]
    pub receipts: ReceiptArgs,
    #[command(flatten)]
    pub metadata: MetadataArgs,
    #[command(flatten)]
    pub transfer: TransferArgs,
}

pub async fn run(context: &mut Context, args: ApplyArgs) -> Result<u8> {
    let (PlanHeader { from, to, options: sync, .. }, actions) = plan_file::read(&args.plan)?;
    let ApplyArgs { receipts, metadata, transfer, .. } = args;
    let job = SyncJob { from, to, sync, metadata, filter: Arc::default(), transfer, actions: Some(actions), plan: false, by_nul: false };
    // A plan is one run's own: who was killed types it again, and what was done is found done.
    let (tally, _) = job.execute(context, None, &receipts).await?;
    context.renderer.report(&tally.summary());
    Ok(tally.status())
}
