//! Calls on nodes (providers.md, 3.4).

use axum::body::Bytes;
use axum::extract::{Path, State as From};
use axum::http::{HeaderMap, Method, StatusCode};
use chrono::Utc;
use serde_json::{Value, json};

use super::NAME;
use super::reply::data;
use super::state::{Fileago, Host, State};
use super::tree::{Owner, ROOTS};
use crate::sandbox::faults::table::Fault;
use crate::sandbox::responses::HandlerResult;

/// A node of the tree.
pub enum Target {
    /// A root and its owner; the key is `home:UUID`.
    Root(&'static str, Owner),
    Node(String),
}

impl Target {
    pub fn key(&self) -> String {
        match self {
            Target::Root(name, owner) => format!("{name}:{}", owner.uuid),
            Target::Node(id) => id.clone(),
        }
    }
}

impl Fileago {
    /// Finds `home`, `home:UUID` or a uuid. Roots of strangers are refused; unknown nodes are not found.
    pub(super) fn target(&self, state: &State, id: &str) -> HandlerResult<Target> {
        let (name, owner) = id.split_once(':').map_or((id, None), |(name, owner)| (name, Some(owner)));
        if let Some(root) = ROOTS.into_iter().find(|r| *r == name) {
            return match owner {
                None => Ok(Target::Root(root, self.me.clone())),
                Some(uuid) if uuid == self.me.uuid => Ok(Target::Root(root, self.me.clone())),
                Some(uuid) if uuid == self.group.uuid => Ok(Target::Root(root, self.group.clone())),
                Some(_) => Err(self.forbidden()),
            };
        }
        match state.tree.get(id) {
            Some(node) if node.owner.uuid == self.colleague.uuid => Err(self.forbidden()),
            Some(_) => Ok(Target::Node(id.to_owned())),
            None => Err(self.absent()),
        }
    }

    /// A node that can contain others: its key and its owner.
    pub(super) fn folder(&self, state: &State, id: &str) -> HandlerResult<(String, Owner)> {
        let target = self.target(state, id)?;
        let key = target.key();
        match target {
            Target::Root("home" | "incoming", owner) => Ok((key, owner)),
            Target::Root(..) => Err(self.forbidden()),
            Target::Node(id) => match state.tree.get(&id) {
                Some(node) if node.folder => Ok((key, node.owner.clone())),
                _ => Err(self.error(StatusCode::BAD_REQUEST, "Not a folder")),
            },
        }
    }

    fn own_node(&self, state: &State, id: &str) -> HandlerResult<String> {
        match self.target(state, id)? {
            Target::Node(id) => Ok(id),
            Target::Root(..) => Err(self.forbidden()),
        }
    }
}

pub async fn node(From(host): Host, method: Method, Path(id): Path<String>, headers: HeaderMap, body: Bytes) -> HandlerResult {
    host.guest(&headers)?;
    match method {
        Method::GET => details(&host, &id),
        Method::POST => change(&host, &id, &body),
        Method::DELETE => delete(&host, &id),
        _ => Err(host.error(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")),
    }
}

fn title(root: &str) -> String {
    let mut letters = root.replace('_', " ");
    if let Some(first) = letters.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    letters
}

/// Without size and revision, which only the folder's listing has.
fn details(host: &Fileago, id: &str) -> HandlerResult {
    let state = host.state();
    let target = host.target(&state, id)?;
    let now = Utc::now();
    let (name, kind, owner, created, updated) = match &target {
        Target::Root(name, owner) => (title(name), "Dir", owner.clone(), now, now),
        Target::Node(id) => {
            let node = state.tree.get(id).ok_or_else(|| host.absent())?;
            let kind = if node.folder { "Dir" } else { "File" };
            (node.name.clone(), kind, node.owner.clone(), node.created, node.updated)
        }
    };
    let shown = json!({
        "name": name, "type": kind, "uuid": id, "owner_type": owner.kind, "owner_uuid": owner.uuid,
        "owner_fullname": owner.name, "created": created.timestamp_millis(), "updated": updated.timestamp_millis(),
    });
    Ok(data("Node info fetched successfully", shown))
}

fn change(host: &Fileago, id: &str, body: &[u8]) -> HandlerResult {
    let asked: Value = serde_json::from_slice(body).map_err(|_| host.error(StatusCode::BAD_REQUEST, "Invalid request"))?;
    let text = |key: &str| asked.get(key).and_then(Value::as_str).filter(|t| !t.is_empty());
    let mut state = host.state();
    if let Some(name) = text("new_dir") {
        let (parent, owner) = host.folder(&state, id)?;
        free(host, &state, &parent, name)?;
        let made = state.tree.add(&parent, name, &owner, None);
        return Ok(host.change_response("Folder created successfully", &made));
    }
    let id = host.own_node(&state, id)?;
    if let Some(name) = text("new_name") {
        let parent = state.tree.get(&id).map(|n| n.parent.clone()).unwrap_or_default();
        free(host, &state, &parent, name)?;
        state.tree.rename(&id, name);
        return Ok(host.change_response("Node renamed successfully", &id));
    }
    if let Some(starred) = asked.get("starred").and_then(Value::as_bool) {
        if let Some(node) = state.tree.get_mut(&id) {
            node.starred = starred;
        }
        return Ok(host.change_response("Node updated successfully", &id));
    }
    if let Some(to) = text("copy_to") {
        if state.refuses_copies {
            return Err(host.forbidden());
        }
        let (parent, owner) = outside(host, &state, &id, to)?;
        let name = state.tree.get(&id).map(|n| n.name.clone()).unwrap_or_default();
        free(host, &state, &parent, &name)?;
        state.tree.copy(&id, &parent, &owner);
        return Ok(host.change_response("Node copied successfully", &id));
    }
    if let Some(to) = text("move_to") {
        let (parent, owner) = outside(host, &state, &id, to)?;
        let name = state.tree.get(&id).map(|n| n.name.clone()).unwrap_or_default();
        free(host, &state, &parent, &name)?;
        state.tree.relocate(&id, parent, owner);
        return Ok(host.change_response("Node moved successfully", &id));
    }
    if let Some(with) = asked.get("share_copy_with").and_then(Value::as_array) {
        let known = [&host.me, &host.colleague, &host.group];
        let find = |uuid: &Value| known.into_iter().find(|o| Some(o.uuid.as_str()) == uuid.as_str());
        let owners: Option<Vec<&Owner>> = with.iter().map(find).collect();
        let owners = owners.filter(|o| !o.is_empty()).ok_or_else(|| host.error(StatusCode::BAD_REQUEST, "Unknown user or group"))?;
        for owner in owners {
            state.tree.copy(&id, &format!("incoming:{}", owner.uuid), owner);
        }
        return Ok(host.change_response("Node shared successfully", &id));
    }
    Err(host.error(StatusCode::BAD_REQUEST, "Invalid request"))
}

/// The target folder of a node, which must not be the node itself or inside it.
fn outside(host: &Fileago, state: &State, id: &str, to: &str) -> HandlerResult<(String, Owner)> {
    let (parent, owner) = host.folder(state, to)?;
    if state.tree.ancestors(&parent).iter().any(|step| step == id) {
        return Err(host.error(StatusCode::BAD_REQUEST, "A folder can't go into itself"));
    }
    Ok((parent, owner))
}

/// From 2.0 the server refuses an existing name; the status is not documented.
pub fn free(host: &Fileago, state: &State, parent: &str, name: &str) -> HandlerResult<()> {
    if name.contains('/') || name.chars().any(char::is_control) {
        return Err(host.error(StatusCode::BAD_REQUEST, "Invalid name"));
    }
    match state.tree.child(parent, name) {
        Some(_) => Err(host.error(StatusCode::CONFLICT, "A file or folder with the same name already exists")),
        None => Ok(()),
    }
}

/// Moves a node to the owner's trash, into a folder of today's date; a node in the trash is removed for good.
fn delete(host: &Fileago, id: &str) -> HandlerResult {
    let mut state = host.state();
    let id = host.own_node(&state, id)?;
    let owner = state.tree.get(&id).map(|n| n.owner.clone()).ok_or_else(|| host.absent())?;
    let trash = format!("trash:{}", owner.uuid);
    if state.tree.ancestors(&id).first() == Some(&trash) {
        state.tree.remove(&id);
        return Ok(host.change_response("Node deleted successfully", &id));
    }
    let today = Utc::now().format("%Y-%m-%d").to_string();
    let day = match state.tree.child(&trash, &today) {
        Some(day) => day,
        None => state.tree.add(&trash, &today, &owner, None),
    };
    state.tree.relocate(&id, day, owner);
    Ok(host.change_response("Node deleted successfully", &id))
}

pub async fn list(From(host): Host, Path(id): Path<String>, headers: HeaderMap) -> HandlerResult {
    host.guest(&headers)?;
    let state = host.state();
    let target = host.target(&state, &id)?;
    let ids = match &target {
        Target::Root("favorites", owner) => state.tree.list_starred(owner),
        Target::Node(id) if state.tree.get(id).is_some_and(|n| !n.folder) => {
            return Err(host.error(StatusCode::BAD_REQUEST, "Not a folder"));
        }
        target => state.tree.children(&target.key()),
    };
    // Listings hide temporary files of office programs.
    let shown = ids.iter().filter(|id| state.tree.get(id).is_some_and(|n| !n.name.starts_with("~$")));
    let more = host.shared.faults.hit(NAME, Fault::SizesWrong).map_or(0, |strike| strike.number);
    let mut rows: Vec<Value> = shown.map(|id| state.tree.row(id, more)).collect();
    if host.shared.faults.hit(NAME, Fault::RowUnreadable).is_some() {
        rows.push(json!({ "uuid": null, "name": "no id.txt", "type": "File", "size": 3 }));
    }
    Ok(data("Directory contents fetched successfully", json!(rows)))
}

pub async fn path(From(host): Host, Path(id): Path<String>, headers: HeaderMap) -> HandlerResult {
    host.guest(&headers)?;
    let state = host.state();
    let key = host.target(&state, &id)?.key();
    let own = format!(":{}", host.me.uuid);
    let steps = state.tree.ancestors(&key).into_iter().map(|step| match state.tree.get(&step) {
        Some(node) => json!({ "name": node.name, "uuid": step }),
        None => {
            let root = step.split(':').next().unwrap_or_default();
            json!({ "name": title(root), "uuid": step.strip_suffix(&own).unwrap_or(&step) })
        }
    });
    Ok(data("Node path fetched successfully", json!(steps.collect::<Vec<_>>())))
}

pub async fn access(From(host): Host, Path(id): Path<String>, headers: HeaderMap) -> HandlerResult {
    host.guest(&headers)?;
    let state = host.state();
    host.target(&state, &id)?;
    let words = match host.shared.faults.hit(NAME, Fault::NoDownload) {
        Some(_) => json!(["read", "write"]),
        None => json!(["read", "write", "download", "delete"]),
    };
    Ok(data("Access fetched successfully", words))
}

pub async fn groups(From(host): Host, headers: HeaderMap) -> HandlerResult {
    host.guest(&headers)?;
    let group = json!([{ "group_name": host.group.name, "group_uuid": host.group.uuid }]);
    Ok(data("Groups fetched successfully", group))
}
