//! `haul get`: files and folders from remotes.

use clap::Args;

use super::DONE;
use super::desk::Desk;
use super::put::{TransferArgs, transfer_desk};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::{Address, Event};
use crate::transfer::get::stdout::pour;
use crate::transfer::get::{GetOptions, Origin, get};

/// Download files and folders, or to standard output
///
/// Examples:
///   haul get studio:/rushes/day-1 .
///   haul get cloud:/backups/shop.sql.gz - | gunzip | psql shop
///
/// LOCAL is the working directory unless given. It is a folder when it ends in "/", names an existing folder, or when there
/// are several sources or a folder among them; then each source lands in it under its own name, and missing folders are
/// made. Otherwise LOCAL is the file's new name. "studio:/dir/" gets what is inside of dir.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct GetArgs {
    /// Files and folders on remotes, and in the end where to: LOCAL, or "-" for standard output
    #[arg(required = true, value_name = "REMOTE:PATH… [LOCAL]")]
    pub sources: Vec<String>,
    /// Folders are always taken whole; accepted for the fingers' sake
    #[arg(short, long, hide = true)]
    pub recursive: bool,
    #[command(flatten)]
    pub transfer: TransferArgs,
}

pub async fn run(desk: &mut Desk, args: GetArgs) -> Result<u8> {
    let (sources, local) = addresses(args.sources)?;
    let (events, receiver) = Events::channel();
    let origins = origins(desk, sources, &args.transfer, &events)?;
    drop(events);
    if local == "-" {
        return to_stdout(desk, origins, receiver, &args.transfer).await;
    }
    let options = GetOptions {
        if_exists: args.transfer.if_exists,
        checksum: args.transfer.checksum,
        jobs: args.transfer.jobs as usize,
        streams: args.transfer.streams as usize,
        dry_run: args.transfer.dry_run,
        fail_fast: args.transfer.fail_fast,
    };
    let (outcome, tally) = tokio::join!(get(origins, &local, options), desk.renderer.follow(receiver));
    outcome?;
    desk.renderer.report(&tally.summary());
    Ok(tally.status())
}

/// Standard output takes the bytes, so nothing else may go there: no events, and no line for what was done.
pub async fn to_stdout(
    desk: &mut Desk,
    origins: Vec<Origin>,
    mut events: tokio::sync::mpsc::UnboundedReceiver<Event>,
    transfer: &TransferArgs,
) -> Result<u8> {
    if desk.renderer.style().json {
        return Err(Error::new(Kind::Usage, "--json and the file can't both have standard output").hint("get the file to a name"));
    }
    let out = Box::new(desk.renderer.pipe());
    let outcome = pour(&origins, transfer.checksum, out).await;
    drop(origins);
    while let Ok(event) = events.try_recv() {
        match event {
            Event::Warning(text) => desk.renderer.warning(&text),
            Event::Note(text) | Event::Waiting { why: text, .. } => desk.renderer.note(&text),
            _ => {}
        }
    }
    // A reader that has what it wanted (`haul cat … | head`) leaves.
    if desk.renderer.closed() {
        return Ok(DONE);
    }
    outcome.map(|()| DONE)
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
        Error::new(Kind::Usage, "this is no place on a remote").on(text).hint("write it as REMOTE:PATH; `haul ls` lists the remotes")
    })
}

pub fn origins(desk: &Desk, sources: Vec<Address>, transfer: &TransferArgs, events: &Events) -> Result<Vec<Origin>> {
    let mut origins: Vec<Origin> = Vec::new();
    for address in sources {
        // One provider for each remote: its token and its listing are shared.
        let known = origins.iter().find(|origin| origin.address.remote.eq_ignore_ascii_case(&address.remote)).cloned();
        origins.push(match known {
            Some(known) => Origin { address, ..known },
            None => {
                let remote = desk.open(&address.remote, transfer.timeout)?;
                Origin {
                    desk: transfer_desk(transfer, remote.provider.clone(), events.clone()),
                    ledger: remote.ledger.clone(),
                    key: remote.key.clone(),
                    address,
                }
            }
        });
    }
    Ok(origins)
}
