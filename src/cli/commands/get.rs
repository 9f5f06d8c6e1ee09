//! `haul get`: files and folders from remotes.

use std::pin::pin;
use std::sync::Arc;

use clap::Args;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::cli::abilities::{DOWNLOAD, require};
use crate::cli::context::{Context, OpenRemote};
use crate::cli::filter_args::SelectionArgs;
use crate::cli::glob::{FailedRemotes, drop_nested, expand, failure};
use crate::cli::receipt::{ReceiptArgs, Receipts};
use crate::cli::runs;
use crate::cli::runs::{Carries, Noted, absolute};
use crate::cli::transfer_args::{TransferArgs, transfer_client};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::{Address, Entry, Event};
use crate::render::{Renderer, Tally, exit};
use crate::transfer::get::stdout::write_to_stdout;
use crate::transfer::get::{GetOptions, GetSource, get};

/// Download files and folders, or to standard output
///
/// Examples:
///   haul get studio:/rushes/day-1 .
///   haul get cloud:/backups/shop.sql.gz - | gunzip | psql shop
///
/// LOCAL is the working directory unless given. It is a folder when it ends in
/// "/", names an existing folder, or when there are several sources or a folder
/// among them; then each source lands in it under its own name, and missing
/// folders are made. Otherwise LOCAL is the file's new name. "studio:/dir/" gets
/// what is inside of dir. Quote wildcards: haul get "studio:/rushes/*.mov".
#[derive(Args)]
#[command(verbatim_doc_comment, override_usage = "haul get [OPTIONS] <REMOTE:PATH>... [LOCAL]")]
pub struct GetArgs {
    /// Files and folders on remotes; and last, LOCAL, or "-" for standard output
    #[arg(required = true, value_name = "PLACE")]
    pub places: Vec<String>,
    #[command(flatten)]
    pub wild: WildArgs,
    /// Folders are always taken whole; accepted for the fingers' sake
    #[arg(short, long, hide = true)]
    pub recursive: bool,
    #[command(flatten)]
    pub receipts: ReceiptArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub transfer: TransferArgs,
}

#[derive(Args, Clone)]
pub struct WildArgs {
    /// Take every character of a remote path as it stands, "*", "?" and "[" too
    #[arg(long)]
    pub literal: bool,
}

pub async fn run(context: &mut Context, args: GetArgs) -> Result<u8> {
    let (sources, local) = addresses(args.places.clone())?;
    if local == "-" {
        return to_stdout(context, sources, args.wild.literal, &args.transfer).await;
    }
    let tally = carry(context, args).await?;
    context.renderer.report(&tally.summary());
    Ok(tally.status())
}

/// `local`: where the files go.
fn noted_run(args: &GetArgs, local: &str) -> Option<Noted> {
    let GetArgs { places, wild: WildArgs { literal }, recursive: _, receipts: _, selection, transfer } = args;
    let is_place = |place: &&String| Address::parse(place).is_ok_and(|address| address.is_some());
    let mut places: Vec<String> = places.iter().filter(is_place).cloned().collect();
    places.push(absolute(local));
    Some(Noted::new(Carries::Get, places, *literal, transfer)?.choosing(selection))
}

/// The whole of a get to files but its last line.
pub(crate) async fn carry(context: &mut Context, args: GetArgs) -> Result<Tally> {
    let (sources, local) = addresses(args.places.clone())?;
    let filter = Arc::new(args.selection.filter()?);
    let remote = sources.first().map(|source| source.remote.clone()).unwrap_or_default();
    let run = runs::begin(context, noted_run(&args, &local), &remote).await?;
    let receipts = Receipts::open(&args.receipts, args.transfer.dry_run, &context.renderer)?.of_run(run);
    let ((events, noted), (shown, receiver)) = (Events::channel(), Events::channel());
    let several = sources.len() > 1;
    let (origins, failed) = open_sources(context, sources, args.wild.literal, &args.transfer, &events).await?;
    for (address, error) in failed {
        events.tell(Event::Finished { id: u64::MAX, report: Box::new(failure(&address, &error)) });
    }
    drop(events);
    let options = GetOptions {
        several,
        if_exists: args.transfer.if_exists.unwrap_or(crate::transfer::IfExists::Update),
        checksum: args.transfer.checksum,
        jobs: args.transfer.jobs as usize,
        streams: args.transfer.streams as usize,
        dry_run: args.transfer.dry_run,
        fail_fast: args.transfer.fail_fast,
        filter: filter.clone(),
    };
    let (outcome, noted, tally) =
        tokio::join!(get(origins, &local, options), receipts.tee(noted, shown), context.renderer.follow(receiver));
    outcome?;
    noted?;
    filter.conclude(false, tally.failed > 0)?.iter().for_each(|warning| context.renderer.warning(warning));
    Ok(tally)
}

/// Standard output takes the bytes, so nothing else goes there: no events, and no line for a finished file. A file that fails
/// is reported, and the other files follow.
pub async fn to_stdout(context: &mut Context, sources: Vec<Address>, literal: bool, transfer: &TransferArgs) -> Result<u8> {
    if context.renderer.style().json {
        return Err(Error::new(Kind::Usage, "--json and the file can't both have standard output").with_hint("get the file to a name"));
    }
    let (events, told) = Events::channel();
    let several = sources.len() > 1;
    let (origins, missing) = open_sources(context, sources, literal, transfer, &events).await?;
    let several = several || origins.len() > 1;
    let mut failed: Vec<Kind> = missing.iter().map(|(_, error)| error.kind()).collect();
    for (address, error) in missing {
        events.tell(Event::Finished { id: u64::MAX, report: Box::new(failure(&address, &error)) });
    }
    let pouring = write_to_stdout(origins, several, transfer.checksum, Box::new(context.renderer.pipe()));
    let telling = async {
        match context.renderer.style().draws_beside_output() {
            true => drop(context.renderer.watch(told).await),
            false => print_events(&context.renderer, told).await,
        }
    };
    let outcome = match select(pin!(pouring), pin!(telling)).await {
        Either::Left((outcome, telling)) => {
            // The last failure that was reported.
            let _ = telling.now_or_never();
            outcome
        }
        Either::Right(((), pouring)) => pouring.await,
    };
    // A reader that has enough (`haul cat … | head`) closes the pipe.
    if context.renderer.closed() {
        return Ok(exit::DONE);
    }
    let poured = outcome?;
    failed.extend(poured.failed);
    Ok(exit::merge(poured.done, &failed))
}

async fn print_events(renderer: &Renderer, mut told: UnboundedReceiver<Event>) {
    while let Some(event) = told.recv().await {
        match event {
            Event::Warning(text) => renderer.warning(&text),
            Event::Finished { report, .. } => renderer.report(&report),
            Event::Note(text) | Event::Waiting { why: text, .. } => renderer.note(&text),
            _ => {}
        }
    }
}

/// The last argument is LOCAL when it is no address.
fn addresses(mut sources: Vec<String>) -> Result<(Vec<Address>, String)> {
    let local = match sources.last() {
        Some(last) if sources.len() > 1 && Address::parse(last)?.is_none() => sources.pop(),
        _ => None,
    };
    let parsed = sources.iter().map(|source| address(source)).collect::<Result<Vec<_>>>()?;
    Ok((parsed, local.unwrap_or_else(|| ".".to_owned())))
}

pub fn address(text: &str) -> Result<Address> {
    Address::parse(text)?.ok_or_else(|| {
        Error::new(Kind::Usage, "this is no place on a remote")
            .with_subject(text)
            .with_hint("write it as REMOTE:PATH; `haul ls` lists the remotes")
    })
}

/// The entries that the addresses name, and the addresses that name nothing where others do. Each remote has one provider, so
/// that its token and its listings are shared.
async fn open_sources(
    context: &Context,
    sources: Vec<Address>,
    literal: bool,
    transfer: &TransferArgs,
    events: &Events,
) -> Result<(Vec<GetSource>, Vec<(Address, Error)>)> {
    let (mut open, mut origins): (Vec<OpenRemote>, Vec<GetSource>) = (Vec::new(), Vec::new());
    let (mut failed, mut lost) = (Vec::new(), FailedRemotes::of(sources.len()));
    for mut address in sources {
        address.remote = context.config.remote(&address.remote)?.name;
        let at = match open.iter().position(|remote| remote.name == address.remote) {
            Some(at) => at,
            None => {
                let remote = context.open(&address.remote, transfer.connection())?;
                require(&remote, &DOWNLOAD)?;
                open.push(remote);
                open.len() - 1
            }
        };
        let Some(remote) = open.get(at) else { continue };
        let found = async || {
            let entries = drop_nested(expand(context, remote, &address, literal).await?);
            entries.into_iter().map(|entry| origin(remote, &address, entry, transfer, events)).collect::<Result<Vec<_>>>()
        };
        let found = match lost.ask(&address, found).await? {
            Ok(found) => found,
            Err(error) => {
                failed.push((address, error));
                continue;
            }
        };
        for mut origin in found {
            // One limit for all.
            origin.client.limit = origins.first().map_or(origin.client.limit, |first| first.client.limit.clone());
            origins.push(origin);
        }
    }
    Ok((origins, failed))
}

fn origin(remote: &OpenRemote, address: &Address, entry: Entry, transfer: &TransferArgs, events: &Events) -> Result<GetSource> {
    if address.folder && !entry.is_folder() {
        return Err(Error::new(Kind::NotFound, "this is a file, not a folder")
            .with_subject(address.to_string())
            .with_hint("leave out the last slash"));
    }
    // `remote:/dir/` and the root mean what is inside of the folder. An entry that fits a wildcard is meant itself.
    let named = address.place.path.name().is_none_or(|name| name == entry.name);
    Ok(GetSource {
        client: transfer_client(transfer, remote, events.clone()),
        ledger: remote.ledger.clone(),
        key: remote.key.clone(),
        contents: address.folder && named,
        address: address.clone(),
        entry,
    })
}
