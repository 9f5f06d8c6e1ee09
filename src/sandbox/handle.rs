//! The handle of a sandbox: starts and stops the stand-ins, and reports what arrived.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::certificate;
use super::faults::Faults;
use super::middleware::{self, Middleware, Shared};
use super::names::NAMES;
use super::options::SandboxOptions;
use super::permanent_folder;
use super::registry::STAND_INS;
use super::request_log::RequestLog;
use super::server::{BoundServer, Server};
use super::stand_in::{StandIn, StartSetup, Started};
use super::storage::{self, Arrived, Counts};
use crate::error::{Error, Kind, Result};

struct Running {
    stand_in: Arc<dyn StandIn>,
    http: Server,
    /// A second server beside the HTTP server.
    task: Option<JoinHandle<()>>,
}

/// The running servers. When it is dropped, all servers stop and all files are removed.
pub struct Sandbox {
    shared: Arc<Shared>,
    running: Vec<Running>,
    folder: TempDir,
    /// The permanent folder (`--data`).
    data: Option<PathBuf>,
}

impl Sandbox {
    /// Starts all stand-ins on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// `Kind::Local` when there is no free port or no temporary folder.
    pub async fn start() -> Result<Sandbox> {
        Sandbox::start_with(SandboxOptions::default()).await
    }

    /// Starts all stand-ins as `options` say.
    ///
    /// # Errors
    /// `Kind::Local` when a port or the folder can't be used.
    pub async fn start_with(mut options: SandboxOptions) -> Result<Sandbox> {
        let (data, log) = (options.data.take(), options.log.take());
        let unusable = |e: std::io::Error| Error::new(Kind::Local, "the folder of the sandbox can't be used").with_cause(e);
        let mut named = tempfile::Builder::new();
        let folder = match &data {
            // On the disk of the permanent folder, so that its files need not be copied.
            Some(data) => std::fs::create_dir_all(data).and_then(|()| named.prefix(".haul-sandbox-").tempdir_in(data)),
            None => named.prefix("haul-sandbox-").tempdir(),
        };
        let folder = folder.map_err(unusable)?;
        for part in ["content", "state", "config"] {
            std::fs::create_dir(folder.path().join(part))?;
        }
        let store = storage::Store::new(folder.path().join("content"));
        let shared = Arc::new(Shared { store, faults: Faults::default(), log: RequestLog::to(log) });
        let certificate = certificate::write(folder.path())?;
        let mut sandbox = Sandbox { shared, running: Vec::new(), folder, data: None };
        for (start, name) in STAND_INS.iter().zip(NAMES) {
            // `port` is for the HTTP server; a stand-in with only an FTP server takes its own port.
            let port = if *name == super::ftp::NAME { 0 } else { options.port(name) };
            let server = BoundServer::new(port).await?;
            let shared = sandbox.shared.clone();
            let (origin, folder, options) = (server.origin(), sandbox.folder.path(), &options);
            let setup = StartSetup { shared, origin, folder, certificate: &certificate, options };
            let Started { stand_in, routes, kind, task } = start(setup).await?;
            let layer = Middleware { shared: sandbox.shared.clone(), provider: stand_in.name(), kind };
            let routes = routes.layer(axum::middleware::from_fn_with_state(layer, middleware::handle));
            sandbox.running.push(Running { stand_in, http: server.serve(routes), task });
        }
        if let Some(data) = data {
            for name in NAMES {
                let own = data.join(name);
                if own.is_dir() {
                    sandbox.seed(name, &own)?;
                }
            }
            std::fs::copy(sandbox.folder.path().join("ca.pem"), data.join("ca.pem")).map_err(unusable)?;
            sandbox.data = Some(data);
        }
        Ok(sandbox)
    }

    /// Puts every file below a local folder at the same path of a stand-in, without a record in [`Sandbox::arrivals`].
    ///
    /// # Errors
    /// `Kind::Local` when the folder can't be read.
    pub fn seed(&self, provider: &str, folder: &Path) -> Result<()> {
        let unreadable =
            |e: std::io::Error| Error::new(Kind::Local, "it can't be read").on_local(folder.display().to_string()).with_cause(e);
        for (path, file) in permanent_folder::files_below(folder).map_err(unreadable)? {
            let mut content = self.shared.store.grow()?;
            content.append_file(&file).map_err(unreadable)?;
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if let Some(stand_in) = self.of(provider) {
                stand_in.fill(parent, &mut std::iter::once(name.to_owned()), &content.content());
            }
        }
        Ok(())
    }

    /// The variables that make a remote of each stand-in, and nothing else.
    pub fn remotes(&self) -> Vec<(String, String)> {
        let stays = self.data.as_ref().map(|data| data.join("ca.pem"));
        let mut env = Vec::new();
        for Running { stand_in, http, .. } in &self.running {
            let name = stand_in.name();
            let own = [("provider", name.to_owned()), ("url", http.origin())];
            let keys = own.into_iter().chain(stand_in.settings()).map(|(key, value)| match &stays {
                Some(stays) if key == "ca_file" => (key, stays.display().to_string()),
                _ => (key, value),
            });
            // Of two values for a key the later one counts: a stand-in knows its own address.
            for (key, value) in keys {
                let key = format!("HAUL_REMOTE_{name}_{key}").to_uppercase();
                env.retain(|(known, _)| *known != key);
                env.push((key, value));
            }
        }
        env
    }

    /// A folder for the state of a haul that uses these remotes. It is removed with the sandbox, like the files whose ids it
    /// contains.
    pub fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state").join("haul")
    }

    /// The path of a configuration file that does not exist, in place of the user's own.
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("config").join("config.toml")
    }

    /// The environment in which `haul` has a remote for each provider, under the provider's name, and keeps its own state in
    /// the sandbox's folder.
    pub fn env(&self) -> Vec<(String, String)> {
        let mut env = self.remotes();
        let path = |part: &str| self.folder.path().join(part).to_string_lossy().into_owned();
        env.push(("XDG_STATE_HOME".to_owned(), path("state")));
        env.push(("XDG_CONFIG_HOME".to_owned(), path("config")));
        env
    }

    /// Stops a provider's servers for good: connections are refused then.
    pub fn take_down(&self, provider: &str) {
        for Running { http, task, .. } in self.running.iter().filter(|running| running.stand_in.name() == provider) {
            http.stop();
            if let Some(task) = task {
                task.abort();
            }
        }
    }

    /// The stand-in of that type.
    pub fn stand_in<T: StandIn>(&self) -> Option<&T> {
        self.running.iter().find_map(|running| (running.stand_in.as_ref() as &dyn Any).downcast_ref())
    }

    /// The stand-in of a provider.
    pub fn of(&self, provider: &str) -> Option<&dyn StandIn> {
        self.running.iter().map(|running| running.stand_in.as_ref()).find(|stand_in| stand_in.name() == provider)
    }

    /// The script of faults; it may be changed while the servers run.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// All complete files that arrived, in order.
    pub fn arrivals(&self) -> Vec<Arrived> {
        self.shared.store.arrivals()
    }

    /// The stored bytes of the newest file at a path (with a leading slash) of a provider.
    pub fn file(&self, provider: &str, path: &str) -> Option<PathBuf> {
        self.of(provider)?.find(path).map(|content| content.file)
    }

    /// Puts a file of each name into the folder at `path` of a provider, all with the same `bytes`; the folder is made if it is
    /// missing. Faster than uploads, and without a record in [`Sandbox::arrivals`].
    ///
    /// # Errors
    /// `Kind::Local` when the bytes can't be written.
    pub fn fill(&self, provider: &str, path: &str, names: impl Iterator<Item = String>, bytes: &[u8]) -> Result<()> {
        let mut content = self.shared.store.grow()?;
        content.append(bytes)?;
        if let Some(stand_in) = self.of(provider) {
            stand_in.fill(path, &mut { names }, &content.content());
        }
        Ok(())
    }

    /// Every file in the folder at `path` (with a leading slash) of a provider: its name, and the MD5 of its content or none if
    /// there is no content yet. Files in the trash are not included.
    pub fn entries(&self, provider: &str, path: &str) -> Vec<(String, Option<String>)> {
        self.of(provider).map(|stand_in| stand_in.entries(path)).unwrap_or_default()
    }

    /// The kinds of all requests to a provider, in order; named as in [`Counts::requests`].
    pub fn request_kinds(&self, provider: &str) -> Vec<String> {
        self.shared.store.request_kinds(provider)
    }

    pub fn counts(&self) -> Counts {
        self.shared.store.counts()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.running.iter().filter_map(|running| running.task.as_ref()).for_each(JoinHandle::abort);
        if let Some(data) = &self.data {
            for Running { stand_in, .. } in &self.running {
                // `drop` can't return an error. If the files can't be written, the earlier ones stay.
                let _ = permanent_folder::write(&data.join(stand_in.name()), stand_in.files());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_stand_in_has_its_name() {
        let sandbox = Sandbox::start().await.unwrap();
        assert_eq!(sandbox.running.iter().map(|running| running.stand_in.name()).collect::<Vec<_>>(), NAMES);
    }
}
