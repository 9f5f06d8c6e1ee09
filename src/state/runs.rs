//! Commands that carry files and have not ended: after a kill a command is resumed as a whole.

use rusqlite::Row;

use super::State;
use super::carrying_run::CarryingRun;
use crate::contract::NoteMark;

impl State {
    /// Notes the command. What this process begins from now on belongs to it. The note is on the disk with the next note that
    /// is waited for.
    pub(crate) fn begin_run(&self, run: &CarryingRun) -> NoteMark {
        *self.run.lock() = Some(run.key.clone());
        self.count_run(run)
    }

    /// Notes the command's counts, which only people read.
    pub(crate) fn count_run(&self, run: &CarryingRun) -> NoteMark {
        self.writer.note(|changes| drop(changes.runs.insert(run.key.clone(), Some(run.clone()))))
    }

    pub(crate) fn forget_run(&self, key: &str) {
        self.writer.note(|changes| drop(changes.runs.insert(key.to_owned(), None)));
    }

    /// All noted commands, the oldest first.
    pub(crate) fn runs(&self) -> Vec<CarryingRun> {
        self.read_all(|db| db.prepare_cached("SELECT * FROM runs ORDER BY at, key")?.query_map([], read)?.collect())
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
        assert!(state.writer.settle());
        let next = State::new(Some(dir.path().to_owned()));
        let alone = |state: &State| state.pending_without_run().into_iter().map(|one| one.key).collect::<Vec<_>>();
        assert_eq!((next.runs(), alone(&next)), (vec![counted], vec!["alone".to_owned()]));
        next.forget_run("b");
        assert_eq!((next.runs(), alone(&next)), (vec![], vec!["alone".to_owned(), "of the command".to_owned()]));
    }
}
