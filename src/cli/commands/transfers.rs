//! `haul transfers`: what a killed run left unfinished, here and on the server.

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::sync::SyncJob;
use super::{apply, cp, get, put, sync};
use crate::cli::connection::ConnectArgs;
use crate::cli::context::Context;
use crate::cli::filter_args::SelectionArgs;
use crate::cli::list_args;
use crate::cli::receipt::ReceiptArgs;
use crate::cli::requests::{CarryArgs, CopyRequest, GetRequest, PutRequest};
use crate::cli::runs;
use crate::cli::runs::{CarryVerb, Noted};
use crate::cli::transfer_args::{MetadataArgs, TransferArgs};
use crate::contract::{PendingUpload, TransferStore};
use crate::error::{Kind, Result};
use crate::model::{Address, Entry, EntryKind, Report};
use crate::render::{Tally, View, exit};
use crate::transfer::remote_ops::Op;
use crate::transfer::upload::journal::JournalRecord;
use crate::transfer::upload::resume::{Leftover, cleanup_request, discard_partial};

/// List, resume or clear what an interrupted run left unfinished
///
/// Examples:
///   haul transfers list
///   haul transfers resume studio
#[derive(Subcommand)]
#[command(verbatim_doc_comment)]
pub enum TransfersVerb {
    List(TransfersListArgs),
    Resume(ResumeArgs),
    Clear(ClearArgs),
}

/// List commands and uploads that were started and not finished
///
/// Examples:
///   haul transfers list
///   haul transfers list --json | jq -r .source
///
/// For each interrupted command: how many of its files are done, were in progress,
/// and were not started. Below it, each upload that was in progress.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct TransfersListArgs {}

/// Resume all of them, or those of one remote
///
/// Examples:
///   haul transfers resume
///   haul transfers resume studio --bwlimit 10M
///
/// An interrupted command (put, get, cp, mv, sync) is finished, as if you typed it
/// again: complete files are skipped, started files are resumed, the rest is sent.
/// The options here set only how it runs; the command itself stays as typed.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ResumeArgs {
    /// Only those of this remote
    #[arg(value_name = "REMOTE")]
    pub remote: Option<String>,
    #[command(flatten)]
    pub receipts: ReceiptArgs,
    #[command(flatten)]
    pub transfer: TransferArgs,
}

/// Forget them, and remove their bytes from the server if its API can
///
/// Examples:
///   haul transfers clear studio
///   haul transfers clear --json | jq -r .empty
///
/// Shows for each what was removed and what stays. ioGates can't remove entries:
/// the empty entry of a file stays, but other files can have its name.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ClearArgs {
    /// Only those of this remote
    #[arg(value_name = "REMOTE")]
    pub remote: Option<String>,
    /// Show what would be done, and do nothing
    #[arg(short = 'n', long, env = "HAUL_DRY_RUN", value_parser = clap::builder::BoolishValueParser::new())]
    pub dry_run: bool,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

pub async fn run(context: &mut Context, verb: TransfersVerb) -> Result<u8> {
    match verb {
        TransfersVerb::List(_) => list(context),
        TransfersVerb::Resume(args) => resume(context, args).await,
        TransfersVerb::Clear(args) => clear(context, args).await,
    }
}

fn list(context: &mut Context) -> Result<u8> {
    context.show_as(View::Row, false, false);
    runs::list(context);
    for left in context.state().pending_uploads()? {
        context.renderer.report(&report(left));
    }
    Ok(exit::DONE)
}

fn report(left: PendingUpload) -> Report {
    let PendingUpload { remote, path, source, size, accepted, at, .. } = left;
    let path = Address::parse(&Address::text(&remote, &path)).ok().flatten().map(|address| address.place.path).unwrap_or_default();
    Report::Transfers { remote, path, source, size, accepted, since: chrono::DateTime::from_timestamp(at, 0) }
}

/// The name of the remote; none: all remotes. Fails with `NotFound` where no such remote is configured and nothing was begun on
/// one of that name.
fn wanted_remote(context: &Context, remote: Option<&str>) -> Result<Option<String>> {
    let Some(wanted) = remote.map(Address::parse_remote).transpose()?.map(|address| address.remote) else { return Ok(None) };
    // What was begun on a remote that is no longer configured can still be forgotten. A misspelt name must not look like
    // success.
    if !runs::is_any(context, &wanted) && of_remote(context.state().pending_uploads()?, Some(&wanted)).is_empty() {
        context.config.remote(&wanted)?;
    }
    Ok(Some(wanted))
}

fn of_remote(mut all: Vec<PendingUpload>, remote: Option<&str>) -> Vec<PendingUpload> {
    all.retain(|left| remote.is_none_or(|wanted| left.remote.eq_ignore_ascii_case(wanted)));
    all
}

/// Runs the noted commands again, and then the uploads that belong to none of them. Each goes on where it stopped.
async fn resume(context: &mut Context, args: ResumeArgs) -> Result<u8> {
    let mut tally = Tally::default();
    let remote = wanted_remote(context, args.remote.as_deref())?;
    let alone = of_remote(context.state().pending_without_run(), remote.as_deref());
    resume_runs(context, remote.as_deref(), &args.receipts, &args.transfer, &mut tally).await?;
    for left in alone {
        context.close_remotes();
        let outcome = resume_one(context, &left, &args.receipts, &args.transfer).await;
        match outcome {
            Ok(one) => tally.merge(one),
            Err(error) => {
                let gone = error.kind() == Kind::NotFound && !Path::new(&left.source).exists();
                let error = if gone { error.with_hint("`haul transfers clear` forgets it") } else { error };
                tally.count(&error);
                context.renderer.error(&error);
            }
        }
    }
    context.renderer.report(&tally.summary());
    Ok(tally.status())
}

/// A file whose command is no longer noted.
async fn resume_one(context: &mut Context, left: &PendingUpload, receipts: &ReceiptArgs, transfer: &TransferArgs) -> Result<Tally> {
    let place = Address::text(&left.remote, &left.path);
    let (target, places) = (Address::parse_remote(&place)?, vec![left.source.clone(), place]);
    let (selection, list) = (SelectionArgs::default(), list_args::ListArgs::default());
    let options = CarryArgs { receipts: receipts.clone(), selection, list, transfer: transfer.clone() };
    // A local source is noted as an absolute path.
    if Path::new(&left.source).is_absolute() {
        let noted = Noted::new(CarryVerb::Put, places, false, transfer);
        let (sources, metadata) = (vec![left.source.clone()], MetadataArgs::default());
        let request = PutRequest { sources, target, stdin_size: None, metadata, options };
        return Box::pin(put::execute(context, request, noted)).await;
    }
    let noted = Noted::new(CarryVerb::Cp, places, true, transfer);
    let from = vec![Address::parse_remote(&left.source)?];
    Box::pin(cp::execute(context, CopyRequest { way: Op::Copy, from, to: target, literal: true, options }, noted)).await
}

/// Runs each command again: files that are there are skipped, files that were in flight go on, the rest begins.
async fn resume_runs(
    context: &mut Context,
    remote: Option<&str>,
    receipts: &ReceiptArgs,
    how: &TransferArgs,
    tally: &mut Tally,
) -> Result<()> {
    for (run, noted) in runs::select_runs(context, remote) {
        if context.state().lock_place(&runs::claim_key(&run)).await?.is_none() {
            context.renderer.warning(&format!("{}: another haul is busy with it just now", noted.command_words().join(" ")));
            continue;
        }
        context.close_remotes();
        match run_again(context, &noted, receipts, noted.options(how)).await {
            Ok(one) => tally.merge(one),
            Err(error) => {
                let gone = error.kind() == Kind::NotFound && noted.has_lost_its_sources();
                let error = if gone { error.with_hint("`haul transfers clear` forgets it") } else { error };
                tally.count(&error);
                context.renderer.error(&error);
                // Nothing was sent, and the command is not finished either.
                if !how.dry_run {
                    context.state().begin_run(&run);
                }
            }
        }
    }
    Ok(())
}

async fn run_again(context: &mut Context, noted: &Noted, receipts: &ReceiptArgs, transfer: TransferArgs) -> Result<Tally> {
    let again = noted.repeat(&transfer);
    let Noted { verb, places, literal, attr, kind, selection, list, sync, .. } = noted.clone();
    let metadata = MetadataArgs { attr, kind };
    let Some((last, first)) = places.split_last() else { return Ok(Tally::default()) };
    let from = |places: &[String]| places.iter().map(|place| Address::parse_remote(place)).collect::<Result<Vec<_>>>();
    let options = CarryArgs { receipts: receipts.clone(), selection, list, transfer };
    match verb {
        CarryVerb::Get => {
            let request = GetRequest { sources: from(first)?, local: last.clone(), literal, options };
            Box::pin(get::execute(context, request, again)).await
        }
        CarryVerb::Cp | CarryVerb::Mv => {
            let way = if verb == CarryVerb::Mv { Op::Move } else { Op::Copy };
            let request = CopyRequest { way, from: from(first)?, to: Address::parse_remote(last)?, literal, options };
            Box::pin(cp::execute(context, request, again)).await
        }
        CarryVerb::Sync => {
            let ([from], to) = (first, last.clone()) else { return Ok(Tally::default()) };
            let CarryArgs { receipts, selection, list, transfer } = options;
            let (filter, by_nul) = (sync::filter(&selection, &list, from)?, list.ends_with_nul());
            let (from, sync) = (from.clone(), sync.unwrap_or_default());
            let job = SyncJob { from, to, sync, metadata, filter, transfer, actions: None, plan: false, by_nul };
            Box::pin(job.execute(context, again, &receipts)).await.map(|(tally, _)| tally)
        }
        CarryVerb::Apply => {
            let CarryArgs { receipts, transfer, .. } = options;
            let job = apply::job(Path::new(last), metadata, transfer)?;
            Box::pin(job.execute(context, again, &receipts)).await.map(|(tally, _)| tally)
        }
        CarryVerb::Put => {
            let (sources, target) = (first.to_vec(), Address::parse_remote(last)?);
            Box::pin(put::execute(context, PutRequest { sources, target, stdin_size: None, metadata, options }, again)).await
        }
    }
}

async fn clear(context: &mut Context, args: ClearArgs) -> Result<u8> {
    let mut failed = Vec::new();
    let remote = wanted_remote(context, args.remote.as_deref())?;
    let chosen = of_remote(context.state().pending_uploads()?, remote.as_deref());
    let done = chosen.len();
    let state: Arc<dyn TransferStore> = context.state();
    for left in chosen {
        let place = Address::text(&left.remote, &left.path);
        let Some(_turn) = state.lock_place(&left.key).await? else {
            context.renderer.warning(&format!("{place}: another haul is busy with it just now, so it is left alone"));
            failed.push(Kind::Other);
            continue;
        };
        // Another run may have finished the upload since the list was read.
        let Some(left) = state.pending_upload(&left.key)? else { continue };
        if args.dry_run {
            context.renderer.report(&plan_report(left));
            continue;
        }
        match remove(context, &left, args.connection).await {
            Ok(leftover) => {
                state.forget_pending_upload(&left.key)?;
                if let Some(name) = &leftover.stays {
                    failed.push(Kind::Unsupported);
                    context.renderer.warning(&format!("{place}: {name} can't be removed, and stays on the server"));
                }
                context.renderer.report(&cleared_report(left, leftover));
            }
            Err(error) => {
                failed.push(error.kind());
                // An upload that a later try may still remove must not be forgotten.
                let later = error.kind().is_transient() || error.kind() == Kind::Auth;
                let end = if later { "; it stays in the list" } else { "" };
                context.renderer.warning(&format!("{place}: what was left on the server stays there: {error}{end}"));
                if !later {
                    state.forget_pending_upload(&left.key)?;
                }
            }
        }
    }
    let done = (done - failed.len()) as u64;
    if !runs::clear(context, remote.as_deref(), args.dry_run).await? && failed.is_empty() {
        context.renderer.warning("a command is on its way in another haul just now, so it is left alone");
        failed.push(Kind::Other);
    }
    Ok(exit::merge(done, &failed))
}

/// Sends nothing: whether the server can remove the upload shows when it is removed.
fn plan_report(left: PendingUpload) -> Report {
    let (source, size) = (Some(left.source.clone()), Some(left.size));
    match report(left) {
        Report::Transfers { remote, path, .. } => Report::Planned { action: "clear", source, remote, path, target: None, size },
        other => other,
    }
}

fn cleared_report(left: PendingUpload, leftover: Leftover) -> Report {
    let Leftover { whole, removed, stays, empty } = leftover;
    let source = left.source.clone();
    let (remote, path) = match report(left) {
        Report::Transfers { remote, path, .. } => (remote, path),
        _ => Default::default(),
    };
    Report::Cleared { remote, path, source, whole, removed, stays, empty: empty.map(|id| format!("@{id}")) }
}

/// Removes the incomplete file from the server, as far as its API can.
async fn remove(context: &Context, left: &PendingUpload, connection: ConnectArgs) -> Result<Leftover> {
    let remote = context.open(&left.remote, connection)?;
    let Ok(begun) = serde_json::from_str::<JournalRecord>(&left.upload) else { return Ok(Leftover::default()) };
    let folder = Entry::new(EntryKind::Folder, "", begun.ticket.path.parent().unwrap_or_default());
    let item = cleanup_request(&begun, folder);
    discard_partial(&context.client(&remote), &begun, &item).await
}
