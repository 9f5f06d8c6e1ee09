//! The interface of the TUS stand-in to the sandbox. The stand-in serves one endpoint of TUS 1.0.0 with a bearer token (providers.md
//! 5, 5.1): OPTIONS, creation, HEAD, PATCH and DELETE of uploads. Nothing there is listed or downloaded: what arrived is a file in
//! the sandbox's folder.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::routing::any;
use futures_util::future::BoxFuture;

use super::name::NAME;
use super::requests;
use super::state::TusHost;
use crate::error::Result;
use crate::sandbox::stand_in::{StandIn, StartSetup, Started};
use crate::sandbox::storage::{Content, UploadFile};
use crate::sandbox::tus_headers::{Concat, Creation};

impl StandIn for TusHost {
    fn name(&self) -> &'static str {
        NAME
    }
    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![("token", self.token.clone())]
    }
    fn find(&self, path: &str) -> Option<Content> {
        self.newest(path)
    }
    fn fill(&self, path: &str, names: &mut dyn Iterator<Item = String>, content: &Content) {
        for name in names {
            let path = format!("{}/{name}", path.trim_end_matches('/'));
            let metadata = vec![("path".to_owned(), path)];
            let creation = Creation { length: Some(content.size), metadata, metadata_text: None, concat: Concat::No, concat_text: None };
            // A full disk can hold no more files.
            let Ok(id) = self.create(&creation) else { return };
            if let Some(upload) = self.state().uploads.get_mut(&id) {
                upload.done = UploadFile::append_file(&mut upload.bytes.lock(), &content.file).is_ok();
            }
        }
    }
    fn files(&self) -> Vec<(String, Content)> {
        self.contents()
    }
    fn entries(&self, path: &str) -> Vec<(String, Option<String>)> {
        let within = |whole: &str| {
            whole.rsplit_once('/').filter(|(folder, _)| *folder == path.trim_end_matches('/')).map(|(_, name)| name.to_owned())
        };
        self.files().into_iter().filter_map(|(whole, md5)| Some((within(&whole)?, Some(md5)))).collect()
    }
    fn sign_in_kind(&self) -> &'static str {
        "tus-options"
    }
    fn listing_kind(&self) -> &'static str {
        "none"
    }
    fn limit_file_size(&self, bytes: u64) -> bool {
        self.state().max_size = bytes;
        true
    }
}

/// The kind of a request, and whether its body is a file's bytes.
fn kind(method: &Method, path: &str) -> (String, bool) {
    let name = match (method.as_str(), path) {
        ("OPTIONS", _) => "tus-options",
        ("POST", "/") => "tus-create",
        ("PATCH", _) => return ("tus-patch".to_owned(), true),
        // For a proxy that does not pass PATCH: POST to the upload itself, with the method in a header.
        ("POST", _) => return ("tus-post".to_owned(), true),
        ("HEAD", _) => "tus-head",
        ("DELETE", _) => "tus-delete",
        _ => "unknown",
    };
    (name.to_owned(), false)
}

pub fn start(setup: StartSetup<'_>) -> BoxFuture<'_, Result<Started>> {
    Box::pin(async move {
        let stand_in = Arc::new(TusHost::new(setup.shared, setup.origin, setup.options));
        let routes = Router::new()
            .route("/", any(requests::collection))
            .route("/{id}", any(requests::upload))
            .layer(DefaultBodyLimit::disable())
            .with_state(stand_in.clone());
        Ok(Started { stand_in, routes, kind, task: None })
    })
}
