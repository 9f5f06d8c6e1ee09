//! Files that a user names for us to write, in folders that others may write to as well.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens the file in its place. A symbolic link is followed where it belongs to the user, to the folder's owner or to the
/// system (`/dev/stdout`), or where nobody else may write to the folder. Any other link may have been put there by somebody
/// else and is not followed.
#[cfg(unix)]
pub fn open(how: &OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    let Some(link) = std::fs::symlink_metadata(path).ok().filter(|meta| meta.is_symlink()) else {
        let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).map_err(io::Error::other)?;
        return how.clone().custom_flags(nofollow).open(path);
    };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = std::fs::metadata(parent)?;
    let is_shared = folder.mode() & 0o022 != 0;
    if is_shared && ![0, rustix::process::geteuid().as_raw(), folder.uid()].contains(&link.uid()) {
        let why = "it is a symbolic link of another user, in a folder where others may write; name another file";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    how.open(path)
}

#[cfg(not(unix))]
pub fn open(how: &OpenOptions, path: &Path) -> io::Result<File> {
    how.open(path)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    use super::*;

    #[test]
    fn a_link_of_somebody_else_is_not_followed_where_others_may_write() {
        let dir = tempfile::tempdir().unwrap();
        let (victim, link) = (dir.path().join("victim"), dir.path().join("link"));
        std::fs::write(&victim, "").unwrap();
        symlink(&victim, &link).unwrap();
        let append = || open(OpenOptions::new().append(true).create(true), &link).map(drop);
        let may_write = |mode| std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(mode)).unwrap();
        may_write(0o777);
        append().unwrap();
        // Only root can give a link away.
        if lchown(&link, Some(65534), None).is_ok() {
            assert_eq!(append().unwrap_err().kind(), io::ErrorKind::PermissionDenied);
            may_write(0o755);
            append().unwrap();
        }
        open(OpenOptions::new().write(true).create(true).truncate(true), &dir.path().join("new")).unwrap();
    }
}
