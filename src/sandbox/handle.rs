//! The handle of a sandbox: starts and stops the stand-ins, and tells what came in.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::certificate;
use super::faults::Faults;
use super::middleware::{self, Middleware, Shared};
use super::registry::STAND_INS;
use super::server::{BoundServer, Server};
use super::stand_in::{Ground, StandIn, Started};
use super::storage::{self, Arrived, Counts};
use crate::error::Result;

struct Running {
    stand_in: Arc<dyn StandIn>,
    http: Server,
    /// A server besides the HTTP one.
    task: Option<JoinHandle<()>>,
}

/// The running servers. Everything stops and all files vanish when it is dropped.
pub struct Sandbox {
    shared: Arc<Shared>,
    running: Vec<Running>,
    folder: TempDir,
}

impl Sandbox {
    /// Starts all stand-ins on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// `Kind::Local` when no port or no temporary folder is to be had.
    pub async fn start() -> Result<Sandbox> {
        let folder = tempfile::Builder::new().prefix("haul-sandbox-").tempdir()?;
        for part in ["content", "state", "config"] {
            std::fs::create_dir(folder.path().join(part))?;
        }
        let shared = Arc::new(Shared { store: storage::Store::new(folder.path().join("content")), faults: Faults::default() });
        let certificate = certificate::write(folder.path())?;
        let mut sandbox = Sandbox { shared, running: Vec::new(), folder };
        for start in STAND_INS {
            let server = BoundServer::new().await?;
            let shared = sandbox.shared.clone();
            let ground = Ground { shared, origin: server.origin(), folder: sandbox.folder.path(), certificate: &certificate };
            let Started { stand_in, routes, kind, task } = start(ground).await?;
            let layer = Middleware { ground: sandbox.shared.clone(), provider: stand_in.name(), kind };
            let routes = routes.layer(axum::middleware::from_fn_with_state(layer, middleware::pass));
            sandbox.running.push(Running { stand_in, http: server.serve(routes), task });
        }
        Ok(sandbox)
    }

    /// The environment in which `haul` knows a remote of each provider, named as the provider, and keeps its own state in
    /// the sandbox's folder.
    pub fn env(&self) -> Vec<(String, String)> {
        let mut env = Vec::new();
        for Running { stand_in, http, .. } in &self.running {
            let name = stand_in.name();
            let own = [("provider", name.to_owned()), ("url", http.origin())];
            let keys = own.into_iter().chain(stand_in.settings());
            env.extend(keys.map(|(key, value)| (format!("HAUL_REMOTE_{name}_{key}").to_uppercase(), value)));
        }
        let path = |part: &str| self.folder.path().join(part).to_string_lossy().into_owned();
        env.push(("XDG_STATE_HOME".to_owned(), path("state")));
        env.push(("XDG_CONFIG_HOME".to_owned(), path("config")));
        env
    }

    /// Takes a provider's servers down for good: whoever calls them is refused the connection.
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

    /// Every complete file that came in, in order.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.shared.store.arrived()
    }

    /// The stored bytes of the newest file at a path (with a leading slash) of a provider.
    pub fn file(&self, provider: &str, path: &str) -> Option<PathBuf> {
        self.of(provider)?.find(path).map(|content| content.file)
    }

    /// Puts a file of each name into the folder at `path` of a provider, all of the same `bytes`; the folder is made when it
    /// is missing. Faster than as many uploads, and without a record in [`Sandbox::arrived`].
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

    /// Every file in the folder at `path` (with a leading slash) of a provider: its name, and the MD5 of its content or
    /// none while there is none. What is in the trash is not there.
    pub fn entries(&self, provider: &str, path: &str) -> Vec<(String, Option<String>)> {
        self.of(provider).map(|stand_in| stand_in.entries(path)).unwrap_or_default()
    }

    /// The kinds of all requests to a provider, in order; named as in [`Counts::requests`].
    pub fn asked(&self, provider: &str) -> Vec<String> {
        self.shared.store.asked(provider)
    }

    pub fn counts(&self) -> Counts {
        self.shared.store.counts()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.running.iter().filter_map(|running| running.task.as_ref()).for_each(JoinHandle::abort);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::names::NAMES;

    #[tokio::test]
    async fn each_stand_in_has_its_name() {
        let sandbox = Sandbox::start().await.unwrap();
        assert_eq!(sandbox.running.iter().map(|running| running.stand_in.name()).collect::<Vec<_>>(), NAMES);
    }
}
