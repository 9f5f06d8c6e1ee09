//! Taking in the body of a PATCH, and handing over a complete TUS upload to its entry.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;
use parking_lot::Mutex;

use super::NAME;
use super::state::Iogates;
use crate::model::Protocol;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::storage::{Checkpoint, UploadFile};
use crate::sandbox::tus_headers::{Checksum, Refused, number};

const TOO_MANY: Refused = (StatusCode::PAYLOAD_TOO_LARGE, "more bytes than Upload-Length");

/// Holds an upload for one PATCH. When the line dies the handler is dropped: bytes that a checksum should have proved
/// are then taken back, all others stay.
struct UploadLock {
    host: Arc<Iogates>,
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
        if let Some(upload) = self.host.state().tus.get_mut(&self.id) {
            upload.busy = false;
        }
    }
}

/// # Returns
/// The new offset, in bytes.
///
/// # Errors
/// The statuses of the protocol: 400, 403, 409, 413, 415, 423, 460.
pub async fn patch(host: &Arc<Iogates>, id: &str, headers: &HeaderMap, body: Body) -> Result<u64, Refused> {
    let offset = number(headers, "upload-offset")?.ok_or((StatusCode::BAD_REQUEST, "Upload-Offset is missing"))?;
    append(host, id, headers, offset, body).await
}

/// Takes in a body that begins at `offset`, as `patch` does.
pub async fn append(host: &Arc<Iogates>, id: &str, headers: &HeaderMap, offset: u64, body: Body) -> Result<u64, Refused> {
    let mut checksum = Checksum::read(headers)?;
    let (mut held_upload, length) = begin(host, id, headers, offset)?;
    let bytes = held_upload.bytes.clone();
    if checksum.is_some() {
        held_upload.unproved = Some(bytes.lock().mark());
    }
    let offset = bytes.lock().size();
    let announced = number(headers, "content-length")?;
    if wall(host, offset + announced.unwrap_or(0)) {
        return Err((StatusCode::NOT_FOUND, "no such upload"));
    }
    if let (Some(length), Some(announced)) = (length, announced)
        && offset.saturating_add(announced) > length
    {
        return Err(TOO_MANY);
    }
    let dropped = host.hit(Fault::TusShort).map_or(0, |s| s.number);
    let mut wanted = length.map(|l| l - offset.min(l)).unwrap_or(u64::MAX);
    if let Some(announced) = announced {
        wanted = wanted.min(announced);
    }
    wanted = wanted.saturating_sub(dropped);
    let name = held_upload.host.state().tus.get(id).and_then(|u| u.filename.clone()).unwrap_or_default();
    let mut surplus = false;
    let mut body = body.into_data_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| (StatusCode::BAD_REQUEST, "the body ended early"))?;
        host.shared.store.count_received(NAME, &name, chunk.len());
        if let Some(checksum) = &mut checksum {
            checksum.take(&chunk);
        }
        let kept = chunk.len().min(usize::try_from(wanted).unwrap_or(usize::MAX));
        wanted -= kept as u64;
        surplus |= kept < chunk.len() && dropped == 0;
        let kept = chunk.get(..kept).unwrap_or_default();
        bytes.lock().append(kept).map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "the disk refused"))?;
    }
    let wrong = host.hit(Fault::TusChecksum).is_some();
    if checksum.is_some_and(|c| !c.fits()) || (wrong && held_upload.unproved.is_some()) {
        let mismatch = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
        return Err((mismatch, "Checksum Mismatch"));
    }
    held_upload.unproved = None;
    drop(held_upload);
    if length == Some(bytes.lock().size()) && host.hit(Fault::TusRefusesEnd).is_some() {
        if let Some(upload) = host.state().tus.get_mut(id) {
            upload.done = true;
        }
        return Err((StatusCode::UNPROCESSABLE_ENTITY, "this file is not wanted here"));
    }
    hand_over(host, id);
    if surplus {
        return Err(TOO_MANY);
    }
    Ok(bytes.lock().size())
}

/// Does a file that grows to `end` bytes meet a scripted wall?
pub fn wall(host: &Iogates, end: u64) -> bool {
    host.hit(Fault::Wall).is_some_and(|strike| end > strike.number)
}

fn begin(host: &Arc<Iogates>, id: &str, headers: &HeaderMap, offset: u64) -> Result<(UploadLock, Option<u64>), Refused> {
    let content_type = headers.get("content-type").map(|t| t.as_bytes());
    if content_type != Some(b"application/offset+octet-stream") {
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, "the content type must be application/offset+octet-stream"));
    }
    let told = number(headers, "upload-length")?;
    let mut state = host.state();
    let largest = state.settings.max_file_size;
    let upload = state.tus.get_mut(id).ok_or((StatusCode::NOT_FOUND, "no such upload"))?;
    if upload.is_final() {
        return Err((StatusCode::FORBIDDEN, "a final upload takes no bytes"));
    }
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
    let held = UploadLock { host: host.clone(), id: id.to_owned(), bytes: upload.bytes.clone(), unproved: None };
    Ok((held, upload.length))
}

/// A complete upload goes to its entry, once; the parts of a concatenation wait for their final upload.
pub fn hand_over(host: &Iogates, id: &str) {
    let mut state = host.state();
    let Some(upload) = state.tus.get_mut(id) else { return };
    if upload.done || upload.is_partial() || upload.length != Some(upload.offset()) {
        return;
    }
    upload.done = true;
    let (root, name, content) = (upload.root, upload.filename.clone(), upload.bytes.lock().content());
    drop(state);
    host.take_in(root, &name.unwrap_or_default(), content, Protocol::Tus);
}
