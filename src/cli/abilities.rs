//! What a provider can do, asked of the provider itself, and the refusal of a verb that one lacks.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::context::OpenRemote;
use crate::contract::AnyProvider;
use crate::contract::{BoxFuture, Changes, Network, ProviderContext, ProviderInfo, RemoteSettings, StoredToken, TokenStore, Visibility};
use crate::error::{Error, Kind, Result};
use crate::model::report::ProviderLine;
use crate::model::{EntryKind, Secret};
use crate::providers::REGISTRY;

type HasAbility = fn(&AnyProvider) -> bool;

/// The rows of the table.
const ABILITIES: &[(&str, HasAbility)] = &[
    ("folders", |p| p.folders().is_some()),
    ("replace", |p| p.swapping().is_some() || p.info().uploads_create_revisions),
    ("md5-before", |p| p.info().takes_md5),
    ("metadata", |p| p.info().takes_metadata),
    ("remove", |p| p.removal().is_some()),
    ("move", |p| p.moves().is_some()),
    ("copy", |p| p.copies().is_some()),
    ("edit", |p| p.editing().is_some()),
    ("visibility", |p| {
        let changes = Changes { visibility: Some(Visibility::Private), ..Changes::default() };
        p.editing().is_some_and(|e| e.check(EntryKind::Folder, &changes).is_ok())
    }),
    ("link", |p| p.links().is_some()),
    ("import", |p| p.importing().is_some()),
    ("share", |p| p.sharing().is_some()),
    ("star", |p| p.stars().is_some()),
    ("comments", |p| p.comments().is_some()),
];

/// A row of the table of `haul providers`.
pub fn line(info: &'static ProviderInfo) -> Result<ProviderLine> {
    let provider = unconnected(info)?;
    let abilities: Map<String, Value> = ABILITIES.iter().map(|(name, held)| ((*name).to_owned(), held(&provider).into())).collect();
    Ok(ProviderLine { provider: info.id, title: info.title, protocols: info.protocols.to_vec(), abilities })
}

/// The refusal of a verb that a provider lacks, with the names of those that hold the ability.
pub fn lacking(remote: &OpenRemote, ability: &str, what: &str) -> Error {
    let held = ABILITIES.iter().find(|(name, _)| *name == ability).map(|(_, held)| *held);
    let holds = |info: &&'static ProviderInfo| held.is_some_and(|held| unconnected(info).is_ok_and(|p| held(&p)));
    let others: Vec<&str> = REGISTRY.iter().copied().filter(holds).map(|info| info.title).collect();
    unsupported(remote, what, &others)
}

/// For a verb that a provider lacks.
fn unsupported(remote: &OpenRemote, what: &str, others: &[&str]) -> Error {
    let title = remote.provider.info().title;
    let error = Error::new(Kind::Unsupported, format!("{title} {what}")).with_subject(remote.name.clone());
    if others.is_empty() { error } else { error.with_hint(format!("{} can", others.join(" and "))) }
}

/// A provider that is only asked what it can do; it never connects.
fn unconnected(info: &'static ProviderInfo) -> Result<AnyProvider> {
    let network = Network { timeout: Duration::from_secs(1), ca_file: None, insecure: false };
    (info.open)(ProviderContext { remote: info.id.to_owned(), secrets: Arc::new(Nothing), tokens: Arc::new(Nothing), network })
}

struct Nothing;

impl RemoteSettings for Nothing {
    fn get(&self, key: &str) -> Option<String> {
        (key == "url").then(|| "https://localhost".to_owned())
    }
    fn secret(&self, _: &str) -> Result<Option<Secret>> {
        Ok(None)
    }
    fn is_set(&self, _: &str) -> bool {
        false
    }
}

impl TokenStore for Nothing {
    fn load(&self, _: &str) -> Result<Option<StoredToken>> {
        Ok(None)
    }
    fn save(&self, _: &str, _: &StoredToken) -> Result<()> {
        Ok(())
    }
    fn forget(&self, _: &str) -> Result<()> {
        Ok(())
    }
    fn lock<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>>> {
        Box::pin(async { Ok(Box::new(()) as Box<dyn Send>) })
    }
}
