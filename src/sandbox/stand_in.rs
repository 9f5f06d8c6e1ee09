//! What the sandbox asks of each stand-in.

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
    /// In scripts of faults, in counts and as a remote; the provider's id.
    fn name(&self) -> &'static str;

    /// The keys of a remote that signs in here, besides `provider` and `url`.
    fn settings(&self) -> Vec<(&'static str, String)>;

    /// The content of the newest file at a path (with a leading slash).
    fn find(&self, path: &str) -> Option<Content>;

    /// Puts a file of each name into the folder at `path`, which is made when it is missing.
    fn fill(&self, path: &str, names: &mut dyn Iterator<Item = String>, content: &Content);

    /// Every complete file with its path from the account's root: the older ones of one name first.
    fn files(&self) -> Vec<(String, Content)>;

    /// Every file in the folder at `path`: its name, and the MD5 of its content or none while there is none. What is in the
    /// trash is not there.
    fn entries(&self, path: &str) -> Vec<(String, Option<String>)>;

    /// How the requests that sign in are called in `Counts::requests`.
    fn sign_in_kind(&self) -> &'static str;

    /// How the requests that list a folder are called in `Counts::requests`.
    fn listing_kind(&self) -> &'static str;

    /// Does a sign-in give a token that runs out, and does HTTP carry the calls?
    fn signs_in_by_token(&self) -> bool {
        true
    }

    /// Sets how many bytes one file may have. False: the provider knows no such limit.
    fn limit_file_size(&self, bytes: u64) -> bool;
}

/// What a stand-in is made of.
pub struct StartSetup<'a> {
    pub shared: Arc<Shared>,
    /// Where its HTTP server will answer.
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
    /// What a request is called, and whether it carries a file.
    pub kind: fn(&Method, &str) -> (String, bool),
    /// A server besides the HTTP one.
    pub task: Option<JoinHandle<()>>,
}

pub type Start = for<'a> fn(StartSetup<'a>) -> BoxFuture<'a, Result<Started>>;
