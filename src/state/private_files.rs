//! The folder and the files of the state, made for their owner alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::path::{Path, PathBuf};

use crate::ownership::{self, OwnershipProblem};

/// Makes the folder with mode 0700 and returns its real path. Refused where others may change what is in it, or put another
/// folder in its place, because files of theirs would be taken for ours.
pub(super) fn private_folder(dir: &Path) -> std::io::Result<PathBuf> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    let real = std::fs::canonicalize(dir)?;
    let trouble = ownership::trouble_with_folder(dir).or_else(|| ownership::trouble_with_folder(&real));
    let trouble = trouble.or_else(|| ownership::trouble_with_parent(&real));
    trouble.map_or(Ok(()), |trouble| Err(refusal(trouble)))?;
    // Nobody else may read it either.
    #[cfg(unix)]
    close_to_others(&real, 0o700)?;
    Ok(real)
}

fn refusal(trouble: OwnershipProblem) -> std::io::Error {
    std::io::Error::other(format!("{}: {}; run `{}`", trouble.path.display(), trouble.why, trouble.mend))
}

/// Removes the permissions of others.
#[cfg(unix)]
fn close_to_others(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match std::fs::metadata(path) {
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)),
        _ => Ok(()),
    }
}

/// Makes the file with mode 0600 before SQLite would make it for everybody, and closes one that was left open to
/// others, with the side files (`-wal`, `-shm`) that SQLite gives the same mode; none of them may be a link to another file.
/// A file that is there is not opened: closing it again would give back the locks that SQLite holds on it in this process.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    for side in ["", "-wal", "-shm", "-journal"] {
        let mut file = path.as_os_str().to_owned();
        file.push(side);
        let file = Path::new(&file);
        ownership::trouble_with_entry(file).map_or(Ok(()), |trouble| Err(refusal(trouble)))?;
        #[cfg(unix)]
        close_to_others(file, 0o600).or_else(|e| if e.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(e) })?;
    }
    if path.exists() { Ok(()) } else { open_private(path).map(drop) }
}

/// A file in our folder, which may be no link to another.
pub(super) fn open_private(path: &Path) -> std::io::Result<File> {
    ownership::trouble_with_entry(path).map_or(Ok(()), |trouble| Err(refusal(trouble)))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
