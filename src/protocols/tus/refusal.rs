//! The meaning of a TUS server's refusal: the status of an answer as an error.

use reqwest::StatusCode;

use crate::error::{Error, Kind};
use crate::protocols::http::host_of;
use crate::protocols::http::response::HttpReply;

pub const LOCKED: &str = "the server still holds the upload for an earlier request";

/// A header of the protocol's successor, whose uploads use other requests.
const DRAFT: &str = "upload-draft-interop-version";

/// The error for a server that supports only the Internet-Draft of resumable uploads.
pub fn draft_of(reply: &HttpReply) -> Option<Error> {
    let speaks_tus = ["tus-resumable", "tus-version"].iter().any(|name| reply.headers.contains_key(*name));
    let version = reply.header(DRAFT).filter(|_| !speaks_tus)?;
    let what = format!("the server speaks the Internet-Draft of resumable uploads (version {version:?}) and not TUS 1.0.0");
    Some(Error::new(Kind::Unsupported, what).with_subject(host_of(&reply.url)).with_hint("ask for the address of its TUS 1.0.0 endpoint"))
}

/// The error for a status that is not 2xx, in answers about an upload, where TUS differs from general HTTP.
pub fn refusal(reply: &HttpReply) -> Error {
    let (kind, words) = match reply.status {
        StatusCode::NOT_FOUND | StatusCode::GONE => (Kind::NotFound, "the server no longer has this upload"),
        StatusCode::CONFLICT => (Kind::Interrupted, "the server stands at another byte of the file"),
        StatusCode::LOCKED => (Kind::Busy, LOCKED),
        status if status.as_u16() == 460 => (Kind::Interrupted, "a part was damaged on its way, and the server dropped it"),
        _ => return creation_refusal(reply),
    };
    let status = reply.status.as_u16();
    Error::new(kind, words)
        .with_status(status)
        .with_subject(host_of(&reply.url))
        .with_retry_after(reply.retry_after())
        .with_cause(anyhow::anyhow!("HTTP {status}"))
}

/// The same for OPTIONS and creation, when there is no upload yet.
pub fn creation_refusal(reply: &HttpReply) -> Error {
    match reply.status {
        StatusCode::PRECONDITION_FAILED => reply.error().with_kind(Kind::Unsupported),
        _ => reply.error(),
    }
}
