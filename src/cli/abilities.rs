//! What a provider can do, as the provider itself reports it, and the refusal of a command whose ability is missing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::context::OpenRemote;
use crate::contract::{
    Abilities, BoxFuture, Changes, Network, ProviderContext, ProviderInfo, RemoteSettings, StoredToken, TokenStore, Visibility,
};
use crate::error::{Error, Kind, Result};
use crate::model::report::ProviderLine;
use crate::model::{EntryKind, Secret};
use crate::providers::REGISTRY;
use crate::transfer::RemoteProvider;

/// An ability as the command line speaks of it.
pub struct Ability {
    /// In the table and its JSON.
    name: &'static str,
    held: fn(Abilities<'_>) -> bool,
    /// The words behind the name of a provider that lacks the ability.
    lacks: &'static str,
}

const fn ability(name: &'static str, held: fn(Abilities<'_>) -> bool, lacks: &'static str) -> Ability {
    Ability { name, held, lacks }
}

pub const STAT: Ability = ability("stat", |can| can.lookup.is_some(), "has no call that tells of an entry (stat)");
pub const LIST: Ability = ability("list", |can| can.lookup.is_some() && can.browse.is_some(), "has no call that lists folders (list)");
pub const DOWNLOAD: Ability =
    ability("download", |can| can.lookup.is_some() && can.downloads.is_some(), "has no call that reads files (download)");
pub const FOLDERS: Ability = ability("folders", |can| can.folders.is_some(), "makes folders only for the files that are put into them");
pub const REPLACE: Ability = ability("replace", |can| can.replacement.is_some(), "replaces nothing");
pub const MD5_BEFORE: Ability = ability("md5-before", |can| can.takes_md5, "takes no MD5 before a file");
pub const METADATA: Ability = ability("metadata", |can| can.metadata.is_some(), "keeps no types or attributes of files");
pub const REMOVE: Ability = ability("remove", |can| can.deletions.is_some(), "has no call that removes");
pub const MOVE: Ability = ability("move", |can| can.moves.is_some(), "has no call that moves or renames");
pub const COPY: Ability = ability("copy", |can| can.copies.is_some(), "has no call that copies");
pub const EDIT: Ability = ability("edit", |can| can.edits.is_some(), "has no call that edits entries");
pub const VISIBILITY: Ability = ability(
    "visibility",
    |can| {
        let changes = Changes { visibility: Some(Visibility::Private), ..Changes::default() };
        can.edits.is_some_and(|edits| edits.check(EntryKind::Folder, &changes).is_ok())
    },
    "keeps no visibility, password or type that could be set",
);
pub const LINK: Ability = ability("link", |can| can.links.is_some(), "has no download URL that is safe to give away");
pub const IMPORT: Ability = ability("import", |can| can.imports.is_some(), "fetches no URLs");
pub const SHARE: Ability = ability("share", |can| can.shares.is_some(), "has no call that shares copies");
pub const STAR: Ability = ability("star", |can| can.stars.is_some(), "has no favourites");
pub const COMMENTS: Ability = ability("comments", |can| can.comments.is_some(), "keeps no comments");

/// The rows of the table of `haul providers`.
const TABLE: &[&Ability] =
    &[&FOLDERS, &REPLACE, &MD5_BEFORE, &METADATA, &REMOVE, &MOVE, &COPY, &EDIT, &VISIBILITY, &LINK, &IMPORT, &SHARE, &STAR, &COMMENTS];

/// A row of the table of `haul providers`.
pub fn provider_line(info: &'static ProviderInfo) -> Result<ProviderLine> {
    let provider = describe_only(info)?;
    let abilities: Map<String, Value> = TABLE.iter().map(|row| (row.name.to_owned(), provider.has(row.held).into())).collect();
    Ok(ProviderLine { provider: info.id, title: info.title, protocols: info.protocols.to_vec(), abilities })
}

/// Does the provider hold the ability of that name? None: there is no such ability.
pub fn holds(info: &'static ProviderInfo, name: &str) -> Result<Option<bool>> {
    let provider = describe_only(info)?;
    let named = TABLE.iter().chain(&[&STAT, &LIST, &DOWNLOAD]).find(|ability| ability.name == name);
    Ok(named.map(|ability| provider.has(ability.held)))
}

impl OpenRemote {
    /// Does the provider hold it?
    pub fn can(&self, ability: &Ability) -> bool {
        self.provider.has(ability.held)
    }
}

/// Fails with `Unsupported`, before anything is sent, where the provider lacks the ability.
pub fn require(remote: &OpenRemote, ability: &Ability) -> Result<()> {
    if remote.provider.has(ability.held) { Ok(()) } else { Err(unsupported_error(remote, ability)) }
}

/// The refusal of a command where the provider lacks the ability, with the names of the providers that have it.
pub fn unsupported_error(remote: &OpenRemote, ability: &Ability) -> Error {
    let holds = |info: &&'static ProviderInfo| describe_only(info).is_ok_and(|provider| provider.has(ability.held));
    let others: Vec<&str> = REGISTRY.iter().copied().filter(holds).map(|info| info.title).collect();
    let title = remote.provider.info().title;
    let error = Error::new(Kind::Unsupported, format!("{title} {}", ability.lacks)).with_subject(remote.name.clone());
    match others.split_last() {
        None => error,
        Some((only, [])) => error.with_hint(format!("{only} can")),
        Some((last, others)) => error.with_hint(format!("{} and {last} can", others.join(", "))),
    }
}

/// A provider that is only asked what it can do; it never connects.
fn describe_only(info: &'static ProviderInfo) -> Result<RemoteProvider> {
    let network = Network { timeout: Duration::from_secs(1), ca_file: None, insecure: false };
    let nothing = Arc::new(NoSettings { url: info.sample_url });
    let (secrets, tokens) = (nothing.clone(), nothing);
    RemoteProvider::open(info, ProviderContext { remote: info.id.to_owned(), secrets, tokens, network })
}

struct NoSettings {
    url: &'static str,
}

impl RemoteSettings for NoSettings {
    fn get(&self, key: &str) -> Option<String> {
        (key == "url").then(|| self.url.to_owned())
    }
    fn secret(&self, _: &str) -> Result<Option<Secret>> {
        Ok(None)
    }
    fn is_set(&self, _: &str) -> bool {
        false
    }
}

impl TokenStore for NoSettings {
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
