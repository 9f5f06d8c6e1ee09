//! `haul apply`: carries out a plan of `haul sync`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::sync::SyncJob;
use crate::cli::context::Context;
use crate::cli::plan_file;
use crate::cli::plan_file::PlanHeader;
use crate::cli::receipt::ReceiptArgs;
use crate::cli::runs::{CarryVerb, Noted, absolute};
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
    let ApplyArgs { plan, receipts, metadata, transfer } = args;
    let noted = noted_run(&plan, &metadata, &transfer);
    let (tally, _) = job(&plan, metadata, transfer)?.execute(context, noted, &receipts).await?;
    context.renderer.report(&tally.summary());
    Ok(tally.status())
}

/// Reads a plan, and returns the job that carries out the plan. Fails as [`plan_file::read`].
pub(super) fn job(plan: &Path, metadata: MetadataArgs, transfer: TransferArgs) -> Result<SyncJob> {
    let (PlanHeader { from, to, options: sync, .. }, actions) = plan_file::read(plan)?;
    Ok(SyncJob { from, to, sync, metadata, filter: Arc::default(), transfer, actions: Some(actions), plan: false, by_nul: false })
}

/// Returns the note that lets a later command resume this run; none for a dry run. The later run skips the actions that are done.
fn noted_run(plan: &Path, metadata: &MetadataArgs, transfer: &TransferArgs) -> Option<Noted> {
    let noted = Noted::new(CarryVerb::Apply, vec![absolute(&plan.to_string_lossy())], true, transfer)?;
    let MetadataArgs { attr, kind } = metadata.clone();
    Some(Noted { attr, kind, ..noted })
}
