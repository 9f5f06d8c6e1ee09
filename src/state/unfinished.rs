//! Uploads that have begun: what the next run takes up.

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use super::State;
use crate::contract::PendingUpload;

impl State {
    pub(super) fn find_unfinished(&self, key: &str) -> Option<PendingUpload> {
        self.with(|db| db.prepare_cached("SELECT * FROM unfinished WHERE key = ?1")?.query_row([key], read).optional()).flatten()
    }

    pub(super) fn list_unfinished(&self) -> Vec<PendingUpload> {
        self.with(|db| db.prepare_cached("SELECT * FROM unfinished ORDER BY at, key")?.query_map([], read)?.collect()).unwrap_or_default()
    }

    /// Those that no command as a whole would take up ([`State::runs`]), the oldest first.
    pub fn unfinished_alone(&self) -> Vec<PendingUpload> {
        let query = "SELECT * FROM unfinished WHERE run IS NULL OR run NOT IN (SELECT key FROM runs) ORDER BY at, key";
        self.with(|db| db.prepare_cached(query)?.query_map([], read)?.collect()).unwrap_or_default()
    }

    pub(super) fn keep_unfinished(&self, unfinished: &PendingUpload) {
        let run = self.run.lock().clone();
        self.with(|db| record(db, unfinished, run.as_deref()));
    }

    pub(super) fn drop_unfinished(&self, key: &str) {
        self.with(|db| db.prepare_cached("DELETE FROM unfinished WHERE key = ?1")?.execute([key]));
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

fn record(db: &Connection, u: &PendingUpload, run: Option<&str>) -> rusqlite::Result<usize> {
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
    use super::*;
    use crate::contract::TransferStore;

    fn unfinished(key: &str, at: i64) -> PendingUpload {
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
        state.record_unfinished(&unfinished("k1", 2)).unwrap();
        state.record_unfinished(&unfinished("k2", 1)).unwrap();
        state.record_unfinished(&PendingUpload { accepted: 9, ..unfinished("k1", 2) }).unwrap();
        let next = State::new(Some(dir.path().to_owned()));
        assert_eq!(next.unfinished("k1").unwrap().unwrap().accepted, 9);
        assert_eq!(next.all_unfinished().unwrap().iter().map(|u| u.key.as_str()).collect::<Vec<_>>(), ["k2", "k1"]);
        next.forget_unfinished("k1").unwrap();
        assert_eq!(state.unfinished("k1").unwrap(), None);
        assert_eq!(state.take_warnings(), Vec::<String>::new());
    }

    #[test]
    fn without_a_place_there_is_nothing_to_remember() {
        let state = State::new(None);
        state.record_unfinished(&unfinished("k", 1)).unwrap();
        assert_eq!(state.unfinished("k").unwrap(), None);
        assert_eq!(state.take_warnings().len(), 1);
    }
}
