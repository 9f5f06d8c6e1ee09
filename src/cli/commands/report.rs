//! `haul report`: a page of what was delivered, made of receipts.

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::Utc;
use clap::Args;

use crate::cli::context::Context;
use crate::cli::output_file;
use crate::cli::receipt;
use crate::cli::receipt::ReceiptRow;
use crate::error::{Error, Kind, Result};
use crate::model::escape::escape_control;
use crate::model::{Address, Report};
use crate::render::exit::DONE;
use crate::render::{Delivered, Delivery};

/// Make a web page about the delivered files, to read, print and keep
///
/// Examples:
///   haul report monday.receipt -o monday.html
///   haul report --failed failed.txt --title "Dailies" *.receipt > dailies.html
///
/// Writes one HTML file that needs no network and no script. It lists every file
/// with its size, checksum, time and verification, and the throughput over time.
/// A receipt names what arrived; what failed stands in the lists of --failed.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct ReportArgs {
    /// Files that `--receipt` has written
    #[arg(required = true, value_name = "RECEIPT")]
    pub receipts: Vec<PathBuf>,
    /// File for the page [default: standard output]
    #[arg(short, long, value_name = "FILE", env = "HAUL_OUTPUT")]
    pub output: Option<PathBuf>,
    /// A list that `--failed-to` has written; can be repeated
    #[arg(long, value_name = "FILE", env = "HAUL_FAILED")]
    pub failed: Vec<PathBuf>,
    /// The heading of the page
    #[arg(long, value_name = "TEXT", default_value = "Delivery report", env = "HAUL_TITLE")]
    pub title: String,
}

pub fn run(context: &mut Context, args: ReportArgs) -> Result<u8> {
    if args.output.is_none() && context.renderer.style().json {
        return Err(Error::new(Kind::Usage, "--json and the page can't both use standard output").with_hint("name a file with -o"));
    }
    let mut rows = Vec::new();
    for receipt in &args.receipts {
        rows.extend(receipt::read(receipt)?);
    }
    // What was put to one place again counts as it was put last.
    let mut rows = receipt::latest(rows);
    rows.sort_by_key(|row| row.finished);
    let mut failed = Vec::new();
    for list in &args.failed {
        failed.extend(read_list(list)?);
    }
    let files: Vec<Delivered> = rows.into_iter().map(into_delivered).collect();
    let (count, bytes, lost) =
        (files.len() as u64, files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size)), failed.len() as u64);
    let failed = (!args.failed.is_empty()).then_some(failed);
    let page = Delivery { title: args.title, files, failed, made: Utc::now() }.html();
    let Some(output) = args.output else {
        context.renderer.out(&page);
        return Ok(DONE);
    };
    write(&output, &page)
        .map_err(|e| Error::new(Kind::Local, "it can't be written").on_local(output.display().to_string()).with_cause(e))?;
    context.renderer.report(&Report::Page { path: output.display().to_string(), files: count, bytes, failed: lost });
    Ok(DONE)
}

fn into_delivered(row: ReceiptRow) -> Delivered {
    let ReceiptRow { source, remote, path, size, md5, protocol, verified, finished, seconds, tries, .. } = row;
    Delivered { source, place: Address::text(&remote, &path), size, md5, verified, protocol, finished, seconds, tries }
}

fn read_list(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read(path).map_err(|e| {
        let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Local };
        Error::new(kind, "the list can't be read").on_local(path.display().to_string()).with_cause(e)
    })?;
    let text = String::from_utf8_lossy(&text);
    Ok(text.lines().filter(|line| !line.trim().is_empty()).map(|line| escape_control(line).into_owned()).collect())
}

/// A page that was there stays until the new one is whole.
fn write(path: &Path, page: &str) -> std::io::Result<()> {
    let is_other = std::fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_file());
    if is_other {
        let mut file = output_file::open(std::fs::OpenOptions::new().write(true).create(true).truncate(true), path)?;
        return file.write_all(page.as_bytes());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = new_file(folder)?;
    file.write_all(page.as_bytes())?;
    file.persist(path).map(drop).map_err(|e| e.error)
}

/// As any file that a program makes: the umask takes its share.
#[cfg(unix)]
fn new_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    tempfile::Builder::new().permissions(mode).tempfile_in(folder)
}

#[cfg(not(unix))]
fn new_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    tempfile::NamedTempFile::new_in(folder)
}
