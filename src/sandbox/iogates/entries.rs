//! The files and folders of the ioGates stand-in, and how uploads find their entry.

use axum::http::StatusCode;
use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};

use super::NAME;
use super::model::{Access, Entry, Root};
use super::reply::refusal;
use super::state::{Iogates, State};
use crate::model::Protocol;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::random;
use crate::sandbox::responses::HandlerResult;
use crate::sandbox::storage::Content;

/// The body of a request that creates a file.
pub struct CreateBody {
    pub path: String,
    pub kind: String,
    pub attributes: Value,
    pub parent: Option<u64>,
    pub size: Option<u64>,
    pub md5: Option<String>,
}

impl CreateBody {
    /// # Errors
    /// 400 with a message if a required field is missing or has a wrong type.
    pub fn read(body: &Value) -> HandlerResult<CreateBody> {
        let bad = |why: &str| refusal(StatusCode::BAD_REQUEST, why);
        let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
        let path = text("name").ok_or_else(|| bad("name is required"))?;
        let kind = text("type").ok_or_else(|| bad("type is required"))?;
        let number = |key: &str| match body.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| bad(&format!("{key} is not a number"))),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| bad(&format!("{key} is not a number"))),
        };
        let attributes = match body.get("attributes") {
            None | Some(Value::Null) => json!([]),
            Some(list) if list.is_array() => list.clone(),
            Some(_) => return Err(bad("attributes is not a list")),
        };
        Ok(CreateBody { path, kind, attributes, parent: number("parent")?, size: number("size")?, md5: text("md5") })
    }
}

impl Iogates {
    /// Makes the entry, and the missing folders of its path. A second call with the same name makes a second entry
    /// (providers.md 1.6).
    pub(super) fn create(&self, access: &Access, wish: CreateBody) -> HandlerResult<u64> {
        let mut state = self.state();
        let mut parent = wish.parent;
        if let Some(id) = parent
            && !state.entries.get(&id).is_some_and(|e| e.is_folder() && e.root == access.root)
        {
            return Err(refusal(StatusCode::BAD_REQUEST, "parent is not a folder"));
        }
        let mut names: Vec<&str> = wish.path.split('/').filter(|n| !n.is_empty()).collect();
        let Some(name) = names.pop() else { return Err(refusal(StatusCode::BAD_REQUEST, "name is empty")) };
        for folder in names {
            parent = Some(state.folder(access.root, parent, folder));
        }
        let id = state.add(access.root, parent, name, &wish.kind);
        if let Some(entry) = state.entries.get_mut(&id) {
            entry.attributes = wish.attributes;
            entry.size = wish.size;
            entry.md5 = wish.md5.map(|m| m.to_ascii_lowercase());
        }
        self.shared.store.count_created(NAME);
        Ok(id)
    }

    /// Stores a complete upload. A known upload name fills its entry, if size and MD5 are as announced; any other name makes a
    /// new file.
    pub(super) fn take_in(&self, root: Root, name: &str, content: Content, protocol: Protocol) {
        if self.hit(Fault::NotTakenIn).is_some() {
            return;
        }
        let with_extension = self.hit(Fault::NameWithExtension).is_some();
        let mut state = self.state();
        let fits = |e: &&mut Entry| {
            e.root == root
                && e.content.is_none()
                && !e.is_folder()
                && match (with_extension, name.split_once('.')) {
                    (true, Some((stem, _))) => e.upload_filename == stem,
                    (true, None) => false,
                    (false, _) => e.upload_filename == name,
                }
        };
        let id = match state.entries.values_mut().find(fits) {
            Some(entry) => {
                let size_differs = entry.size.is_some_and(|s| s != content.size);
                let md5_differs = entry.md5.as_ref().is_some_and(|m| *m != content.md5);
                if size_differs || md5_differs {
                    return;
                }
                entry.id
            }
            None => {
                self.shared.store.count_created(NAME);
                state.add(root, None, name, "other")
            }
        };
        if let Some(entry) = state.entries.get_mut(&id) {
            entry.content = Some(content.clone());
        }
        let path = state.path(id);
        self.shared.store.arrive(NAME, path, &content, protocol);
    }

    /// The newest complete file at a path of the account, else of the share.
    pub(in crate::sandbox) fn find(&self, path: &str) -> Option<Content> {
        let state = self.state();
        let mut found: Vec<&Entry> = state.entries.values().filter(|e| e.content.is_some() && state.path(e.id) == path).collect();
        found.sort_by_key(|e| (e.root == Root::Account, e.id));
        found.pop().and_then(|e| e.content.clone())
    }

    pub(in crate::sandbox) fn files(&self) -> Vec<(String, Content)> {
        let state = self.state();
        let own = state.entries.values().filter(|e| e.root == Root::Account);
        own.filter_map(|e| Some((state.path(e.id), e.content.clone()?))).collect()
    }

    pub(in crate::sandbox) fn entries(&self, folder: &str) -> Vec<(String, Option<String>)> {
        let state = self.state();
        let inside = |e: &&Entry| !e.is_folder() && state.path(e.id).strip_suffix(&e.name) == Some(&format!("{folder}/"));
        state.entries.values().filter(inside).map(|e| (e.name.clone(), e.content.as_ref().map(|c| c.md5.clone()))).collect()
    }

    /// An entry as the API shows it. `size` stays null even when the file is complete.
    pub(super) fn entry_json(&self, entry: &Entry, finished: bool) -> Value {
        let content = entry.content.as_ref().filter(|_| finished);
        let strings = self.hit(Fault::IdsAsStrings).is_some();
        let id = |id: u64| if strings { json!(id.to_string()) } else { json!(id) };
        let known = std::path::Path::new(&entry.name).extension().is_some();
        let transfer_name = match (known || entry.is_folder(), content) {
            (true, _) => entry.name.clone(),
            (false, None) => format!("{}.", entry.name),
            (false, Some(_)) => format!("{}.{}", entry.name, extension(&entry.kind)),
        };
        let mut shown = json!({
            "name": entry.name,
            "type": entry.kind,
            "attributes": entry.attributes,
            "id": id(entry.id),
            "parent": entry.parent.map(id),
            "created": when(entry.created),
            "description": null,
            "editable": true,
            // The real service often returns another host than the one that was called.
            "href": format!("https://web02.iogates.example/api/file/{}", entry.id),
            "size": null,
            "transfer_name": transfer_name,
            "download": content.map(|_| format!("{}/download-file/{}/0/0/1/0/{}", self.origin, entry.id, entry.secret)),
            "md5": content.map(|c| c.md5.clone()),
            "Etag": u8::from(content.is_some()),
        });
        if entry.content.is_none() && !entry.is_folder() {
            shown["upload_filename"] = json!(entry.upload_filename);
        }
        shown
    }
}

impl State {
    /// The folder of that name, made if it is missing.
    pub fn folder(&mut self, root: Root, parent: Option<u64>, name: &str) -> u64 {
        let same = |e: &&Entry| e.is_folder() && e.root == root && e.parent == parent && e.name == name;
        match self.entries.values().find(same) {
            Some(entry) => entry.id,
            None => self.add(root, parent, name, "dir"),
        }
    }

    pub fn add(&mut self, root: Root, parent: Option<u64>, name: &str, kind: &str) -> u64 {
        let id = self.next_id();
        let entry = Entry {
            id,
            root,
            name: name.to_owned(),
            kind: kind.to_owned(),
            attributes: json!([]),
            parent,
            created: Utc::now(),
            size: None,
            md5: None,
            upload_filename: random::hex(13),
            content: None,
            secret: format!("351-{}", random::alnum(32)),
        };
        self.entries.insert(id, entry);
        id
    }

    /// The path from the token's root, with a leading slash.
    pub fn path(&self, id: u64) -> String {
        let mut names = Vec::new();
        let mut at = Some(id);
        while let Some(entry) = at.and_then(|id| self.entries.get(&id)) {
            names.push(entry.name.as_str());
            at = entry.parent;
        }
        names.push("");
        names.reverse();
        names.join("/")
    }
}

/// A time with a zone without a colon, which is not RFC 3339: `2020-07-07T10:14:21+0200`.
pub fn when(time: DateTime<Utc>) -> String {
    let zone = FixedOffset::east_opt(2 * 3600);
    match zone {
        Some(zone) => time.with_timezone(&zone).format("%Y-%m-%dT%H:%M:%S%z").to_string(),
        None => time.format("%Y-%m-%dT%H:%M:%S%z").to_string(),
    }
}

/// The extension that the server derives from a type when the name has none.
fn extension(kind: &str) -> &str {
    match kind {
        "movie" => "mp4",
        "audio" => "mp3",
        "image" => "jpg",
        mime => mime.split_once('/').map_or("bin", |(_, sub)| sub),
    }
}
