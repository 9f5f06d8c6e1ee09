//! What the FileAgo stand-in remembers, and signing in (providers.md, 3.1).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State as From;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Duration, Utc};
use serde_json::{Value, json};

use super::NAME;
use super::tree::{Owner, Tree};
use crate::sandbox::faults::RequestInfo;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::middleware::{Shared, kind_of};
use crate::sandbox::random;
use crate::sandbox::responses;
use crate::sandbox::responses::HandlerResult;
use crate::sandbox::storage::{Content, held};

/// What an upload token is good for.
pub struct UploadToken {
    pub node: String,
    pub made: Instant,
}

#[derive(Default)]
pub struct State {
    pub tree: Tree,
    /// Session tokens that are alive.
    pub sessions: HashSet<String>,
    pub tickets: HashMap<String, UploadToken>,
    /// Copies are forbidden: the user may read, but not download.
    pub refuses_copies: bool,
}

pub struct Fileago {
    pub(super) ground: Arc<Shared>,
    username: String,
    password: String,
    /// The user signed in, a colleague and a group that the user is in.
    pub(super) me: Owner,
    pub(super) colleague: Owner,
    pub(super) group: Owner,
    pub(super) file_key: String,
    state: Mutex<State>,
}

impl Fileago {
    pub(in crate::sandbox) fn new(ground: Arc<Shared>) -> Self {
        let owner = |kind, name: &str| Owner { kind, uuid: random::uuid(), name: name.to_owned() };
        Fileago {
            ground,
            username: "ann@example.com".to_owned(),
            password: random::alnum(20),
            me: owner("User", "Ann Example"),
            colleague: owner("User", "Bob Example"),
            group: owner("Group", "Editors"),
            file_key: format!("{}-{}", random::uuid(), random::uuid()),
            state: Mutex::default(),
        }
    }

    pub fn username(&self) -> &str {
        &self.username
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    /// A group whose workspace (`home:UUID`) the user may write to.
    pub fn group(&self) -> &str {
        &self.group.uuid
    }

    /// Another user, to share copies with.
    pub fn colleague(&self) -> &str {
        &self.colleague.uuid
    }

    /// From now on nobody may copy anything.
    pub fn refuse_copies(&self) {
        self.state().refuses_copies = true;
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        held(&self.state)
    }

    /// The bearer of a live token.
    pub(super) fn guest(&self, headers: &HeaderMap) -> HandlerResult<()> {
        let shown = headers.get(header::AUTHORIZATION).and_then(|h| h.to_str().ok()?.strip_prefix("Bearer "));
        let mut state = self.state();
        if let Some(shown) = shown
            && state.sessions.contains(shown)
        {
            let asked = RequestInfo { provider: NAME, kind: kind_of(headers), carries_file: false };
            if self.ground.faults.take(asked, Fault::Expired).is_none() {
                return Ok(());
            }
            state.sessions.remove(shown);
        }
        Err(self.error(StatusCode::UNAUTHORIZED, "Token is missing or not valid"))
    }

    /// The newest revision of the file at a path: `/a/b` is in the user's home, `/incoming:UUID/a` in another root.
    pub(in crate::sandbox) fn find(&self, path: &str) -> Option<Content> {
        let state = self.state();
        let files = state.tree.files().filter(|id| state.tree.whole_path(id, &self.me) == path);
        files.filter_map(|id| state.tree.get(id)?.revisions.last().cloned()).last()
    }

    pub(in crate::sandbox) fn entries(&self, folder: &str) -> Vec<(String, Option<String>)> {
        let state = self.state();
        let files = state.tree.files().filter_map(|id| Some((state.tree.whole_path(id, &self.me), state.tree.get(id)?)));
        let inside = files.filter(|(path, node)| path.strip_suffix(&node.name) == Some(&format!("{folder}/")));
        inside.map(|(_, node)| (node.name.clone(), node.revisions.last().map(|c| c.md5.clone()))).collect()
    }
}

/// The body is JSON whatever its content type says.
pub async fn sign_in(From(host): From<Arc<Fileago>>, body: Bytes) -> HandlerResult {
    let asked: Value = serde_json::from_slice(&body).map_err(|_| host.error(StatusCode::BAD_REQUEST, "Invalid request"))?;
    let username = asked.get("username").and_then(Value::as_str).unwrap_or_default();
    let admin = username == "admin";
    let right = asked.get("password").and_then(Value::as_str) == Some(host.password());
    if !right || !(admin || username == host.username()) {
        return Err(host.error(StatusCode::UNAUTHORIZED, "Invalid username or password"));
    }
    let token = token(username, &host.me.uuid);
    // The built-in administrator has no storage; its token opens no node.
    if !admin {
        host.state().sessions.insert(token.clone());
    }
    host.ground.store.count_sign_in(NAME);
    Ok(responses::ok(json!({
        "uuid": host.me.uuid, "token": token, "status": "success", "msg": "Login successful.", "is_admin": admin,
        "fullname": host.me.name, "fileaccesskey": host.file_key, "avatar": "/images/default_avatar.png",
    })))
}

/// The shape of a JWT with 24 hours to live; nobody checks the signature.
fn token(username: &str, uuid: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let expires = (Utc::now() + Duration::hours(24)).timestamp();
    let claims = json!({ "exp": expires, "username": username, "uuid": uuid });
    format!("{}.{}.{}", part(json!({ "alg": "HS256", "typ": "JWT" })), part(claims), random::alnum(43))
}
