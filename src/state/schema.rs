//! The tables and their versions. A later version adds a step at the end of [`STEPS`]; steps once released stay as
//! they are.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

/// The time for which a process waits for the write of another one. Writes are short.
#[cfg(not(test))]
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
#[cfg(test)]
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_millis(500);

/// After this time haul reports that it waits for another process.
#[cfg(not(test))]
pub(super) const TOLD_AFTER: Duration = Duration::from_secs(1);
#[cfg(test)]
pub(super) const TOLD_AFTER: Duration = Duration::from_millis(50);

/// `STEPS[n]` leads from version n to n + 1.
const STEPS: [&str; 5] = [
    "
    CREATE TABLE tokens (
        account TEXT PRIMARY KEY,
        token TEXT NOT NULL,
        fields TEXT NOT NULL
    ) STRICT;
    CREATE TABLE finished (
        remote TEXT NOT NULL,
        id TEXT NOT NULL,
        stamp TEXT NOT NULL,
        size INTEGER,
        md5 TEXT,
        source TEXT NOT NULL,
        source_size INTEGER NOT NULL,
        source_mtime_ns INTEGER NOT NULL,
        source_inode INTEGER,
        at INTEGER NOT NULL,
        PRIMARY KEY (remote, id)
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE unfinished (
        key TEXT PRIMARY KEY,
        remote TEXT NOT NULL,
        path TEXT NOT NULL,
        source TEXT NOT NULL,
        identity TEXT NOT NULL,
        upload TEXT NOT NULL,
        size INTEGER NOT NULL,
        accepted INTEGER NOT NULL,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX finished_by_source ON finished (remote, source);
",
    "
    CREATE TABLE runs (
        key TEXT PRIMARY KEY,
        remote TEXT NOT NULL,
        command TEXT NOT NULL,
        files INTEGER,
        done INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        in_flight INTEGER NOT NULL,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    ALTER TABLE unfinished ADD COLUMN run TEXT;
",
    "
    CREATE TABLE stored_as (
        key TEXT PRIMARY KEY,
        name TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    // Older rows have no value there, so they prove nothing about their source without its content.
    "
    ALTER TABLE finished ADD COLUMN source_version TEXT;
    ALTER TABLE finished ADD COLUMN source_device INTEGER;
",
];

/// Opens the file and brings it to the newest version; the caller sees to it that only one process does so at a time.
/// Fails with what to tell the user, and then has changed nothing.
pub(super) fn open(path: &Path) -> Result<Connection, String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|e| describe(&e))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|e| describe(&e))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(|e| describe(&e))?;
    let done = usize::try_from(version).ok().filter(|done| *done <= STEPS.len());
    let done = done.ok_or_else(|| format!("a newer haul made it (version {version}, this one knows {})", STEPS.len()))?;
    prepare(&mut connection, done).map_err(|e| describe(&e))?;
    connection.busy_timeout(TOLD_AFTER).map_err(|e| describe(&e))?;
    Ok(connection)
}

/// A damaged file is left as it is, and only the user can remove it.
pub(super) fn describe(e: &rusqlite::Error) -> String {
    match e.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => format!("{e}; move the file away to begin a new one"),
        _ => e.to_string(),
    }
}

fn prepare(connection: &mut Connection, done: usize) -> rusqlite::Result<()> {
    // With a write-ahead log readers never wait, and kill -9 loses nothing that was written; nor does a power cut, as each
    // note is on the disk itself before the call that depends on it.
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    let transaction = connection.transaction()?;
    for step in STEPS.iter().skip(done) {
        transaction.execute_batch(step)?;
    }
    if done < STEPS.len() {
        transaction.pragma_update(None, "user_version", STEPS.len() as i64)?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection) -> i64 {
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_empty_file_gets_all_tables_and_keeps_its_rows_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        std::fs::write(&path, "").unwrap();
        let connection = open(&path).unwrap();
        assert_eq!(version(&connection), STEPS.len() as i64);
        let mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        let written_through: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
        assert_eq!(written_through, 2, "FULL: else a power cut takes the last rows, and files that are there are sent again");
        connection.execute("INSERT INTO tokens VALUES ('a', 't', '[]')", []).unwrap();
        drop(connection);
        let connection = open(&path).unwrap();
        let count: i64 = connection.query_row("SELECT count(*) FROM tokens", [], |row| row.get(0)).unwrap();
        assert_eq!((count, version(&connection)), (1, STEPS.len() as i64));
    }

    #[test]
    fn what_an_older_haul_kept_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let older = Connection::open(&path).unwrap();
        older.execute_batch(STEPS[0]).unwrap();
        older.pragma_update(None, "user_version", 1).unwrap();
        older.execute("INSERT INTO tokens VALUES ('a', 't', '[]')", []).unwrap();
        older.execute("INSERT INTO finished VALUES ('r', '1', 's', 5, NULL, '/a', 5, 7, NULL, 9)", []).unwrap();
        drop(older);
        let now = open(&path).unwrap();
        let count = |table: &str| now.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(version(&now), STEPS.len() as i64);
        assert_eq!((count("tokens"), count("finished"), count("unfinished")), (1, 1, 0));
    }

    #[test]
    fn a_step_that_fails_leaves_version_0() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE finished (other)").unwrap();
        assert!(open(&path).unwrap_err().contains("already exists"));
        assert_eq!(version(&connection), 0);
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_master WHERE name = 'tokens'", [], |r| r.get(0)).unwrap();
        assert_eq!(tables, 0, "the first half of the step must be undone");
    }
}
