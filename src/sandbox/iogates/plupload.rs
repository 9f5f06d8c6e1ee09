//! The plupload receiver of the ioGates stand-in, after the reference handler: a chunk is appended to the part file whatever
//! its number is, and results are JSON-RPC with HTTP 200 (providers.md, section 4). As in PHP the script runs only after the
//! whole request has arrived.

use std::collections::HashMap;
use std::fs;

use axum::extract::{Multipart, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::NAME;
use super::model::Access;
use super::state::{Host, Iogates};
use crate::model::Protocol;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::responses;
use crate::sandbox::responses::{HandlerResult, disk_failure};
use crate::sandbox::storage::UploadFile;
use crate::sandbox::tus_append::wall;

/// Bytes for the other fields and the boundaries.
const FORM: u64 = 16 * 1024;

fn error(code: u16, message: &str) -> Response {
    responses::ok(json!({ "jsonrpc": "2.0", "error": { "code": code, "message": message }, "id": "id" }))
}

#[derive(Default)]
struct ReceivedForm {
    fields: HashMap<String, String>,
    chunk: Option<UploadFile>,
    filename: String,
}

pub async fn receive(
    State(host): Host,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    mut form: Multipart,
) -> HandlerResult {
    let access = query.get("token").and_then(|t| host.access(|a| a.upload_key == *t));
    let Some(access) = access.filter(|a| host.may_upload(a).is_ok()) else {
        return Ok(error(105, "Security check failed."));
    };
    let limit = host.state().settings.chunk_size;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<u64>().ok());
    if limit > 0 && length.is_some_and(|l| l > limit + FORM) {
        return Ok(responses::page(StatusCode::PAYLOAD_TOO_LARGE, "413 Request Entity Too Large"));
    }
    let sent = match spool_form(&host, &mut form).await? {
        Some(sent) => sent,
        None => return Ok(error(101, "Failed to open input stream.")),
    };
    Ok(store(&host, &access, sent).unwrap_or_else(|_| error(102, "Failed to open output stream.")))
}

/// Reads the form. None when it ended early.
async fn spool_form(host: &Iogates, form: &mut Multipart) -> HandlerResult<Option<ReceivedForm>> {
    let mut sent = ReceivedForm::default();
    loop {
        let mut field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => return Ok(Some(sent)),
            Err(_) => return Ok(None),
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name != "file" {
            let Ok(text) = field.text().await else { return Ok(None) };
            sent.fields.insert(name, text);
            continue;
        }
        sent.filename = field.file_name().unwrap_or_default().to_owned();
        let upload = sent.fields.get("name").cloned().unwrap_or_default();
        let mut chunk = host.shared.store.grow().map_err(disk_failure)?;
        loop {
            match field.chunk().await {
                Ok(Some(bytes)) => {
                    host.shared.store.count_received(NAME, &upload, bytes.len());
                    chunk.append(&bytes).map_err(disk_failure)?;
                }
                Ok(None) => break,
                Err(_) => return Ok(None),
            }
        }
        sent.chunk = Some(chunk);
    }
}

fn store(host: &Iogates, access: &Access, sent: ReceivedForm) -> std::io::Result<Response> {
    let Some(chunk) = sent.chunk else { return Ok(error(103, "Failed to move uploaded file.")) };
    if host.hit(Fault::PluploadError).is_some() {
        return Ok(error(102, "Failed to open output stream."));
    }
    let name = sent.fields.get("name").filter(|n| !n.is_empty()).unwrap_or(&sent.filename).clone();
    if name.is_empty() {
        return Ok(error(101, "Failed to open input stream."));
    }
    let number = |key: &str| sent.fields.get(key).and_then(|t| t.parse::<u64>().ok()).unwrap_or(0);
    let (number, total) = (number("chunk"), number("chunks"));
    let key = (access.upload_key.clone(), name.clone());
    let mut state = host.state();
    let mut part = match state.parts.remove(&key) {
        Some(part) if number > 0 || host.hit(Fault::PluploadTruncates).is_none() => part,
        _ => host.shared.store.grow()?,
    };
    if wall(host, part.size() + chunk.size()) {
        return Ok(responses::page(StatusCode::BAD_GATEWAY, "502 Bad Gateway"));
    }
    part.append_file(chunk.path())?;
    fs::remove_file(chunk.path())?;
    let complete = total == 0 || number == total - 1;
    if complete {
        drop(state);
        host.take_in(access.root, &name, part.content(), Protocol::Plupload);
    } else {
        state.parts.insert(key, part);
    }
    if host.hit(Fault::PluploadOk).is_some() {
        return Ok(responses::ok(json!({ "OK": 1, "info": "Upload successful." })));
    }
    Ok(responses::ok(json!({ "jsonrpc": "2.0", "result": null, "id": "id" })))
}
