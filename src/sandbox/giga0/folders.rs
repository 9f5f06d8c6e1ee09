//! Folders (providers.md, 2.9).

use chrono::Utc;
use serde_json::{Value, json};

use super::NAME;
use super::fields::{text, text_or_null, time_or_null, when};
use super::files::{destination, row, word};
use super::params::Params;
use super::reply::success;
use super::state::{Folder, Giga0, State};
use crate::sandbox::faults::table::Fault;
use crate::sandbox::responses::HandlerResult;

fn find_folder(host: &Giga0, state: &State, params: &Params) -> HandlerResult<u64> {
    let id = params.id("folder_id").filter(|id| state.active_folder(*id));
    id.ok_or_else(|| host.error("Could not find folder based on folder_id."))
}

/// Counters are numbers, all other values are strings.
fn folder_json(host: &Giga0, state: &State, id: u64) -> Value {
    let Some(folder) = state.folders.get(&id) else { return Value::Null };
    let files = || state.files.values().filter(|f| f.folder == Some(id) && !f.trashed);
    let size: u64 = files().map(|f| f.content.size).sum();
    json!({
        "id": text(id), "parentId": text_or_null(folder.parent), "folderName": folder.name, "totalSize": text(size),
        "isPublic": text(folder.public), "accessPassword": folder.password, "date_added": when(folder.added),
        "date_updated": time_or_null(folder.updated),
        "url_folder": format!("{}/folder/{id}/{}", host.origin, folder.name.replace(' ', "_")),
        "total_downloads": 0,
        "child_folder_count": state.folders.values().filter(|f| f.parent == Some(id) && !f.trashed).count(),
        "file_count": files().count(),
    })
}

/// A value that is no MD5 is ignored: the folder then has no password.
fn password(params: &Params) -> Option<String> {
    params.get("access_password").filter(|p| p.len() == 32).map(str::to_owned)
}

fn public(params: &Params) -> Option<u8> {
    params.get("is_public")?.parse().ok().filter(|p| *p <= 2)
}

/// A second folder of the same name is made.
pub fn create(host: &Giga0, params: &Params) -> HandlerResult {
    let name = params.get("folder_name").ok_or_else(|| host.missing("folder_name"))?.to_owned();
    let mut state = host.state();
    let id = state.next_id();
    let folder = Folder {
        id,
        parent: params.id("parent_id").filter(|id| state.active_folder(*id)),
        name,
        public: public(params).unwrap_or(0),
        password: password(params),
        trashed: false,
        added: Utc::now(),
        updated: None,
    };
    state.folders.insert(id, folder);
    Ok(success(json!({ "response": "Folder successfully created.", "data": folder_json(host, &state, id) })))
}

/// There is no paging. Newer versions also list trashed rows, which have no parent and so appear in the root.
pub fn listing(host: &Giga0, params: &Params) -> HandlerResult {
    let state = host.state();
    let parent = params.get("parent_folder_id").map(|id| id.parse::<u64>().unwrap_or(0));
    let trashed = host.shared.faults.hit(NAME, Fault::TrashedRows).is_some();
    let visible = |is_trashed: bool| trashed || !is_trashed;
    let folders = state.folders.values().filter(|f| f.parent == parent && visible(f.trashed));
    let folders: Vec<Value> = folders
        .map(|f| {
            let mut row = folder_json(host, &state, f.id);
            if let Some(fields) = row.as_object_mut() {
                fields.remove("accessPassword");
            }
            if trashed {
                row["status"] = json!(word(f.trashed));
            }
            row
        })
        .collect();
    let files = state.files.values().filter(|f| f.folder == parent && visible(f.trashed));
    let mut files: Vec<Value> = files.map(|f| row(host, f)).collect();
    if host.shared.faults.hit(NAME, Fault::RowUnreadable).is_some() {
        files.push(json!({ "id": null, "filename": "no id.txt", "fileSize": "3", "status": "active" }));
    }
    let falsy = host.shared.faults.hit(NAME, Fault::FoldersFalse).is_some();
    let list = |rows: Vec<Value>| if rows.is_empty() && falsy { json!(false) } else { json!(rows) };
    Ok(success(json!({ "data": { "folders": list(folders), "files": list(files) } })))
}

/// Reads `folder_id`, unlike the documentation.
pub fn info(host: &Giga0, params: &Params) -> HandlerResult {
    let state = host.state();
    let id = find_folder(host, &state, params)?;
    Ok(success(json!({ "data": folder_json(host, &state, id) })))
}

pub fn edit(host: &Giga0, params: &Params) -> HandlerResult {
    let mut state = host.state();
    let id = find_folder(host, &state, params)?;
    let parent = destination(host, &state, params, "parent_id").ok().filter(|p| *p != Some(id));
    let name = params.get("folder_name").map(str::to_owned);
    let public = public(params);
    // The password is removed only together with another field.
    let clears = params.get("access_password") == Some("null") && (name.is_some() || parent.is_some() || public.is_some());
    if let Some(folder) = state.folders.get_mut(&id) {
        folder.name = name.unwrap_or_else(|| folder.name.clone());
        folder.parent = parent.unwrap_or(folder.parent);
        folder.public = public.unwrap_or(folder.public);
        folder.password = if clears { None } else { password(params).or(folder.password.take()) };
        folder.updated = Some(Utc::now());
    }
    Ok(success(json!({ "response": "Folder successfully updated.", "data": folder_json(host, &state, id) })))
}

/// Moves a folder with all its content to the trash.
pub fn delete(host: &Giga0, params: &Params) -> HandlerResult {
    let mut state = host.state();
    let mut doomed = vec![find_folder(host, &state, params)?];
    while let Some(id) = doomed.pop() {
        doomed.extend(state.folders.values().filter(|f| f.parent == Some(id)).map(|f| f.id));
        for file in state.files.values_mut().filter(|f| f.folder == Some(id)) {
            file.trashed = true;
            file.folder = None;
        }
        if let Some(folder) = state.folders.get_mut(&id) {
            folder.trashed = true;
            folder.parent = None;
        }
    }
    Ok(success(json!({ "response": "Folder successfully set as deleted." })))
}

/// `/folder/move`. Only a move of a folder into itself is refused; a move into its own child is not checked.
pub fn move_folder(host: &Giga0, params: &Params) -> HandlerResult {
    let mut state = host.state();
    if params.get("folder_id").is_none() {
        return Err(host.missing("folder_id"));
    }
    let id = find_folder(host, &state, params)?;
    let parent = destination(host, &state, params, "new_parent_folder_id")?;
    if parent == Some(id) {
        return Err(host.error("Could not move the folder into itself."));
    }
    if let Some(folder) = state.folders.get_mut(&id) {
        folder.parent = parent;
        folder.updated = Some(Utc::now());
    }
    Ok(success(json!({ "response": "Folder successfully moved.", "data": folder_json(host, &state, id) })))
}
