//! Single changes, each made once whatever becomes of its answer: after a lost one the server is looked at first, and only
//! what is not done yet is asked for again.

use std::time::Duration;

use crate::contract::{BoxFuture, Changes, Copies, Deletions, Edits, Moves};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Place, RemotePath, Root};
use crate::transfer::client::RemoteClient;

/// A server may go on with a large folder after it has answered, or after the line broke: what was done is looked for so
/// long, and a copy is not asked for again before.
const VISIBLE_WITHIN: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct ConfirmedChanges(RemoteClient);

impl ConfirmedChanges {
    pub fn new(desk: RemoteClient) -> ConfirmedChanges {
        ConfirmedChanges(desk)
    }

    /// `parent`: the folder it is in, where that is known.
    pub async fn rename(&self, entry: &Entry, parent: Option<&Entry>, name: &str) -> Result<Entry> {
        let moves = self.moves()?;
        self.0.provider.check_name(name)?;
        let look = || async {
            let now = self.current(entry, parent).await?;
            // A name may be stored otherwise than it was wished for: what matters is that it is the old one no more.
            Ok(now.filter(|now| now.name == name || now.name != entry.name))
        };
        self.confirm(|| moves.rename(entry, name), Duration::ZERO, look).await
    }

    pub async fn move_into(&self, entry: &Entry, folder: &Entry) -> Result<Entry> {
        let moves = self.moves()?;
        let look = || async { Ok(self.0.provider.list(folder).await?.find(|e| e.id == entry.id)) };
        self.confirm(|| moves.move_into(entry, folder), Duration::ZERO, look).await
    }

    /// `before`: what the folder held before.
    pub async fn copy_into(&self, entry: &Entry, folder: &Entry, before: &[Entry]) -> Result<Entry> {
        let copies = self.copies()?;
        let is_new = |e: &Entry| before.iter().all(|old| old.id != e.id) && e.id != entry.id;
        let is_copy = |e: &Entry| e.kind == entry.kind && e.name == entry.name && is_new(e);
        let look = || async { Ok(self.0.provider.list(folder).await?.find(is_copy)) };
        let copy = self.confirm(|| copies.copy_into(entry, folder), VISIBLE_WITHIN, look).await?;
        match (entry.size, copy.size) {
            (Some(original), Some(size)) if size != original => {
                Err(Error::new(Kind::Integrity, format!("the copy (@{}) has {size} bytes, the original {original}", copy.id))
                    .with_hint("remove the copy and try again"))
            }
            _ => Ok(copy),
        }
    }

    /// Where the parent is not known, a removal whose answer was lost is not repeated: what still shows may be in a trash,
    /// and a second removal would be for good (providers.md 3.4).
    pub async fn remove(&self, entry: &Entry, parent: Option<&Entry>) -> Result<()> {
        let removal = self.removal()?;
        let look = || async {
            match (self.current(entry, parent).await, parent) {
                (Ok(None), _) => Ok(Some(())),
                (Ok(Some(_)), Some(_)) => Ok(None),
                (Ok(Some(_)), None) => Err(Error::new(Kind::Unknown, "the answer was lost, and whether this was removed can't be seen")
                    .with_hint("look before you remove it again")),
                (Err(e), _) if e.kind() == Kind::NotFound => Ok(Some(())),
                (Err(e), _) => Err(e),
            }
        };
        let call = || -> BoxFuture<'_, Result<Option<()>>> { Box::pin(async { removal.remove(entry).await.map(Some) }) };
        self.confirm(call, Duration::ZERO, look).await
    }

    /// Fails with `Unsupported` before anything is sent.
    pub async fn edit(&self, entry: &Entry, parent: Option<&Entry>, changes: &Changes) -> Result<Entry> {
        let editing = self.editing()?;
        editing.check(entry.kind, changes)?;
        let named = |now: &Entry| changes.name.as_ref().is_none_or(|name| now.name == *name || now.name != entry.name);
        // Only a new name can be seen from outside; everything else may be asked for twice.
        let name_alone = changes.visibility.is_none() && changes.folder_password.is_none() && changes.file_type.is_none();
        let look = || async { Ok(self.current(entry, parent).await?.filter(|now| name_alone && named(now))) };
        self.confirm(|| editing.edit(entry, changes), Duration::ZERO, look).await
    }

    /// As `rename`, for what was renamed to `other`, if at all.
    pub async fn rename_back(&self, entry: &Entry, parent: &Entry, other: &str) -> Result<()> {
        let now = self.0.check(|| self.current(entry, Some(parent))).await?;
        match now.filter(|now| now.name == other) {
            Some(now) => self.rename(&now, Some(parent), &entry.name).await.map(drop),
            None => Ok(()),
        }
    }

    /// Does the folder still list it?
    pub async fn is_in(&self, entry: &Entry, folder: &Entry) -> Result<bool> {
        Ok(self.0.check(|| self.current(entry, Some(folder))).await?.is_some())
    }

    /// The entry as it is now; none when its folder no longer lists it.
    async fn current(&self, entry: &Entry, parent: Option<&Entry>) -> Result<Option<Entry>> {
        match parent {
            Some(folder) => Ok(self.0.provider.list(folder).await?.find(|e| e.id == entry.id)),
            None => {
                let place = Place { root: Root::Id(entry.id.clone()), path: RemotePath::root() };
                self.0.provider.stat(&place).await.map(Some)
            }
        }
    }

    /// Calls until the change is made. `look` tells whether it is: asked when an answer says too little, and when one was
    /// lost (then for as long as `late`, unless the server itself said that it failed).
    async fn confirm<'a, T, L>(
        &self,
        call: impl Fn() -> BoxFuture<'a, Result<Option<T>>>,
        late: Duration,
        look: impl Fn() -> L,
    ) -> Result<T>
    where
        L: Future<Output = Result<Option<T>>>,
    {
        let mut patience = self.0.retries(None);
        let mut doubt = false;
        loop {
            let failure = match self.0.mutate(&call).await {
                Ok(Some(done)) => return Ok(done),
                Ok(None) => return self.0.poll(VISIBLE_WITHIN, &look).await.map_err(check_failed)?.ok_or_else(not_confirmed),
                Err(e) => e,
            };
            doubt |= failure.kind() == Kind::Interrupted;
            if doubt {
                let late = if failure.status_code().is_some() { Duration::ZERO } else { late };
                match self.0.poll(late, &look).await {
                    Ok(Some(done)) => return Ok(done),
                    Ok(None) => {}
                    Err(e) => return Err(uncertain(failure, e)),
                }
            }
            patience.after(failure).await?;
        }
    }

    fn moves(&self) -> Result<&dyn Moves> {
        self.0.provider.moves().ok_or_else(|| self.unsupported("moves"))
    }

    fn copies(&self) -> Result<&dyn Copies> {
        self.0.provider.copies().ok_or_else(|| self.unsupported("copies"))
    }

    pub fn removal(&self) -> Result<&dyn Deletions> {
        self.0.provider.removal().ok_or_else(|| self.unsupported("removes"))
    }

    fn editing(&self) -> Result<&dyn Edits> {
        self.0.provider.editing().ok_or_else(|| self.unsupported("edits"))
    }

    fn unsupported(&self, what: &str) -> Error {
        Error::new(Kind::Unsupported, format!("{} {what} nothing", self.0.provider.info().title))
    }
}

fn not_confirmed() -> Error {
    Error::new(Kind::Protocol, "the server says that it is done, but does not show it").with_hint("look at the folder before you try again")
}

/// The server's word alone is not the thing seen; but a second try would find it done.
fn check_failed(look: Error) -> Error {
    if look.kind() == Kind::Auth {
        return look;
    }
    Error::new(Kind::Unknown, "the server says that it is done, but looking failed").with_hint("look before you try again").with_cause(look)
}

fn uncertain(failure: Error, look: Error) -> Error {
    if look.kind() == Kind::Unknown {
        return look;
    }
    let text = format!("whether this was done is not known: {}; and looking failed", failure.message());
    Error::new(Kind::Unknown, text).with_hint("look before you try again").with_cause(look)
}
