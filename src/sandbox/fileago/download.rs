//! Downloading (providers.md, 3.6): the path contains the key, and no header is needed.

use std::sync::Arc;

use axum::extract::{Path, State as From};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::NAME;
use super::state::Fileago;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::responses;
use crate::sandbox::responses::HandlerResult;

/// Clients send this for the newest revision.
const NEWEST: &str = "999999999999999";

pub async fn serve(
    From(host): From<Arc<Fileago>>,
    Path((key, id, revision, _name)): Path<(String, String, String, String)>,
    headers: HeaderMap,
) -> HandlerResult {
    if key != host.file_key {
        return Err(host.error(StatusCode::UNAUTHORIZED, "Invalid file access key"));
    }
    let faults = &host.shared.faults;
    if faults.hit(NAME, Fault::NoDownload).is_some() {
        return Err(host.error(StatusCode::FORBIDDEN, "Permission denied"));
    }
    let content = {
        let state = host.state();
        host.target(&state, &id)?;
        let node = state.tree.get(&id).filter(|n| !n.folder).ok_or_else(|| host.absent())?;
        let words = faults.hit(NAME, Fault::NoLatest).is_none();
        let found = match revision.as_str() {
            NEWEST => node.revisions.last(),
            "latest" if words => node.revisions.last(),
            "oldest" if words => node.revisions.first(),
            number => number.parse::<usize>().ok().and_then(|n| node.revisions.get(n.checked_sub(1)?)),
        };
        found.cloned().ok_or_else(|| host.absent())?
    };
    let part = if faults.hit(NAME, Fault::RangeIgnored).is_some() { None } else { responses::range(&headers, content.size) };
    let response = responses::file(&content, part).await;
    Ok(if faults.hit(NAME, Fault::NoLength).is_some() { without_length(response) } else { response })
}

/// Removes the length, so that the body is sent in chunks.
fn without_length(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    (parts, body).into_response()
}
