//! A local file, opened and inspected once: fingerprint and content come from the same open file. A small file is read then,
//! and not again.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use parking_lot::Mutex;

use super::change_time::reported_time;
use super::file::{read_piece, unreadable};
use crate::error::Result;

/// The number of bytes that are read when the file is opened.
pub const HEAD: u64 = 64 * 1024;
/// The number of folders whose real paths are remembered.
const FOLDERS: usize = 64;

pub struct OpenFile {
    pub path: PathBuf,
    pub file: File,
    pub meta: Metadata,
    /// The file was inspected at or after this time.
    pub at: SystemTime,
    /// When the inode changed last, where the file system keeps that.
    pub changed_ns: Option<i64>,
    pub head: Bytes,
    /// Its last name may be a link.
    may_be_link: bool,
}

impl OpenFile {
    /// Fails with `NotFound` or `Local`.
    pub fn open(path: &Path) -> Result<OpenFile> {
        let failed = |e| unreadable(path, e);
        let at = SystemTime::now();
        let (file, may_be_link) = open(path).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        let changed_ns = reported_time(&file, &meta);
        // A file that says it is empty may not be (`/proc`).
        let most = if meta.len() == 0 { HEAD } else { meta.len().min(HEAD) };
        let head = read_piece(&file, 0, usize::try_from(most).unwrap_or(usize::MAX)).map_err(failed)?;
        Ok(OpenFile { path: path.to_owned(), file, meta, at, changed_ns, head, may_be_link })
    }

    /// The whole content, where it was read with the look.
    pub fn whole(&self) -> Option<Bytes> {
        (self.head.len() as u64 == self.meta.len()).then(|| self.head.clone())
    }

    /// The file reports a size of 0 and has content.
    pub fn is_unmeasured(&self) -> bool {
        self.meta.is_file() && self.meta.len() == 0 && !self.head.is_empty()
    }

    /// Absolute, links resolved.
    pub fn real_path(&self, folders: &RealFolders) -> io::Result<PathBuf> {
        match (self.path.parent(), self.path.file_name()) {
            (Some(folder), Some(name)) if !self.may_be_link => Ok(folders.of(folder)?.join(name)),
            _ => std::fs::canonicalize(&self.path),
        }
        .or_else(|_| std::path::absolute(&self.path))
    }
}

/// Opens the file and finds out whether it may be a link. Most files are no links, and then the folder's real path gives the
/// file's.
#[cfg(target_os = "linux")]
fn open(path: &Path) -> io::Result<(File, bool)> {
    use std::os::unix::fs::OpenOptionsExt;
    let no_link = rustix::fs::OFlags::NOFOLLOW.bits();
    match File::options().read(true).custom_flags(no_link.cast_signed()).open(path) {
        Ok(file) => Ok((file, false)),
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => File::open(path).map(|file| (file, true)),
        Err(e) => Err(e),
    }
}

#[cfg(not(target_os = "linux"))]
fn open(path: &Path) -> io::Result<(File, bool)> {
    File::open(path).map(|file| (file, true))
}

/// The real paths of folders: resolved once for each folder and not for each file.
#[derive(Default)]
pub struct RealFolders(Mutex<HashMap<PathBuf, PathBuf>>);

impl RealFolders {
    pub fn of(&self, folder: &Path) -> io::Result<PathBuf> {
        let mut known = self.0.lock();
        if let Some(real) = known.get(folder) {
            return Ok(real.clone());
        }
        let named = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let real = std::fs::canonicalize(named)?;
        if known.len() >= FOLDERS {
            known.clear();
        }
        known.insert(folder.to_owned(), real.clone());
        Ok(real)
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn links_are_resolved_wherever_they_stand() {
        let dir = tempfile::tempdir().unwrap();
        let real = std::fs::canonicalize(dir.path()).unwrap();
        std::fs::create_dir(real.join("d")).unwrap();
        std::fs::write(real.join("d/f"), "content").unwrap();
        std::os::unix::fs::symlink(real.join("d"), real.join("folder")).unwrap();
        std::os::unix::fs::symlink("d/f", real.join("file")).unwrap();
        let folders = RealFolders::default();
        for path in ["d/f", "folder/f", "file", "d/../d/f", "folder/../file"] {
            let opened = OpenFile::open(&real.join(path)).unwrap();
            assert_eq!(opened.real_path(&folders).unwrap(), real.join("d/f"), "{path}");
            assert_eq!((opened.whole().unwrap(), opened.is_unmeasured()), (Bytes::from("content"), false));
        }
        let here = OpenFile::open(Path::new("Cargo.toml")).unwrap();
        assert_eq!(here.real_path(&folders).unwrap(), std::fs::canonicalize("Cargo.toml").unwrap());
        std::fs::write(real.join("large"), vec![7; HEAD as usize + 1]).unwrap();
        let large = OpenFile::open(&real.join("large")).unwrap();
        assert!(large.whole().is_none() && large.head.len() as u64 == HEAD);
        assert!(OpenFile::open(&real.join("none")).is_err());
    }
}
