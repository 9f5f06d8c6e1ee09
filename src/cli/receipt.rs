//! `--receipt`, `--failed-to` and `--dotenv`: what became of each file, in files for later. Events pass through here on their way to
//! whoever shows them.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::output_file;
use super::runs::Running;
use crate::contract::{EventBatches, Events};
use crate::error::{Error, Kind, Result};
use crate::model::report::{Transfer, Verified};
use crate::model::{Event, Protocol, RemotePath, Report};
use crate::render::Renderer;

#[derive(Args, Clone, Debug)]
pub struct ReceiptArgs {
    /// Append a JSON line for each finished file; `haul verify FILE` checks later that it is still there
    #[arg(long, value_name = "FILE", env = "HAUL_RECEIPT")]
    pub receipt: Option<PathBuf>,
    /// Write the failed sources, one a line, in the form that --files-from reads; with --files-from0 with NUL after each
    #[arg(long, value_name = "FILE", env = "HAUL_FAILED_TO")]
    pub failed_to: Option<PathBuf>,
    /// Write the counts, and id and url of a single file, as NAME=VALUE lines (for example for a dotenv report of GitLab)
    #[arg(long, value_name = "FILE", env = "HAUL_DOTENV")]
    pub dotenv: Option<PathBuf>,
}

/// One line of a receipt.
#[derive(Debug, Serialize, Deserialize)]
pub struct ReceiptRow {
    pub schema: u32,
    pub source: String,
    pub remote: String,
    pub path: RemotePath,
    pub id: Option<String>,
    /// Bytes.
    pub size: u64,
    pub md5: Option<String>,
    pub protocol: Protocol,
    pub verified: Verified,
    /// What the provider reported about the entry then: size, MD5, revision, time of change.
    pub entry: Value,
    pub finished: DateTime<Utc>,
    pub seconds: f64,
    pub tries: u32,
}

impl ReceiptRow {
    fn of(transfer: &Transfer) -> ReceiptRow {
        ReceiptRow {
            schema: 1,
            source: transfer.source.clone(),
            remote: transfer.remote.clone(),
            path: transfer.path.clone(),
            id: transfer.id.clone(),
            size: transfer.size,
            md5: transfer.md5.clone(),
            protocol: transfer.protocol,
            verified: transfer.verified,
            entry: transfer.stamp.as_deref().and_then(|stamp| serde_json::from_str(stamp).ok()).unwrap_or_default(),
            finished: Utc::now(),
            seconds: transfer.seconds,
            tries: transfer.retries + 1,
        }
    }
}

/// The files that are written while events pass.
pub struct Receipts {
    receipt: Option<(PathBuf, File)>,
    failed: Option<(PathBuf, File)>,
    /// The folder that the paths of failed sources are relative to.
    base: Option<PathBuf>,
    /// Failed sources end with NUL, so that any name can stand there.
    by_nul: bool,
    run: Option<Running>,
}

impl Receipts {
    /// Opens the files before anything is sent: a transfer whose receipt can't be written does not begin. A `dry_run` writes
    /// nothing and leaves the list of an earlier run's failures alone. Fails with `Local`.
    pub fn open(args: &ReceiptArgs, dry_run: bool, renderer: &Renderer) -> Result<Receipts> {
        if dry_run {
            return Ok(Receipts { receipt: None, failed: None, base: None, by_nul: false, run: None });
        }
        let mut append = OpenOptions::new();
        append.create(true).append(true);
        let mut anew = OpenOptions::new();
        anew.create(true).write(true).truncate(true);
        let dotenv = open_receipt(&anew, args.dotenv.as_deref())?.map(|(_, file)| file);
        let (receipt, failed) = (open_receipt(&append, args.receipt.as_deref())?, open_receipt(&anew, args.failed_to.as_deref())?);
        renderer.results_go_to(args.receipt.as_deref(), dotenv);
        Ok(Receipts { receipt, failed, base: None, by_nul: false, run: None })
    }

    /// Notes what becomes of the command as a whole, too.
    pub fn of_run(self, run: Option<Running>) -> Receipts {
        Receipts { run, ..self }
    }

    /// Writes the failed sources as `--files-from` reads them: from the one folder that was named, or with NULs.
    pub fn with_list(self, base: Option<&Path>, by_nul: bool) -> Receipts {
        Receipts { base: base.map(Path::to_owned), by_nul, ..self }
    }

    /// Passes every event on, and returns when the last sender is gone. Fails with `Local` when a line could not be written;
    /// the files have been transferred all the same.
    pub async fn tee(mut self, from: UnboundedReceiver<Event>, to: Events) -> Result<()> {
        let (mut from, mut outcome) = (EventBatches::new(from), Ok(()));
        while let Some(event) = from.next().await {
            if let Some(run) = &mut self.run {
                run.note(&event);
            }
            if let Event::Finished { report, .. } = &event
                && let Err(e) = self.note(report, &to)
            {
                outcome = outcome.and(Err(e));
            }
            to.send(event);
        }
        if let Some(run) = self.run {
            run.finish();
        }
        outcome
    }

    fn note(&mut self, report: &Report, to: &Events) -> Result<()> {
        match (report, &mut self.receipt, &mut self.failed) {
            (Report::Transferred { transfer, .. }, Some((path, file)), _) => {
                let text = serde_json::to_string(&ReceiptRow::of(transfer))
                    .map_err(|e| Error::new(Kind::Other, "a receipt could not be made").with_cause(e))?;
                // The text and its line end go in one write, so that a kill leaves whole lines.
                file.write_all(format!("{text}\n").as_bytes()).map_err(|e| unwritable(path, e))
            }
            (Report::Failed(failure), _, Some((path, file))) => {
                let Some(source) = &failure.source else { return Ok(()) };
                let below = self.base.as_ref().and_then(|base| Path::new(source).strip_prefix(base).ok());
                let source = below.and_then(Path::to_str).filter(|below| !below.is_empty()).unwrap_or(source);
                if self.by_nul {
                    return file.write_all(format!("{source}\0").as_bytes()).map_err(|e| unwritable(path, e));
                }
                // In the list the two lines of such a name would be the names of two other files.
                if source.contains(['\n', '\r']) {
                    let text = format!("{source:?} failed and is not in {}: a name with a line end can't stand there", path.display());
                    to.send(Event::Warning(text));
                    return Ok(());
                }
                file.write_all(format!("{source}\n").as_bytes()).map_err(|e| unwritable(path, e))
            }
            _ => Ok(()),
        }
    }
}

fn open_receipt(how: &OpenOptions, path: Option<&Path>) -> Result<Option<(PathBuf, File)>> {
    path.map(|path| Ok((path.to_owned(), output_file::open(how, path).map_err(|e| unwritable(path, e))?))).transpose()
}

fn unwritable(path: &Path, e: std::io::Error) -> Error {
    Error::new(Kind::Local, "it can't be written").on_local(path.display().to_string()).with_cause(e)
}

/// Reads a receipt. Fails with `NotFound`, or with `Usage` and the number of a line that is no line of a receipt.
pub fn read(path: &Path) -> Result<Vec<ReceiptRow>> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|e| {
        let kind = match e.kind() {
            std::io::ErrorKind::InvalidData => return Error::new(Kind::Usage, "this is not a receipt").on_local(shown.clone()),
            std::io::ErrorKind::NotFound => Kind::NotFound,
            _ => Kind::Local,
        };
        Error::new(kind, "the receipt can't be read").on_local(shown.clone()).with_cause(e)
    })?;
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|e| {
            Error::new(Kind::Usage, "this is not a line of a receipt").with_subject(format!("{shown}, line {}", number + 1)).with_cause(e)
        })
    };
    text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()).map(line).collect()
}

/// The last word on each place: a file may have been put there several times.
pub fn latest(lines: Vec<ReceiptRow>) -> Vec<ReceiptRow> {
    let mut at: HashMap<(String, RemotePath), usize> = HashMap::new();
    let mut kept: Vec<Option<ReceiptRow>> = Vec::new();
    for line in lines {
        if let Some(old) = at.insert((line.remote.clone(), line.path.clone()), kept.len())
            && let Some(slot) = kept.get_mut(old)
        {
            *slot = None;
        }
        kept.push(Some(line));
    }
    kept.into_iter().flatten().collect()
}
