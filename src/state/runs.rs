//! Commands that carry files and have not come to their end: what a kill leaves is taken up as a whole.

use rusqlite::{Connection, Row, named_params};

use super::State;
use super::carrying_run::CarryingRun;

impl State {
    /// It is on the disk when this returns. What this process begins from now on belongs to it.
    pub fn begin_run(&self, run: &CarryingRun) {
        *self.run.lock() = Some(run.key.clone());
        self.with(|db| record(db, run));
    }

    /// Its numbers, for people only: they outlive a kill, but perhaps no power cut.
    pub fn count_run(&self, run: &CarryingRun) {
        self.with(|db| {
            db.pragma_update(None, "synchronous", "normal")?;
            let counted = record(db, run);
            db.pragma_update(None, "synchronous", "full")?;
            counted
        });
    }

    pub fn forget_run(&self, key: &str) {
        self.with(|db| db.prepare_cached("DELETE FROM runs WHERE key = ?1")?.execute([key]));
    }

    /// All of them, the oldest first.
    pub fn runs(&self) -> Vec<CarryingRun> {
        self.with(|db| db.prepare_cached("SELECT * FROM runs ORDER BY at, key")?.query_map([], read)?.collect()).unwrap_or_default()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<CarryingRun> {
    Ok(CarryingRun {
        key: row.get("key")?,
        remote: row.get("remote")?,
        command: row.get("command")?,
        files: row.get::<_, Option<i64>>("files")?.map(i64::cast_unsigned),
        done: row.get::<_, i64>("done")?.cast_unsigned(),
        failed: row.get::<_, i64>("failed")?.cast_unsigned(),
        in_flight: row.get::<_, i64>("in_flight")?.cast_unsigned(),
        at: row.get("at")?,
    })
}

fn record(db: &Connection, run: &CarryingRun) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO runs (key, remote, command, files, done, failed, in_flight, at)
         VALUES (:key, :remote, :command, :files, :done, :failed, :in_flight, :at)",
    )?
    .execute(named_params! {
        ":key": run.key,
        ":remote": run.remote,
        ":command": run.command,
        ":files": run.files.map(u64::cast_signed),
        ":done": run.done.cast_signed(),
        ":failed": run.failed.cast_signed(),
        ":in_flight": run.in_flight.cast_signed(),
        ":at": run.at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{PendingUpload, TransferStore};

    fn run(key: &str, at: i64) -> CarryingRun {
        CarryingRun { key: key.into(), remote: "r".into(), command: "{}".into(), files: None, done: 0, failed: 0, in_flight: 0, at }
    }

    #[test]
    fn what_belongs_to_a_command_is_not_taken_up_alone() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::new(Some(dir.path().to_owned()));
        let unfinished = |key: &str| PendingUpload {
            key: key.into(),
            remote: "r".into(),
            path: "/a".into(),
            source: "/a".into(),
            identity: String::new(),
            upload: "{}".into(),
            size: 1,
            accepted: 0,
            at: 1,
        };
        state.record_unfinished(&unfinished("alone")).unwrap();
        state.begin_run(&run("b", 2));
        state.record_unfinished(&unfinished("of the command")).unwrap();
        let counted = CarryingRun { files: Some(u64::MAX), done: 7, failed: 1, in_flight: 2, ..run("b", 2) };
        state.count_run(&counted);
        let next = State::new(Some(dir.path().to_owned()));
        let alone = |state: &State| state.unfinished_alone().into_iter().map(|one| one.key).collect::<Vec<_>>();
        assert_eq!((next.runs(), alone(&next)), (vec![counted], vec!["alone".to_owned()]));
        let written_through: Option<i64> = state.with(|db| db.query_row("PRAGMA synchronous", [], |row| row.get(0)));
        assert_eq!(written_through, Some(2), "what follows is on the disk again before it is relied on");
        next.forget_run("b");
        assert_eq!((next.runs(), alone(&next)), (vec![], vec!["alone".to_owned(), "of the command".to_owned()]));
    }
}
