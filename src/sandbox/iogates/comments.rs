//! Comments with their timecode (providers.md, 1.8 and 1.13).

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::Utc;
use serde_json::{Map, Value, json};

use super::entries::when;
use super::files::{not_found, visible_map};
use super::model::Access;
use super::reply::refusal;
use super::state::{Host, Iogates};
use crate::sandbox::responses;
use crate::sandbox::responses::HandlerResult;

/// Finds the file, if the token may see it.
fn file(host: &Iogates, access: &Access, id: u64) -> HandlerResult<String> {
    let state = host.state();
    let entry = state.entries.get(&id).filter(|e| e.root == access.root && !e.is_folder());
    entry.map(|e| e.kind.clone()).ok_or_else(not_found)
}

pub async fn of_file(State(host): Host, Path(id): Path<u64>, headers: HeaderMap) -> HandlerResult<Response> {
    let access = host.guest(&headers)?;
    let kind = file(&host, &access, id)?;
    let comments: Vec<Value> = host.state().comments.values().filter(|c| c["file_id"] == json!(id)).cloned().collect();
    let map: Map<String, Value> = comments.iter().enumerate().map(|(n, c)| (c["id"].to_string(), json!(n))).collect();
    let (source, fps, offset) = host.state().settings.timecode.clone();
    // Only media have a timecode.
    let media = kind == "movie" || kind == "audio" || kind.starts_with("video/") || kind.starts_with("audio/");
    let timecode = if media { json!({ "source": source, "fps": fps, "offset": offset }) } else { Value::Null };
    Ok(responses::ok(json!({ "timecode": timecode, "comments": comments, "map": visible_map(&host, map) })))
}

/// The fields that a body may set. `text` keeps its line breaks; `tc` is in milliseconds.
fn take_over(comment: &mut Value, body: &Value) -> HandlerResult<()> {
    let Some(text) = body.get("text").and_then(Value::as_str).filter(|t| !t.is_empty()) else {
        return Err(refusal(StatusCode::BAD_REQUEST, "text is required"));
    };
    comment["text"] = json!(text);
    for key in ["parent", "tc"] {
        if let Some(value) = body.get(key) {
            comment[key] = value.clone();
        }
    }
    Ok(())
}

pub async fn create(State(host): Host, headers: HeaderMap, Json(body): Json<Value>) -> HandlerResult<Response> {
    let access = host.guest(&headers)?;
    let id = body.get("file_id").and_then(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok()));
    let file_id = id.ok_or_else(|| refusal(StatusCode::BAD_REQUEST, "file_id is required"))?;
    file(&host, &access, file_id)?;
    let mut state = host.state();
    let id = state.next_id();
    let mut comment = json!({
        "id": id, "file_id": file_id, "owner": super::api::profile(host.username()), "removed": false,
        "created": when(Utc::now()), "parent": null, "text": "", "tc": [],
    });
    take_over(&mut comment, &body)?;
    state.comments.insert(id, comment.clone());
    Ok(responses::ok(comment))
}

pub async fn show(State(host): Host, Path(id): Path<u64>, headers: HeaderMap) -> HandlerResult<Response> {
    host.guest(&headers)?;
    host.state().comments.get(&id).map(|c| responses::ok(c.clone())).ok_or_else(not_found)
}

pub async fn change(State(host): Host, Path(id): Path<u64>, headers: HeaderMap, Json(body): Json<Value>) -> HandlerResult<Response> {
    host.guest(&headers)?;
    let mut state = host.state();
    let comment = state.comments.get_mut(&id).ok_or_else(not_found)?;
    take_over(comment, &body)?;
    Ok(responses::ok(comment.clone()))
}

pub async fn remove(State(host): Host, Path(id): Path<u64>, headers: HeaderMap) -> HandlerResult<Response> {
    host.guest(&headers)?;
    let mut state = host.state();
    let mut comment = state.comments.remove(&id).ok_or_else(not_found)?;
    comment["removed"] = json!(true);
    Ok(responses::ok(comment))
}
