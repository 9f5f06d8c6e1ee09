//! One connection to the database, opened when it is first needed. A failure is reported once, and does not fail the caller.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::folder::StateFolder;
use super::schema;
use crate::ownership;

pub(super) struct Database {
    folder: Arc<StateFolder>,
    connection: Option<Connection>,
    /// Another process held the database for longer than we wait: no call waits again until the database has answered.
    impatient: bool,
}

/// The reason why there is no answer. The user is warned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// Another process holds the database for long, which is no damage: the next query may be answered.
    Busy,
    Unusable,
}

impl Database {
    pub(super) fn new(folder: Arc<StateFolder>) -> Database {
        Database { folder, connection: None, impatient: false }
    }

    /// Blocks for the time of a short query, and at most [`schema::BUSY_TIMEOUT`] in all while another process holds it.
    pub(super) fn ask<T>(&mut self, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, Unanswered> {
        if self.folder.is_unusable() {
            return Err(Unanswered::Unusable);
        }
        if self.connection.is_none() {
            match blocking(|| self.folder.open()) {
                Ok(connection) => self.connection = Some(connection),
                Err(why) => {
                    self.folder.disable(why);
                    return Err(Unanswered::Unusable);
                }
            }
        }
        let Some(connection) = &self.connection else { return Err(Unanswered::Unusable) };
        let mut answer = work(connection);
        if answer.as_ref().is_err_and(is_busy) && !self.impatient {
            answer = blocking(|| self.wait_for(connection, &work));
        }
        self.impatient = answer.as_ref().is_err_and(is_busy);
        answer.map_err(|e| {
            let why = schema::describe(&e);
            if self.impatient {
                self.folder.warn(why);
                return Unanswered::Busy;
            }
            self.folder.disable(why);
            self.connection = None;
            Unanswered::Unusable
        })
    }

    /// Another process is waited for; this is reported after a while.
    fn wait_for<T>(&self, connection: &Connection, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        connection.busy_timeout(schema::TOLD_AFTER)?;
        let mut answer = work(connection);
        if answer.as_ref().is_err_and(is_busy) {
            let who = ownership::another(self.folder.other_writer());
            self.folder.report_wait(&format!("{}: {who} holds it, so this one waits", self.folder.place()));
            connection.busy_timeout(schema::BUSY_TIMEOUT)?;
            answer = work(connection);
        }
        connection.busy_timeout(Duration::ZERO)?;
        answer
    }
}

fn is_busy(e: &rusqlite::Error) -> bool {
    matches!(e.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// A slow disk or another process must not delay the transfers that share this thread.
pub(super) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}
