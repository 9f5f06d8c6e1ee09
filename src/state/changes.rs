//! Rows that were noted and are not in the database yet. The last change of a row counts.

use std::collections::HashMap;

use rusqlite::Connection;

use super::carrying_run::CarryingRun;
use super::rows;
use crate::contract::{CompletedTransfer, PendingUpload, StoredToken};

/// The value None removes the row.
#[derive(Default)]
pub(super) struct PendingChanges {
    /// With the run that the upload belongs to.
    pub(super) unfinished: HashMap<String, Option<(PendingUpload, Option<String>)>>,
    /// By remote and id.
    pub(super) finished: HashMap<(String, String), CompletedTransfer>,
    pub(super) stored_as: HashMap<String, String>,
    pub(super) runs: HashMap<String, Option<CarryingRun>>,
    pub(super) tokens: HashMap<String, Option<StoredToken>>,
}

impl PendingChanges {
    pub(super) fn is_empty(&self) -> bool {
        let PendingChanges { unfinished, finished, stored_as, runs, tokens } = self;
        unfinished.is_empty() && finished.is_empty() && stored_as.is_empty() && runs.is_empty() && tokens.is_empty()
    }

    /// Adds later changes.
    pub(super) fn extend(&mut self, later: PendingChanges) {
        self.unfinished.extend(later.unfinished);
        self.finished.extend(later.finished);
        self.stored_as.extend(later.stored_as);
        self.runs.extend(later.runs);
        self.tokens.extend(later.tokens);
    }

    /// Writes all changes in one transaction: afterwards all or none are in the database and on the disk.
    pub(super) fn write(&self, db: &Connection) -> rusqlite::Result<()> {
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let written = self.write_rows(db).and_then(|()| db.prepare_cached("COMMIT")?.execute([]));
        if written.is_err() && !db.is_autocommit() {
            let _ = db.execute_batch("ROLLBACK");
        }
        written.map(drop)
    }

    fn write_rows(&self, db: &Connection) -> rusqlite::Result<()> {
        for (key, row) in &self.unfinished {
            match row {
                Some((upload, run)) => rows::record_upload(db, upload, run.as_deref())?,
                None => rows::remove_upload(db, key)?,
            };
        }
        for row in self.finished.values() {
            rows::record_finished(db, row)?;
        }
        for (key, name) in &self.stored_as {
            rows::record_name(db, key, name)?;
        }
        for (key, row) in &self.runs {
            match row {
                Some(run) => rows::record_run(db, run)?,
                None => rows::remove_run(db, key)?,
            };
        }
        for (account, row) in &self.tokens {
            match row {
                Some(token) => rows::record_token(db, account, token)?,
                None => rows::remove_token(db, account)?,
            };
        }
        Ok(())
    }
}
