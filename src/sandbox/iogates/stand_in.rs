//! The interface of the ioGates stand-in to the sandbox. The stand-in serves the sign-in and the list of upload methods
//! (providers.md 1.4, 1.5), file entries one by one and many at once (1.6, 1.7, 1.9), comments (1.8, 1.13), downloads (1.10), the
//! second factor by SMS (1.11), shares (1.12), and uploads by TUS, plupload and FTPS (1.14, 1.15, 1.16). Nothing there removes or
//! moves an entry, because the API has no such call. The FTP server runs beside the HTTP server.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::ftp::FtpServer;
use super::name::NAME;
use super::routes::{kind, routes};
use super::state::Iogates;
use crate::error::Result;
use crate::sandbox::stand_in::{StandIn, StartSetup, Started};
use crate::sandbox::storage::Content;

impl StandIn for Iogates {
    fn name(&self) -> &'static str {
        NAME
    }
    fn settings(&self) -> Vec<(&'static str, String)> {
        let ca_file = self.ftp_folder.with_file_name("ca.pem").to_string_lossy().into_owned();
        vec![("username", self.username().to_owned()), ("password", self.password().to_owned()), ("ca_file", ca_file)]
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
        "files"
    }
    fn limit_file_size(&self, bytes: u64) -> bool {
        self.set(|settings| settings.max_file_size = bytes);
        true
    }
}

pub fn start(setup: StartSetup<'_>) -> BoxFuture<'_, Result<Started>> {
    Box::pin(async move {
        std::fs::create_dir(setup.folder.join("ftp"))?;
        let ftp = FtpServer::bind(setup.options.port("the FTP server of ioGates")).await?;
        let stand_in = Arc::new(Iogates::new(setup.shared, setup.origin, setup.folder.join("ftp"), ftp.port(), setup.options));
        let task = Some(ftp.serve(stand_in.clone(), setup.certificate.cert.clone(), setup.certificate.key.clone()));
        Ok(Started { routes: routes(stand_in.clone()), stand_in, kind, task })
    })
}
