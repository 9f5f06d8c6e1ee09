//! Shares (providers.md, 1.12): the share of a share token, and those that the account makes.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::api::profile;
use super::files::not_found;
use super::model::Root;
use super::reply::refusal;
use super::state::Host;
use crate::sandbox::responses;
use crate::sandbox::responses::HandlerResult;

/// The share of a share token.
pub async fn own(State(host): Host, headers: HeaderMap) -> HandlerResult<Response> {
    let access = host.guest(&headers)?;
    if access.root != Root::Share {
        return Err(refusal(StatusCode::NOT_FOUND, "Not a share token"));
    }
    let settings = host.state().settings.clone();
    Ok(responses::ok(json!({
        "id": 15,
        "name": "Shared with you",
        "expired": settings.share_expired,
        "expires": null,
        "owner": profile(host.username()),
        "user": profile("guest"),
        "permissions": {
            "master": settings.share_may_download, "converted": true, "description": true, "comments": true,
            "attachments": false, "upload": settings.share_may_upload, "metainfo": true,
        },
        // The documentation prints a space in this name.
        "file id": 60_999,
        "type": "dir",
        "two_factor": settings.two_factor,
        "url": null,
        "max_file_size": settings.max_file_size,
        "available_storage": settings.available_storage,
    })))
}

pub async fn show(State(host): Host, Path(id): Path<u64>, headers: HeaderMap) -> HandlerResult<Response> {
    host.guest(&headers)?;
    host.state().shares.get(&id).map(|s| responses::ok(s.clone())).ok_or_else(not_found)
}

/// Only for an account's token.
pub async fn create(State(host): Host, headers: HeaderMap, Json(body): Json<Value>) -> HandlerResult<Response> {
    let access = host.guest(&headers)?;
    if access.root != Root::Account {
        return Err(refusal(StatusCode::FORBIDDEN, "A share can't be shared"));
    }
    let receiver = body.get("receiver").and_then(Value::as_str).filter(|r| !r.is_empty());
    let receiver = receiver.ok_or_else(|| refusal(StatusCode::BAD_REQUEST, "receiver is required"))?;
    let file_id = body.get("file_id").and_then(|v| v.as_u64().or_else(|| v.as_str()?.parse().ok()));
    let mut state = host.state();
    let entry = file_id.and_then(|id| state.entries.get(&id)).filter(|e| e.root == Root::Account).ok_or_else(not_found)?;
    let (file_id, kind) = (entry.id, if entry.is_folder() { "dir" } else { "file" });
    let id = state.next_id();
    let share = json!({
        "id": id, "name": receiver, "expired": false, "expires": null, "owner": profile(host.username()),
        "user": profile("guest"), "file_id": file_id, "type": kind, "two_factor": false,
        "permissions": {
            "master": true, "converted": true, "description": true, "comments": true, "attachments": false,
            "upload": false, "metainfo": true,
        },
        "url": format!("{}/show/{id}/", host.origin),
        "max_file_size": 0,
        "available_storage": state.settings.available_storage,
    });
    state.shares.insert(id, share.clone());
    Ok(responses::ok(share))
}
