//! Lists a folder of a remote.
//!
//! ```text
//! PASSWORD=secret cargo run --example list -- iogates https://company.iogates.com ana /in
//! ```
#![allow(clippy::print_stdout)] // An example shows what it found.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use haul::contract::{Events, Network, ProviderContext, RemoteSettings};
use haul::model::{Place, RemotePath, Secret};
use haul::state::State;
use haul::transfer::{RemoteClient, RemoteProvider, RetryPolicy};
use haul::{Error, Kind, Result, providers};

/// The settings of a remote: fields of this value here, the configuration file and the environment for the command.
struct Settings(HashMap<&'static str, String>);

impl RemoteSettings for Settings {
    fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).cloned()
    }
    fn secret(&self, key: &str) -> Result<Option<Secret>> {
        Ok(self.get(key).map(Secret::new))
    }
    fn is_set(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let [provider, url, username, path] = arguments()?;
    let info = providers::find(&provider).ok_or_else(|| Error::new(Kind::Usage, "there is no such provider"))?;
    let password = std::env::var("PASSWORD").map_err(|e| Error::new(Kind::Usage, "PASSWORD is not set").with_cause(e))?;
    let timeout = Duration::from_secs(60);
    let context = ProviderContext {
        remote: "example".to_owned(),
        secrets: Arc::new(Settings([("url", url), ("username", username), ("password", password)].into())),
        // Without a folder the token is kept for this run only.
        tokens: Arc::new(State::new(None)),
        network: Network { timeout, ca_file: None, insecure: false },
    };
    let (events, _warnings) = Events::channel();
    let policy = RetryPolicy { tries: 5, timeout, min_rate: 0 };
    let client = RemoteClient::new("example".to_owned(), RemoteProvider::open(info, context)?, policy, events);
    let folder = client.stat(&Place::at(RemotePath::parse(&path)?)).await?;
    for entry in client.list(&folder).await?.iter() {
        let size = entry.size.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        println!("{size:>12}  {}", entry.path);
    }
    Ok(())
}

fn arguments() -> Result<[String; 4]> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    given.try_into().map_err(|_| Error::new(Kind::Usage, "give PROVIDER URL USERNAME PATH"))
}
