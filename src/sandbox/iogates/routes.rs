//! The routes of ioGates, and the kinds of requests for the counts.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::{any, get, post};

use super::state::Iogates;
use super::{api, comments, files, plupload, share, tus};

pub fn routes(host: Arc<Iogates>) -> Router {
    Router::new()
        .route("/api/authtoken", post(api::sign_in))
        .route("/api/authinfo/{token}", get(api::methods))
        .route("/api/apiauth/twofactorsms/{token}", get(api::send_code).post(api::check_code))
        .route("/api/file", post(files::create))
        .route("/api/file/{id}", get(files::show))
        .route("/api/file/{id}/comments", get(comments::of_file))
        .route("/api/files", get(files::list).post(files::create_many))
        .route("/api/comment", post(comments::create))
        .route("/api/comment/{id}", get(comments::show).put(comments::change).delete(comments::remove))
        .route("/api/share", get(share::own).post(share::create))
        .route("/api/share/{id}", get(share::show))
        .route("/download-file/{id}/{a}/{b}/{c}/{d}/{secret}", get(files::download))
        .route("/handlers/upload.php", post(plupload::receive))
        .route("/upload/tus/{key}", any(tus::collection))
        .route("/upload/tus/{key}/{id}", any(tus::upload))
        .layer(DefaultBodyLimit::disable())
        .with_state(host)
}

/// The kind of a request, and whether its body is a file's bytes.
pub fn kind(method: &Method, path: &str) -> (String, bool) {
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    let name = match (method.as_str(), steps.as_slice()) {
        (_, ["api", "authtoken"]) => "sign-in",
        (_, ["api", "authinfo", _]) => "auth-info",
        (_, ["api", "apiauth", ..]) => "two-factor",
        ("POST", ["api", "file"]) => "file-create",
        (_, ["api", "file", _]) => "file",
        (_, ["api", "file", _, "comments"]) => "comments",
        ("POST", ["api", "files"]) => "files-create",
        (_, ["api", "files"]) => "files",
        (_, ["api", "comment", ..]) => "comment",
        (_, ["api", "share", ..]) => "share",
        (_, ["download-file", ..]) => "download",
        (_, ["handlers", ..]) => return ("plupload".to_owned(), true),
        ("PATCH", ["upload", "tus", ..]) => return ("tus-patch".to_owned(), true),
        // For a proxy that does not pass PATCH: POST to the upload itself, with the method in a header.
        ("POST", ["upload", "tus", _, _]) => return ("tus-post".to_owned(), true),
        ("POST", ["upload", "tus", _]) => "tus-create",
        ("HEAD", ["upload", "tus", ..]) => "tus-head",
        ("DELETE", ["upload", "tus", ..]) => "tus-delete",
        ("OPTIONS", ["upload", "tus", ..]) => "tus-options",
        _ => "unknown",
    };
    (name.to_owned(), false)
}
