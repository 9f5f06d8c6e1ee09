//! Downloads (providers.md, 2.6): a URL with a token, and the answers behind it, with the site's own handling of ranges.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::NAME;
use super::params::Params;
use super::reply::success;
use super::state::Giga0;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::random;
use crate::sandbox::responses;
use crate::sandbox::responses::HandlerResult;
use crate::sandbox::storage::Content;

/// `file_id`, or `short_url` alone.
pub fn token(host: &Giga0, params: &Params) -> HandlerResult {
    let mut state = host.state();
    let file = match (params.get("file_id"), params.get("short_url")) {
        (Some(id), _) => id.parse().ok().and_then(|id| state.files.get(&id)),
        (None, Some(short)) => state.files.values().find(|f| f.short == short),
        (None, None) => return Err(host.missing("file_id")),
    };
    let file = file.filter(|f| !f.trashed).ok_or_else(|| host.error("Could not find file based on file_id."))?;
    let (id, token) = (file.id, random::hex(64));
    let data = json!({
        "file_id": id.to_string(),
        "filename": file.name,
        "download_url": format!("{}/{}?download_token={token}", host.origin, file.short),
    });
    state.downloads.insert(token, id);
    Ok(success(json!({ "data": data })))
}

/// All requests outside the API. A refusal is not an HTTP error but a redirection to a page.
pub async fn serve(State(host): State<Arc<Giga0>>, uri: Uri, Query(query): Query<HashMap<String, String>>, headers: HeaderMap) -> Response {
    let short = uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    if short == "error" {
        return responses::page(StatusCode::OK, "Error");
    }
    let faults = &host.shared.faults;
    if let Some(strike) = faults.hit(NAME, Fault::DownloadPage) {
        return match strike.word {
            "html" => responses::page(StatusCode::OK, "Please wait"),
            _ => redirect("You must wait 30 seconds between downloads."),
        };
    }
    let found = {
        let mut state = host.state();
        let id = query.get("download_token").and_then(|t| state.downloads.get(t).copied());
        id.and_then(|id| state.files.get_mut(&id)).filter(|f| !f.trashed && f.short == short).map(|file| {
            file.downloads += 1;
            (file.name.clone(), file.content.clone())
        })
    };
    match found {
        Some((name, content)) => send(&name, &content, &headers).await,
        None => redirect("File has been removed."),
    }
}

fn redirect(why: &str) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, format!("/error?e={}", why.replace(' ', "+")))]).into_response()
}

/// `bytes=N-` with N above 0 gives 206 and ignores an end; `bytes=0-1` gives one byte; any other range gives the whole file.
async fn send(name: &str, content: &Content, headers: &HeaderMap) -> Response {
    let range = headers.get(header::RANGE).and_then(|r| r.to_str().ok()?.strip_prefix("bytes="));
    let first = range.and_then(|r| r.split_once('-')?.0.parse::<u64>().ok());
    let part = match (range, first) {
        (Some("0-1"), _) => Some(Ok((0, 1.min(content.size)))),
        (_, Some(0)) | (_, None) => None,
        (_, Some(first)) if first >= content.size => Some(Err(())),
        (_, Some(first)) => Some(Ok((first, content.size - first))),
    };
    let mut response = responses::file(content, part).await;
    // The name is not escaped, not even its quotes.
    if let Ok(value) = header::HeaderValue::from_bytes(format!("attachment; filename=\"{name}\"").as_bytes()) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
