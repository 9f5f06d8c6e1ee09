//! Copies between remotes of different providers: streamed through this machine, cut on the way, compared at the end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use haul::contract::{Events, Network, Opening, Secrets, TokenStore};
use haul::error::Result;
use haul::model::report::Verified;
use haul::model::{Place, RemotePath, Secret};
use haul::state::State;
use haul::transfer::between::{From, To, copy_file_between};
use haul::transfer::{Desk, Policy};

use crate::put::{Play, REMOTES, bytes};

/// The sandbox's environment as one remote's settings.
struct Settings(HashMap<String, String>, String);

impl Secrets for Settings {
    fn plain(&self, key: &str) -> Option<String> {
        self.0.get(&format!("HAUL_REMOTE_{}_{}", self.1, key.to_uppercase())).cloned()
    }
    fn secret(&self, key: &str) -> Result<Option<Secret>> {
        Ok(self.plain(key).map(Secret::new))
    }
    fn has(&self, key: &str) -> bool {
        self.plain(key).is_some()
    }
}

fn desk(play: &Play, remote: &str, state: &Arc<State>, events: &Events) -> Desk {
    let settings = Settings(play.sandbox.env().into_iter().collect(), remote.to_uppercase());
    let tokens: Arc<dyn TokenStore> = state.clone();
    let network = Network { timeout: Duration::from_secs(20), ca_file: None, insecure: false };
    let opening = Opening { remote: remote.to_owned(), secrets: Arc::new(settings), tokens, network };
    let provider = (haul::providers::find(remote).unwrap().open)(opening).unwrap();
    let policy = Policy { tries: 3, timeout: Duration::from_secs(20), min_rate: 0 };
    Desk { provider, policy, events: events.clone(), limit: None }
}

#[test]
fn every_pair_of_providers_and_a_cut_on_the_way() {
    let play = Play::new();
    let content = bytes(3_000_000, 21);
    let md5 = format!("{:x}", md5::compute(&content.0));
    let home = tempfile::tempdir().unwrap();
    let state = Arc::new(State::new(Some(home.path().to_owned())));
    let (events, _receiver) = Events::channel();
    let (at, top) = (Place::at(RemotePath::parse("/source.bin").unwrap()), Place::at(RemotePath::root()));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        for from in REMOTES {
            play.stored(from, "/source.bin", &content);
            let source = desk(&play, from, &state, &events);
            let file = source.ask(|| source.provider.stat(&at)).await.unwrap();
            for to in REMOTES.iter().filter(|to| **to != from) {
                play.sandbox.faults().script(&format!("{from}/download:cut=1000000")).unwrap();
                let target = desk(&play, to, &state, &events);
                let folder = target.ask(|| target.provider.stat(&top)).await.unwrap();
                let name = format!("from-{from}.bin");
                let from_side =
                    From { desk: &source, file: &file, name: format!("{from}:/source.bin"), remote: from, ledger: state.as_ref() };
                let to_side = To {
                    desk: &target,
                    folder,
                    siblings: Arc::from([]),
                    metadata: Arc::default(),
                    name: name.clone(),
                    replaces: None,
                    protocol: None,
                    chunk_size: None,
                };
                let copied = copy_file_between(1, &from_side, &to_side).await.unwrap();
                assert_eq!((copied.size, copied.md5.as_deref()), (3_000_000, Some(md5.as_str())), "{from} to {to}");
                let verified = if from == "iogates" || *to != "fileago" { Verified::Md5 } else { Verified::Size };
                assert_eq!(copied.verified, verified, "{from} to {to}");
                assert_eq!(play.arrived(to)[&format!("/{name}")], content, "{from} to {to}");
                assert!(play.sandbox.faults().left().is_empty(), "{from} to {to}: the cut struck");
            }
        }
    });
}

#[test]
fn a_source_that_is_not_what_its_provider_says_is_told() {
    let play = Play::new();
    let home = tempfile::tempdir().unwrap();
    let state = Arc::new(State::new(Some(home.path().to_owned())));
    let (events, _receiver) = Events::channel();
    let (at, top) = (Place::at(RemotePath::parse("/source.bin").unwrap()), Place::at(RemotePath::root()));
    play.stored("iogates", "/source.bin", &bytes(100_000, 22));
    std::fs::write(play.sandbox.file("iogates", "/source.bin").unwrap(), bytes(100_000, 23).0).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (source, target) = (desk(&play, "iogates", &state, &events), desk(&play, "fileago", &state, &events));
        let file = source.ask(|| source.provider.stat(&at)).await.unwrap();
        let folder = target.ask(|| target.provider.stat(&top)).await.unwrap();
        let from = From { desk: &source, file: &file, name: "iogates:/source.bin".into(), remote: "iogates", ledger: state.as_ref() };
        let to = To {
            desk: &target,
            folder,
            siblings: Arc::from([]),
            metadata: Arc::default(),
            name: "copy.bin".into(),
            replaces: None,
            protocol: None,
            chunk_size: None,
        };
        let error = copy_file_between(1, &from, &to).await.unwrap_err();
        assert_eq!(error.kind(), haul::error::Kind::Integrity, "{error}");
    });
}
