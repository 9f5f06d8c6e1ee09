//! Receives the body of a TUS request, for every stand-in that has TUS uploads.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;
use parking_lot::Mutex;

use super::faults::FaultHit;
use super::faults::table::Fault;
use super::storage::{Checkpoint, UploadFile};
use super::tus_headers::{Checksum, Refused, number};

const TOO_MANY: Refused = (StatusCode::PAYLOAD_TOO_LARGE, "more bytes than Upload-Length");

/// The upload that a body is appended to.
pub struct Slot<'a> {
    /// Bytes; none = not known yet.
    pub length: &'a mut Option<u64>,
    /// Another request is appending bytes.
    pub busy: &'a mut bool,
    pub bytes: &'a Arc<Mutex<UploadFile>>,
    /// A concatenation of other uploads: no bytes can be appended.
    pub is_final: bool,
}

/// A stand-in that holds uploads.
pub trait TusUploads: Send + Sync + 'static {
    fn hit(&self, fault: Fault) -> Option<FaultHit>;
    /// The largest size of a file, in bytes; 0 = no limit.
    fn largest(&self) -> u64;
    /// Does `work` with an upload; none if there is no such upload.
    fn with_slot<T>(&self, id: &str, work: impl FnOnce(Slot<'_>) -> T) -> Option<T>;
    fn count_received(&self, id: &str, bytes: usize);
    /// Handles a complete upload whose file is refused.
    fn refuse_whole(&self, _id: &str) {}
    /// Called after a successful request: a complete upload becomes a file.
    fn hand_over(&self, id: &str);
}

/// True if a file that grows to `end` bytes meets a scripted limit.
pub fn wall(host: &impl TusUploads, end: u64) -> bool {
    host.hit(Fault::Wall).is_some_and(|strike| end > strike.number)
}

/// Locks an upload for one request. When the connection is lost, the handler is dropped: bytes whose checksum was not checked
/// are removed then, all others stay.
struct UploadLock<H: TusUploads> {
    host: Arc<H>,
    id: String,
    bytes: Arc<Mutex<UploadFile>>,
    unproved: Option<Checkpoint>,
}

impl<H: TusUploads> Drop for UploadLock<H> {
    fn drop(&mut self) {
        if let Some(mark) = self.unproved.take() {
            // If the disk can't shorten the file, the next append fails.
            let _ = self.bytes.lock().rewind_to(mark);
        }
        self.host.with_slot(&self.id, |slot| *slot.busy = false);
    }
}

/// Receives a body that begins at `offset`.
///
/// # Returns
/// The new offset, in bytes.
///
/// # Errors
/// The statuses of the protocol: 400, 403, 404, 409, 413, 415, 423, 460.
pub async fn append<H: TusUploads>(host: &Arc<H>, id: &str, headers: &HeaderMap, offset: u64, body: Body) -> Result<u64, Refused> {
    let mut checksum = Checksum::read(headers)?;
    let (mut lock, length) = begin(host, id, headers, offset)?;
    let bytes = lock.bytes.clone();
    if checksum.is_some() {
        lock.unproved = Some(bytes.lock().mark());
    }
    let announced = number(headers, "content-length")?;
    if wall(host.as_ref(), offset + announced.unwrap_or(0)) {
        return Err((StatusCode::NOT_FOUND, "no such upload"));
    }
    if let (Some(length), Some(announced)) = (length, announced)
        && offset.saturating_add(announced) > length
    {
        return Err(TOO_MANY);
    }
    let dropped = host.hit(Fault::TusShort).map_or(0, |strike| strike.number);
    let room = length.map_or(u64::MAX, |length| length - offset.min(length));
    let mut wanted = room.min(announced.unwrap_or(u64::MAX)).saturating_sub(dropped);
    let mut surplus = false;
    let mut body = body.into_data_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| (StatusCode::BAD_REQUEST, "the body ended early"))?;
        host.count_received(id, chunk.len());
        if let Some(checksum) = &mut checksum {
            checksum.take(&chunk);
        }
        let kept = chunk.len().min(usize::try_from(wanted).unwrap_or(usize::MAX));
        wanted -= kept as u64;
        surplus |= kept < chunk.len() && dropped == 0;
        let kept = chunk.get(..kept).unwrap_or_default();
        bytes.lock().append(kept).map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "the disk refused"))?;
    }
    let is_damaged = lock.unproved.is_some() && host.hit(Fault::TusChecksum).is_some();
    if is_damaged || checksum.is_some_and(|checksum| !checksum.fits()) {
        return Err((StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST), "Checksum Mismatch"));
    }
    lock.unproved = None;
    drop(lock);
    if length == Some(bytes.lock().size()) && host.hit(Fault::TusRefusesEnd).is_some() {
        host.refuse_whole(id);
        return Err((StatusCode::UNPROCESSABLE_ENTITY, "this file is not wanted here"));
    }
    host.hand_over(id);
    if surplus {
        return Err(TOO_MANY);
    }
    Ok(bytes.lock().size())
}

fn begin<H: TusUploads>(host: &Arc<H>, id: &str, headers: &HeaderMap, offset: u64) -> Result<(UploadLock<H>, Option<u64>), Refused> {
    let content_type = headers.get("content-type").map(|value| value.as_bytes());
    if content_type != Some(b"application/offset+octet-stream") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be application/offset+octet-stream"));
    }
    let (told, largest) = (number(headers, "upload-length")?, host.largest());
    let begun = host.with_slot(id, |slot| {
        if slot.is_final {
            return Err((StatusCode::FORBIDDEN, "a final upload takes no bytes"));
        }
        if *slot.busy || host.hit(Fault::TusLocked).is_some() {
            return Err((StatusCode::LOCKED, "another request holds the upload"));
        }
        if offset != slot.bytes.lock().size() || host.hit(Fault::TusConflict).is_some() {
            return Err((StatusCode::CONFLICT, "the offset is another"));
        }
        match (*slot.length, told) {
            (Some(known), Some(told)) if known != told => return Err((StatusCode::BAD_REQUEST, "the length can't be changed")),
            (None, Some(told)) if largest > 0 && told > largest => return Err((StatusCode::PAYLOAD_TOO_LARGE, "too large")),
            (None, Some(told)) if told < offset => return Err((StatusCode::BAD_REQUEST, "the length is below the offset")),
            (None, Some(told)) => *slot.length = Some(told),
            _ => {}
        }
        *slot.busy = true;
        Ok((slot.bytes.clone(), *slot.length))
    });
    let (bytes, length) = begun.ok_or((StatusCode::NOT_FOUND, "no such upload"))??;
    Ok((UploadLock { host: host.clone(), id: id.to_owned(), bytes, unproved: None }, length))
}
