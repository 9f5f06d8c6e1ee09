//! A provider, opened in this process, and its stand-in.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use haul::contract::AnyProvider;
use haul::contract::{Events, Network, ProviderContext};
use haul::model::{Entry, EntryKind, Place, RemotePath, Root};
use haul::providers::REGISTRY;
use haul::sandbox::{Sandbox, StandIn};
use haul::testing::{MapSettings, MemoryTokens};
use haul::transfer::{RemoteClient, RetryPolicy};

use crate::support::env::TestEnv;

pub struct Fixture {
    id: &'static str,
    pub sandbox: Sandbox,
    pub provider: AnyProvider,
    settings: HashMap<String, String>,
}

/// Runs `test` once for every provider of the registry that lists folders, each with its own fixture.
pub async fn each(test: impl AsyncFn(Fixture)) {
    each_of_all(async |fixture: Fixture| {
        if fixture.provider.abilities().browse.is_some() {
            test(fixture).await;
        }
    })
    .await;
}

/// As `each`, for those, too, that take files and list nothing.
pub async fn each_of_all(test: impl AsyncFn(Fixture)) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for info in REGISTRY {
        let sandbox = Sandbox::start().await.unwrap();
        let settings = settings(&sandbox, info.id);
        let provider = open(info.id, settings.clone());
        test(Fixture { id: info.id, sandbox, provider, settings }).await;
    }
}

/// As `each`, for the providers whose sign-in gives a token, and whose calls are HTTP.
pub async fn each_with_tokens(test: impl AsyncFn(Fixture)) {
    each(async |fixture: Fixture| {
        if fixture.stand_in().signs_in_by_token() {
            test(fixture).await;
        }
    })
    .await;
}

/// The settings of one remote in the sandbox's environment, with keys in lower case.
fn settings(sandbox: &Sandbox, provider: &str) -> HashMap<String, String> {
    let prefix = format!("HAUL_REMOTE_{}_", provider.to_uppercase());
    sandbox.env().into_iter().filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?.to_lowercase(), value))).collect()
}

fn open(provider: &str, settings: HashMap<String, String>) -> AnyProvider {
    let network = Network { timeout: Duration::from_secs(10), ca_file: settings.get("ca_file").map(PathBuf::from), insecure: false };
    let (secrets, tokens) = (Arc::new(MapSettings::from(settings)), Arc::new(MemoryTokens::default()));
    let info = haul::providers::find(provider).unwrap();
    (info.open)(ProviderContext { remote: "studio".to_owned(), secrets, tokens, network }).unwrap()
}

impl Fixture {
    pub fn id(&self) -> &'static str {
        self.id
    }

    pub fn stand_in(&self) -> &dyn StandIn {
        self.sandbox.of(self.id).unwrap()
    }

    pub fn setting(&self, key: &str) -> &str {
        &self.settings[key]
    }

    /// The same remote, opened again with another value of one setting.
    pub fn with(&self, key: &str, value: &str) -> AnyProvider {
        let mut settings = self.settings.clone();
        settings.insert(key.to_owned(), value.to_owned());
        open(self.id(), settings)
    }

    pub fn anew(&self) -> AnyProvider {
        open(self.id(), self.settings.clone())
    }

    /// With the retries of the engine.
    pub fn client(&self) -> RemoteClient {
        let (events, _) = Events::channel();
        let policy = RetryPolicy { tries: 3, timeout: Duration::from_secs(10), min_rate: 0 };
        RemoteClient::new("r".to_owned(), self.provider.clone().into(), policy, events)
    }

    pub fn fill(&self, path: &str, names: &[&str]) {
        self.sandbox.fill(self.id(), path, names.iter().map(|n| (*n).to_owned()), b"content").unwrap();
    }

    pub fn script(&self, fault: &str) {
        self.sandbox.faults().script(&format!("{}{fault}", self.id())).unwrap();
    }

    pub fn read_stored(&self, path: &str) -> Option<Vec<u8>> {
        self.sandbox.file(self.id(), path).map(|file| std::fs::read(file).unwrap())
    }

    /// A folder for an upload: made if the provider makes folders, otherwise only imagined, as in the engine.
    pub async fn folder(&self, name: &str) -> Entry {
        match self.provider.abilities().folders {
            Some(folders) => {
                let root = self.provider.stat(&Place::at(RemotePath::root())).await.unwrap();
                folders.create(&root, name).await.unwrap()
            }
            None => Entry::new(EntryKind::Folder, "", RemotePath::root().join(name).unwrap()),
        }
    }
}

pub fn by_id(id: &str) -> Place {
    Place { root: Root::Id(id.to_owned()), path: RemotePath::root() }
}

/// One provider, opened without the command, for tests that also run the command.
pub struct OpenedProvider {
    provider: AnyProvider,
    runtime: tokio::runtime::Runtime,
}

impl OpenedProvider {
    pub fn open(env: &TestEnv, remote: &str) -> OpenedProvider {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let provider = open(remote, settings(&env.sandbox, remote));
        OpenedProvider { provider, runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap() }
    }

    pub fn run<T>(&self, work: impl AsyncFnOnce(&AnyProvider) -> T) -> T {
        self.runtime.block_on(work(&self.provider))
    }
}

pub async fn stat(provider: &AnyProvider, path: &str) -> Entry {
    provider.stat(&Place::at(RemotePath::parse(path).unwrap())).await.unwrap()
}
