//! A new copy in the place of an older one. The new copy is complete under its travelling name. Where RNTO overwrites (vsftpd,
//! pure-ftpd) one rename is all; where it does not (IIS, ProFTPD's default) the older one goes first.

use super::remote::FtpRemote;
use super::resolve::path_of_id;
use crate::contract::{BoxFuture, Error, Kind, Replacements, Result};
use crate::model::Entry;

impl Replacements for FtpRemote {
    fn replace<'a>(&'a self, old: &'a Entry, new: &'a Entry, name: &'a str) -> BoxFuture<'a, Result<Entry>> {
        Box::pin(self.put_in_place(old, new, name))
    }
}

impl FtpRemote {
    async fn put_in_place(&self, old: &Entry, new: &Entry, name: &str) -> Result<Entry> {
        let wished = path_of_id(old)?.parent().unwrap_or_default().join(name)?;
        let shown = old.path.parent().unwrap_or_default().join(name)?;
        let placed = || Entry { id: wished.to_string(), path: shown.clone(), name: name.to_owned(), ..new.clone() };
        let (from, to) = (self.path_of_entry(new)?, self.path_of(&wished));
        let pool = self.pool().await?;
        let refusal = match pool.rename(&from, &to).await {
            Ok(()) => return Ok(placed()),
            // An earlier try has done it, and its answer was lost.
            Err(error) if error.status_code() == Some(550) && self.is_placed(new, &wished).await? => return Ok(placed()),
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Unsupported) => error,
            Err(error) => return Err(both_left(old, new, error)),
        };
        match pool.remove_file(&to).await {
            Ok(()) => {}
            // Gone already, by somebody else or an earlier try.
            Err(error) if error.status_code() == Some(550) && self.by_size(&wished).await?.is_none() => {}
            Err(_) => return Err(both_left(old, new, refusal)),
        }
        pool.rename(&from, &to).await.map_err(|error| misnamed(new, name, error))?;
        Ok(placed())
    }

    /// The new copy has the wished name, and nothing is left under its travelling name.
    async fn is_placed(&self, new: &Entry, wished: &crate::model::RemotePath) -> Result<bool> {
        if self.by_size(&path_of_id(new)?).await?.is_some() {
            return Ok(false);
        }
        Ok(self.by_size(wished).await?.is_some_and(|there| there.size == new.size))
    }
}

fn both_left(old: &Entry, new: &Entry, why: Error) -> Error {
    let text = format!("the new copy is complete as {:?}, and the older one, {:?}, is still there", new.name, old.name);
    told(text, old, why).with_hint("run the same command again, or remove the one you don't want")
}

fn misnamed(new: &Entry, name: &str, why: Error) -> Error {
    let text = format!("the new copy is complete, but still named {:?} instead of {name:?}; the older one was removed", new.name);
    told(text, new, why).with_hint("run the same command again")
}

fn told(text: String, entry: &Entry, why: Error) -> Error {
    let error = Error::new(why.kind(), text).with_subject(entry.path.to_string()).with_retry_after(why.retry_after());
    match why.status_code() {
        Some(status) => error.with_status(status).with_cause(why),
        None => error.with_cause(why),
    }
}
