//! The handle of a sandbox: starts and stops the stand-ins, and tells what came in.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::certificate;
use super::faults::Faults;
use super::fileago::{self, Fileago};
use super::giga0::{self, Giga0};
use super::iogates::{self, Iogates};
use super::middleware::{self, Middleware, Shared};
use super::server::{BoundServer, Server};
use super::storage::{self, Arrived, Counts};
use crate::error::Result;

/// The running servers. Everything stops and all files vanish when it is dropped.
pub struct Sandbox {
    ground: Arc<Shared>,
    iogates: Arc<Iogates>,
    giga0: Arc<Giga0>,
    fileago: Arc<Fileago>,
    servers: [Server; 3],
    ftp: JoinHandle<()>,
    folder: TempDir,
}

impl Sandbox {
    /// Starts all three on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// `Kind::Local` when no port or no temporary folder is to be had.
    pub async fn start() -> Result<Sandbox> {
        let folder = tempfile::Builder::new().prefix("haul-sandbox-").tempdir()?;
        for part in ["content", "ftp", "state", "config"] {
            std::fs::create_dir(folder.path().join(part))?;
        }
        let ground = Arc::new(Shared { store: storage::Store::new(folder.path().join("content")), faults: Faults::default() });
        let certificate = certificate::write(folder.path())?;
        let ftp = iogates::FtpServer::bind().await?;

        let at = BoundServer::new().await?;
        let iogates = Arc::new(Iogates::new(ground.clone(), at.origin(), folder.path().join("ftp"), ftp.port()));
        let first = at.serve(with_middleware(iogates::routes(iogates.clone()), &ground, iogates::NAME, iogates::kind));
        let at = BoundServer::new().await?;
        let giga0 = Arc::new(Giga0::new(ground.clone(), at.origin()));
        let second = at.serve(with_middleware(giga0::routes(giga0.clone()), &ground, giga0::NAME, giga0::kind));
        let at = BoundServer::new().await?;
        let fileago = Arc::new(Fileago::new(ground.clone()));
        let third = at.serve(with_middleware(fileago::routes(fileago.clone()), &ground, fileago::NAME, fileago::kind));

        let ftp = ftp.serve(iogates.clone(), certificate.cert, certificate.key);
        Ok(Sandbox { ground, iogates, giga0, fileago, servers: [first, second, third], ftp, folder })
    }

    /// The environment in which `haul` knows the remotes `iogates`, `giga0` and `fileago`, and keeps its own state in
    /// the sandbox's folder.
    pub fn env(&self) -> Vec<(String, String)> {
        let [iogates, giga0, fileago] = &self.servers;
        let remotes = [
            (iogates::NAME, iogates, self.iogates.username(), self.iogates.password()),
            (giga0::NAME, giga0, self.giga0.username(), self.giga0.password()),
            (fileago::NAME, fileago, self.fileago.username(), self.fileago.password()),
        ];
        let mut env = Vec::new();
        for (name, server, username, password) in remotes {
            let key = |key: &str| format!("HAUL_REMOTE_{}_{key}", name.to_uppercase());
            env.push((key("PROVIDER"), name.to_owned()));
            env.push((key("URL"), server.origin()));
            env.push((key("USERNAME"), username.to_owned()));
            env.push((key("PASSWORD"), password.to_owned()));
        }
        let path = |part: &str| self.folder.path().join(part).to_string_lossy().into_owned();
        env.push(("HAUL_REMOTE_IOGATES_CA_FILE".to_owned(), path("ca.pem")));
        env.push(("XDG_STATE_HOME".to_owned(), path("state")));
        env.push(("XDG_CONFIG_HOME".to_owned(), path("config")));
        env
    }

    /// Takes a provider's HTTP server down for good: whoever calls it is refused the connection.
    pub fn take_down(&self, provider: &str) {
        let names = [iogates::NAME, giga0::NAME, fileago::NAME];
        for (_, server) in names.iter().zip(&self.servers).filter(|(name, _)| **name == provider) {
            server.stop();
        }
    }

    /// The script of faults; it may be changed while the servers run.
    pub fn faults(&self) -> &Faults {
        &self.ground.faults
    }

    /// Every complete file that came in, in order.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.ground.store.arrived()
    }

    /// The stored bytes of the newest file at a path (with a leading slash) of a provider.
    pub fn file(&self, provider: &str, path: &str) -> Option<PathBuf> {
        let content = match provider {
            iogates::NAME => self.iogates.find(path),
            giga0::NAME => self.giga0.find(path),
            fileago::NAME => self.fileago.find(path),
            _ => None,
        };
        content.map(|c| c.file)
    }

    /// Puts a file of each name into the folder at `path` of a provider, all of the same `bytes`; the folder is made when it
    /// is missing. Faster than as many uploads, and without a record in [`Sandbox::arrived`].
    ///
    /// # Errors
    /// `Kind::Local` when the bytes can't be written.
    pub fn fill(&self, provider: &str, path: &str, names: impl Iterator<Item = String>, bytes: &[u8]) -> Result<()> {
        let mut content = self.ground.store.grow()?;
        content.append(bytes)?;
        let content = content.content();
        match provider {
            iogates::NAME => self.iogates.fill(path, names, &content),
            giga0::NAME => self.giga0.fill(path, names, &content),
            fileago::NAME => self.fileago.fill(path, names, &content),
            _ => {}
        }
        Ok(())
    }

    /// Every file in the folder at `path` (with a leading slash) of a provider: its name, and the MD5 of its content or
    /// none while there is none. What is in the trash is not there.
    pub fn entries(&self, provider: &str, path: &str) -> Vec<(String, Option<String>)> {
        match provider {
            iogates::NAME => self.iogates.entries(path),
            giga0::NAME => self.giga0.entries(path),
            fileago::NAME => self.fileago.entries(path),
            _ => Vec::new(),
        }
    }

    /// The kinds of all requests to a provider, in order; named as in [`Counts::requests`].
    pub fn asked(&self, provider: &str) -> Vec<String> {
        self.ground.store.asked(provider)
    }

    pub fn counts(&self) -> Counts {
        self.ground.store.counts()
    }

    pub fn iogates(&self) -> &Iogates {
        &self.iogates
    }

    pub fn giga0(&self) -> &Giga0 {
        &self.giga0
    }

    pub fn fileago(&self) -> &Fileago {
        &self.fileago
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.ftp.abort();
    }
}

fn with_middleware(routes: Router, ground: &Arc<Shared>, provider: &'static str, kind: fn(&Method, &str) -> (String, bool)) -> Router {
    let layer = Middleware { ground: ground.clone(), provider, kind };
    routes.layer(axum::middleware::from_fn_with_state(layer, middleware::pass))
}
