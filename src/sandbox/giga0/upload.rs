//! /file/upload (providers.md, 2.5). As in PHP the call begins after the whole form has arrived.

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};
use serde_json::json;

use super::NAME;
use super::fields::text;
use super::params::{Params, clean};
use super::reply::success;
use super::state::{File, Giga0};
use crate::model::Protocol;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::random;
use crate::sandbox::responses;
use crate::sandbox::responses::{HandlerResult, disk_failure};
use crate::sandbox::storage::Content;

pub async fn receive(host: &Giga0, request: Request) -> HandlerResult {
    if !request.headers().contains_key(header::CONTENT_LENGTH) {
        return Err(responses::page(StatusCode::LENGTH_REQUIRED, "411 Length Required").into());
    }
    let Ok(form) = Multipart::from_request(request, &()).await else { return Err(host.missing("access_token")) };
    let (params, file) = spool_form(host, form).await?;
    host.check_token("file/upload", &params)?;
    let (name, content) = file.ok_or_else(|| host.error("Did not receive uploaded file."))?;
    let package = host.state().package.clone();
    if content.size == 0 {
        return Err(host.error("Filesize received was zero."));
    }
    if !package.can_upload {
        return Err(host.error("You do not have permission to upload files."));
    }
    if package.max_upload_size > 0 && content.size > package.max_upload_size {
        return Err(host.error(&format!("Error on: {}/upload. File received is larger than permitted.", host.origin)));
    }
    if host.shared.faults.hit(NAME, Fault::DataError).is_some() {
        let row = json!([{ "name": name, "size": text(content.size), "error": "Storage space is full.", "file_id": null }]);
        return Ok(success(json!({ "response": "File uploaded", "data": row })));
    }
    let mut state = host.state();
    // A folder that the account does not have is no error: the file goes to the root.
    let folder = params.id("folder_id").filter(|id| state.active_folder(*id));
    let id = state.add_file(folder, &name, content);
    host.shared.store.count_created(NAME);
    let file = state.files.get(&id).ok_or_else(|| host.error("Error uploading file."))?;
    host.shared.store.arrive(NAME, state.path(file), &file.content, Protocol::Multipart);
    let row = file_json(host, file, package.no_hash_from);
    Ok(success(json!({ "response": "File uploaded", "data": [row] })))
}

/// All fields, and the file if the form has one with a name.
async fn spool_form(host: &Giga0, mut form: Multipart) -> HandlerResult<(Params, Option<(String, Content)>)> {
    let ended_early = || responses::page(StatusCode::BAD_REQUEST, "400 Bad Request");
    let mut params = Params::default();
    let mut file = None;
    while let Some(mut field) = form.next_field().await.map_err(|_| ended_early())? {
        let name = field.name().unwrap_or_default().to_owned();
        let sent_as = field.file_name().map(str::to_owned);
        if name != "upload_file" || sent_as.is_none() {
            params.set(name, &field.text().await.map_err(|_| ended_early())?);
            continue;
        }
        let sent_as = sent_as.unwrap_or_default();
        let mut growing = host.shared.store.grow().map_err(disk_failure)?;
        while let Some(bytes) = field.chunk().await.map_err(|_| ended_early())? {
            host.shared.store.count_received(NAME, &sent_as, bytes.len());
            growing.append(&bytes).map_err(disk_failure)?;
        }
        // PHP keeps the part of the name after the last slash.
        let base = sent_as.rsplit(['/', '\\']).next().unwrap_or_default();
        let folded = host.shared.faults.hit(NAME, Fault::NamesFolded).map(|_| responses::fold_name(base));
        file = Some((clean(folded.as_deref().unwrap_or(base)), growing.content()));
    }
    Ok((params, file))
}

fn file_json(host: &Giga0, file: &File, no_hash_from: u64) -> serde_json::Value {
    let placeholder =
        no_hash_from > 0 && file.content.size >= no_hash_from || host.shared.faults.hit(NAME, Fault::HashPlaceholder).is_some();
    let hash = if placeholder { format!("{}-{}", file.content.size, random::hex(12)) } else { file.content.md5.clone() };
    let url = format!("{}/{}", host.origin, file.short);
    let delete_hash = random::hex(32);
    json!({
        "name": file.name,
        "size": text(file.content.size),
        "type": file.kind,
        "error": null,
        "url": url,
        "delete_url": format!("{url}~d?{delete_hash}"),
        "info_url": format!("{url}~i?{delete_hash}"),
        "delete_type": "DELETE",
        "delete_hash": delete_hash,
        "hash": hash,
        "stats_url": format!("{url}~s"),
        "short_url": file.short,
        "file_id": text(file.id),
        "unique_hash": random::hex(64),
        "url_html": format!("<a href=\"{url}\" target=\"_blank\">view {} on File Upload Script</a>", file.name),
        "url_bbcode": format!("[url]{url}[/url]"),
    })
}
