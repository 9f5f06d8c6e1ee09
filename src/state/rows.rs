//! The rows of the tables, as they are written.

use rusqlite::{Connection, named_params};

use super::carrying_run::CarryingRun;
use crate::contract::{CompletedTransfer, PendingUpload, StoredToken};

/// SQLite's numbers have a sign; inodes of some file systems use all 64 bits, so they travel as the same bits.
pub(super) fn record_finished(db: &Connection, f: &CompletedTransfer) -> rusqlite::Result<usize> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO finished
            (remote, id, stamp, size, md5, source, source_size, source_mtime_ns, source_inode, source_version, source_device, at)
         VALUES (:remote, :id, :stamp, :size, :md5, :source, :source_size, :source_mtime_ns, :source_inode, :source_version,
            :source_device, :at)",
    )?
    .execute(named_params! {
        ":remote": f.remote,
        ":id": f.id,
        ":stamp": f.stamp,
        ":size": f.size.map(u64::cast_signed),
        ":md5": f.md5,
        ":source": f.source,
        ":source_size": f.source_size.cast_signed(),
        ":source_mtime_ns": f.source_mtime_ns,
        ":source_inode": f.source_inode.map(u64::cast_signed),
        ":source_version": f.source_version,
        ":source_device": f.source_device.map(u64::cast_signed),
        ":at": f.at,
    })
}

pub(super) fn record_name(db: &Connection, key: &str, name: &str) -> rusqlite::Result<usize> {
    db.prepare_cached("INSERT OR REPLACE INTO stored_as (key, name) VALUES (?1, ?2)")?.execute([key, name])
}

pub(super) fn record_upload(db: &Connection, u: &PendingUpload, run: Option<&str>) -> rusqlite::Result<usize> {
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

pub(super) fn remove_upload(db: &Connection, key: &str) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM unfinished WHERE key = ?1")?.execute([key])
}

pub(super) fn record_run(db: &Connection, run: &CarryingRun) -> rusqlite::Result<usize> {
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

pub(super) fn remove_run(db: &Connection, key: &str) -> rusqlite::Result<usize> {
    db.prepare_cached("DELETE FROM runs WHERE key = ?1")?.execute([key])
}

pub(super) fn record_token(db: &Connection, account: &str, token: &StoredToken) -> rusqlite::Result<usize> {
    let mut change = db.prepare_cached("INSERT OR REPLACE INTO tokens (account, token, fields) VALUES (?1, ?2, ?3)")?;
    change.execute((account, token.token.expose(), fields_text(token)))
}

pub(super) fn remove_token(db: &Connection, account: &str) -> rusqlite::Result<usize> {
    db.execute("DELETE FROM tokens WHERE account = ?1", [account])
}

fn fields_text(token: &StoredToken) -> String {
    let pairs = token.fields.iter().map(|(name, secret)| serde_json::json!([name, secret.expose()])).collect();
    serde_json::Value::Array(pairs).to_string()
}
