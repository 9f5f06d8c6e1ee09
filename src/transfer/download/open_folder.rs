//! A folder on this machine, held open: each step happens in that very folder, wherever its path leads by now. Others may write
//! to the same place (`/tmp`, a share), and put a link in the place of a folder between a check and the next step. So no step
//! uses a path of more than one name, and none follows a link.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_fs_ext::{DirExt, FollowSymlinks, MetadataExt, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata, OpenOptions};

use crate::error::{Error, Kind, Result};

#[derive(Clone, Debug)]
pub struct LocalFolder {
    /// None: there is no such folder yet (a dry run makes none).
    dir: Option<Arc<Dir>>,
    /// For messages.
    path: PathBuf,
}

impl LocalFolder {
    /// Opens the folder that the user named; links on the way are followed. With `make` missing folders are made.
    pub fn open(path: &Path, make: bool) -> Result<LocalFolder> {
        if make {
            std::fs::create_dir_all(path).map_err(|e| unmakable(path, e))?;
        }
        let dir = match Dir::open_ambient_dir(path, ambient_authority()) {
            Ok(dir) => Some(Arc::new(dir)),
            Err(e) if e.kind() == io::ErrorKind::NotFound && !make => None,
            Err(e) => return Err(unmakable(path, e)),
        };
        Ok(LocalFolder { dir, path: path.to_owned() })
    }

    /// Opens the folder of that name in this one. Fails with `Refused` where the name is a link, and with `Exists` where it is
    /// a file.
    pub fn enter(&self, name: &str, make: bool) -> Result<LocalFolder> {
        let path = self.path.join(name);
        let Some(dir) = &self.dir else { return Ok(LocalFolder { dir: None, path }) };
        let mut opened = dir.open_dir_nofollow(name);
        if make && opened.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
            opened = match dir.create_dir(name) {
                // Another task was faster.
                Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(unmakable(&path, e)),
                _ => dir.open_dir_nofollow(name),
            };
        }
        match opened {
            Ok(dir) => Ok(LocalFolder { dir: Some(Arc::new(dir)), path }),
            Err(e) if e.kind() == io::ErrorKind::NotFound && !make => Ok(LocalFolder { dir: None, path }),
            Err(e) => Err(match dir.symlink_metadata(name) {
                Ok(meta) if meta.is_symlink() => symlink_refused_error(&path),
                Ok(meta) if !meta.is_dir() => {
                    Error::new(Kind::Exists, "a file is in the way of the folder").with_subject(display_path(&path))
                }
                _ => unmakable(&path, e),
            }),
        }
    }

    /// What is in it, a link itself and not what it leads to. What goes meanwhile is left out.
    pub fn list(&self) -> io::Result<Vec<(OsString, Metadata)>> {
        let Some(dir) = &self.dir else { return Ok(Vec::new()) };
        let mut listed = Vec::new();
        for entry in dir.entries()? {
            let entry = entry?;
            match dir.symlink_metadata(entry.file_name()) {
                Ok(meta) => listed.push((entry.file_name(), meta)),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(listed)
    }

    /// Is it there?
    pub fn is_open(&self) -> bool {
        self.dir.is_some()
    }

    /// A name in it, which must be one (`check_name`).
    pub fn at(&self, name: &str) -> Target {
        Target { folder: self.clone(), name: name.to_owned() }
    }

    fn dir(&self) -> io::Result<&Dir> {
        self.dir.as_deref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A name in a folder.
#[derive(Clone, Debug)]
pub struct Target {
    folder: LocalFolder,
    name: String,
}

impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        self.path() == other.path()
    }
}

impl Eq for Target {}

impl Target {
    /// For messages, and for looking at what stands there.
    pub fn path(&self) -> PathBuf {
        self.folder.path.join(&self.name)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another name in the same folder.
    pub fn beside(&self, name: &str) -> Target {
        self.folder.at(name)
    }

    /// The metadata of what has the name: of a link itself, not of its target.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.folder.dir()?.symlink_metadata(&self.name)
    }

    /// Has something the name?
    pub fn is_taken(&self) -> bool {
        self.metadata().is_ok()
    }

    /// Is `file` what has the name?
    pub fn is(&self, file: &File) -> bool {
        let same = |a: Metadata, b: Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
        self.metadata().and_then(|named| Ok(same(named, Metadata::from_file(file)?))).unwrap_or(false)
    }

    pub fn read(&self) -> io::Result<Vec<u8>> {
        let mut file = self.folder.dir()?.open_with(&self.name, OpenOptions::new().read(true).follow(FollowSymlinks::No))?.into_std();
        let mut content = Vec::new();
        io::Read::read_to_end(&mut file, &mut content)?;
        Ok(content)
    }

    /// Opens the file for reading and writing. A missing file is made, and only its owner may read it.
    pub fn open_private(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).follow(FollowSymlinks::No);
        #[cfg(unix)]
        cap_std::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(self.folder.dir()?.open_with(&self.name, &options)?.into_std())
    }

    /// Makes a new file in the place of whatever has the name; programs that have the old file open keep it.
    pub fn replace_with(&self, content: &[u8]) -> io::Result<()> {
        let fresh = self.beside(&format!("{}{FRESH}", self.name));
        fresh.remove();
        let mut file = self.folder.dir()?.open_with(&fresh.name, OpenOptions::new().write(true).create_new(true))?.into_std();
        io::Write::write_all(&mut file, content)?;
        fresh.rename_to(self)
    }

    /// Renames to `to`, and replaces what has that name.
    pub fn rename_to(&self, to: &Target) -> io::Result<()> {
        self.folder.dir()?.rename(&self.name, to.folder.dir()?, &to.name)
    }

    /// Renames to `to`; fails with `AlreadyExists` if something has that name.
    pub fn rename_to_free(&self, to: &Target) -> io::Result<()> {
        match self.folder.dir()?.hard_link(&self.name, to.folder.dir()?, &to.name) {
            Ok(()) => self.folder.dir()?.remove_file(&self.name),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
            // A file system without second names (FAT).
            Err(_) if !to.is_taken() => self.rename_to(to),
            Err(_) => Err(io::ErrorKind::AlreadyExists.into()),
        }
    }

    /// A file, or a link itself.
    pub fn delete(&self) -> io::Result<()> {
        self.folder.dir()?.remove_file(&self.name)
    }

    /// Fails where the folder holds something.
    pub fn delete_empty_folder(&self) -> io::Result<()> {
        self.folder.dir()?.remove_dir(&self.name)
    }

    pub fn remove(&self) {
        if let Ok(dir) = self.folder.dir() {
            let _ = dir.remove_file(&self.name);
        }
    }
}

/// The name of a file that is being written and then takes another name in one step.
pub(super) const FRESH: &str = ".new";

pub fn symlink_refused_error(path: &Path) -> Error {
    Error::new(Kind::Refused, "a symbolic link is in the way, and nothing is written through it")
        .with_subject(display_path(path))
        .with_hint("remove the link, or name the place it leads to")
}

fn unmakable(path: &Path, e: io::Error) -> Error {
    Error::new(Kind::Local, "the folder can't be made").with_subject(display_path(path)).with_cause(e)
}

/// Leaves out the `./` that the user did not type.
pub fn display_path(path: &Path) -> String {
    path.strip_prefix(".").unwrap_or(path).display().to_string()
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn folders_are_made_and_files_and_links_are_not_entered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let absent = LocalFolder::open(&path, false).unwrap();
        assert!(!absent.is_open() && !absent.enter("c", false).unwrap().at("d").is_taken());
        let top = LocalFolder::open(&path, true).unwrap();
        assert!(top.enter("c", true).unwrap().enter("d", true).unwrap().is_open());
        assert!(path.join("c/d").is_dir());
        std::fs::write(path.join("file"), "").unwrap();
        symlink(dir.path(), path.join("away")).unwrap();
        for make in [true, false] {
            assert_eq!(top.enter("file", make).unwrap_err().kind(), Kind::Exists);
            assert_eq!(top.enter("away", make).unwrap_err().kind(), Kind::Refused);
            assert!(!top.enter("..", make).is_ok_and(|folder| folder.is_open()), "out of what was opened leads no name");
        }
    }

    #[test]
    fn a_folder_stays_the_one_that_was_opened() {
        let dir = tempfile::tempdir().unwrap();
        let (here, away) = (dir.path().join("here"), dir.path().join("away"));
        std::fs::create_dir(&away).unwrap();
        let folder = LocalFolder::open(&here, true).unwrap();
        std::fs::rename(&here, dir.path().join("moved")).unwrap();
        symlink(&away, &here).unwrap();
        folder.at("f").replace_with(b"x").unwrap();
        folder.enter("deep", true).unwrap().at("g").open_private().unwrap();
        assert!(dir.path().join("moved/f").is_file() && dir.path().join("moved/deep/g").is_file());
        assert_eq!(std::fs::read_dir(&away).unwrap().count(), 0);
    }

    /// Names that flip between a file, or a folder, and a link to another place, as fast as they can.
    #[test]
    fn nothing_is_written_through_a_link_that_appears() {
        let dir = tempfile::tempdir().unwrap();
        let (top, away) = (dir.path().join("top"), dir.path().join("away"));
        std::fs::create_dir_all(&top).unwrap();
        std::fs::create_dir(&away).unwrap();
        std::fs::write(away.join("victim"), "untouched").unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let flipping = std::thread::spawn({
            let (top, away, stopped) = (top.clone(), away.clone(), stopped.clone());
            move || {
                while !stopped.load(Ordering::Relaxed) {
                    let _ = symlink(&away, top.join("folder"));
                    let _ = symlink(away.join("victim"), top.join("file"));
                    let _ = symlink(away.join("victim"), top.join("file.new"));
                    for name in ["folder", "file", "file.new"] {
                        let _ = std::fs::remove_file(top.join(name)).or_else(|_| std::fs::remove_dir_all(top.join(name)));
                    }
                    let _ = std::fs::create_dir(top.join("folder"));
                }
            }
        });
        let folder = LocalFolder::open(&top, false).unwrap();
        let mut entered = 0;
        for n in 0..3000 {
            if let Ok(inner) = folder.enter("folder", true) {
                entered += 1;
                let _ = inner.at(&format!("f{n}")).open_private();
                let _ = inner.at("r").replace_with(b"written");
            }
            if let Ok(file) = folder.at("file").open_private() {
                let _ = file.set_len(3);
            }
            let _ = folder.at("file").replace_with(b"written");
        }
        stopped.store(true, Ordering::Relaxed);
        flipping.join().unwrap();
        assert!(entered > 0, "it was a folder now and then");
        assert_eq!(std::fs::read_dir(&away).unwrap().count(), 1, "nothing came into the other place");
        assert_eq!(std::fs::read(away.join("victim")).unwrap(), b"untouched");
    }
}
