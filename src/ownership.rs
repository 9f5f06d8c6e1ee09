//! Checks of files that only this user may change: their owner, who else may change them, and who holds their lock.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// Why a file or folder can't be trusted, and the command that repairs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipProblem {
    pub path: PathBuf,
    pub why: String,
    pub mend: String,
}

/// What is wrong with a regular file and with the folders that hold it (that of a link to it, too). None: nobody but us and
/// the machine's own administrator can change what is there, or nothing is.
pub fn trouble_with_file(path: &Path) -> Option<OwnershipProblem> {
    let real = std::fs::canonicalize(path).ok()?;
    if !std::fs::metadata(&real).ok()?.is_file() {
        return None;
    }
    let folder = trouble_with_folder(folder_of(path)).or_else(|| trouble_with_folder(folder_of(&real)));
    folder.or_else(|| of_link(path)).or_else(|| of(&real, AllowedWriters::All))
}

/// What is wrong with a folder. None when it is not there.
pub fn trouble_with_folder(path: &Path) -> Option<OwnershipProblem> {
    of_link(path).or_else(|| of(path, AllowedWriters::All))
}

/// As `trouble_with_folder`, for the folder above ours, which a group may share: only everybody is too many.
pub fn trouble_with_parent(path: &Path) -> Option<OwnershipProblem> {
    of(folder_of(path), AllowedWriters::Everybody)
}

/// What is wrong with a file in a folder of ours: it may be no link, neither symbolic nor hard, and nothing but a file.
#[cfg(unix)]
pub fn trouble_with_entry(path: &Path) -> Option<OwnershipProblem> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::symlink_metadata(path).ok()?;
    if !meta.is_file() || meta.nlink() > 1 {
        let (why, mend) = ("this is a link, or no file at all".to_owned(), format!("rm {}", shell_word(path)));
        return Some(OwnershipProblem { path: path.to_owned(), why, mend });
    }
    wrong_owner(path, &meta)
}

#[cfg(not(unix))]
pub fn trouble_with_entry(_: &Path) -> Option<OwnershipProblem> {
    None
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum AllowedWriters {
    All,
    Everybody,
}

#[cfg(unix)]
fn of_link(path: &Path) -> Option<OwnershipProblem> {
    let meta = std::fs::symlink_metadata(path).ok().filter(Metadata::is_symlink)?;
    wrong_owner(path, &meta)
}

#[cfg(unix)]
fn of(path: &Path, who: AllowedWriters) -> Option<OwnershipProblem> {
    use std::os::unix::fs::PermissionsExt;
    const STICKY: u32 = 0o1000;
    let meta = std::fs::metadata(path).ok()?;
    let mode = meta.permissions().mode();
    // In a folder like /tmp users can change only their own files.
    let shared = meta.is_dir() && mode & STICKY != 0;
    let too_many = if who == AllowedWriters::All { 0o022 } else { 0o002 };
    if mode & too_many != 0 && !shared {
        let rights = if who == AllowedWriters::All { "go-w" } else { "o-w" };
        let (why, mend) = ("others may change it".to_owned(), format!("chmod {rights} {}", shell_word(path)));
        return Some(OwnershipProblem { path: path.to_owned(), why, mend });
    }
    wrong_owner(path, &meta)
}

/// Files of the administrator are trusted like our own.
#[cfg(unix)]
fn wrong_owner(path: &Path, meta: &Metadata) -> Option<OwnershipProblem> {
    use std::os::unix::fs::MetadataExt;
    let us = rustix::process::geteuid().as_raw();
    if [us, 0].contains(&meta.uid()) {
        return None;
    }
    let why = format!("it belongs to another user (uid {})", meta.uid());
    Some(OwnershipProblem { path: path.to_owned(), why, mend: format!("chown -h {us} {}", shell_word(path)) })
}

/// On other systems a user's folders are closed to other users by default.
#[cfg(not(unix))]
fn of_link(_: &Path) -> Option<OwnershipProblem> {
    None
}

#[cfg(not(unix))]
fn of(_: &Path, _: AllowedWriters) -> Option<OwnershipProblem> {
    None
}

/// A path, quoted so that a shell reads it as one word.
pub fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ':' | '@' | ',' | '=' | '%');
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Locks a file that others hold for a moment only: one of them that stands still must not hold us up. Fails with
/// `TimedOut`, and then names the process that holds it, where the system tells.
pub fn lock_within(file: File, limit: Duration) -> io::Result<File> {
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(e)) => return Err(e),
    }
    let meta = file.metadata();
    let (tell, told) = mpsc::channel();
    // After the limit the thread is left alone; if it gets the lock later, it releases the lock at once.
    std::thread::Builder::new().spawn(move || tell.send(file.lock().map(|()| file)))?;
    told.recv_timeout(limit).unwrap_or_else(|_| {
        let process = meta.ok().and_then(|meta| lock_holder(&meta));
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("{} stands still while it holds it", another(process))))
    })
}

/// `another haul (process 4711)`
pub fn another(process: Option<u32>) -> String {
    process.map_or_else(|| "another haul".to_owned(), |id| format!("another haul (process {id})"))
}

/// Another process that holds a lock on the file of `meta`. Only Linux reports it.
#[cfg(target_os = "linux")]
pub fn lock_holder(meta: &Metadata) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    // As `major` and `minor` of the C library split a device number.
    let (device, inode) = (meta.dev(), meta.ino());
    let (major, minor) = ((device >> 8) & 0xfff | (device >> 32) & !0xfff, device & 0xff | (device >> 12) & 0xffff_ff00);
    let file = format!("{major:02x}:{minor:02x}:{inode}");
    let table = std::fs::read_to_string("/proc/locks").ok()?;
    let holders = table.lines().filter_map(|line| {
        // `1: FLOCK ADVISORY WRITE 4711 08:01:1234 0 EOF`; one that only waits has `->` behind its number.
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, "WRITE", process, at, ..] = words[..] else { return None };
        (at == file).then(|| process.parse().ok())?
    });
    holders.into_iter().find(|process| *process != std::process::id())
}

#[cfg(not(target_os = "linux"))]
pub fn lock_holder(_: &Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn who_else_may_change_it() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, file, link) = (dir.path().join("d"), dir.path().join("d/f"), dir.path().join("link"));
        fs::create_dir(&folder).unwrap();
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        set(&folder, 0o755);
        for (mode, fine) in [(0o600, true), (0o644, true), (0o664, false), (0o606, false)] {
            set(&file, mode);
            assert_eq!((trouble_with_file(&file).is_none(), trouble_with_file(&link).is_none()), (fine, fine), "{mode:o}");
        }
        set(&file, 0o600);
        for (mode, fine, parent) in [(0o777, false, false), (0o775, false, true), (0o1777, true, true), (0o700, true, true)] {
            set(&folder, mode);
            assert_eq!((trouble_with_file(&file).is_none(), trouble_with_parent(&file).is_none()), (fine, parent), "{mode:o}");
            assert_eq!(trouble_with_file(&link).is_none(), fine, "{mode:o}: the folder that it really lies in counts");
        }
        set(&folder, 0o777);
        let trouble = trouble_with_file(&file).unwrap();
        assert_eq!((trouble.why.as_str(), trouble.mend), ("others may change it", format!("chmod go-w {}", folder.display())));
        assert!(trouble_with_file(Path::new("/dev/null")).is_none() && trouble_with_file(&dir.path().join("none")).is_none());
    }

    #[test]
    fn links_are_no_files_of_ours() {
        let dir = tempfile::tempdir().unwrap();
        let (file, soft, hard) = (dir.path().join("f"), dir.path().join("s"), dir.path().join("h"));
        fs::write(&file, "").unwrap();
        assert_eq!(trouble_with_entry(&file), None);
        symlink(&file, &soft).unwrap();
        assert_eq!(trouble_with_entry(&soft).unwrap().mend, format!("rm {}", soft.display()));
        fs::hard_link(&file, &hard).unwrap();
        assert!(trouble_with_entry(&hard).is_some() && trouble_with_entry(&file).is_some());
    }

    #[test]
    fn a_lock_that_nobody_leaves_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = File::create(&path).unwrap();
        held.lock().unwrap();
        let wait = || lock_within(File::open(&path).unwrap(), Duration::from_millis(50));
        assert_eq!(wait().unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(held);
        wait().unwrap();
    }
}
