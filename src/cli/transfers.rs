//! `haul transfers`: what a killed run left unfinished, here and on the server.

use std::path::Path;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::DONE;
use super::cp::{self, CpArgs};
use super::desk::Desk;
use super::put::{self, MetadataArgs, PutArgs, TransferArgs};
use super::receipt::ReceiptArgs;
use crate::contract::{Ledger, Unfinished};
use crate::error::{Error, Kind, Result};
use crate::model::{Address, Entry, EntryKind, Report};
use crate::render::{Tally, View, exit};
use crate::transfer::arrange::Way;
use crate::transfer::journal::Begun;
use crate::transfer::resume::{drop_leftover, leftover_item};

/// What a killed run left unfinished
///
/// Examples:
///   haul transfers list
///   haul transfers resume studio
#[derive(Subcommand)]
#[command(verbatim_doc_comment)]
pub enum TransfersVerb {
    List(ListArgs),
    Resume(ResumeArgs),
    Clear(ClearArgs),
}

/// Uploads that have begun and are not over
///
/// Examples:
///   haul transfers list
///   haul transfers list --json | jq -r .source
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ListArgs {}

/// Take up all of them, or those of one remote
///
/// Examples:
///   haul transfers resume
///   haul transfers resume studio --bwlimit 10M
///
/// What was to be moved from one remote to another is copied; the same mv typed
/// again finishes the move.
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

/// Forget them, and remove what they left on the server as far as its API can
///
/// Examples:
///   haul transfers clear studio
///   haul transfers clear --json
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ClearArgs {
    /// Only those of this remote
    #[arg(value_name = "REMOTE")]
    pub remote: Option<String>,
    #[command(flatten)]
    pub transfer: TransferArgs,
}

pub async fn run(desk: &mut Desk, verb: TransfersVerb) -> Result<u8> {
    match verb {
        TransfersVerb::List(_) => list(desk),
        TransfersVerb::Resume(args) => resume(desk, args).await,
        TransfersVerb::Clear(args) => clear(desk, args).await,
    }
}

fn list(desk: &mut Desk) -> Result<u8> {
    desk.show_as(View::Row, false, false);
    for left in desk.state().all_unfinished()? {
        desk.renderer.report(&report(left));
    }
    Ok(DONE)
}

fn report(left: Unfinished) -> Report {
    let Unfinished { remote, path, source, size, accepted, at, .. } = left;
    let path = Address::parse(&format!("{remote}:{path}")).ok().flatten().map(|address| address.place.path).unwrap_or_default();
    Report::Transfers { remote, path, source, size, accepted, since: chrono::DateTime::from_timestamp(at, 0) }
}

/// Those of `remote`, or all.
fn chosen(desk: &Desk, remote: Option<&str>) -> Result<Vec<Unfinished>> {
    let wanted = remote.map(Address::parse_remote).transpose()?.map(|address| address.remote);
    let mut all = desk.state().all_unfinished()?;
    all.retain(|left| wanted.as_ref().is_none_or(|wanted| left.remote.eq_ignore_ascii_case(wanted)));
    if let Some(wanted) = wanted.filter(|_| all.is_empty()) {
        // What was begun on a remote that is configured no more can still be forgotten; a typing error must not look done.
        desk.config.remote(&wanted)?;
    }
    Ok(all)
}

/// The same command again, file by file: each goes on where it stopped.
async fn resume(desk: &mut Desk, args: ResumeArgs) -> Result<u8> {
    let mut tally = Tally::default();
    for left in chosen(desk, args.remote.as_deref())? {
        let put = PutArgs {
            places: vec![left.source.clone(), format!("{}:{}", left.remote, left.path)],
            size: None,
            recursive: false,
            receipts: args.receipts.clone(),
            metadata: MetadataArgs::default(),
            transfer: args.transfer.clone(),
        };
        // A local source is noted as an absolute path.
        let outcome = match Path::new(&left.source).is_absolute() {
            true => put::carry(desk, put).await,
            false => {
                let PutArgs { places, receipts, transfer, .. } = put;
                cp::carried(desk, Way::Copy, CpArgs { places, recursive: false, literal: true, receipts, transfer }).await
            }
        };
        match outcome {
            Ok(one) => tally.merge(one),
            Err(error) => {
                let gone = error.kind() == Kind::NotFound && !Path::new(&left.source).exists();
                let error = if gone { error.hint("`haul transfers clear` forgets it") } else { error };
                tally.count(&error);
                desk.renderer.error(&error);
            }
        }
    }
    desk.renderer.report(&tally.summary());
    Ok(tally.status())
}

async fn clear(desk: &mut Desk, args: ClearArgs) -> Result<u8> {
    let mut failed = Vec::new();
    let chosen = chosen(desk, args.remote.as_deref())?;
    let done = chosen.len();
    let state: Arc<dyn Ledger> = desk.state();
    for left in chosen {
        let place = format!("{}:{}", left.remote, left.path);
        let Some(_turn) = state.claim(&left.key, false).await? else {
            desk.renderer.warning(&format!("{place}: another haul is busy with it just now, so it is left alone"));
            failed.push(Kind::Other);
            continue;
        };
        // Another run may have brought it to its end since the list was read.
        let Some(left) = state.unfinished(&left.key)? else { continue };
        match remove(desk, &left, &args.transfer).await {
            Ok(()) => state.forget_unfinished(&left.key)?,
            Err(error) => {
                failed.push(error.kind());
                // What a later try may still remove must not be forgotten.
                let later = error.kind().may_pass() || error.kind() == Kind::Auth;
                let end = if later { "; it stays in the list" } else { "" };
                desk.renderer.warning(&format!("{place}: what was left on the server stays there: {error}{end}"));
                if !later {
                    state.forget_unfinished(&left.key)?;
                }
            }
        }
    }
    Ok(exit::merge((done - failed.len()) as u64, &failed))
}

/// Removes the half of a file that lies on the server. What it can't remove it names.
async fn remove(desk: &Desk, left: &Unfinished, args: &TransferArgs) -> Result<()> {
    let remote = desk.open(&left.remote, args.timeout)?;
    let Ok(begun) = serde_json::from_str::<Begun>(&left.upload) else { return Ok(()) };
    let folder = Entry::new(EntryKind::Folder, "", begun.ticket.path.parent().unwrap_or_default());
    let item = leftover_item(&begun, folder);
    let calls = desk.calls(&remote);
    match drop_leftover(&calls, &begun, &item).await? {
        None => Ok(()),
        Some(name) => Err(Error::new(Kind::Unsupported, format!("{name} can't be removed"))),
    }
}
