//! Puts a new copy in the place of an older one. The new copy is complete under its temporary name. Where RNTO overwrites
//! (vsftpd, pure-ftpd) one rename does it. Where RNTO does not (IIS, ProFTPD with `AllowOverwrite off`), the older file is
//! renamed first, and removed when the new one has its name. A server that allows no renaming keeps both.

use super::remote::FtpRemote;
use super::resolve::path_of_id;
use crate::contract::{BoxFuture, Error, Replacements, Result};
use crate::model::{Entry, RemotePath};

/// The suffix of an older file that was renamed to make room for a new copy.
pub(super) const ASIDE: &str = ".haul-old";

impl Replacements for FtpRemote {
    fn replace<'a>(&'a self, old: &'a Entry, new: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(self.replace_entry(old, new, name))
    }
}

impl FtpRemote {
    async fn replace_entry(&self, old: &Entry, new: &Entry, name: &str) -> Result<Entry> {
        let wished = path_of_id(old)?.parent().unwrap_or_default().join(name)?;
        let shown = old.path.parent().unwrap_or_default().join(name)?;
        let placed = || Entry { id: wished.to_string(), path: shown.clone(), name: name.to_owned(), ..new.clone() };
        let (from, to) = (self.path_of_entry(new)?, self.path_of(&wished));
        let pool = self.pool().await?;
        let refusal = match pool.rename_unless_taken(&from, &to).await {
            Ok(None) => return Ok(placed()),
            // The older file is moved only when the name is taken. Where no renaming is allowed, both files stay.
            Ok(Some(refusal)) => refusal,
            // An earlier try renamed the file, and the answer was lost.
            Err(error) if error.status_code() == Some(550) && self.is_placed(old, new, &wished).await? => return Ok(placed()),
            Err(error) => return Err(both_left_error(old, new, error)),
        };
        let aside = format!("{to}{ASIDE}");
        // A renamed older file that an earlier run left has its successor already, and is in the way of this one.
        if pool.rename(&to, &aside).await.is_err() && (pool.remove_file(&aside).await.is_err() || pool.rename(&to, &aside).await.is_err()) {
            return Err(both_left_error(old, new, refusal));
        }
        if let Err(error) = pool.rename(&from, &to).await {
            return match pool.rename(&aside, &to).await {
                Ok(()) => Err(both_left_error(old, new, error)),
                Err(_) => Err(misnamed_error(new, name, &aside, error)),
            };
        }
        if let Err(error) = pool.remove_file(&aside).await {
            tracing::warn!("{error}; the older file stays as {aside}");
        }
        Ok(placed())
    }

    /// True if the temporary name is gone and the file with the wished name can't be the older file: it has the new copy's
    /// size, which the older file has not, or its MD5.
    async fn is_placed(&self, old: &Entry, new: &Entry, wished: &RemotePath) -> Result<bool> {
        if self.by_size(&path_of_id(new)?).await?.is_some() {
            return Ok(false);
        }
        let there = self.by_size(wished).await?.and_then(|there| there.size);
        if there.is_none() || there != new.size {
            return Ok(false);
        }
        if old.size.is_some() && old.size != new.size {
            return Ok(true);
        }
        let md5 = self.pool().await?.md5_of(&self.path_of(wished), there).await?;
        Ok(md5.is_some() && md5 == new.md5)
    }
}

fn both_left_error(old: &Entry, new: &Entry, why: Error) -> Error {
    let text = format!("the new copy is complete as {:?}, and the older one, {:?}, is still there", new.name, old.name);
    error_about(text, old, why).with_hint("run the same command again, or remove the one you don't want")
}

fn misnamed_error(new: &Entry, name: &str, aside: &str, why: Error) -> Error {
    let text = format!("the new copy is complete, but still named {:?} instead of {name:?}; the older one is there as {aside:?}", new.name);
    error_about(text, new, why).with_hint("run the same command again")
}

fn error_about(text: String, entry: &Entry, why: Error) -> Error {
    let error = Error::new(why.kind(), text).with_subject(entry.path.to_string()).with_retry_after(why.retry_after());
    match why.status_code() {
        Some(status) => error.with_status(status).with_cause(why),
        None => error.with_cause(why),
    }
}
