//! Files that contain secrets. A file that other users may read is refused, a new file is never readable for them, and a change
//! replaces the file in one step, so that a crash leaves the old file or the new one.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use crate::error::{Error, Kind, Result};
use crate::ownership::{self, OwnershipProblem, shell_word};

/// A file as it was read; `open_to_others` belongs to exactly these bytes.
pub(super) struct FileText {
    pub text: String,
    pub open_to_others: bool,
    /// Set if other users may change the file, or put another in its place.
    trouble: Option<OwnershipProblem>,
}

impl FileText {
    /// Fails with `Usage` where another user may change the file: haul would run a command that it contains.
    pub fn require_trusted(self) -> Result<FileText> {
        self.trouble.as_ref().map_or(Ok(()), refuse)?;
        Ok(self)
    }
}

fn refuse(trouble: &OwnershipProblem) -> Result<()> {
    let OwnershipProblem { path, why, mend } = trouble;
    let refused = Error::new(Kind::Usage, format!("haul does not rely on this: {why}")).with_subject(path.display().to_string());
    Err(refused.with_hint(format!("run `{mend}`")))
}

/// The longest wait for another haul that changes the file, which takes a moment.
#[cfg(unix)]
const MAX_CHANGE_TIME: std::time::Duration = std::time::Duration::from_secs(10);

/// The longest file in bytes: a device may never end.
const MAX_BYTES: u64 = 4 << 20;

/// Returns none when there is no such file. Fails with `Local` when it can't be read and with `Usage` when it is no text.
pub(super) fn read(path: &Path) -> Result<Option<FileText>> {
    let at_file = |e: std::io::Error| Error::from(e).with_subject(path.display().to_string());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(e) => return Err(at_file(e)),
    };
    let open_to_others = is_open_to_others(&file.metadata().map_err(at_file)?);
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(at_file)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::new(Kind::Usage, format!("this file is longer than {MAX_BYTES} bytes")).with_subject(path.display().to_string()));
    }
    let text = String::from_utf8(bytes).map_err(|_| {
        // The cause is left out, because it would contain the file's content.
        Error::new(Kind::Usage, "this file is not UTF-8 text").with_subject(path.display().to_string())
    })?;
    Ok(Some(FileText { text, open_to_others, trouble: ownership::trouble_with_file(path) }))
}

/// Pipes and devices (`/dev/fd/63`, `/dev/null`) contain nothing that other users could read later.
#[cfg(unix)]
fn is_open_to_others(meta: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.is_file() && meta.permissions().mode() & 0o077 != 0
}

/// On other systems a user's folders are closed to other users by default.
#[cfg(not(unix))]
fn is_open_to_others(_: &Metadata) -> bool {
    false
}

pub(super) fn too_open(path: &Path) -> Error {
    let name = path.display().to_string();
    let hint = format!("run `chmod 600 {}`", shell_word(path));
    Error::new(Kind::Usage, "this file holds a password or token, but others may read or change it").with_subject(name).with_hint(hint)
}

/// Reads, changes and replaces a file; other `haul` processes that want to change it wait. `change` gets the text (empty when
/// there is no file) and returns the new one. The file has mode 0600 afterwards, new folders 0700. Fails with `Local`, and with
/// the error of `change`; the old file then stays.
pub(super) fn rewrite(path: &Path, change: impl FnOnce(&str) -> Result<String>) -> Result<()> {
    // If the path is a link to a file elsewhere (a folder of dotfiles), the link stays.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = target.display().to_string();
    if target.exists() && !target.is_file() {
        return Err(Error::new(Kind::Usage, "this is not a file that can be written")
            .with_subject(name)
            .with_hint("choose another with --config FILE"));
    }
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let at_file = |e: std::io::Error| Error::from(e).with_subject(name.clone());
    make_folder(folder).map_err(at_file)?;
    let trouble = ownership::trouble_with_folder(folder).or_else(|| ownership::trouble_with_file(path));
    trouble.as_ref().map_or(Ok(()), refuse)?;
    let _turn = lock_folder(folder).map_err(|e| match e.kind() {
        ErrorKind::TimedOut => Error::new(Kind::Busy, e.to_string()).with_subject(folder.display().to_string()),
        _ => at_file(e),
    })?;
    let old = read(&target)?.map(|f| f.text).unwrap_or_default();
    let new = change(&old)?;
    // Created with mode 0600, and removed after a failure.
    let mut beside = tempfile::NamedTempFile::new_in(folder).map_err(at_file)?;
    beside.write_all(new.as_bytes()).and_then(|()| beside.as_file().sync_all()).map_err(at_file)?;
    beside.persist(&target).map_err(|e| at_file(e.error))?;
    Ok(())
}

fn make_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// The folder itself is the lock, so no lock file is left where users look.
#[cfg(unix)]
fn lock_folder(folder: &Path) -> std::io::Result<Option<File>> {
    let folder = File::open(folder)?;
    match ownership::lock_within(folder, MAX_CHANGE_TIME) {
        Ok(folder) => Ok(Some(folder)),
        // Some network file systems have no locks; the replacement is still one step.
        Err(e) if e.kind() == ErrorKind::Unsupported => Ok(None),
        Err(e) => Err(e),
    }
}

/// Windows can't lock a folder; users rarely add two remotes at the same time.
#[cfg(not(unix))]
fn lock_folder(_: &Path) -> std::io::Result<Option<File>> {
    Ok(None)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_written_is_ours_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/c.toml");
        rewrite(&path, |old| Ok(format!("{old}one\n"))).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(read(&path).unwrap().unwrap().open_to_others);
        rewrite(&path, |old| Ok(format!("{old}two\n"))).unwrap();
        let file = read(&path).unwrap().unwrap();
        assert_eq!((file.text.as_str(), file.open_to_others), ("one\ntwo\n", false));
        assert_eq!(mode(&path), 0o600);
        assert_eq!((mode(&dir.path().join("a")), mode(&dir.path().join("a/b"))), (0o700, 0o700));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else may stay behind");
    }

    #[test]
    fn a_failed_change_keeps_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        rewrite(&path, |_| Ok("one".into())).unwrap();
        let e = rewrite(&path, |_| Err(Error::new(Kind::Usage, "no"))).unwrap_err();
        assert_eq!(e.kind(), Kind::Usage);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn parallel_changes_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::thread::scope(|s| {
            for _ in 0..8 {
                s.spawn(|| rewrite(&path, |old| Ok(format!("{old}x"))).unwrap());
            }
        });
        assert_eq!(fs::read_to_string(&path).unwrap(), "xxxxxxxx");
    }

    #[test]
    fn a_link_stays_a_link_and_a_device_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real.toml");
        let link = dir.path().join("link.toml");
        fs::write(&real, "a").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        rewrite(&link, |old| Ok(format!("{old}b"))).unwrap();
        assert_eq!(fs::read_to_string(&real).unwrap(), "ab");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(rewrite(Path::new("/dev/null"), |_| Ok(String::new())).unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn the_hint_can_be_pasted() {
        let e = too_open(Path::new("/home/o'neil/my files/config.toml"));
        let line = "/home/o'neil/my files/config.toml: this file holds a password or token, but others may read or change it; \
                    run `chmod 600 '/home/o'\\''neil/my files/config.toml'`";
        assert_eq!(e.to_string(), line);
        assert_eq!(e.kind(), Kind::Usage);
    }

    #[test]
    fn a_file_without_end_is_refused() {
        assert_eq!(read(Path::new("/dev/zero")).err().unwrap().kind(), Kind::Usage);
        assert_eq!(read(Path::new("/dev/null")).unwrap().unwrap().text, "");
    }
}
