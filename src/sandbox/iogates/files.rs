//! The File and Files APIs and the download (providers.md, 1.6, 1.7, 1.9, 1.10).

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::entries::CreateBody;
use super::model::{Access, Entry, Root};
use super::reply::refusal;
use super::state::{Host, Iogates};
use crate::sandbox::faults::table::Fault;
use crate::sandbox::responses;
use crate::sandbox::responses::{HandlerResult, Refusal};

pub async fn create(State(host): Host, headers: HeaderMap, Json(body): Json<Value>) -> HandlerResult<Response> {
    let access = host.guest(&headers)?;
    host.may_upload(&access)?;
    let id = host.create(&access, CreateBody::read(&body)?)?;
    let state = host.state();
    let entry = state.entries.get(&id).ok_or_else(not_found)?;
    Ok(responses::ok(host.entry_json(entry, false)))
}

pub async fn create_many(State(host): Host, headers: HeaderMap, Json(body): Json<Value>) -> HandlerResult<Response> {
    let access = host.guest(&headers)?;
    host.may_upload(&access)?;
    if host.hit(Fault::NoFilesPost).is_some() {
        return Err(refusal(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"));
    }
    let Some(files) = body.get("files").and_then(Value::as_array) else {
        return Err(refusal(StatusCode::BAD_REQUEST, "files is required"));
    };
    let mut ids = Vec::new();
    for wish in files.iter().map(CreateBody::read).collect::<Result<Vec<_>, _>>()? {
        ids.push(host.create(&access, wish)?);
    }
    let mut state = host.state();
    if host.hit(Fault::AnswersRenamed).is_some()
        && let Some(entry) = ids.first().and_then(|id| state.entries.get_mut(id))
    {
        entry.name.insert_str(0, "renamed ");
    }
    let mut entries: Vec<&Entry> = ids.iter().filter_map(|id| state.entries.get(id)).collect();
    if host.hit(Fault::AnswersMixed).is_some() {
        entries.reverse();
    }
    Ok(responses::ok(listing(&host, &entries)))
}

pub async fn show(State(host): Host, Path(id): Path<u64>, headers: HeaderMap) -> HandlerResult<Response> {
    let access = host.guest(&headers)?;
    let state = host.state();
    let entry = visible(state.entries.get(&id), &access).ok_or_else(not_found)?;
    // The server may still be processing the file that it has received.
    let finished = entry.content.is_some() && host.hit(Fault::LateDownload).is_none();
    Ok(responses::ok(host.entry_json(entry, finished)))
}

/// One flat list of everything below the token's root.
pub async fn list(State(host): Host, headers: HeaderMap) -> HandlerResult<Response> {
    let access = host.guest(&headers)?;
    let state = host.state();
    let entries: Vec<&Entry> = state.entries.values().filter(|e| e.root == access.root).collect();
    Ok(responses::ok(listing(&host, &entries)))
}

fn listing(host: &Iogates, entries: &[&Entry]) -> Value {
    let files: Vec<Value> = entries.iter().map(|e| host.entry_json(e, true)).collect();
    let map: Map<String, Value> = entries.iter().map(|e| (e.id.to_string(), json!(e.kind))).collect();
    json!({ "files": files, "map": visible_map(host, map) })
}

/// PHP prints an empty map as a list.
pub fn visible_map(host: &Iogates, map: Map<String, Value>) -> Value {
    if map.is_empty() && host.hit(Fault::MapAsList).is_some() { json!([]) } else { Value::Object(map) }
}

fn visible<'a>(entry: Option<&'a Entry>, access: &Access) -> Option<&'a Entry> {
    entry.filter(|e| e.root == access.root)
}

pub fn not_found() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "File not found")
}

/// The URL contains the secret; no header is needed.
pub async fn download(
    State(host): Host,
    Path((id, _, _, _, _, secret)): Path<(u64, String, String, String, String, String)>,
    headers: HeaderMap,
) -> HandlerResult<Response> {
    let content = {
        let state = host.state();
        let entry = state.entries.get(&id).filter(|e| e.secret == secret).ok_or_else(not_found)?;
        if entry.root == Root::Share && !state.settings.share_may_download {
            return Err(refusal(StatusCode::FORBIDDEN, "No permission to download"));
        }
        entry.content.clone().ok_or_else(not_found)?
    };
    let part = if host.hit(Fault::RangeIgnored).is_some() { None } else { responses::range(&headers, content.size) };
    Ok(responses::file(&content, part).await)
}
