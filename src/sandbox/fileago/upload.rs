//! Uploading (providers.md, 3.5): a token for a folder or a file, then one multipart POST that must begin within five seconds.
//! Each try uses the token up, whether it succeeds or not.

use std::time::{Duration, Instant};

use axum::extract::{FromRequest, Multipart, Path, Request, State as From};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;

use super::NAME;
use super::nodes::{Target, free};
use super::state::{Fileago, Host, UploadToken};
use crate::model::Protocol;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::random;
use crate::sandbox::responses;
use crate::sandbox::responses::{HandlerResult, disk_failure};
use crate::sandbox::storage::Content;

const LIFE: Duration = Duration::from_secs(5);

pub async fn token(From(host): Host, Path(id): Path<String>, headers: HeaderMap) -> HandlerResult {
    host.guest(&headers)?;
    let mut state = host.state();
    let node = match host.target(&state, &id)? {
        Target::Node(id) => id,
        Target::Root(..) => host.folder(&state, &id)?.0,
    };
    let token = random::hex(40);
    let age = host.shared.faults.hit(NAME, Fault::OldTicket).map_or(Duration::ZERO, |_| LIFE + Duration::from_secs(1));
    let made = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
    state.tickets.insert(token.clone(), UploadToken { node, made });
    Ok(responses::ok(json!({ "token": token, "status": "success", "msg": "This token is valid for next 5 seconds only" })))
}

pub async fn receive(From(host): Host, Path(token): Path<String>, request: Request) -> HandlerResult {
    // The shipped proxy would first receive the whole body, and the token would expire meanwhile.
    if !request.headers().contains_key(header::CONTENT_LENGTH) {
        return Err(responses::page(StatusCode::LENGTH_REQUIRED, "411 Length Required").into());
    }
    let ticket = host.state().tickets.remove(&token).filter(|t| t.made.elapsed() <= LIFE);
    let Some(ticket) = ticket else { return Err(host.error(StatusCode::FORBIDDEN, "Invalid upload token")) };
    let bad = || host.error(StatusCode::BAD_REQUEST, "No file received");
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| bad())?;
    let mut received = 0;
    while let Some(mut field) = form.next_field().await.map_err(|_| bad())? {
        let name = field.file_name().unwrap_or_default().to_owned();
        if field.name() != Some("file") || name.is_empty() {
            continue;
        }
        let mut growing = host.shared.store.grow().map_err(disk_failure)?;
        while let Some(bytes) = field.chunk().await.map_err(|_| bad())? {
            host.shared.store.count_received(NAME, &name, bytes.len());
            growing.append(&bytes).map_err(disk_failure)?;
        }
        store_upload(&host, &ticket.node, &name, growing.content())?;
        received += 1;
    }
    if received == 0 {
        return Err(bad());
    }
    if host.shared.faults.hit(NAME, Fault::PlainAnswers).is_some() {
        return Ok("File(s) uploaded successfully".into_response());
    }
    Ok(responses::ok(json!({ "status": "success", "msg": "File(s) uploaded successfully" })))
}

/// A folder's token makes a new file, a file's token a new revision; the revision keeps the node's name.
fn store_upload(host: &Fileago, node: &str, name: &str, content: Content) -> HandlerResult<()> {
    let mut state = host.state();
    let revision = state.tree.get_mut(node).filter(|n| !n.folder);
    let id = match revision {
        Some(file) => {
            file.revisions.push(content.clone());
            file.updated = chrono::Utc::now();
            node.to_owned()
        }
        None => {
            let (parent, owner) = host.folder(&state, node)?;
            let changed = host.shared.faults.hit(NAME, Fault::NamesChanged).map(|_| name.replace(['"', '\\'], "").trim().to_owned());
            let folded = host.shared.faults.hit(NAME, Fault::NamesFolded).map(|_| responses::fold_name(name));
            let name = folded.as_deref().or(changed.as_deref()).unwrap_or(name);
            free(host, &state, &parent, name)?;
            host.shared.store.count_created(NAME);
            state.tree.add(&parent, name, &owner, Some(content.clone()))
        }
    };
    let path = state.tree.whole_path(&id, &host.me);
    host.shared.store.arrive(NAME, path, &content, Protocol::Multipart);
    Ok(())
}
