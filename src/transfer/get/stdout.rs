//! Writes files to standard output, one after the other. Written bytes can't be taken back: after a lost connection the
//! download goes on at that very byte, and a wrong file is reported as a failure at its end.

use std::io::Write;
use std::sync::Arc;

use futures_util::StreamExt;
use parking_lot::Mutex;

use super::conflict::LocalHistory;
use super::{Admitted, GetSource, display_source, report_failed, sign_in_to_sources};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::{Entry, Event};
use crate::transfer::put::ChecksumMode;
use crate::transfer::source::file::read_failure;
use crate::transfer::source::remote::{Version, bytes};

/// Where the bytes go.
pub type StdoutWriter = Box<dyn Write + Send>;

/// The result.
#[derive(Default)]
pub struct StdoutOutcome {
    pub done: u64,
    pub failed: Vec<Kind>,
}

/// Writes the content of every origin to `out`, in order. An `Integrity` failure comes after the bytes. `several`: what fails
/// of one file is reported as an event, and the others follow; else it is the error. So is what fails of standard output.
pub async fn write_to_stdout(origins: Vec<GetSource>, several: bool, checksum: ChecksumMode, out: StdoutWriter) -> Result<StdoutOutcome> {
    let mut pouring = StdoutRun { several, out: Arc::new(Mutex::new(out)), poured: StdoutOutcome::default() };
    let Admitted { origins, refused, .. } = sign_in_to_sources(origins).await?;
    for (origin, error) in refused {
        pouring.report_failure(u64::MAX, &origin, error)?;
    }
    if let Some(first) = origins.first() {
        let bytes = origins.iter().filter_map(|origin| origin.entry.size).fold(0, u64::saturating_add);
        first.client.events.send(Event::Planned { files: origins.len() as u64, bytes });
    }
    for (id, origin) in (0..).zip(&origins) {
        let on = display_source(&origin.address, &origin.entry);
        if origin.entry.is_folder() {
            pouring.report_failure(
                id,
                origin,
                Error::new(Kind::Usage, "this is a folder, and standard output takes files").with_subject(on),
            )?;
            continue;
        }
        origin.client.events.send(Event::Started { id, name: on.clone(), size: origin.entry.size });
        match write_file(id, origin, checksum, &pouring.out).await {
            Ok(()) => pouring.poured.done += 1,
            Err(error) => pouring.report_failure(id, origin, error.with_subject(on))?,
        }
    }
    Ok(pouring.poured)
}

struct StdoutRun {
    several: bool,
    out: Arc<Mutex<StdoutWriter>>,
    poured: StdoutOutcome,
}

impl StdoutRun {
    fn report_failure(&mut self, id: FileId, origin: &GetSource, error: Error) -> Result<()> {
        if !self.several || matches!(error.kind(), Kind::Local | Kind::Auth | Kind::Cancelled) {
            return Err(error);
        }
        self.poured.failed.push(error.kind());
        report_failed(id, origin, &origin.entry, &error);
        Ok(())
    }
}

async fn write_file(id: FileId, origin: &GetSource, checksum: ChecksumMode, out: &Arc<Mutex<StdoutWriter>>) -> Result<()> {
    let known = LocalHistory { ledger: origin.ledger.as_ref(), remote: &origin.key, checksum, size_only: false, dry_run: false };
    let file = Arc::new(origin.entry.clone());
    let md5 = if checksum == ChecksumMode::None { None } else { known.md5(&file)? };
    let mut chunks = bytes(&origin.client, &file, 0, None, &Version::default());
    let mut hash = md5.is_some().then(md5::Context::new);
    let mut size = 0u64;
    while let Some(piece) = chunks.next().await {
        let piece = piece.map_err(|e| read_failure(e, &display_source(&origin.address, &file)))?;
        let len = piece.len() as u64;
        size += len;
        if let Some(limit) = &origin.client.limit {
            limit.take(piece.len()).await;
        }
        let (to, hashing) = (out.clone(), hash.take());
        // Hashing blocks, and so does a slow reader.
        let written = tokio::task::spawn_blocking(move || {
            let hashing = hashing.map(|mut context| {
                context.consume(&piece);
                context
            });
            to.lock().write_all(&piece).map(|()| hashing)
        });
        let written = written.await.map_err(|e| Error::new(Kind::Other, "writing broke off").with_cause(e))?;
        hash = written.map_err(|e| Error::new(Kind::Local, "standard output can't be written").with_cause(e))?;
        origin.client.events.send(Event::Sent { id, bytes: len });
    }
    check(&file, size, md5, hash)
}

fn check(file: &Entry, size: u64, md5: Option<String>, hash: Option<md5::Context>) -> Result<()> {
    if let Some(there) = file.size.filter(|there| *there != size) {
        return Err(Error::new(Kind::Integrity, format!("the size differs: {there} bytes there, {size} bytes came")));
    }
    if let (Some(there), Some(hash)) = (md5, hash) {
        let here = format!("{:x}", hash.finalize());
        if !there.eq_ignore_ascii_case(&here) {
            return Err(Error::new(Kind::Integrity, format!("the MD5 differs: {there} there, {here} came")));
        }
    }
    Ok(())
}
