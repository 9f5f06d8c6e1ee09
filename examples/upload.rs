//! Uploads a file and shows how far the server has accepted it.
//!
//! ```text
//! PASSWORD=secret cargo run --example upload -- giga0 https://giga0.example ana film.mov /in/
//! ```
#![allow(clippy::print_stdout)] // An example shows what it does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use haul::contract::{Events, Network, ProviderContext, RemoteSettings};
use haul::model::{Address, Event, Report, Secret};
use haul::state::State;
use haul::transfer::put::{ChecksumMode, PutJob, PutOptions, put};
use haul::transfer::{IfExists, RemoteClient, RemoteProvider, RetryPolicy};
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
    let [provider, url, username, file, path] = arguments()?;
    let info = providers::find(&provider).ok_or_else(|| Error::new(Kind::Usage, "there is no such provider"))?;
    let password = std::env::var("PASSWORD").map_err(|e| Error::new(Kind::Usage, "PASSWORD is not set").with_cause(e))?;
    // With a folder of its own an upload that was cut goes on in the next run.
    let state = Arc::new(State::new(None));
    let timeout = Duration::from_secs(60);
    let remote_key = format!("{}|{url}|user {username}", info.id);
    let context = ProviderContext {
        remote: "example".to_owned(),
        secrets: Arc::new(Settings([("url", url), ("username", username), ("password", password)].into())),
        tokens: state.clone(),
        network: Network { timeout, ca_file: None, insecure: false },
    };
    let (events, mut progress) = Events::channel();
    let policy = RetryPolicy { tries: 5, timeout, min_rate: 0 };
    let job = PutJob {
        client: RemoteClient::new("example".to_owned(), RemoteProvider::open(info, context)?, policy, events),
        ledger: state,
        remote_key,
        target: Address::parse_remote(&format!("example:{path}"))?,
        options: PutOptions {
            if_exists: IfExists::Update,
            size_only: false,
            checksum: ChecksumMode::Auto,
            protocol: None,
            chunk_size: None,
            streams: 1,
            copies_on_server: false,
            jobs: 1,
            dry_run: false,
            fail_fast: false,
            stdin_size: None,
            metadata: Arc::default(),
            filter: Arc::default(),
        },
    };
    // The channel ends with the job, which holds its sender.
    let shown = tokio::spawn(async move {
        let mut failures = 0;
        while let Some(event) = progress.recv().await {
            match event {
                Event::Started { name, size, .. } => println!("{name}: {size:?} bytes"),
                Event::Accepted { offset, .. } => println!("  accepted up to byte {offset}"),
                Event::Waiting { wait, why, .. } => println!("  waits {wait:?}: {why}"),
                Event::Warning(text) => println!("  warning: {text}"),
                Event::Finished { report, .. } => match *report {
                    Report::Transferred { transfer, .. } => println!("  {} is there, compared by {:?}", transfer.path, transfer.verified),
                    Report::Skipped { path, reason, .. } => println!("  {path} is left alone: {reason}"),
                    Report::Failed(failure) => {
                        failures += 1;
                        println!("  failed: {}", failure.error.message);
                    }
                    other => println!("  {other:?}"),
                },
                _ => {}
            }
        }
        failures
    });
    put(job, &[file]).await?;
    match shown.await {
        Ok(0) => Ok(()),
        Ok(_) => Err(Error::new(Kind::Partial, "the file was not uploaded")),
        Err(e) => Err(Error::new(Kind::Other, "the progress could not be shown").with_cause(e)),
    }
}

fn arguments() -> Result<[String; 5]> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    given.try_into().map_err(|_| Error::new(Kind::Usage, "give PROVIDER URL USERNAME FILE PATH"))
}
