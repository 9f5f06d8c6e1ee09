//! The interface of the giga0 stand-in to the sandbox. The stand-in serves YetiShare's API v2: sign-in and its end (providers.md
//! 2.2, 2.3), the account and its package (2.4), uploads by form (2.5), download links and the files behind them (2.6), fetches of
//! URLs (2.7), calls on files (2.8) and folders (2.9). As there (2.1), each sign-in ends the token before, failures come with
//! status 200, and two files of one name may lie in one folder.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::name::NAME;
use super::routes::{kind, routes};
use super::state::Giga0;
use crate::error::Result;
use crate::sandbox::stand_in::{StandIn, StartSetup, Started};
use crate::sandbox::storage::Content;

impl StandIn for Giga0 {
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
        "authorize"
    }
    fn listing_kind(&self) -> &'static str {
        "folder/listing"
    }
    fn limit_file_size(&self, bytes: u64) -> bool {
        self.set(|package| package.max_upload_size = bytes);
        true
    }
}

pub fn start(setup: StartSetup<'_>) -> BoxFuture<'_, Result<Started>> {
    Box::pin(async move {
        let stand_in = Arc::new(Giga0::new(setup.shared, setup.origin, setup.options));
        Ok(Started { routes: routes(stand_in.clone()), stand_in, kind, task: None })
    })
}
