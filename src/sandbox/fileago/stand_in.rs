//! The interface of the FileAgo stand-in to the sandbox. The stand-in serves sign-in (providers.md 3.1), nodes by id and by
//! root (3.3), the calls on nodes and groups (3.4), uploads by a token and a form (3.5), and downloads (3.6). What is removed goes
//! to the trash, and what is removed from the trash is gone.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::name::NAME;
use super::routes::{kind, routes};
use super::state::Fileago;
use crate::error::Result;
use crate::sandbox::stand_in::{StandIn, StartSetup, Started};
use crate::sandbox::storage::Content;

impl StandIn for Fileago {
    fn name(&self) -> &'static str {
        NAME
    }
    fn settings(&self) -> Vec<(&'static str, String)> {
        vec![("username", self.username().to_owned()), ("password", self.password().to_owned())]
    }
    fn find(&self, path: &str) -> Option<Content> {
        self.find(path)
    }
    fn fill(&self, path: &str, names: &mut dyn Iterator<Item = String>, content: &Content) {
        self.fill(path, names, content);
    }
    fn files(&self) -> Vec<(String, Content)> {
        self.files()
    }
    fn entries(&self, path: &str) -> Vec<(String, Option<String>)> {
        self.entries(path)
    }
    fn sign_in_kind(&self) -> &'static str {
        "sign-in"
    }
    fn listing_kind(&self) -> &'static str {
        "dirlist"
    }
    fn limit_file_size(&self, _: u64) -> bool {
        false
    }
}

pub fn start(setup: StartSetup<'_>) -> BoxFuture<'_, Result<Started>> {
    Box::pin(async move {
        let stand_in = Arc::new(Fileago::new(setup.shared, setup.options));
        Ok(Started { routes: routes(stand_in.clone()), stand_in, kind, task: None })
    })
}
