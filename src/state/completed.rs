//! What this machine has put where: the proof behind `--if-exists update` when a provider tells no MD5.

use std::cell::RefCell;
use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row};

use super::State;
use crate::contract::{BoxFuture, CompletedTransfer, Holder, NoteMark, PendingUpload, PlaceLock, Result, TransferStore};

/// Asked before each file. Without the name of the index SQLite takes the primary key, and reads all that was ever put to the remote.
const FINISHED_SINCE: &str = "SELECT 1 FROM finished INDEXED BY finished_by_source WHERE remote = ?1 AND source = ?2 AND at >= ?3";

impl TransferStore for State {
    fn completed_transfer(&self, remote: &str, id: &str) -> Result<Option<CompletedTransfer>> {
        let key = (remote.to_owned(), id.to_owned());
        let noted = self.writer.find_pending(|changes| changes.finished.get(&key).cloned());
        Ok(noted.or_else(|| self.read(|db| lookup(db, remote, id)).flatten()))
    }

    fn record_finished(&self, finished: &CompletedTransfer) -> Result<NoteMark> {
        let (key, row) = ((finished.remote.clone(), finished.id.clone()), finished.clone());
        Ok(self.writer.note(|changes| drop(changes.finished.insert(key, row))))
    }

    fn has_completed_since(&self, remote: &str, source: &str, moment: i64) -> Result<bool> {
        let is_it = |put: &CompletedTransfer| put.remote == remote && put.source == source && put.at >= moment;
        if self.writer.find_pending(|changes| changes.finished.values().any(is_it).then_some(())).is_some() {
            return Ok(true);
        }
        let found = self.read(|db| {
            let mut query = db.prepare_cached(FINISHED_SINCE)?;
            query.exists((remote, source, moment))
        });
        Ok(found.unwrap_or(false))
    }

    fn stored_name_of(&self, key: &str) -> Result<Option<String>> {
        let name =
            |db: &Connection| db.prepare_cached("SELECT name FROM stored_as WHERE key = ?1")?.query_row([key], |row| row.get(0)).optional();
        let noted = self.writer.find_pending(|changes| changes.stored_as.get(key).cloned());
        Ok(noted.or_else(|| self.read(name).flatten()))
    }

    fn stored_names_below(&self, prefix: &str) -> Result<Vec<(String, String)>> {
        let found = RefCell::new(BTreeMap::new());
        let _: Option<()> = self.writer.find_pending(|changes| {
            for (key, name) in changes.stored_as.iter().filter(|(key, _)| key.starts_with(prefix)) {
                found.borrow_mut().entry(key.clone()).or_insert_with(|| name.clone());
            }
            None
        });
        // The character behind the slash.
        let end = format!("{}0", prefix.strip_suffix('/').unwrap_or(prefix));
        let written = self.read(|db| {
            let mut query = db.prepare_cached("SELECT key, name FROM stored_as WHERE key >= ?1 AND key < ?2")?;
            query.query_map([prefix, &end], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<Vec<(String, String)>>>()
        });
        let mut found = found.into_inner();
        for (key, name) in written.unwrap_or_default() {
            found.entry(key).or_insert(name);
        }
        Ok(found.into_iter().collect())
    }

    fn record_stored_as(&self, key: &str, name: &str) -> Result<NoteMark> {
        Ok(self.writer.note(|changes| drop(changes.stored_as.insert(key.to_owned(), name.to_owned()))))
    }

    fn pending_upload(&self, key: &str) -> Result<Option<PendingUpload>> {
        Ok(self.find_pending_upload(key))
    }

    fn pending_uploads(&self) -> Result<Vec<PendingUpload>> {
        Ok(self.list_pending())
    }

    fn record_unfinished(&self, unfinished: &PendingUpload) -> Result<NoteMark> {
        Ok(self.save_pending(unfinished))
    }

    fn forget_pending_upload(&self, key: &str) -> Result<NoteMark> {
        Ok(self.drop_pending(key))
    }

    fn commit(&self, note: NoteMark) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let (tell, told) = tokio::sync::oneshot::channel();
            self.writer.when_written(note, move |written| {
                let _ = tell.send(written);
            });
            // A failed write is reported as a warning: no transfer fails for want of notes.
            let _ = told.await;
            Ok(())
        })
    }

    fn lock_place<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<PlaceLock>>> {
        Box::pin(async { Ok(self.claim_place(key)) })
    }

    fn holder(&self, key: &str) -> Option<Holder> {
        self.holder_of_place(key)
    }
}

fn lookup(db: &Connection, remote: &str, id: &str) -> rusqlite::Result<Option<CompletedTransfer>> {
    db.prepare_cached("SELECT * FROM finished WHERE remote = ?1 AND id = ?2")?.query_row([remote, id], read).optional()
}

fn read(row: &Row<'_>) -> rusqlite::Result<CompletedTransfer> {
    Ok(CompletedTransfer {
        remote: row.get("remote")?,
        id: row.get("id")?,
        stamp: row.get("stamp")?,
        size: row.get::<_, Option<i64>>("size")?.map(i64::cast_unsigned),
        md5: row.get("md5")?,
        source: row.get("source")?,
        source_size: row.get::<_, i64>("source_size")?.cast_unsigned(),
        source_mtime_ns: row.get("source_mtime_ns")?,
        source_inode: row.get::<_, Option<i64>>("source_inode")?.map(i64::cast_unsigned),
        source_version: row.get("source_version")?,
        source_device: row.get::<_, Option<i64>>("source_device")?.map(i64::cast_unsigned),
        at: row.get("at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_transfer(id: &str) -> CompletedTransfer {
        CompletedTransfer {
            remote: "https://x ann".into(),
            id: id.into(),
            stamp: "2024-05-01 7".into(),
            size: Some(5),
            md5: None,
            source: "/a/ü".into(),
            source_size: 5,
            source_mtime_ns: -1,
            source_inode: Some(u64::MAX),
            source_version: Some("changed 7".into()),
            source_device: Some(u64::MAX - 1),
            at: 1_700_000_000,
        }
    }

    #[test]
    fn what_was_recorded_last_is_found_by_the_next_run() {
        let dir = tempfile::tempdir().unwrap();
        let open = || State::new(Some(dir.path().to_owned()));
        let state = open();
        state.record_finished(&test_transfer("1")).unwrap();
        let newer = CompletedTransfer {
            md5: Some("d41d8cd98f00b204e9800998ecf8427e".into()),
            source_inode: None,
            size: None,
            ..test_transfer("1")
        };
        state.record_finished(&newer).unwrap();
        state.record_finished(&test_transfer("2")).unwrap();
        drop(state);
        let state = open();
        assert_eq!(state.completed_transfer("https://x ann", "1").unwrap(), Some(newer));
        assert_eq!(state.completed_transfer("https://x ann", "2").unwrap(), Some(test_transfer("2")));
        assert_eq!(state.completed_transfer("https://x bob", "1").unwrap(), None);
        assert!(state.take_warnings().is_empty());
    }

    /// What is asked before each file must not cost more, the more files were put before.
    #[test]
    fn a_source_is_found_without_a_look_at_all_others() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::new(Some(dir.path().to_owned()));
        state.record_finished(&test_transfer("1")).unwrap();
        let read_rows = |state: &State| {
            let ask = |db: &Connection| {
                let mut query = db.prepare(FINISHED_SINCE)?;
                let found = query.exists(("https://x ann", "/a/ü", 1_700_000_000))?;
                Ok((found, query.get_status(rusqlite::StatementStatus::VmStep)))
            };
            state.writer.with(ask).unwrap()
        };
        let (found, steps) = read_rows(&state);
        assert!(found);
        for n in 0..500 {
            let other = CompletedTransfer { source: format!("/b/{n}"), ..test_transfer(&format!("other {n}")) };
            state.record_finished(&other).unwrap();
        }
        assert_eq!(read_rows(&state), (true, steps));
    }

    #[test]
    fn a_stored_name_is_learned() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::new(Some(dir.path().to_owned()));
        for name in ["a_b", "a_b.txt"] {
            state.record_stored_as("r|/A b.txt", name).unwrap();
            assert_eq!(state.stored_name_of("r|/A b.txt").unwrap().as_deref(), Some(name));
            assert!(state.writer.settle());
            assert_eq!(State::new(Some(dir.path().to_owned())).stored_name_of("r|/A b.txt").unwrap().as_deref(), Some(name));
        }
        assert_eq!(state.stored_name_of("r|/a").unwrap(), None);
        state.record_stored_as("r|/d/X", "x").unwrap();
        state.record_stored_as("r|/da", "y").unwrap();
        for _ in 0..2 {
            let below = |prefix| state.stored_names_below(prefix).unwrap().into_iter().map(|(key, _)| key).collect::<Vec<_>>();
            assert_eq!(below("r|/d/"), ["r|/d/X"]);
            assert_eq!(below("r|/"), ["r|/A b.txt", "r|/d/X", "r|/da"]);
            state.writer.settle();
        }
    }

    #[test]
    fn without_a_database_nothing_is_known_and_nothing_fails() {
        let state = State::new(None);
        state.record_finished(&test_transfer("1")).unwrap();
        assert!(!state.writer.settle());
        assert_eq!(state.completed_transfer("https://x ann", "1").unwrap(), None);
        assert_eq!(state.take_warnings().len(), 1);
    }
}
