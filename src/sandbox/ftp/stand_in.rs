//! The interface of the FTP stand-in to the sandbox. The stand-in is an FTP server with explicit TLS and one user (providers.md 6.1,
//! 6.2): listings by MLSD, downloads and uploads that resume by REST (6.5), renames, removals and folders. Faults strike in
//! the control connection (`ftp_session`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use futures_util::future::BoxFuture;

use super::name::NAME;
use super::server::{FtpHost, UNFINISHED, serve};
use crate::error::Result;
use crate::sandbox::ftp_session::FtpScript;
use crate::sandbox::options::listen;
use crate::sandbox::permanent_folder::files_below;
use crate::sandbox::random;
use crate::sandbox::stand_in::{StandIn, StartSetup, Started};
use crate::sandbox::storage::Content;

impl FtpHost {
    fn at(&self, path: &str) -> PathBuf {
        self.folder.join(path.trim_matches('/'))
    }
}

impl StandIn for FtpHost {
    fn name(&self) -> &'static str {
        NAME
    }
    fn settings(&self) -> Vec<(&'static str, String)> {
        let url = format!("ftps://127.0.0.1:{}/", self.port);
        let ca = self.folder.with_file_name("ca.pem").to_string_lossy().into_owned();
        vec![("url", url), ("username", self.user.clone()), ("password", self.password.clone()), ("ca_file", ca)]
    }
    fn find(&self, path: &str) -> Option<Content> {
        Content::read(&self.at(path)).ok()
    }
    fn fill(&self, path: &str, names: &mut dyn Iterator<Item = String>, content: &Content) {
        let folder = self.at(path);
        let _ = std::fs::create_dir_all(&folder);
        for name in names {
            // A name that the disk can't hold is left out.
            let _ = std::fs::copy(&content.file, folder.join(name));
        }
    }
    fn files(&self) -> Vec<(String, Content)> {
        let found = files_below(&self.folder).unwrap_or_default().into_iter().filter(|(path, _)| !path.ends_with(UNFINISHED));
        found.filter_map(|(path, file)| Some((path, Content::read(&file).ok()?))).collect()
    }
    fn entries(&self, path: &str) -> Vec<(String, Option<String>)> {
        let files = std::fs::read_dir(self.at(path)).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut entries: Vec<_> = files.filter(|file| file.is_file()).filter_map(|file| entry_of(&file)).collect();
        entries.sort();
        entries
    }
    fn sign_in_kind(&self) -> &'static str {
        "ftp-connect"
    }
    fn listing_kind(&self) -> &'static str {
        "ftp-list"
    }
    fn signs_in_by_token(&self) -> bool {
        false
    }
    fn limit_file_size(&self, _: u64) -> bool {
        false
    }
}

/// A file under its temporary name is not complete.
fn entry_of(file: &Path) -> Option<(String, Option<String>)> {
    let name = file.file_name()?.to_str()?.to_owned();
    let md5 = Content::read(file).ok().map(|content| content.md5).filter(|_| !name.ends_with(UNFINISHED));
    Some((name, md5))
}

pub fn start(setup: StartSetup<'_>) -> BoxFuture<'_, Result<Started>> {
    Box::pin(async move {
        let folder = setup.folder.join("ftp-files");
        std::fs::create_dir(&folder)?;
        let listener = listen(setup.options.port(NAME)).await?;
        let host = Arc::new(FtpHost {
            script: FtpScript { shared: setup.shared, provider: NAME },
            folder,
            user: "sandbox".to_owned(),
            password: setup.options.secret(random::hex(16)),
            port: listener.local_addr()?.port(),
        });
        let task = serve(host.clone(), listener, setup.certificate.cert.clone(), setup.certificate.key.clone());
        let kind = |_: &axum::http::Method, _: &str| ("http".to_owned(), false);
        Ok(Started { stand_in: host, routes: Router::new(), kind, task: Some(task) })
    })
}
