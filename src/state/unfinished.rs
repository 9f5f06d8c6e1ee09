//! Uploads that have begun: what the next run takes up, and the claim that keeps two runs from taking up the same.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::{State, locked, make_private_folder, open_private};
use crate::contract::{Claim, Unfinished};
use crate::error::Result;

impl State {
    pub(super) fn find_unfinished(&self, key: &str) -> Option<Unfinished> {
        self.with(|db| db.prepare_cached("SELECT * FROM unfinished WHERE key = ?1")?.query_row([key], read).optional()).flatten()
    }

    pub(super) fn list_unfinished(&self) -> Vec<Unfinished> {
        self.with(|db| db.prepare_cached("SELECT * FROM unfinished ORDER BY at, key")?.query_map([], read)?.collect()).unwrap_or_default()
    }

    /// Those that no command as a whole would take up ([`State::runs`]), the oldest first.
    pub fn unfinished_alone(&self) -> Vec<Unfinished> {
        let query = "SELECT * FROM unfinished WHERE run IS NULL OR run NOT IN (SELECT key FROM runs) ORDER BY at, key";
        self.with(|db| db.prepare_cached(query)?.query_map([], read)?.collect()).unwrap_or_default()
    }

    pub(super) fn keep_unfinished(&self, unfinished: &Unfinished) {
        let run = locked(&self.run).clone();
        self.with(|db| record(db, unfinished, run.as_deref()));
    }

    pub(super) fn drop_unfinished(&self, key: &str) {
        self.with(|db| db.prepare_cached("DELETE FROM unfinished WHERE key = ?1")?.execute([key]));
    }

    /// Without a place for lock files there is no second process that could know of this one.
    pub(super) async fn claim_place(&self, key: &str, wait: bool) -> Result<Option<Claim>> {
        let free = Claim { waited: false, held: Box::new(()) };
        let Some(dir) = self.dir.clone() else { return Ok(Some(free)) };
        let name = format!("put-{:x}.lock", md5::compute(key));
        let taken = tokio::task::spawn_blocking(move || PlaceLock::take(&dir.join("locks"), &name, wait)).await;
        Ok(match taken {
            Ok(Ok(Some((lock, waited)))) => Some(Claim { waited, held: Box::new(lock) }),
            Ok(Ok(None)) => None,
            // No transfer fails for want of notes; the database tells the user the same.
            _ => Some(free),
        })
    }
}

/// A file that is locked while one process is busy with one place, and gone afterwards: there are as many places as files.
struct PlaceLock {
    path: PathBuf,
    _file: File,
}

impl PlaceLock {
    /// True: somebody else had it when it was asked for. None: somebody has it, and is not to be waited for.
    fn take(folder: &Path, name: &str, wait: bool) -> std::io::Result<Option<(PlaceLock, bool)>> {
        make_private_folder(folder)?;
        let path = folder.join(name);
        let mut waited = false;
        loop {
            let file = open_private(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if !wait => return Ok(None),
                Err(TryLockError::WouldBlock) => {
                    waited = true;
                    file.lock()?;
                }
                Err(TryLockError::Error(e)) => return Err(e),
            }
            // The one before us removes the file with the lock on it: a lock on a removed file keeps nobody out.
            if is_still(&path, &file) {
                return Ok(Some((PlaceLock { path, _file: file }, waited)));
            }
        }
    }
}

impl Drop for PlaceLock {
    fn drop(&mut self) {
        if cfg!(unix) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(unix)]
fn is_still(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (std::fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(here)) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
        _ => false,
    }
}

/// Elsewhere the file stays, as one that is open can't be removed.
#[cfg(not(unix))]
fn is_still(_: &Path, _: &File) -> bool {
    true
}

fn read(row: &Row<'_>) -> rusqlite::Result<Unfinished> {
    Ok(Unfinished {
        key: row.get("key")?,
        remote: row.get("remote")?,
        path: row.get("path")?,
        source: row.get("source")?,
        identity: row.get("identity")?,
        upload: row.get("upload")?,
        size: row.get::<_, i64>("size")?.cast_unsigned(),
        accepted: row.get::<_, i64>("accepted")?.cast_unsigned(),
        at: row.get("at")?,
    })
}

fn record(db: &Connection, u: &Unfinished, run: Option<&str>) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO unfinished (key, remote, path, source, identity, upload, size, accepted, at, run)
         VALUES (:key, :remote, :path, :source, :identity, :upload, :size, :accepted, :at, :run)",
    )?
    .execute(named_params! {
        ":key": u.key,
        ":remote": u.remote,
        ":path": u.path,
        ":source": u.source,
        ":identity": u.identity,
        ":upload": u.upload,
        ":size": u.size.cast_signed(),
        ":accepted": u.accepted.cast_signed(),
        ":at": u.at,
        ":run": run,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::contract::Ledger;

    fn unfinished(key: &str, at: i64) -> Unfinished {
        Unfinished {
            key: key.into(),
            remote: "studio".into(),
            path: "/a".into(),
            source: "/home/ann/a".into(),
            identity: "i".into(),
            upload: "{}".into(),
            size: 10,
            accepted: 4,
            at,
        }
    }

    #[test]
    fn what_has_begun_is_there_for_the_next_process() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::new(Some(dir.path().to_owned()));
        state.record_unfinished(&unfinished("k1", 2)).unwrap();
        state.record_unfinished(&unfinished("k2", 1)).unwrap();
        state.record_unfinished(&Unfinished { accepted: 9, ..unfinished("k1", 2) }).unwrap();
        let next = State::new(Some(dir.path().to_owned()));
        assert_eq!(next.unfinished("k1").unwrap().unwrap().accepted, 9);
        assert_eq!(next.all_unfinished().unwrap().iter().map(|u| u.key.as_str()).collect::<Vec<_>>(), ["k2", "k1"]);
        next.forget_unfinished("k1").unwrap();
        assert_eq!(state.unfinished("k1").unwrap(), None);
        assert_eq!(state.take_warnings(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn one_at_a_time_goes_to_one_place() {
        let dir = tempfile::tempdir().unwrap();
        let state = Arc::new(State::new(Some(dir.path().to_owned())));
        let first = state.claim("k", true).await.unwrap().unwrap();
        assert!(!first.waited);
        assert!(state.claim("k", false).await.unwrap().is_none());
        assert!(!state.claim("other", false).await.unwrap().unwrap().waited);
        let waiting = tokio::spawn({
            let state = State::new(Some(dir.path().to_owned()));
            async move { state.claim("k", true).await.unwrap().unwrap().waited }
        });
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert!(!waiting.is_finished());
        drop(first);
        assert!(waiting.await.unwrap());
    }

    #[test]
    fn without_a_place_there_is_nothing_to_remember() {
        let state = State::new(None);
        state.record_unfinished(&unfinished("k", 1)).unwrap();
        assert_eq!(state.unfinished("k").unwrap(), None);
        assert_eq!(state.take_warnings().len(), 1);
    }
}
