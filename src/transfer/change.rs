//! Single changes, each made exactly once. After a lost answer haul looks at the server first, and repeats the call only if the
//! change was not made.

use std::time::Duration;

use crate::contract::{Abilities, Changes, Provider};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Place, RemotePath, Root};
use crate::transfer::client::RemoteClient;
use crate::transfer::processing_time::VISIBLE_WITHIN;

#[derive(Clone)]
pub struct ConfirmedChanges(RemoteClient);

impl ConfirmedChanges {
    pub fn new(client: RemoteClient) -> ConfirmedChanges {
        ConfirmedChanges(client)
    }

    /// `parent`: the folder it is in, where that is known.
    pub async fn rename<'a>(&'a self, entry: &'a Entry, parent: Option<&'a Entry>, name: &'a str) -> Result<Entry> {
        self.require(|can| can.moves().map(drop))?;
        self.0.check_name(name)?;
        let look = |p: &'a dyn Provider| async move {
            let now = current(p, entry, parent).await?;
            if let (None, Some(parent)) = (&now, parent) {
                return move_by_path(p, entry, parent, name).await;
            }
            // The new name may be stored in another form. What matters is that the entry no longer has the old name.
            Ok(now.filter(|now| now.name == name || now.name != entry.name))
        };
        self.confirm(|p| async move { p.abilities().moves()?.rename(entry, name).await }, Duration::ZERO, look).await
    }

    pub async fn move_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> Result<Entry> {
        self.require(|can| can.moves().map(drop))?;
        let look = |p: &'a dyn Provider| async move {
            if let Some(moved) = p.list(folder).await?.find(|e| e.id == entry.id) {
                return Ok(Some(moved));
            }
            match current(p, entry, None).await {
                Err(gone) if gone.kind() == Kind::NotFound => move_by_path(p, entry, folder, &entry.name).await,
                _ => Ok(None),
            }
        };
        self.confirm(|p| async move { p.abilities().moves()?.move_into(entry, folder).await }, Duration::ZERO, look).await
    }

    /// `before`: what the folder held before.
    pub async fn copy_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry, before: &'a [Entry]) -> Result<Entry> {
        self.require(|can| can.copies().map(drop))?;
        let is_new = |e: &Entry| before.iter().all(|old| old.id != e.id) && e.id != entry.id;
        let is_copy = |e: &Entry| e.kind == entry.kind && e.name == entry.name && is_new(e);
        let look = |p: &'a dyn Provider| async move { Ok(p.list(folder).await?.find(is_copy)) };
        let copy = self.confirm(|p| async move { p.abilities().copies()?.copy_into(entry, folder).await }, VISIBLE_WITHIN, look).await?;
        match (entry.size, copy.size) {
            (Some(original), Some(size)) if size != original => {
                Err(Error::new(Kind::Integrity, format!("the copy (@{}) has {size} bytes, the original {original}", copy.id))
                    .with_hint("remove the copy and try again"))
            }
            _ => Ok(copy),
        }
    }

    /// Where the parent is unknown, a removal with a lost answer is not repeated: the entry may be in a trash, and a second
    /// removal would be for good (providers.md 3.4).
    pub async fn remove<'a>(&'a self, entry: &'a Entry, parent: Option<&'a Entry>) -> Result<()> {
        self.require(|can| can.deletions().map(drop))?;
        let look = |p: &'a dyn Provider| async move {
            match (current(p, entry, parent).await, parent) {
                (Ok(None), _) => Ok(Some(())),
                (Ok(Some(_)), Some(_)) => Ok(None),
                (Ok(Some(_)), None) => Err(Error::new(Kind::Unknown, "the answer was lost, and it is not known whether this was removed")
                    .with_hint("check before you remove it again")),
                (Err(e), _) if e.kind() == Kind::NotFound => Ok(Some(())),
                (Err(e), _) => Err(e),
            }
        };
        let call = |p: &'a dyn Provider| async move { p.abilities().deletions()?.remove(entry).await.map(Some) };
        self.confirm(call, Duration::ZERO, look).await
    }

    /// Fails with `Unsupported` before anything is sent.
    pub async fn edit<'a>(&'a self, entry: &'a Entry, parent: Option<&'a Entry>, changes: &'a Changes) -> Result<Entry> {
        self.0.inspect(|p| p.abilities().edits()?.check(entry.kind, changes))?;
        let named = |now: &Entry| changes.name.as_ref().is_none_or(|name| now.name == *name || now.name != entry.name);
        let named = &named;
        let look = |p: &'a dyn Provider| async move {
            let now = current(p, entry, parent).await?;
            Ok(now.filter(|now| named(now) && p.abilities().edits.is_some_and(|edits| edits.shows(now, changes))))
        };
        self.confirm(|p| async move { p.abilities().edits()?.edit(entry, changes).await }, Duration::ZERO, look).await
    }

    /// As `rename`, for an entry that may have been renamed to `other`.
    pub async fn rename_back(&self, entry: &Entry, parent: &Entry, other: &str) -> Result<()> {
        let now = self.0.check(|p| current(p, entry, Some(parent))).await?;
        match now.filter(|now| now.name == other) {
            Some(now) => self.rename(&now, Some(parent), &entry.name).await.map(drop),
            None => Ok(()),
        }
    }

    /// Does the folder still list it?
    pub async fn is_in(&self, entry: &Entry, folder: &Entry) -> Result<bool> {
        Ok(self.0.check(|p| current(p, entry, Some(folder))).await?.is_some())
    }

    /// Calls until the change is made. `look` finds out whether it is made; it runs after an answer that says too little, was
    /// lost or can't be read ([`RemoteClient::mutate_once`]).
    async fn confirm<'a, T, C, L>(
        &'a self,
        call: impl Fn(&'a dyn Provider) -> C,
        late: Duration,
        look: impl Fn(&'a dyn Provider) -> L,
    ) -> Result<T>
    where
        C: Future<Output = Result<Option<T>>>,
        L: Future<Output = Result<Option<T>>>,
    {
        let look = &look;
        let seen = |p| async move { Ok(look(p).await?.map(Some)) };
        match self.0.mutate_once(late, &call, seen).await? {
            Some(done) => Ok(done),
            None => self.0.poll(VISIBLE_WITHIN, look).await.map_err(check_failed_error)?.ok_or_else(not_confirmed_error),
        }
    }

    /// Fails with `Unsupported` before anything is sent.
    pub fn require(&self, ability: impl FnOnce(Abilities<'_>) -> Result<()>) -> Result<()> {
        self.0.inspect(|p| ability(p.abilities()))
    }
}

/// The entry as it is now; none when its folder no longer lists it.
async fn current(provider: &dyn Provider, entry: &Entry, parent: Option<&Entry>) -> Result<Option<Entry>> {
    match parent {
        Some(folder) => Ok(provider.list(folder).await?.find(|e| e.id == entry.id)),
        None => {
            let place = Place { root: Root::Id(entry.id.clone()), path: RemotePath::root() };
            provider.stat(&place).await.map(Some)
        }
    }
}

/// Where an id is a path (FTP), an entry that was moved is no longer found by its id. What has the new name, kind and size is the
/// moved entry: nothing had the name before the move.
async fn move_by_path(provider: &dyn Provider, entry: &Entry, folder: &Entry, name: &str) -> Result<Option<Entry>> {
    let is_path = entry.id.strip_suffix(entry.name.as_str()).is_some_and(|above| above.starts_with('/') && above.ends_with('/'));
    if !is_path {
        return Ok(None);
    }
    Ok(provider.list(folder).await?.find(|e| e.name == name && e.kind == entry.kind && e.size == entry.size))
}

fn not_confirmed_error() -> Error {
    Error::new(Kind::Protocol, "the server reports success, but does not show the result")
        .with_hint("check the folder before you try again")
}

/// The server's report alone does not show the change, but a second try would find it made.
fn check_failed_error(look: Error) -> Error {
    if look.kind() == Kind::Auth {
        return look;
    }
    Error::new(Kind::Unknown, "the server reports success, but the check failed").with_hint("check before you try again").with_check(look)
}
