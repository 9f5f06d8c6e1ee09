//! `haul put`: files, folders and standard input to a remote.

use std::path::Path;
use std::sync::Arc;

use clap::Args;

use crate::cli::context::Context;
use crate::cli::requests::{CarryArgs, PutRequest};
use crate::cli::runs::{CarryVerb, Noted, absolute};
use crate::cli::transfer_args::{MetadataArgs, from_and_to, transfer_client};
use crate::cli::transfer_run::{TransferRun, conclude};
use crate::cli::value_parsers;
use crate::error::{Error, Kind, Result};
use crate::model::Address;
use crate::model::place_text::is_url;
use crate::render::Tally;
use crate::transfer::put::{PutJob, PutOptions, put_chosen};

/// Upload files, folders, or standard input
///
/// Examples:
///   haul put film.mov studio:/incoming/
///   pg_dump shop | haul put - cloud:/backups/shop.sql
///
/// PATH is a folder when it ends in "/", is the root, names an existing folder,
/// or when there are several sources or a folder among them; then each source
/// goes into it under its own name, and missing folders are made. Otherwise PATH
/// is the file's new name. "dir/" uploads the content of dir.
#[derive(Args)]
#[command(verbatim_doc_comment, override_usage = "haul put [OPTIONS] <SOURCE>... <REMOTE:PATH>")]
pub struct PutArgs {
    /// Local files and folders, or "-" for standard input; and last, REMOTE:PATH
    // One list: of two, clap ends the first at an option, and `put FILE --json REMOTE:` would be refused.
    #[arg(required = true, value_name = "PLACE")]
    pub places: Vec<String>,
    /// Size of standard input; without it, input is stored in a temporary file first if the server must know its size
    #[arg(long, value_name = "SIZE", value_parser = value_parsers::size)]
    pub size: Option<u64>,
    /// Folders are always taken whole; accepted for the fingers' sake
    #[arg(short, long, hide = true)]
    pub recursive: bool,
    #[command(flatten)]
    pub metadata: MetadataArgs,
    #[command(flatten)]
    pub options: CarryArgs,
}

pub async fn run(context: &mut Context, args: PutArgs) -> Result<u8> {
    let noted = run_note(&args);
    let tally = execute(context, request(args)?, noted).await?;
    context.renderer.report(&tally.summary());
    Ok(tally.status())
}

fn request(args: PutArgs) -> Result<PutRequest> {
    let PutArgs { places, size: stdin_size, recursive: _, metadata, options } = args;
    let (sources, target) = match places.as_slice() {
        [target] if options.list.is_given() => (&[][..], target.as_str()),
        places => from_and_to(places, "put SOURCE… REMOTE:PATH")?,
    };
    let target = Address::parse(target)?.ok_or_else(|| not_remote(target))?;
    Ok(PutRequest { sources: sources.to_vec(), target, stdin_size, metadata, options })
}

/// The whole of a put but its last line. An error means that nothing was sent.
pub async fn execute(context: &mut Context, request: PutRequest, noted: Option<Noted>) -> Result<Tally> {
    let PutRequest { sources, mut target, stdin_size, metadata, options } = request;
    let CarryArgs { receipts, selection, list, transfer } = options;
    let (by_nul, list) = (list.ends_with_nul(), list.read()?);
    let is_listed = list.is_some();
    for source in &sources {
        refuse_remote_source(context, source)?;
    }
    if stdin_size.is_some() && !sources.iter().any(|source| *source == "-") {
        return Err(Error::new(Kind::Usage, "--size is the size of standard input, but no source is `-`").with_hint("leave --size out"));
    }
    let filter = Arc::new(selection.filter()?);
    let remote = context.open(&target.remote, transfer.connection)?;
    target.remote.clone_from(&remote.name);
    // A file alone has its own note, once it is on its way.
    let is_noted = context.puts().is_none() || sources.len() > 1 || !sources.iter().all(|source| Path::new(source).is_file());
    let noted = noted.filter(|_| is_noted);
    let (run, events) = TransferRun::begin(context, noted, &remote.name, (&receipts, transfer.dry_run)).await?;
    let job = PutJob {
        client: transfer_client(&transfer, &remote, events),
        ledger: remote.ledger.clone(),
        remote_key: remote.key.clone(),
        target,
        options: PutOptions { stdin_size, metadata: metadata.for_remote(&remote)?, ..transfer.put_options(&remote, &filter)? },
    };
    let work = Box::pin(put_chosen(context.puts(), job, &sources, list));
    let ((), tally) = run.with_list(failed_base(&sources), by_nul).follow(context, work).await?;
    conclude(context, &filter, is_listed, &tally)?;
    Ok(tally)
}

/// None: it leaves nothing that could be taken up.
fn run_note(args: &PutArgs) -> Option<Noted> {
    // `size` belongs to standard input, and a receipt is this run's own.
    let PutArgs { places, size: _, recursive: _, metadata, options } = args;
    let CarryArgs { receipts: _, selection, list, transfer } = options;
    let (target, sources) = places.split_last()?;
    let mut places: Vec<String> = sources.iter().map(|source| absolute(source)).collect();
    places.push(target.clone());
    if sources.iter().any(|source| source == "-") {
        return None;
    }
    let (MetadataArgs { attr, kind }, list) = (metadata.clone(), list.absolute()?);
    if list.is_given() && sources.is_empty() {
        // The list is relative to the working directory.
        places.insert(0, absolute("./"));
    }
    Some(Noted { attr, kind, list, ..Noted::new(CarryVerb::Put, places, false, transfer)?.choosing(selection) })
}

/// The one folder that `--failed-to` writes its paths relative to, as `--files-from` reads them.
fn failed_base(sources: &[String]) -> Option<&Path> {
    match sources {
        [one] if Path::new(one).is_dir() => Some(Path::new(one)),
        _ => None,
    }
}

fn not_remote(target: &str) -> Error {
    Error::new(Kind::Usage, "the target of a put is a place on a remote")
        .with_subject(target)
        .with_hint("write it as REMOTE:PATH; `haul ls` lists the remotes")
}

/// `haul put studio:/a cloud:/b`: easily typed, and the colon in a file's name is rare.
fn refuse_remote_source(context: &Context, source: &str) -> Result<()> {
    match Address::parse(source) {
        // What can't be read of a URL may hold a password: it is no file's name in a report.
        Err(error) if is_url(source) => Err(error),
        Ok(Some(address)) if !std::path::Path::new(source).exists() && (address.is_url() || context.knows(&address.remote)) => {
            Err(Error::new(Kind::Usage, "put takes local files; this is a place on a remote")
                .with_subject(source)
                .with_hint("`haul cp` copies from one remote to another; a local file with a colon is written ./NAME:REST"))
        }
        _ => Ok(()),
    }
}
