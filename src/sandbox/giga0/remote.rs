//! Imports by URL (providers.md, 2.7). The stand-in fetches only from loopback, so no request leaves the machine: any other URL
//! ends as `failed`.

use std::sync::Arc;

use axum::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::NAME;
use super::fields::when;
use super::params::{Params, clean};
use super::reply::success;
use super::state::Giga0;
use crate::model::Protocol;
use crate::sandbox::responses::HandlerResult;
use crate::sandbox::storage::Content;

pub fn add(host: &Arc<Giga0>, params: &Params) -> HandlerResult {
    let mut state = host.state();
    if !state.package.imports {
        return Err(host.error("Background URL downloading is not enabled."));
    }
    let encoded = params.get("file_url_base64").ok_or_else(|| host.missing("file_url_base64"))?;
    let url = STANDARD.decode(encoded).ok().and_then(|b| String::from_utf8(b).ok()).filter(|u| u.contains("://"));
    let wrong = || host.error("Could not parse the file_url_base64 parameter. Ensure it's base64 encoded.");
    let url = url.ok_or_else(wrong)?;
    let folder = params.id("folder_id").filter(|id| state.active_folder(*id));
    // For a URL that is queued already no second job is made, though the call succeeds (OQ-21).
    if !state.waiting.insert(url.clone()) {
        return Ok(success(json!({ "response": "File download from URL scheduled", "data": { "scheduled_item_id": null, "url": url } })));
    }
    let id = state.next_id();
    let item = json!({
        "scheduled_item_id": id, "status": "pending", "created": when(Utc::now()), "started": null, "finished": null,
        "total_size": 0, "downloaded_file": null,
    });
    state.imports.insert(id, item);
    let work = import(host.clone(), id, url.clone(), folder);
    // The task ends by itself; a sandbox that stops removes its files.
    tokio::spawn(work);
    Ok(success(json!({ "response": "File download from URL scheduled", "data": { "scheduled_item_id": id, "url": url } })))
}

pub fn status(host: &Giga0, params: &Params) -> HandlerResult {
    if params.get("scheduled_item_id").is_none() {
        return Err(host.missing("scheduled_item_id"));
    }
    let item = params.id("scheduled_item_id").and_then(|id| host.state().imports.get(&id).cloned());
    let item = item.ok_or_else(|| host.error("Could not find the scheduled item."))?;
    Ok(success(json!({ "response": "Scheduled URL file download found", "data": item })))
}

async fn import(host: Arc<Giga0>, id: u64, url: String, folder: Option<u64>) {
    let change = |fields: Value| {
        if let (Some(item), Value::Object(fields)) = (host.state().imports.get_mut(&id), fields) {
            for (key, value) in fields {
                item[key] = value;
            }
        }
    };
    change(json!({ "status": "downloading", "started": when(Utc::now()) }));
    let fetched = fetch(&host, &url).await;
    host.state().waiting.remove(&url);
    let Some((name, content)) = fetched else {
        change(json!({ "status": "failed", "finished": when(Utc::now()) }));
        return;
    };
    change(json!({ "status": "processing" }));
    let mut state = host.state();
    let file_id = state.add_file(folder, &name, content.clone());
    host.shared.store.count_created(NAME);
    let Some(file) = state.files.get(&file_id) else { return };
    host.shared.store.arrive(NAME, state.path(file), &content, Protocol::Http);
    let downloaded = json!({
        "file_id": file_id, "name": file.name, "size": content.size,
        "url": format!("{}/{}/{}", host.origin, file.short, file.name),
    });
    drop(state);
    change(json!({
        "status": "complete", "finished": when(Utc::now()), "total_size": content.size, "downloaded_file": downloaded,
    }));
}

async fn fetch(host: &Giga0, url: &str) -> Option<(String, Content)> {
    let uri: Uri = url.parse().ok()?;
    let loopback = matches!(uri.host()?, "127.0.0.1" | "localhost");
    if !loopback || uri.scheme_str() != Some("http") {
        return None;
    }
    let name = clean(uri.path().rsplit('/').next().filter(|n| !n.is_empty()).unwrap_or("index.html"));
    let response = client()?.get(url).send().await.ok()?.error_for_status().ok()?;
    let mut growing = host.shared.store.grow().ok()?;
    let mut body = response.bytes_stream();
    while let Some(bytes) = body.next().await {
        growing.append(&bytes.ok()?).ok()?;
    }
    Some((name, growing.content()))
}

/// A client for plain HTTP. reqwest needs some TLS setting, so this one trusts no certificate.
fn client() -> Option<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().redirect(reqwest::redirect::Policy::none()).build().ok()
}
