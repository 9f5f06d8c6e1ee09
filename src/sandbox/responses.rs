//! Forms of answers that all stand-ins use.

use std::io::SeekFrom;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::storage::Content;

/// An answer that a handler returns early with `?`.
pub struct Refusal(Box<Response>);

pub type HandlerResult<T = Response> = Result<T, Refusal>;

impl From<Response> for Refusal {
    fn from(response: Response) -> Self {
        Refusal(Box::new(response))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        *self.0
    }
}

pub fn json(status: StatusCode, body: Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

pub fn ok(body: Value) -> Response {
    json(StatusCode::OK, body)
}

/// A page in place of data, from a proxy or a web server.
pub fn page(status: StatusCode, title: &str) -> Response {
    let body = format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n");
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

/// The answer after a failure of this machine's disk.
pub fn disk_failure(error: std::io::Error) -> Refusal {
    page(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()).into()
}

/// The part of a file that `Range: bytes=A-[B]` requests: first byte and number of bytes. None without a usable range.
pub fn range(headers: &HeaderMap, size: u64) -> Option<Result<(u64, u64), ()>> {
    let text = headers.get(header::RANGE)?.to_str().ok()?.strip_prefix("bytes=")?;
    let (first, last) = text.split_once('-')?;
    let first: u64 = first.parse().ok()?;
    let last = if last.is_empty() { size.saturating_sub(1) } else { last.parse::<u64>().ok()?.min(size.saturating_sub(1)) };
    if first >= size || last < first {
        return Some(Err(()));
    }
    Some(Ok((first, last - first + 1)))
}

/// A file's bytes, as a stream. With a part: 206 and its `Content-Range`; with an `Err` in it: 416.
pub async fn file(content: &Content, part: Option<Result<(u64, u64), ()>>) -> Response {
    let (status, first, length) = match part {
        None => (StatusCode::OK, 0, content.size),
        Some(Ok((first, length))) => (StatusCode::PARTIAL_CONTENT, first, length),
        Some(Err(())) => {
            let size = format!("bytes */{}", content.size);
            return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, size)]).into_response();
        }
    };
    let opened = async {
        let mut file = tokio::fs::File::open(&content.file).await?;
        let modified = file.metadata().await?.modified()?;
        file.seek(SeekFrom::Start(first)).await?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        std::io::Result::Ok((file, format!("\"{:x}-{:x}\"", content.size, since.as_nanos())))
    };
    let (file, tag) = match opened.await {
        Ok(file) => file,
        Err(error) => return disk_failure(error).into_response(),
    };
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(length), 256 * 1024));
    let mut response = (status, [(header::CONTENT_LENGTH, length.to_string())], body).into_response();
    let headers = response.headers_mut();
    if let Ok(tag) = tag.parse() {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/octet-stream"));
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {first}-{}/{}", first + length - 1, content.size);
        if let Ok(range) = range.parse() {
            headers.insert(header::CONTENT_RANGE, range);
        }
    }
    response
}

/// A name as some servers store it: accents composed, lower case, blanks as `_`.
pub fn fold_name(name: &str) -> String {
    let composed = icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(name).to_lowercase();
    composed.replace(' ', "_")
}
