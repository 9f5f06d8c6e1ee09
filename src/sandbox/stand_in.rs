//! The interface of each stand-in to the sandbox.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use super::certificate::Certificate;
use super::middleware::Shared;
use super::options::SandboxOptions;
use super::storage::Content;
use crate::error::Result;

/// A provider on loopback, as its documents describe it.
pub trait StandIn: Any + Send + Sync {
    /// The provider's id, which is also the name in scripts of faults, in counts and as a remote.
    fn name(&self) -> &'static str;

    /// The keys of a remote that signs in here, besides `provider` and `url`.
    fn settings(&self) -> Vec<(&'static str, String)>;

    /// The content of the newest file at a path (with a leading slash).
    fn find(&self, path: &str) -> Option<Content>;

    /// Puts a file of each name into the folder at `path`, which is made if it is missing.
    fn fill(&self, path: &str, names: &mut dyn Iterator<Item = String>, content: &Content);

    /// Every complete file with its path from the account's root; of several files with one name the older ones come first.
    fn files(&self) -> Vec<(String, Content)>;

    /// Every file in the folder at `path`: its name, and the MD5 of its content or none if there is no content yet. Files in
    /// the trash are not included.
    fn entries(&self, path: &str) -> Vec<(String, Option<String>)>;

    /// The kind of the requests that sign in, as in `Counts::requests`.
    fn sign_in_kind(&self) -> &'static str;

    /// The kind of the requests that list a folder, as in `Counts::requests`.
    fn listing_kind(&self) -> &'static str;

    /// True if a sign-in returns a token that expires, and the calls use HTTP.
    fn signs_in_by_token(&self) -> bool {
        true
    }

    /// Sets the largest size of a file, in bytes. Returns false if the provider has no such limit.
    fn limit_file_size(&self, bytes: u64) -> bool;
}

/// The data to build a stand-in.
pub struct StartSetup<'a> {
    pub shared: Arc<Shared>,
    /// The origin of its HTTP server.
    pub origin: String,
    /// The sandbox's folder; `ca.pem` in it is the authority of `certificate`.
    pub folder: &'a Path,
    pub certificate: &'a Certificate,
    pub options: &'a SandboxOptions,
}

/// A stand-in whose HTTP server is about to run.
pub struct Started {
    pub stand_in: Arc<dyn StandIn>,
    pub routes: Router,
    /// The kind of a request, and whether its body is a file's bytes.
    pub kind: fn(&Method, &str) -> (String, bool),
    /// A second server beside the HTTP server.
    pub task: Option<JoinHandle<()>>,
}

pub type Start = for<'a> fn(StartSetup<'a>) -> BoxFuture<'a, Result<Started>>;
