//! The handler of each request: the only list of the calls of giga0.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::json;

use super::params::Params;
use super::state::Giga0;
use super::{account, download, files, folders, remote, upload};
use crate::sandbox::responses;

pub fn routes(host: Arc<Giga0>) -> Router {
    Router::new().route("/api/v2/{*call}", any(call)).fallback(download::serve).layer(DefaultBodyLimit::disable()).with_state(host)
}

/// API calls are counted by their own path (`file/upload`), everything else as `download`.
pub fn kind(_: &Method, path: &str) -> (String, bool) {
    match path.trim_matches('/').strip_prefix("api/v2/") {
        Some(call) => (call.to_owned(), call == "file/upload"),
        None => ("download".to_owned(), false),
    }
}

async fn call(State(host): State<Arc<Giga0>>, Path(call): Path<String>, request: Request) -> Response {
    // The documentation says POST; sites also accept GET with a query.
    if request.method() != Method::POST && request.method() != Method::GET {
        return responses::page(StatusCode::METHOD_NOT_ALLOWED, "405 Method Not Allowed");
    }
    let call = call.trim_end_matches('/');
    if call == "file/upload" {
        return upload::receive(&host, request).await.into_response();
    }
    let params = Params::read(request).await;
    if call == "authorize" {
        return account::authorize(&host, &params);
    }
    if let Err(refusal) = host.check_token(call, &params) {
        return refusal.into_response();
    }
    let done = match call {
        "disable_access_token" => account::disable(&host),
        "account/info" => account::info(&host),
        "account/package" => account::package(&host),
        "file/download" => download::token(&host, &params),
        "file/url_upload_add" => remote::add(&host, &params),
        "file/url_upload_status" => remote::status(&host, &params),
        "file/info" => files::info(&host, &params),
        "file/edit" => files::edit(&host, &params),
        "file/delete" => files::delete(&host, &params),
        "file/move" => files::move_file(&host, &params),
        "file/copy" => files::copy(&host, &params),
        "folder/create" => folders::create(&host, &params),
        "folder/listing" => folders::listing(&host, &params),
        "folder/info" => folders::info(&host, &params),
        "folder/edit" => folders::edit(&host, &params),
        "folder/delete" => folders::delete(&host, &params),
        "folder/move" => folders::move_folder(&host, &params),
        other => {
            let why = format!("No method found by {other}");
            Ok(responses::json(StatusCode::NOT_FOUND, json!({ "0": why, "_status": "error" })))
        }
    };
    done.into_response()
}
