//! Files to standard output, one after the other. What has been written can't be taken back: a line that breaks is gone on
//! with at that very byte, and what turns out wrong at the end is a failure.

use std::io::Write;
use std::sync::Arc;

use futures_util::StreamExt;

use super::keep::Known;
use super::{Origin, accounts, downloads_at_once, shown_source};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::{Entry, Event};
use crate::transfer::put::ChecksumMode;
use crate::transfer::remote::{Version, bytes};
use crate::transfer::source::read_failure;

/// Where the bytes go.
pub type Out = Box<dyn Write + Send>;

/// Writes the content of every origin to `out`, in order. Fails with `Usage` for a folder before anything is written; an
/// `Integrity` failure comes after the bytes.
pub async fn pour(origins: &[Origin], checksum: ChecksumMode, mut out: Out) -> Result<()> {
    if let Some(origin) = origins.iter().find(|origin| origin.entry.is_folder()) {
        return Err(
            Error::new(Kind::Usage, "this is a folder, and standard output takes files").on(shown_source(&origin.address, &origin.entry))
        );
    }
    for origin in accounts(origins) {
        downloads_at_once(origin).await?;
    }
    if let Some(first) = origins.first() {
        let bytes = origins.iter().filter_map(|origin| origin.entry.size).fold(0, u64::saturating_add);
        first.desk.events.tell(Event::Planned { files: origins.len() as u64, bytes });
    }
    for (id, origin) in (0..).zip(origins) {
        let on = shown_source(&origin.address, &origin.entry);
        origin.desk.events.tell(Event::Started { id, name: on.clone(), size: origin.entry.size });
        out = one(id, origin, checksum, out).await.map_err(|e| e.on(on))?;
    }
    Ok(())
}

async fn one(id: FileId, origin: &Origin, checksum: ChecksumMode, out: Out) -> Result<Out> {
    let known = Known { ledger: origin.ledger.as_ref(), remote: &origin.key };
    let file = Arc::new(origin.entry.clone());
    let md5 = if checksum == ChecksumMode::None { None } else { known.md5(&file)? };
    let mut chunks = bytes(&origin.desk, &file, 0, u64::MAX, None, &Version::default());
    let mut hash = md5.is_some().then(md5::Context::new);
    let mut pouring = Some(out);
    let mut size = 0u64;
    while let Some(piece) = chunks.next().await {
        let piece = piece.map_err(|e| read_failure(e, &shown_source(&origin.address, &file)))?;
        let len = piece.len() as u64;
        size += len;
        if let Some(limit) = &origin.desk.limit {
            limit.take(piece.len()).await;
        }
        let (Some(mut to), hashing) = (pouring.take(), hash.take()) else { break };
        // Hashing and a slow reader both block.
        let written = tokio::task::spawn_blocking(move || {
            let hashing = hashing.map(|mut context| {
                context.consume(&piece);
                context
            });
            to.write_all(&piece).map(|()| (to, hashing))
        });
        let written = written.await.map_err(|e| Error::new(Kind::Other, "writing broke off").cause(e))?;
        let (to, hashing) = written.map_err(|e| Error::new(Kind::Local, "standard output can't be written").cause(e))?;
        (pouring, hash) = (Some(to), hashing);
        origin.desk.events.tell(Event::Sent { id, bytes: len });
    }
    check(&file, size, md5, hash)?;
    pouring.ok_or_else(|| Error::new(Kind::Other, "standard output is gone"))
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
