//! The state as a whole: private files, no place for them, several at once.

#[cfg(test)]
pub(crate) mod damage;

use std::path::Path;

use super::folder::FILE;
use super::*;
use crate::contract::TokenStore;
use crate::model::Secret;

fn token(text: &str) -> StoredToken {
    StoredToken { token: Secret::new(text), fields: Vec::new() }
}

/// Tokens must live on in memory, and the one warning must say what is wrong.
fn works_without_database(dir: Option<PathBuf>, why: &str) {
    let state = State::new(dir);
    assert_eq!(state.load("a").unwrap(), None);
    state.save("a", &token("tttt")).unwrap();
    assert_eq!(state.load("a").unwrap(), Some(token("tttt")));
    state.forget("a").unwrap();
    assert_eq!(state.load("a").unwrap(), None);
    let warnings = state.take_warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("state.db can't be used, so this run may not remember all") && warnings[0].contains(why), "{warnings:?}");
    assert_eq!(state.take_warnings().len(), 0);
}

#[test]
fn nothing_is_touched_before_it_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("haul");
    drop(State::new(Some(place.clone())));
    assert!(!place.exists());
}

#[test]
fn a_damaged_file_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let damaged = vec![b'x'; 5000];
    std::fs::write(dir.path().join(FILE), &damaged).unwrap();
    works_without_database(Some(dir.path().to_owned()), "file is not a database");
    assert_eq!(std::fs::read(dir.path().join(FILE)).unwrap(), damaged);
}

#[test]
fn damage_behind_the_first_page_is_met_later() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::new(Some(dir.path().to_owned()));
    state.save("a", &token("tttt")).unwrap();
    drop(state);
    let path = dir.path().join(FILE);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0xee);
    std::fs::write(&path, bytes).unwrap();
    works_without_database(Some(dir.path().to_owned()), "malformed");
}

#[test]
fn no_place_and_a_place_that_is_taken() {
    works_without_database(None, "no home folder");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    works_without_database(Some(file.join("haul")), "");
    std::fs::create_dir(dir.path().join(FILE)).unwrap();
    works_without_database(Some(dir.path().to_owned()), "this is a link, or no file at all");
}

#[test]
fn a_database_of_a_newer_haul_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let connection = Connection::open(dir.path().join(FILE)).unwrap();
    connection.execute_batch("PRAGMA user_version = 99; CREATE TABLE tokens (other)").unwrap();
    works_without_database(Some(dir.path().to_owned()), "a newer haul");
    let version: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[cfg(unix)]
#[test]
fn all_files_are_ours_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("x/haul");
    std::fs::create_dir_all(&place).unwrap();
    std::fs::write(place.join(FILE), "").unwrap();
    for (name, mode) in [(FILE, 0o644), ("", 0o755)] {
        std::fs::set_permissions(place.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let state = State::new(Some(place.clone()));
    state.save("a", &token("tttt")).unwrap();
    let fresh = State::new(Some(dir.path().join("y/haul")));
    fresh.save("a", &token("tttt")).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&dir.path().join("y")), mode(&dir.path().join("y/haul"))), (0o700, 0o700));
    assert_eq!(mode(&place), 0o700, "a folder that was open to others is closed");
    for place in [place, dir.path().join("y/haul")] {
        let files: Vec<_> = std::fs::read_dir(&place).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(files.iter().any(|f| f.ends_with("state.db-wal")), "{files:?}");
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }
}

#[test]
fn many_that_open_the_first_database_at_once() {
    let dir = tempfile::tempdir().unwrap();
    std::thread::scope(|threads| {
        for n in 0..8 {
            let dir = dir.path().to_owned();
            threads.spawn(move || {
                let state = State::new(Some(dir));
                state.save(&format!("account {n}"), &token("tttt")).unwrap();
                assert_eq!(state.take_warnings(), Vec::<String>::new());
            });
        }
    });
    let state = State::new(Some(dir.path().to_owned()));
    for n in 0..8 {
        assert_eq!(state.load(&format!("account {n}")).unwrap(), Some(token("tttt")));
    }
}

/// What lies where others may write may have been planted there: nothing of it is read, followed or given another mode.
#[cfg(unix)]
#[test]
fn what_others_could_have_planted_is_not_used() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let set = |path: &Path, mode: u32| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for open in [0o777, 0o770] {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("haul");
        std::fs::create_dir(&place).unwrap();
        set(&place, open);
        works_without_database(Some(place.clone()), &format!("others may change it; run `chmod go-w {}`", place.display()));
        assert_eq!((mode(&place), std::fs::read_dir(&place).unwrap().count()), (open, 0));
    }
    let dir = tempfile::tempdir().unwrap();
    set(dir.path(), 0o777);
    works_without_database(Some(dir.path().join("haul")), "chmod o-w");
    for name in [FILE, "state.db-wal", "state.db-shm", "open.lock"] {
        for hard in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let (place, victim) = (dir.path().join("haul"), dir.path().join("victim"));
            std::fs::create_dir(&place).unwrap();
            std::fs::write(&victim, "precious").unwrap();
            set(&victim, 0o644);
            match hard {
                true => std::fs::hard_link(&victim, place.join(name)).unwrap(),
                false => symlink(&victim, place.join(name)).unwrap(),
            }
            works_without_database(Some(place.clone()), &format!("run `rm {}`", place.join(name).display()));
            assert_eq!((mode(&victim), std::fs::read(&victim).unwrap()), (0o644, b"precious".to_vec()), "{name}");
        }
    }
}

/// Only the administrator can give a folder to somebody else.
#[cfg(unix)]
#[test]
fn the_folder_of_another_user_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("haul");
    std::fs::create_dir(&place).unwrap();
    if std::os::unix::fs::chown(&place, Some(4711), None).is_err() {
        return;
    }
    works_without_database(Some(place.clone()), &format!("it belongs to another user (uid 4711); run `chown -h 0 {}`", place.display()));
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    let ours = dir.path().join("ours");
    drop(State::new(Some(ours.clone())).load("a").unwrap());
    std::os::unix::fs::chown(ours.join(FILE), Some(4711), None).unwrap();
    works_without_database(Some(ours), "it belongs to another user (uid 4711)");
}
