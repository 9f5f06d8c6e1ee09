//! Finds the entry of an address. Paths are the ids: `@/films/a.mov` is `/films/a.mov`.

use super::entry::{folder, of_row};
use super::remote::FtpRemote;
use crate::contract::walk::{not_found, one_named};
use crate::contract::{Error, Kind, Result};
use crate::model::{Entry, EntryKind, Place, RemotePath, Root};
use crate::protocols::ftp::{Size, listing};

impl FtpRemote {
    pub(super) async fn find(&self, at: &Place) -> Result<Entry> {
        let path = match &at.root {
            Root::Top => at.path.clone(),
            Root::Id(id) => RemotePath::parse(id)?.join_path(&at.path),
        };
        let entry = self.at(&path).await.map_err(|error| self.explain(error).with_subject(at.display_path(&at.path).to_string()))?;
        Ok(match &at.root {
            Root::Top => entry,
            // The entry is shown as the user typed it, and reached by its own path.
            Root::Id(_) => Entry { path: at.display_path(&at.path), ..entry },
        })
    }

    /// Uses MLST where the server knows it, else the listing of the folder. For names that listings leave out (vsftpd hides
    /// names that begin with a dot) SIZE is asked.
    pub(super) async fn at(&self, path: &RemotePath) -> Result<Entry> {
        let (Some(name), Some(within)) = (path.name(), path.parent()) else { return Ok(folder(path)) };
        if let Some(looked) = listing::stat(self.pool().await?, &self.path_of(path)).await? {
            return looked.map(|row| of_row(row, &within)).ok_or_else(|| not_found(path));
        }
        let listed = self.listing(&folder(&within)).await;
        match listed.and_then(|listed| one_named(listed.find_by_name(name)?, name, false, &within)) {
            Ok(Some(entry)) => Ok(entry),
            Ok(None) => self.by_size(path).await?.ok_or_else(|| not_found(path)),
            // The folder itself does not exist.
            Err(error) if error.kind() == Kind::NotFound => Err(not_found(path)),
            // The server may still answer for a file of a folder that it does not list.
            Err(error) if error.kind() == Kind::Refused => self.by_size(path).await?.ok_or(error),
            Err(error) => Err(error),
        }
    }

    /// A file of which only the size is known; none where the server has no such file, or does not know SIZE.
    pub(super) async fn by_size(&self, path: &RemotePath) -> Result<Option<Entry>> {
        match self.pool().await?.size_of(&self.path_of(path)).await {
            Ok(Size::Bytes(size)) => {
                let mut entry = Entry::new(EntryKind::File, path.to_string(), path.clone());
                entry.size = Some(size);
                Ok(Some(entry))
            }
            Ok(Size::Absent | Size::Unknown) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The path in the id of an entry.
pub(super) fn path_of_id(entry: &Entry) -> Result<RemotePath> {
    RemotePath::parse(&entry.id)
        .map_err(|e| Error::new(Kind::NotFound, "this is not a path on the server").with_subject(entry.id.clone()).with_cause(e))
}
