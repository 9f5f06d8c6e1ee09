//! `haul cp`, and what it has in common with `haul mv`: sources and a target, on one remote or on two.

use std::collections::HashSet;
use std::sync::Arc;

use clap::Args;

use crate::cli::abilities::{COPY, DOWNLOAD, MOVE, REMOVE, require};
use crate::cli::context::{Context, OpenRemote};
use crate::cli::glob::{Places, failure};
use crate::cli::list_args::{ListArgs, ListedAddress};
use crate::cli::receipt::ReceiptArgs;
use crate::cli::requests::{CarryArgs, CopyRequest};
use crate::cli::runs::{CarryVerb, Noted};
use crate::cli::transfer_args::{LiteralArgs, TransferArgs, from_and_to, transfer_client};
use crate::cli::transfer_run::{TransferRun, conclude};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{Address, Event, RemotePath, Report};
use crate::render::Tally;
use crate::transfer::IfExists;
use crate::transfer::filter::Filter;
use crate::transfer::put::cross_remote::{CopySource, copy_between};
use crate::transfer::put::{PutJob, PutOptions};
use crate::transfer::remote_ops::{CopyFrom, Op, ServerSideJob, copy_or_move};
use crate::transfer::source::stdin::WINDOW;

pub(crate) const IF_EXISTS: &str = "update (replace unless provably the same), replace, skip, rename or fail \
    [default: fail on one remote, update between two]";

/// Copy on the server, or between two remotes
///
/// Examples:
///   haul cp work:/plans/harbour.dwg work:/archive/
///   haul cp cloud:/2025/report.pdf cloud:/2026/report-draft.pdf
///
/// TO is a folder when it ends in "/", names an existing folder, or when there
/// are several sources; missing folders are made. Otherwise TO is the copy's new
/// name. Folders are copied whole.
///
/// From one remote to another each file streams through this machine; nothing is
/// stored here. After an interruption run the same command again: it resumes.
/// MD5s are compared if they are known, else sizes. Types and attributes are copied
/// if both remotes are ioGates; times, comments and descriptions are not copied.
#[derive(Args)]
#[command(verbatim_doc_comment, override_usage = "haul cp [OPTIONS] <FROM>... <TO>")]
#[command(mut_arg("if_exists", |arg| arg.help(IF_EXISTS)))]
pub struct CpArgs {
    /// Sources; and last, the target
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Folders are always taken whole; accepted for the fingers' sake
    #[arg(short, long, hide = true)]
    pub recursive: bool,
    #[command(flatten)]
    pub literal: LiteralArgs,
    #[command(flatten)]
    pub options: CarryArgs,
}

pub async fn run(context: &mut Context, args: CpArgs) -> Result<u8> {
    let CpArgs { places, recursive: _, literal, options } = args;
    run_job(context, Op::Copy, places, literal, options).await
}

/// The whole of `cp` and `mv`.
pub async fn run_job(context: &mut Context, way: Op, places: Vec<String>, literal: LiteralArgs, options: CarryArgs) -> Result<u8> {
    let LiteralArgs { literal } = literal;
    let noted = run_note(way, &places, literal, &options);
    let (from, to) = match places.as_slice() {
        [to] if options.list.is_given() => (&[][..], to.as_str()),
        places => from_and_to(places, if way == Op::Move { "mv FROM… TO" } else { "cp FROM… TO" })?,
    };
    let from = from.iter().map(|text| remote_address(text)).collect::<Result<Vec<_>>>()?;
    let tally = execute(context, CopyRequest { way, from, to: remote_address(to)?, literal, options }, noted).await?;
    context.renderer.report(&tally.summary());
    Ok(tally.status())
}

/// None: it leaves nothing that could be taken up.
fn run_note(way: Op, places: &[String], literal: bool, options: &CarryArgs) -> Option<Noted> {
    let CarryArgs { receipts: _, selection, list, transfer } = options;
    let list = list.absolute()?;
    let noted = Noted::new(if way == Op::Move { CarryVerb::Mv } else { CarryVerb::Cp }, places.to_vec(), literal, transfer)?;
    Some(Noted { list, ..noted.choosing(selection) })
}

/// As `run_job`, but the caller prints the last line.
pub(crate) async fn execute(context: &mut Context, request: CopyRequest, noted: Option<Noted>) -> Result<Tally> {
    let CopyRequest { way, mut from, mut to, literal, options } = request;
    let CarryArgs { receipts, selection, list, transfer: args } = options;
    let (filter, args) = (Arc::new(selection.filter()?), &args);
    let listed = list.read_addresses(context, &from)?;
    let (is_listed, several) = (listed.is_some(), listed.is_some() || from.len() > 1);
    let base = from.first().cloned();
    let mut of_list = None;
    if let Some(listed) = listed {
        let chosen = from_list(context, base.as_ref(), listed)?;
        from = chosen.found.iter().map(|from| from.address.clone()).collect();
        of_list = Some(chosen);
    }
    // This is checked before anything is sent, and so before wildcards are expanded.
    let target = context.open(&to.remote, args.connection)?;
    let open = |source: &Address| context.open(&source.remote, args.connection);
    for source in from.iter().map(open) {
        let source = source?;
        if source.key != target.key {
            require_between(&source, way)?;
        } else if source.name == target.name {
            check_ability(&source, way)?;
        }
    }
    let (from, failed) = match of_list {
        Some(FromList { found, failed }) => (found, failed),
        None => {
            let Places { found, failed } = crate::cli::glob::places(context, from, literal, args.connection).await?;
            let failed = failed.iter().map(|(address, error)| failure(address, error)).collect();
            (found.into_iter().map(CopyFrom::from).collect(), failed)
        }
    };
    // The meaning of TO must not depend on how many of the sources exist.
    to.folder |= several;
    let remote = context.open(&to.remote, args.connection)?;
    let sources = from.iter().map(|from| open(&from.address)).collect::<Result<Vec<_>>>()?;
    // Two remotes of one account are treated as one remote, if its server can copy or move.
    let one_account = sources.iter().all(|source| source.key == remote.key);
    let one_name = sources.iter().all(|source| source.name == remote.name);
    if !one_account || (!one_name && check_ability(&remote, way).is_err()) {
        return between_remotes(context, way, (sources, from), failed, (remote, to), (args, &receipts, noted), (filter, list)).await;
    }
    check_ability(&remote, way)?;
    if receipts.receipt.is_some() {
        context.renderer.warning("a receipt names what came through this machine; what a server copies itself gets no line in it");
    }
    let (run, events) = TransferRun::begin(context, noted, &remote.name, (&receipts, args.dry_run)).await?;
    report_failures(&failed, &events);
    let job = ServerSideJob {
        client: transfer_client(args, &remote, events),
        ledger: remote.ledger.clone(),
        remote_key: remote.key.clone(),
        way,
        to: Address { remote: remote.name.clone(), ..to },
        if_exists: args.if_exists.unwrap_or(IfExists::Fail),
        jobs: args.jobs as usize,
        dry_run: args.dry_run,
        fail_fast: args.fail_fast,
        filter: filter.clone(),
    };
    let ((), tally) = run.with_list(None, list.ends_with_nul()).follow(context, Box::pin(copy_or_move(job, &from))).await?;
    conclude(context, &filter, is_listed, &tally)?;
    Ok(tally)
}

/// Reports the sources that do not exist where others do.
fn report_failures(failed: &[Report], events: &Events) {
    for failed in failed {
        events.send(Event::Finished { id: u64::MAX, report: Box::new(failed.clone()) });
    }
}

/// What a list names.
struct FromList {
    found: Vec<CopyFrom>,
    failed: Vec<Report>,
}

fn from_list(context: &Context, base: Option<&Address>, listed: Vec<ListedAddress>) -> Result<FromList> {
    let (mut chosen, mut seen) = (FromList { found: Vec::new(), failed: Vec::new() }, HashSet::new());
    // As the folder itself would land.
    let own = base.and_then(|base| base.place.path.name()).map(|name| RemotePath::root().join(name)).transpose()?.unwrap_or_default();
    for ListedAddress { line, address, below } in listed {
        let mut address = match address {
            Ok(address) => address,
            Err(error) => {
                chosen.failed.push(Report::Failed(Failure::new(&error).of_source(line)));
                continue;
            }
        };
        address.remote = context.config.remote(&address.remote)?.name;
        if !seen.insert(address.clone()) {
            continue;
        }
        let within = below.as_ref().and_then(RemotePath::parent);
        let below = within.as_ref().map(|within| own.join_path(within)).unwrap_or_default();
        chosen.found.push(CopyFrom { address, below, within });
    }
    Ok(chosen)
}

/// Carries files between two remotes: they are streamed through this machine.
async fn between_remotes(
    context: &mut Context,
    way: Op,
    from: (Vec<OpenRemote>, Vec<CopyFrom>),
    failed: Vec<Report>,
    (remote, to): (OpenRemote, Address),
    (args, receipts, noted): (&TransferArgs, &ReceiptArgs, Option<Noted>),
    (filter, list): (Arc<Filter>, ListArgs),
) -> Result<Tally> {
    let (run, events) = TransferRun::begin(context, noted, &remote.name, (receipts, args.dry_run)).await?;
    report_failures(&failed, &events);
    let source = |(remote, from): (&OpenRemote, CopyFrom)| CopySource {
        client: transfer_client(args, remote, events.clone()),
        ledger: remote.ledger.clone(),
        key: remote.key.clone(),
        from,
    };
    let sources = from.0.iter().zip(from.1).map(source).collect();
    let job = PutJob {
        client: transfer_client(args, &remote, events),
        ledger: remote.ledger.clone(),
        remote_key: remote.key.clone(),
        target: Address { remote: remote.name.clone(), ..to },
        // A part is held in memory until it is accepted, because nothing is stored here.
        options: PutOptions { chunk_size: Some(args.chunk_size.unwrap_or(WINDOW)), ..args.put_options(&remote, &filter)? },
    };
    let work = Box::pin(copy_between(job, sources, way == Op::Move));
    let ((), tally) = run.with_list(None, list.ends_with_nul()).follow(context, work).await?;
    conclude(context, &filter, list.is_given(), &tally)?;
    Ok(tally)
}

fn check_ability(remote: &OpenRemote, way: Op) -> Result<()> {
    match way {
        Op::Move => require(remote, &MOVE),
        Op::Copy => require(remote, &COPY),
    }
}

/// What a remote must be able to do so that its files can be brought to another remote.
fn require_between(source: &OpenRemote, way: Op) -> Result<()> {
    require(source, &DOWNLOAD)?;
    if way == Op::Move { require(source, &REMOVE) } else { Ok(()) }
}

fn remote_address(text: &str) -> Result<Address> {
    Address::parse(text)?.ok_or_else(|| {
        Error::new(Kind::Usage, "this is a local path, not a place on a remote")
            .with_subject(text)
            .with_hint("`haul put` and `haul get` copy files between this machine and a remote")
    })
}
