//! What is noted of a remote goes along when the user renames the remote.

use super::State;
use super::carrying_run::CarryingRun;
use super::rows;

impl State {
    /// `names` and `keys` are the old one and the new one; a key is origin and account, as in
    /// [`crate::contract::CompletedTransfer::remote`]. `runs`: the key of a command, and the command as it is to be noted.
    /// All of it is noted, or nothing; a failure is reported as a warning.
    pub(crate) fn rename_remote(&self, names: (&str, &str), keys: (&str, &str), runs: &[(String, CarryingRun)]) {
        self.writer.settle();
        // `take_warnings` reports a failure.
        let _: Option<()> = self.read(|db| {
            db.execute_batch("BEGIN IMMEDIATE")?;
            let renamed = rename(db, names, keys, runs).and_then(|()| db.execute_batch("COMMIT"));
            if renamed.is_err() && !db.is_autocommit() {
                let _ = db.execute_batch("ROLLBACK");
            }
            renamed
        });
    }
}

fn rename(db: &rusqlite::Connection, names: (&str, &str), keys: (&str, &str), runs: &[(String, CarryingRun)]) -> rusqlite::Result<()> {
    db.execute("UPDATE unfinished SET remote = ?2 WHERE lower(remote) = lower(?1)", [names.0, names.1])?;
    for (old, run) in runs {
        rows::remove_run(db, old)?;
        rows::record_run(db, run)?;
        db.execute("UPDATE unfinished SET run = ?2 WHERE run = ?1", [old, &run.key])?;
    }
    if keys.0 == keys.1 {
        return Ok(());
    }
    // A place is "KEY|/path".
    for table in ["unfinished", "stored_as"] {
        let places = format!(
            "UPDATE OR REPLACE {table} SET key = ?2 || substr(key, length(?1) + 1) WHERE substr(key, 1, length(?1) + 1) = ?1 || '|'"
        );
        db.execute(&places, [keys.0, keys.1])?;
    }
    for (old, new) in [(keys.0.to_owned(), keys.1.to_owned()), (format!("get|{}", keys.0), format!("get|{}", keys.1))] {
        db.execute("UPDATE OR REPLACE finished SET remote = ?2 WHERE remote = ?1", [old, new])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{PendingUpload, TransferStore};

    #[test]
    fn uploads_commands_and_names_are_found_under_the_new_name() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::new(Some(dir.path().to_owned()));
        let run = |key: &str, remote: &str| CarryingRun {
            key: key.into(),
            remote: remote.into(),
            command: "{}".into(),
            files: None,
            done: 0,
            failed: 0,
            in_flight: 0,
            at: 1,
        };
        state.begin_run(&run("k1", "old"));
        let upload = |key: &str, remote: &str| PendingUpload {
            key: key.into(),
            remote: remote.into(),
            path: "/a".into(),
            source: "/a".into(),
            identity: String::new(),
            upload: "{}".into(),
            size: 1,
            accepted: 0,
            at: 1,
        };
        state.record_unfinished(&upload("p|u|remote old|/a", "Old")).unwrap();
        state.record_unfinished(&upload("p|u|remote older|/a", "older")).unwrap();
        state.record_stored_as("p|u|remote old|/b", "B").unwrap();
        state.rename_remote(("old", "new"), ("p|u|remote old", "p|u|remote new"), &[("k1".into(), run("k2", "new"))]);
        let next = State::new(Some(dir.path().to_owned()));
        let found: Vec<_> = next.pending_uploads().unwrap().into_iter().map(|one| (one.key, one.remote)).collect();
        let wanted = [("p|u|remote new|/a", "new"), ("p|u|remote older|/a", "older")].map(|(k, r)| (k.to_owned(), r.to_owned()));
        assert_eq!(found, wanted);
        assert_eq!(next.stored_name_of("p|u|remote new|/b").unwrap().as_deref(), Some("B"));
        assert_eq!(next.runs(), [run("k2", "new")]);
        assert!(next.pending_without_run().is_empty(), "the upload still belongs to its command");
    }
}
