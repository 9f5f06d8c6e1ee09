//! The fingerprint of a file, here and on a remote: what is noted of it, and compared later, to tell whether its content has
//! changed.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::path::Path;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::sleep::sleep;
use super::source::change_time::{ChangeTime, change_time, ctime_ns, ns_since_1970, reported_time};
use super::source::file::{read_piece, unreadable};
use super::source::open_file::{HEAD, OpenFile, RealFolders};
use crate::error::Result;
use crate::model::Entry;

/// The fingerprint of a local file, for `--if-exists update` and for resuming an upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFingerprint {
    /// Absolute, links resolved: the same file by another name is the same file.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Nanoseconds since 1970, negative before.
    pub modified_ns: i64,
    /// None where the file system has no inodes.
    pub inode: Option<u64>,
    /// A value that changes whenever the content does, even if size and time are set back: the time of the inode's change, and
    /// for a file on a remote its MD5 or revision. None where there is no such value: then only the content proves that the
    /// file is the same.
    #[serde(default)]
    pub version: Option<String>,
    /// The device that it lies on.
    #[serde(default)]
    pub device: Option<u64>,
    /// The MD5 of the first and the last 64 KiB, which shows most files that were written again within one step of the clock.
    pub ends: String,
}

/// What two fingerprints say of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// The content is proven to be the same.
    Same,
    /// Nothing says that it changed, and nothing proves that it did not.
    Alike,
    /// Something about the file changed, which may be its name, its mode or its content.
    Touched,
    Other,
}

impl FileFingerprint {
    /// Reads head and tail of the file. A file that was changed just now has no version: it could change again and show the
    /// same one. Fails with `NotFound` or `Local`.
    pub fn of(path: &Path) -> Result<FileFingerprint> {
        Self::inspect(path, &RealFolders::default()).map(|(identity, ..)| identity)
    }

    /// As `of`, after the short time that a changed file needs to get a version. A file that somebody keeps writing to is not
    /// waited for.
    pub async fn of_settled(path: &Path) -> Result<FileFingerprint> {
        Self::open_settled(path, &RealFolders::default()).await.map(|(identity, _)| identity)
    }

    /// As `of_settled`, with the open file.
    pub async fn open_settled(path: &Path, folders: &RealFolders) -> Result<(FileFingerprint, OpenFile)> {
        match Self::inspect(path, folders)? {
            (_, _, Some(wait)) => {
                sleep(wait).await;
                Self::inspect(path, folders).map(|(identity, file, _)| (identity, file))
            }
            (identity, file, None) => Ok((identity, file)),
        }
    }

    fn inspect(path: &Path, folders: &RealFolders) -> Result<(FileFingerprint, OpenFile, Option<Duration>)> {
        let opened = OpenFile::open(path)?;
        let full = opened.real_path(folders).map_err(|e| unreadable(path, e))?;
        let mut ends = md5::Context::new();
        ends.consume(&opened.head);
        if opened.whole().is_none() {
            let tail = read_piece(&opened.file, opened.meta.len().saturating_sub(HEAD).max(HEAD), HEAD as usize);
            ends.consume(tail.map_err(|e| unreadable(path, e))?);
        }
        let ends = format!("{:x}", ends.finalize());
        let (version, wait) = match change_time(opened.changed_ns, opened.at) {
            ChangeTime::Settled(at) => (Some(format!("changed {at}")), None),
            ChangeTime::Young(wait) => (None, Some(wait)),
            ChangeTime::Unknown => (None, None),
        };
        let (inode, device) = inode_and_device(&opened.meta);
        let modified_ns = opened.meta.modified().map_or(0, ns_since_1970);
        let path = full.display().to_string();
        let identity = FileFingerprint { path, size: opened.meta.len(), modified_ns, inode, version, device, ends };
        Ok((identity, opened, wait))
    }

    /// False: it says that it is empty, and is not; see [`super::source::file::read_sizeless_file`].
    pub fn is_measured(&self) -> bool {
        self.size > 0 || self.ends == format!("{:x}", md5::compute(b""))
    }

    pub fn likeness(&self, noted: &FileFingerprint) -> Likeness {
        fn plain(of: &FileFingerprint) -> (&str, u64, i64, Option<u64>, &str) {
            (&of.path, of.size, of.modified_ns, of.inode, &of.ends)
        }
        match (&self.version, &noted.version) {
            _ if plain(self) != plain(noted) => Likeness::Other,
            (Some(now), Some(then)) if now != then => Likeness::Touched,
            (Some(_), Some(_)) if self.device == noted.device => Likeness::Same,
            _ => Likeness::Alike,
        }
    }

    /// Compares the file with what an earlier run noted.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Looks at many files without opening them.
#[derive(Default)]
pub struct UnopenedFingerprints {
    folders: RealFolders,
    /// By device: does its file system keep the times of changes?
    keeping: Mutex<HashMap<Option<u64>, bool>>,
}

impl UnopenedFingerprints {
    /// As [`FileFingerprint::of`], but for its ends, which are not read. None for what has to be opened: a link, no file, a
    /// file that was changed just now, one whose system keeps no times of changes.
    pub fn of(&self, path: &Path) -> Option<FileFingerprint> {
        let now = SystemTime::now();
        let meta = std::fs::symlink_metadata(path).ok().filter(Metadata::is_file)?;
        let (inode, device) = inode_and_device(&meta);
        let is_kept = || File::open(path).is_ok_and(|file| reported_time(&file, &meta).is_some());
        if !*self.keeping.lock().entry(device).or_insert_with(is_kept) {
            return None;
        }
        let ChangeTime::Settled(at) = change_time(ctime_ns(&meta), now) else { return None };
        let full = self.folders.of(path.parent()?).ok()?.join(path.file_name()?);
        let (version, modified_ns) = (Some(format!("changed {at}")), meta.modified().map_or(0, ns_since_1970));
        let ends = String::new();
        Some(FileFingerprint { path: full.display().to_string(), size: meta.len(), modified_ns, inode, version, device, ends })
    }
}

#[cfg(unix)]
fn inode_and_device(meta: &Metadata) -> (Option<u64>, Option<u64>) {
    use std::os::unix::fs::MetadataExt;
    (Some(meta.ino()), Some(meta.dev()))
}

#[cfg(not(unix))]
fn inode_and_device(_: &Metadata) -> (Option<u64>, Option<u64>) {
    (None, None)
}

/// The facts about an entry that change with its content. They are compared field by field, as a listing may tell less than the
/// answer to an upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EntryFingerprint {
    size: Option<u64>,
    md5: Option<String>,
    revision: Option<String>,
    modified: Option<i64>,
}

impl EntryFingerprint {
    pub fn of(entry: &Entry) -> EntryFingerprint {
        let (md5, revision) = (entry.md5.clone(), entry.revision.clone());
        EntryFingerprint { size: entry.size, md5, revision, modified: entry.modified.map(|m| m.timestamp_millis()) }
    }

    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Is there a fact that another content would show in another way? A size and a time prove nothing.
    pub fn version(&self) -> Option<String> {
        let EntryFingerprint { md5, revision, .. } = self;
        (md5.is_some() || revision.is_some()).then(|| format!("MD5 {md5:?}, revision {revision:?}"))
    }

    /// Do the recorded facts agree with those of now, as far as both are known?
    pub fn matches(&self, recorded: &str) -> bool {
        let Ok(then) = serde_json::from_str::<EntryFingerprint>(recorded) else { return false };
        fn field_matches<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        field_matches(&self.size, &then.size)
            && field_matches(&self.md5, &then.md5)
            && field_matches(&self.revision, &then.revision)
            && field_matches(&self.modified, &then.modified)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::transfer::source::file::read_sizeless_file;

    #[test]
    fn what_is_measured() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let is_measured = |path: &Path| (FileFingerprint::of(path).unwrap().is_measured(), !OpenFile::open(path).unwrap().is_unmeasured());
        assert_eq!(is_measured(file.path()), (true, true));
        std::fs::write(file.path(), "x").unwrap();
        assert_eq!(is_measured(file.path()), (true, true));
        let proc = Path::new("/proc/version");
        if cfg!(target_os = "linux") {
            assert_eq!(is_measured(proc), (false, false));
            let OpenFile { head, file, .. } = OpenFile::open(proc).unwrap();
            let mut content = String::new();
            read_sizeless_file(head, file).unwrap().read_to_string(&mut content).unwrap();
            assert_eq!(content, std::fs::read_to_string(proc).unwrap());
        }
    }

    #[test]
    fn what_two_looks_say() {
        let look = |version: Option<&str>, device| FileFingerprint {
            path: "/a".into(),
            size: 1,
            modified_ns: 2,
            inode: Some(3),
            version: version.map(str::to_owned),
            device: Some(device),
            ends: "e".into(),
        };
        let now = look(Some("changed 5"), 7);
        assert_eq!(now.likeness(&look(Some("changed 5"), 7)), Likeness::Same);
        assert_eq!(now.likeness(&look(Some("changed 6"), 7)), Likeness::Touched);
        assert_eq!(now.likeness(&look(Some("changed 5"), 8)), Likeness::Alike, "numbers of devices change at each start of some systems");
        assert_eq!(now.likeness(&look(None, 7)), Likeness::Alike);
        assert_eq!(look(None, 7).likeness(&now), Likeness::Alike);
        for other in [
            FileFingerprint { size: 2, ..now.clone() },
            FileFingerprint { modified_ns: 3, ..now.clone() },
            FileFingerprint { inode: None, ..now.clone() },
            FileFingerprint { ends: "f".into(), ..now.clone() },
            FileFingerprint { path: "/b".into(), ..now.clone() },
        ] {
            assert_eq!(now.likeness(&other), Likeness::Other, "{other:?}");
        }
        let older = now.text().replace("\"version\":\"changed 5\",\"device\":7,", "");
        assert_eq!(now.likeness(&serde_json::from_str(&older).unwrap()), Likeness::Alike, "{older}");
    }

    #[tokio::test]
    async fn signs_are_those_of_a_look_inside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, "content").unwrap();
        let whole = FileFingerprint::of_settled(&path).await.unwrap();
        let signs = UnopenedFingerprints::default();
        assert_eq!(signs.of(&path), Some(FileFingerprint { ends: String::new(), ..whole }));
        std::fs::write(&path, "CONTENT").unwrap();
        assert_eq!(signs.of(&path), None, "it was changed just now");
        assert_eq!((signs.of(dir.path()), signs.of(&dir.path().join("none"))), (None, None));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&path, dir.path().join("link")).unwrap();
            assert_eq!(signs.of(&dir.path().join("link")), None);
        }
    }

    #[tokio::test]
    async fn a_file_gets_its_version_when_no_later_change_can_show_the_same() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one").unwrap();
        let first = FileFingerprint::of_settled(file.path()).await.unwrap();
        assert!(first.version.is_some());
        assert_eq!(FileFingerprint::of(file.path()).unwrap(), first);
        std::fs::write(file.path(), "two").unwrap();
        assert_eq!(FileFingerprint::of(file.path()).unwrap().version, None, "it could change again and show the same");
        assert_ne!(FileFingerprint::of_settled(file.path()).await.unwrap().version, first.version);
    }
}
