//! Uploads that have begun, which the next run resumes.

use rusqlite::{OptionalExtension, Row};

use super::State;
use crate::contract::{NoteMark, PendingUpload};

impl State {
    pub(super) fn find_pending_upload(&self, key: &str) -> Option<PendingUpload> {
        let noted = self.writer.find_pending(|changes| changes.unfinished.get(key).cloned());
        match noted {
            Some(row) => row.map(|(upload, _)| upload),
            None => {
                self.read(|db| db.prepare_cached("SELECT * FROM unfinished WHERE key = ?1")?.query_row([key], read).optional()).flatten()
            }
        }
    }

    pub(super) fn list_pending(&self) -> Vec<PendingUpload> {
        self.read_all(|db| db.prepare_cached("SELECT * FROM unfinished ORDER BY at, key")?.query_map([], read)?.collect())
    }

    /// Uploads that belong to no noted command ([`State::runs`]), the oldest first.
    pub fn pending_without_run(&self) -> Vec<PendingUpload> {
        let query = "SELECT * FROM unfinished WHERE run IS NULL OR run NOT IN (SELECT key FROM runs) ORDER BY at, key";
        self.read_all(|db| db.prepare_cached(query)?.query_map([], read)?.collect())
    }

    pub(super) fn save_pending(&self, unfinished: &PendingUpload) -> NoteMark {
        let row = (unfinished.clone(), self.run.lock().clone());
        self.writer.note(|changes| drop(changes.unfinished.insert(unfinished.key.clone(), Some(row))))
    }

    pub(super) fn drop_pending(&self, key: &str) -> NoteMark {
        self.writer.note(|changes| drop(changes.unfinished.insert(key.to_owned(), None)))
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<PendingUpload> {
    Ok(PendingUpload {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::TransferStore;

    fn test_upload(key: &str, at: i64) -> PendingUpload {
        PendingUpload {
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
        state.record_unfinished(&test_upload("k1", 2)).unwrap();
        state.record_unfinished(&test_upload("k2", 1)).unwrap();
        state.record_unfinished(&PendingUpload { accepted: 9, ..test_upload("k1", 2) }).unwrap();
        assert_eq!(state.pending_upload("k1").unwrap().unwrap().accepted, 9, "what was noted last is read before it is written");
        assert!(state.writer.settle());
        let next = State::new(Some(dir.path().to_owned()));
        assert_eq!(next.pending_upload("k1").unwrap().unwrap().accepted, 9);
        assert_eq!(next.pending_uploads().unwrap().iter().map(|u| u.key.as_str()).collect::<Vec<_>>(), ["k2", "k1"]);
        next.forget_pending_upload("k1").unwrap();
        assert!(next.pending_upload("k1").unwrap().is_none() && next.writer.settle());
        assert_eq!(state.pending_upload("k1").unwrap(), None);
        assert_eq!(state.take_warnings(), Vec::<String>::new());
    }

    #[test]
    fn without_a_place_there_is_nothing_to_remember() {
        let state = State::new(None);
        state.record_unfinished(&test_upload("k", 1)).unwrap();
        assert!(!state.writer.settle());
        assert_eq!(state.pending_upload("k").unwrap(), None);
        assert_eq!(state.take_warnings().len(), 1);
    }
}
