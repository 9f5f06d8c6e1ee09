//! `haul get`: files and folders from remotes.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;

use clap::Args;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::cli::abilities::{DOWNLOAD, require};
use crate::cli::context::{Context, OpenRemote};
use crate::cli::glob::{FailedRemotes, drop_nested, expand, failure};
use crate::cli::list_args::ListedAddress;
use crate::cli::requests::{CarryArgs, GetRequest};
use crate::cli::runs::{CarryVerb, Noted, absolute};
use crate::cli::transfer_args::{LiteralArgs, TransferArgs, transfer_client};
use crate::cli::transfer_run::{TransferRun, conclude};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{Address, Entry, Event, RemotePath, Report};
use crate::render::{Renderer, Tally, exit};
use crate::transfer::filter::is_pattern;
use crate::transfer::get::stdout::write_to_stdout;
use crate::transfer::get::{GetOptions, GetSource, get};
use crate::transfer::remote_ops::Resolver;
use crate::transfer::walk::is_fatal;

/// Download files and folders, or to standard output
///
/// Examples:
///   haul get studio:/rushes/day-1 .
///   haul get cloud:/backups/shop.sql.gz - | gunzip | psql shop
///
/// LOCAL is the working directory unless given. It is a folder when it ends in
/// "/", names an existing folder, or when there are several sources or a folder
/// among them; then each source goes into it under its own name, and missing
/// folders are made. Otherwise LOCAL is the file's new name. "studio:/dir/" gets
/// the content of dir. Quote wildcards: haul get "studio:/rushes/*.mov".
#[derive(Args)]
#[command(verbatim_doc_comment, override_usage = "haul get [OPTIONS] <REMOTE:PATH>... [LOCAL]")]
pub struct GetArgs {
    /// Files and folders on remotes; and last, LOCAL, or "-" for standard output
    #[arg(required_unless_present_any = ["files_from", "files_from0"], value_name = "PLACE")]
    pub places: Vec<String>,
    #[command(flatten)]
    pub literal: LiteralArgs,
    /// Folders are always taken whole; accepted for the fingers' sake
    #[arg(short, long, hide = true)]
    pub recursive: bool,
    #[command(flatten)]
    pub options: CarryArgs,
}

pub async fn run(context: &mut Context, args: GetArgs) -> Result<u8> {
    let (request, noted) = request(args)?;
    let GetRequest { sources, local, literal, options } = request;
    if local == "-" {
        if options.list.is_given() {
            return Err(Error::new(Kind::Usage, "a list of files can't go to standard output").with_hint("get the files into a folder"));
        }
        return to_stdout(context, sources, literal, &options.transfer).await;
    }
    let tally = execute(context, GetRequest { sources, local, literal, options }, noted).await?;
    context.renderer.report(&tally.summary());
    Ok(tally.status())
}

fn request(args: GetArgs) -> Result<(GetRequest, Option<Noted>)> {
    let GetArgs { places, literal: LiteralArgs { literal }, recursive: _, options } = args;
    let (sources, local) = addresses(places.clone(), options.list.is_given())?;
    let noted = run_note(&places, &local, literal, &options);
    Ok((GetRequest { sources, local, literal, options }, noted))
}

/// None: it leaves nothing that could be taken up.
fn run_note(places: &[String], local: &str, literal: bool, options: &CarryArgs) -> Option<Noted> {
    let CarryArgs { receipts: _, selection, list, transfer } = options;
    let is_place = |place: &&String| Address::parse(place).is_ok_and(|address| address.is_some());
    let mut places: Vec<String> = places.iter().filter(is_place).cloned().collect();
    places.push(absolute(local));
    let list = list.absolute()?;
    Some(Noted { list, ..Noted::new(CarryVerb::Get, places, literal, transfer)?.choosing(selection) })
}

/// The whole of a get to files but its last line.
pub(crate) async fn execute(context: &mut Context, request: GetRequest, noted: Option<Noted>) -> Result<Tally> {
    let GetRequest { sources, local, literal, options } = request;
    let CarryArgs { receipts, selection, list, transfer } = options;
    let listed = list.read_addresses(context, &sources)?;
    let is_listed = listed.is_some();
    let filter = Arc::new(selection.filter()?);
    let first = listed.iter().flatten().find_map(|listed| listed.address.as_ref().ok());
    let remote = sources.first().or(first).map(|source| source.remote.clone()).unwrap_or_default();
    let (run, events) = TransferRun::begin(context, noted, &remote, (&receipts, transfer.dry_run)).await?;
    let several = is_listed || sources.len() > 1;
    let (origins, failed) = match listed {
        Some(listed) => open_listed(context, sources.first(), listed, &transfer, &events).await?,
        None => open_sources(context, sources, literal, &transfer, &events).await?,
    };
    for (address, error) in failed {
        events.send(Event::Finished { id: u64::MAX, report: Box::new(failure(&address, &error)) });
    }
    drop(events);
    let work = Box::pin(get(origins, &local, GetOptions { several, ..transfer.get_options(&filter) }));
    let ((), tally) = run.with_list(None, list.ends_with_nul()).follow(context, work).await?;
    conclude(context, &filter, is_listed, &tally)?;
    Ok(tally)
}

/// Standard output takes the bytes, so nothing else goes there: no events, and no line for a finished file. A file that fails
/// is reported, and the other files follow.
pub async fn to_stdout(context: &mut Context, sources: Vec<Address>, literal: bool, transfer: &TransferArgs) -> Result<u8> {
    if context.renderer.style().json {
        return Err(Error::new(Kind::Usage, "--json and the file can't both use standard output")
            .with_hint("leave out --json, or download the file with `haul get`"));
    }
    let (events, told) = Events::channel();
    let several = sources.len() > 1;
    let (origins, missing) = open_sources(context, sources, literal, transfer, &events).await?;
    let several = several || origins.len() > 1;
    let mut failed: Vec<Kind> = missing.iter().map(|(_, error)| error.kind()).collect();
    for (address, error) in missing {
        events.send(Event::Finished { id: u64::MAX, report: Box::new(failure(&address, &error)) });
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
    if context.renderer.is_closed() {
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
fn addresses(mut sources: Vec<String>, is_listed: bool) -> Result<(Vec<Address>, String)> {
    let local = match sources.last() {
        Some(last) if (is_listed || sources.len() > 1) && Address::parse(last)?.is_none() => sources.pop(),
        _ => None,
    };
    let parsed = sources.iter().map(|source| address(source)).collect::<Result<Vec<_>>>()?;
    Ok((parsed, local.unwrap_or_else(|| ".".to_owned())))
}

pub fn address(text: &str) -> Result<Address> {
    Address::parse(text)?.ok_or_else(|| {
        Error::new(Kind::Usage, "this is not a place on a remote")
            .with_subject(text)
            .with_hint("write it as REMOTE:PATH; `haul ls` lists the remotes")
    })
}

/// The entries that the addresses name, and the addresses that name nothing where others do.
async fn open_sources(
    context: &Context,
    sources: Vec<Address>,
    literal: bool,
    transfer: &TransferArgs,
    events: &Events,
) -> Result<(Vec<GetSource>, Vec<(Address, Error)>)> {
    let (mut origins, mut failed): (Vec<GetSource>, _) = (Vec::new(), Vec::new());
    let mut lost = FailedRemotes::of(sources.len());
    for mut address in sources {
        let remote = context.open(&address.remote, transfer.connection)?;
        require(&remote, &DOWNLOAD)?;
        address.remote.clone_from(&remote.name);
        let found = async || {
            let entries = drop_nested(expand(context, &remote, &address, literal).await?);
            entries.into_iter().map(|entry| origin((&remote, &address, literal), entry, transfer, events)).collect::<Result<Vec<_>>>()
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

/// What a list names: each found in a folder that is listed once.
async fn open_listed(
    context: &Context,
    base: Option<&Address>,
    listed: Vec<ListedAddress>,
    transfer: &TransferArgs,
    events: &Events,
) -> Result<(Vec<GetSource>, Vec<(Address, Error)>)> {
    let mut open: HashMap<String, (OpenRemote, Resolver)> = HashMap::new();
    let (mut origins, mut failed, mut seen): (Vec<GetSource>, _, _) = (Vec::new(), Vec::new(), HashSet::new());
    let mut top = Vec::new();
    if let Some(base) = base {
        let remote = context.open(&base.remote, transfer.connection)?;
        require(&remote, &DOWNLOAD)?;
        let entry = Resolver::new(transfer_client(transfer, &remote, events.clone())).find(base).await?.entry;
        if !entry.is_folder() {
            return Err(Error::new(Kind::Usage, "this is a file, and the list is relative to a folder").with_subject(base.to_string()));
        }
        let under_its_name = !base.folder && !base.place.path.is_root();
        top.extend(under_its_name.then_some(entry.name));
    }
    for ListedAddress { line, address, below } in listed {
        let mut address = match address {
            Ok(address) => address,
            Err(error) => {
                let report = Report::Failed(Failure::new(&error).of_source(line));
                events.send(Event::Finished { id: u64::MAX, report: Box::new(report) });
                continue;
            }
        };
        address.remote = context.config.remote(&address.remote)?.name;
        if !seen.insert(address.clone()) {
            continue;
        }
        if !open.contains_key(&address.remote) {
            let remote = context.open(&address.remote, transfer.connection)?;
            require(&remote, &DOWNLOAD)?;
            let resolver = Resolver::new(transfer_client(transfer, &remote, events.clone()));
            open.insert(address.remote.clone(), (remote, resolver));
        }
        let Some((remote, resolver)) = open.get_mut(&address.remote) else { continue };
        let found = match resolver.find(&address).await {
            Ok(found) => found.entry,
            Err(error) if is_fatal(error.kind()) => return Err(error),
            Err(error) => {
                failed.push((address, error));
                continue;
            }
        };
        let folders = below.as_ref().and_then(RemotePath::parent).unwrap_or_default();
        let is_inside = below.is_some();
        let landing: Vec<String> = top.iter().filter(|_| is_inside).chain(folders.names()).cloned().collect();
        let own = match is_inside {
            true => top.len(),
            false => usize::from(found.is_folder()),
        };
        // A slash at a line's end says only that the line names a folder.
        let mut origin = GetSource { contents: false, below: landing, own, ..origin((remote, &address, true), found, transfer, events)? };
        origin.client.limit = origins.first().map_or(origin.client.limit, |first| first.client.limit.clone());
        origins.push(origin);
    }
    Ok((origins, failed))
}

fn origin(
    (remote, address, literal): (&OpenRemote, &Address, bool),
    entry: Entry,
    transfer: &TransferArgs,
    events: &Events,
) -> Result<GetSource> {
    if address.folder && !entry.is_folder() {
        return Err(Error::new(Kind::NotFound, "this is a file, not a folder")
            .with_subject(address.to_string())
            .with_hint("leave out the last slash"));
    }
    // `remote:/dir/` and the root mean what is inside of the folder. An entry that fits a wildcard is meant itself.
    let named = address.place.path.name().is_none_or(|name| name == entry.name || literal || !is_pattern(name));
    let contents = address.folder && named;
    Ok(GetSource {
        below: Vec::new(),
        own: usize::from(!contents && entry.is_folder()),
        client: transfer_client(transfer, remote, events.clone()),
        ledger: remote.ledger.clone(),
        key: remote.key.clone(),
        contents,
        address: address.clone(),
        entry,
    })
}
