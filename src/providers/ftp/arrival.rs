//! Checks whether an upload has arrived, by SIZE, a command of its own: some servers answer 226 also when the connection was
//! cut.

use super::entry::of_row;
use super::remote::FtpRemote;
use crate::contract::{Result, UploadHandle};
use crate::model::{Entry, RemotePath};
use crate::protocols::ftp::listing;

impl FtpRemote {
    pub(super) async fn find_uploaded(&self, ticket: &UploadHandle) -> Result<Option<Entry>> {
        let id = ticket.upload_name.as_ref().or(ticket.id.as_ref()).cloned().unwrap_or_else(|| ticket.path.to_string());
        let path = RemotePath::parse(&id)?;
        let pool = self.pool().await?;
        // The session has asked for the file together with the rename.
        let found = match ticket.confirmed_entry.get() {
            Some(entry) => Some(entry.clone()),
            None => match listing::stat(pool, &self.path_of(&path)).await? {
                Some(looked) => looked.map(|row| of_row(row, &path.parent().unwrap_or_default())),
                None => self.by_size(&path).await?,
            },
        };
        let Some(mut entry) = found.filter(|entry| !entry.is_folder()) else { return Ok(None) };
        if ticket.has_size_of(&entry) {
            // If the server cuts the connection during the hash, the file is there all the same: then its size is the proof.
            entry.md5 = pool.md5_of(&self.path_of(&path), entry.size).await.unwrap_or_else(|error| {
                tracing::info!("no MD5 of {path}: {error}");
                None
            });
        }
        // The entry is shown with the path of the address that was typed.
        entry.path = match ticket.upload_name {
            Some(_) => entry.path,
            None => ticket.path.clone(),
        };
        Ok(Some(entry))
    }
}
