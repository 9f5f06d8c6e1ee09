//! What a TUS server's refusal means: the status of an answer as an error.

use reqwest::StatusCode;

use crate::error::{Error, Kind};
use crate::protocols::http::host_of;
use crate::protocols::http::response::HttpReply;

pub const LOCKED: &str = "the server still holds the upload for an earlier request";

/// What a status that is not 2xx means about an upload, where that differs from HTTP at large.
pub fn refused(reply: &HttpReply) -> Error {
    let (kind, words) = match reply.status {
        StatusCode::NOT_FOUND | StatusCode::GONE => (Kind::NotFound, "the server no longer has this upload"),
        StatusCode::CONFLICT => (Kind::Interrupted, "the server stands at another byte of the file"),
        StatusCode::LOCKED => (Kind::Busy, LOCKED),
        status if status.as_u16() == 460 => (Kind::Interrupted, "a part was damaged on its way, and the server dropped it"),
        _ => return not_made(reply),
    };
    let status = reply.status.as_u16();
    Error::new(kind, words)
        .with_status(status)
        .with_subject(host_of(&reply.url))
        .with_retry_after(reply.retry_after())
        .with_cause(anyhow::anyhow!("HTTP {status}"))
}

/// The same before there is an upload: OPTIONS and creation.
pub fn not_made(reply: &HttpReply) -> Error {
    match reply.status {
        StatusCode::PRECONDITION_FAILED => reply.error().with_kind(Kind::Unsupported),
        _ => reply.error(),
    }
}
