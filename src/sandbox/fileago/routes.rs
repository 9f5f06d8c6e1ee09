//! The routes of FileAgo, and the kinds of requests for the counts.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{any, get, post};

use super::sign_in::sign_in;
use super::state::Fileago;
use super::{download, nodes, upload};

pub fn routes(host: Arc<Fileago>) -> Router {
    let mut router = Router::new();
    // A trailing slash is accepted.
    for slash in ["", "/"] {
        let at = |path: &str| format!("{path}{slash}");
        router = router
            .route(&at("/auth"), post(sign_in))
            .route(&at("/api/groups"), get(nodes::groups))
            .route(&at("/api/nodes/{id}"), any(nodes::node))
            .route(&at("/api/nodes/{id}/dirlist"), get(nodes::list))
            .route(&at("/api/nodes/{id}/path"), get(nodes::path))
            .route(&at("/api/nodes/{id}/myaccess"), get(nodes::access))
            .route(&at("/api/nodes/{id}/upload"), get(upload::token))
            .route(&at("/upload/{token}"), post(upload::receive));
    }
    router
        .route("/resources/auth/download/{key}/{id}/{revision}/{name}", get(download::serve))
        .layer(DefaultBodyLimit::disable())
        .with_state(host)
}

/// The kind of a request, and whether its body is a file's bytes.
pub fn kind(method: &Method, path: &str) -> (String, bool) {
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let name = match (method.as_str(), steps.as_slice()) {
        (_, ["auth"]) => "sign-in",
        (_, ["api", "groups"]) => "groups",
        ("GET", ["api", "nodes", _]) => "details",
        ("POST", ["api", "nodes", _]) => "change",
        ("DELETE", ["api", "nodes", _]) => "delete",
        (_, ["api", "nodes", _, "upload"]) => "upload-token",
        (_, ["api", "nodes", _, last]) => *last,
        (_, ["upload", _]) => return ("upload".to_owned(), true),
        (_, ["resources", ..]) => "download",
        _ => "unknown",
    };
    (name.to_owned(), false)
}
