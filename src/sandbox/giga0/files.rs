//! Files after their upload (providers.md, 2.8).

use serde_json::{Value, json};

use super::NAME;
use super::fields::{text, text_or_null, when};
use super::params::Params;
use super::reply::success;
use super::state::{File, Giga0, State};
use crate::sandbox::faults::table::Fault;
use crate::sandbox::responses::HandlerResult;

/// The file of `file_id`; a file of another user counts as missing.
fn find_file(host: &Giga0, state: &State, params: &Params) -> HandlerResult<u64> {
    let id = params.get("file_id").ok_or_else(|| host.missing("file_id"))?;
    let known = id.parse().ok().filter(|id| state.files.contains_key(id));
    known.ok_or_else(|| host.error("Could not find file based on file_id."))
}

/// The target folder: an empty text counts as missing, the text `null` is the root.
pub fn destination(host: &Giga0, state: &State, params: &Params, name: &str) -> HandlerResult<Option<u64>> {
    match params.get(name) {
        None => Err(host.missing(name)),
        Some("null") => Ok(None),
        Some(id) => match id.parse().ok().filter(|id| state.active_folder(*id)) {
            Some(id) => Ok(Some(id)),
            None => Err(host.error(&format!("Could not find the destination folder id defined by {name}."))),
        },
    }
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

pub fn word(trashed: bool) -> &'static str {
    if trashed { "trash" } else { "active" }
}

/// A row of a listing: `status`, and no date.
pub fn row(host: &Giga0, file: &File) -> Value {
    json!({
        "id": text(file.id), "filename": file.name, "shortUrl": file.short, "fileType": file.kind,
        "extension": extension(&file.name), "fileSize": text(file.content.size + host.shared.faults.hit(NAME, Fault::SizesWrong).map_or(0, |strike| strike.number)), "status": word(file.trashed),
        "downloads": text(file.downloads), "folderId": text_or_null(file.folder), "keywords": "",
        "url_file": format!("{}/{}", host.origin, file.short),
    })
}

/// The longer form of info, with `file_status`.
fn file_json(host: &Giga0, file: &File) -> Value {
    let url = format!("{}/{}", host.origin, file.short);
    json!({
        "id": text(file.id), "filename": file.name, "shortUrl": file.short, "fileType": file.kind,
        "extension": extension(&file.name), "fileSize": text(file.content.size), "uploadedIP": "127.0.0.1",
        "uploadedDate": when(file.uploaded), "file_status": word(file.trashed), "downloads": text(file.downloads),
        "lastAccessed": null, "folderId": text_or_null(file.folder), "keywords": "", "isPublic": "1",
        "uploadSource": "api", "description": "", "url_file": url, "url_file_info": format!("{url}~i"),
        "url_file_stats": format!("{url}~s"), "url_file_delete": format!("{url}~d"),
    })
}

fn data(host: &Giga0, state: &State, id: u64) -> Value {
    state.files.get(&id).map_or(Value::Null, |f| file_json(host, f))
}

pub fn info(host: &Giga0, params: &Params) -> HandlerResult {
    let state = host.state();
    let id = find_file(host, &state, params)?;
    Ok(success(json!({ "data": data(host, &state, id) })))
}

/// Does not check for duplicate names, and ignores a folder that does not exist.
pub fn edit(host: &Giga0, params: &Params) -> HandlerResult {
    let mut state = host.state();
    let id = find_file(host, &state, params)?;
    let folder = destination(host, &state, params, "folder_id").ok();
    if let Some(file) = state.files.get_mut(&id) {
        file.name = params.get("filename").unwrap_or(&file.name).to_owned();
        file.kind = params.get("fileType").unwrap_or(&file.kind).to_owned();
        file.folder = folder.unwrap_or(file.folder);
    }
    Ok(success(json!({ "response": "File successfully updated.", "data": data(host, &state, id) })))
}

/// Moves a file out of its folder to the trash. No call brings it back.
pub fn delete(host: &Giga0, params: &Params) -> HandlerResult {
    let mut state = host.state();
    let id = find_file(host, &state, params)?;
    if let Some(file) = state.files.get_mut(&id) {
        file.trashed = true;
        file.folder = None;
    }
    let mut data = data(host, &state, id);
    data["status"] = json!("trash");
    Ok(success(json!({ "response": "File successfully set as deleted.", "data": data })))
}

/// `/file/move`.
pub fn move_file(host: &Giga0, params: &Params) -> HandlerResult {
    let mut state = host.state();
    let id = find_file(host, &state, params)?;
    let folder = destination(host, &state, params, "new_parent_folder_id")?;
    if let Some(file) = state.files.get_mut(&id) {
        file.folder = folder;
    }
    Ok(success(json!({ "response": "File successfully moved.", "data": data(host, &state, id) })))
}

/// Unlike an upload a copy keeps its name, even if the folder has that name already.
pub fn copy(host: &Giga0, params: &Params) -> HandlerResult {
    let mut state = host.state();
    let id = find_file(host, &state, params)?;
    let folder = destination(host, &state, params, "copy_to_folder_id")?;
    let Some((name, content)) = state.files.get(&id).map(|f| (f.name.clone(), f.content.clone())) else {
        return Err(host.error("Could not find file based on file_id."));
    };
    let copy = state.add_file(folder, &name, content);
    if let Some(file) = state.files.get_mut(&copy) {
        file.name = name;
    }
    Ok(success(json!({
        "response": "File successfully copyied.",
        "original_file": { "data": data(host, &state, id) },
        "new_file": { "data": data(host, &state, copy) },
    })))
}
