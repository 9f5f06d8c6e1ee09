//! The sign-in, and the check of the token (providers.md, 3.1).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State as From;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{Duration, Utc};
use serde_json::{Value, json};

use super::NAME;
use super::state::Fileago;
use crate::sandbox::faults::RequestInfo;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::middleware::kind_of;
use crate::sandbox::random;
use crate::sandbox::responses;
use crate::sandbox::responses::HandlerResult;

impl Fileago {
    /// Checks that the request has a valid token.
    pub(super) fn guest(&self, headers: &HeaderMap) -> HandlerResult<()> {
        let shown = headers.get(header::AUTHORIZATION).and_then(|h| h.to_str().ok()?.strip_prefix("Bearer "));
        let mut state = self.state();
        if let Some(shown) = shown
            && state.sessions.contains(shown)
        {
            let asked = RequestInfo { provider: NAME, kind: kind_of(headers), carries_file: false };
            if self.shared.faults.take(asked, Fault::Expired).is_none() {
                return Ok(());
            }
            state.sessions.remove(shown);
        }
        Err(self.error(StatusCode::UNAUTHORIZED, "Token is missing or not valid"))
    }
}

/// The body is read as JSON, whatever its content type is.
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
    host.shared.store.count_sign_in(NAME);
    Ok(responses::ok(json!({
        "uuid": host.me.uuid, "token": token, "status": "success", "msg": "Login successful.", "is_admin": admin,
        "fullname": host.me.name, "fileaccesskey": host.file_key, "avatar": "/images/default_avatar.png",
    })))
}

/// A text in the form of a JWT that expires after 24 hours; no client checks the signature.
fn token(username: &str, uuid: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let expires = (Utc::now() + Duration::hours(24)).timestamp();
    let claims = json!({ "exp": expires, "username": username, "uuid": uuid });
    format!("{}.{}.{}", part(json!({ "alg": "HS256", "typ": "JWT" })), part(claims), random::alnum(43))
}
