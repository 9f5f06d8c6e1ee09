//! Taking in the body of a PATCH, or of a creation that carries bytes.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;
use parking_lot::Mutex;

use super::name::NAME;
use super::state::TusHost;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::storage::{Checkpoint, UploadFile};
use crate::sandbox::tus_headers::{Checksum, Refused, number};

const TOO_MANY: Refused = (StatusCode::PAYLOAD_TOO_LARGE, "more bytes than Upload-Length");

/// Holds an upload for one request. When the line dies the handler is dropped: bytes that a checksum should have proved are
/// then taken back, all others stay.
struct UploadLock {
    host: Arc<TusHost>,
    id: String,
    bytes: Arc<Mutex<UploadFile>>,
    unproved: Option<Checkpoint>,
}

impl Drop for UploadLock {
    fn drop(&mut self) {
        if let Some(mark) = self.unproved.take() {
            // A disk that can't shorten a file shows itself at the next append.
            let _ = self.bytes.lock().back_to(mark);
        }
        if let Some(upload) = self.host.state().uploads.get_mut(&self.id) {
            upload.busy = false;
        }
    }
}

/// Takes in a body that begins at `offset`.
///
/// # Returns
/// The new offset, in bytes.
///
/// # Errors
/// The statuses of the protocol: 400, 409, 413, 415, 423, 460.
pub async fn append(host: &Arc<TusHost>, id: &str, headers: &HeaderMap, offset: u64, body: Body) -> Result<u64, Refused> {
    let mut checksum = Checksum::read(headers)?;
    let (mut lock, length) = begin(host, id, headers, offset)?;
    let bytes = lock.bytes.clone();
    if checksum.is_some() {
        lock.unproved = Some(bytes.lock().mark());
    }
    let announced = number(headers, "content-length")?;
    if let (Some(length), Some(announced)) = (length, announced)
        && offset.saturating_add(announced) > length
    {
        return Err(TOO_MANY);
    }
    let name = host.state().uploads.get(id).map(|upload| upload.path.clone()).unwrap_or_default();
    let mut body = body.into_data_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| (StatusCode::BAD_REQUEST, "the body ended early"))?;
        host.shared.store.count_received(NAME, &name, chunk.len());
        if let Some(checksum) = &mut checksum {
            checksum.take(&chunk);
        }
        if length.is_some_and(|length| bytes.lock().size() + chunk.len() as u64 > length) {
            return Err(TOO_MANY);
        }
        bytes.lock().append(&chunk).map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "the disk refused"))?;
    }
    let is_damaged = lock.unproved.is_some() && host.hit(Fault::TusChecksum).is_some();
    if is_damaged || checksum.is_some_and(|checksum| !checksum.fits()) {
        return Err((StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST), "Checksum Mismatch"));
    }
    lock.unproved = None;
    drop(lock);
    if length == Some(bytes.lock().size()) && host.hit(Fault::TusRefusesEnd).is_some() {
        return Err((StatusCode::UNPROCESSABLE_ENTITY, "this file is not wanted here"));
    }
    host.take_in(id);
    Ok(bytes.lock().size())
}

fn begin(host: &Arc<TusHost>, id: &str, headers: &HeaderMap, offset: u64) -> Result<(UploadLock, Option<u64>), Refused> {
    let content_type = headers.get("content-type").map(|value| value.as_bytes());
    if content_type != Some(b"application/offset+octet-stream") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be application/offset+octet-stream"));
    }
    let told = number(headers, "upload-length")?;
    let mut state = host.state();
    let largest = state.max_size;
    let upload = state.uploads.get_mut(id).ok_or((StatusCode::NOT_FOUND, "no such upload"))?;
    if upload.busy || host.hit(Fault::TusLocked).is_some() {
        return Err((StatusCode::LOCKED, "another request holds the upload"));
    }
    if offset != upload.offset() || host.hit(Fault::TusConflict).is_some() {
        return Err((StatusCode::CONFLICT, "the offset is another"));
    }
    match (upload.length, told) {
        (Some(known), Some(told)) if known != told => return Err((StatusCode::BAD_REQUEST, "the length can't be changed")),
        (None, Some(told)) if largest > 0 && told > largest => return Err((StatusCode::PAYLOAD_TOO_LARGE, "too large")),
        (None, Some(told)) if told < offset => return Err((StatusCode::BAD_REQUEST, "the length is below the offset")),
        (None, Some(told)) => upload.length = Some(told),
        _ => {}
    }
    upload.busy = true;
    let lock = UploadLock { host: host.clone(), id: id.to_owned(), bytes: upload.bytes.clone(), unproved: None };
    Ok((lock, upload.length))
}
