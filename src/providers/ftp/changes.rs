//! Folders, removing, renaming and moving. FTP answers only yes or no, so after a refusal a listing shows the reason.

use super::entry::folder;
use super::remote::FtpRemote;
use super::resolve::path_of_id;
use crate::contract::{BoxFuture, Deletions, Error, Folders, Kind, Moves, Result};
use crate::model::{Entry, RemotePath};

impl Folders for FtpRemote {
    fn create<'a>(&'a self, parent: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(async move {
            let path = path_of_id(parent)?.join(name)?;
            let made = Entry { path: parent.path.join(name)?, ..folder(&path) };
            match self.pool().await?.make_folder(&self.path_of(&path)).await {
                Ok(()) => Ok(made),
                // Another client may have made the folder first: if the folder is there, that is a success.
                Err(refusal) if matches!(refusal.kind(), Kind::Exists | Kind::Refused) => match self.at(&path).await {
                    Ok(there) if there.is_folder() => Ok(made),
                    _ => Err(refusal.with_subject(made.path.to_string())),
                },
                Err(error) => Err(error.with_subject(made.path.to_string())),
            }
        })
    }
}

impl Deletions for FtpRemote {
    fn is_top(&self, entry: &Entry) -> bool {
        entry.is_folder() && entry.id == RemotePath::root().to_string()
    }
    fn remove<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if self.is_top(entry) {
                return Err(Error::new(Kind::Refused, "the top folder can't be changed").with_subject(entry.path.to_string()));
            }
            self.remove_all(entry).await
        })
    }
}

impl Moves for FtpRemote {
    fn parent<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move { Ok(path_of_id(entry)?.parent().map(|parent| folder(&parent))) })
    }
    fn rename<'a>(&'a self, entry: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move {
            let within = path_of_id(entry)?.parent().unwrap_or_default();
            let shown = entry.path.parent().unwrap_or_default().join(name)?;
            self.give_path(entry, &within.join(name)?, shown).await
        })
    }
    fn move_into<'a>(&'a self, entry: &'a Entry, folder: &'a Entry) -> BoxFuture<'a, Result<Option<Entry>>> {
        Box::pin(async move {
            let shown = folder.path.join(&entry.name)?;
            self.give_path(entry, &path_of_id(folder)?.join(&entry.name)?, shown).await
        })
    }
}

impl FtpRemote {
    async fn give_path(&self, entry: &Entry, to: &RemotePath, shown: RemotePath) -> Result<Option<Entry>> {
        let from = self.path_of_entry(entry)?;
        self.pool().await?.rename(&from, &self.path_of(to)).await.map_err(|error| error.with_subject(entry.path.to_string()))?;
        let name = to.name().unwrap_or_default().to_owned();
        Ok(Some(Entry { id: to.to_string(), path: shown, name, ..entry.clone() }))
    }

    /// Removes a folder's content first, deepest first. A symbolic link is removed itself and never followed.
    fn remove_all<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (path, pool) = (self.path_of_entry(entry)?, self.pool().await?);
            let told = |error: Error| error.with_subject(entry.path.to_string());
            if !entry.is_folder() {
                return match pool.remove_file(&path).await {
                    Err(error) if error.status_code() == Some(550) => self.check_deleted(entry, error).await,
                    removed => removed.map_err(told),
                };
            }
            match pool.remove_folder(&path).await {
                // The folder is not empty: some servers answer 550, others 450 or 451.
                Err(error) if matches!(error.status_code(), Some(450 | 451 | 550 | 553)) => {
                    let listed = match self.listing(entry).await {
                        Err(missing) if missing.kind() == Kind::NotFound => return self.check_deleted(entry, error).await,
                        listed => listed?,
                    };
                    if listed.is_empty() {
                        return Err(told(error));
                    }
                    for child in listed {
                        self.remove_all(&child).await?;
                    }
                    pool.remove_folder(&path).await.map_err(told)
                }
                removed => removed.map_err(told),
            }
        })
    }

    /// 550 is also the answer for an entry that is gone.
    async fn check_deleted(&self, entry: &Entry, refusal: Error) -> Result<()> {
        match self.at(&path_of_id(entry)?).await {
            Err(error) if error.kind() == Kind::NotFound => Err(error),
            _ => Err(refusal.with_subject(entry.path.to_string())),
        }
    }
}
