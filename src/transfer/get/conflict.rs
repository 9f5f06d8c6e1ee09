//! What becomes of a local file whose name is taken (`--if-exists` of `get`). Nothing is called the same by its size alone.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::contract::{CompletedTransfer, TransferStore};
use crate::error::{Error, Kind, Result};
use crate::model::Entry;
use crate::transfer::download::open_folder::{Target, display_path, symlink_refused_error};
use crate::transfer::download::part_file::{ContentId, is_anothers};
use crate::transfer::fingerprint::{EntryFingerprint, FileFingerprint};
use crate::transfer::if_exists;
use crate::transfer::if_exists::IfExists;
use crate::transfer::put::ChecksumMode;
use crate::transfer::put::conflict::{compares_content, is_same_source, known_md5, known_size, seen_as};
use crate::transfer::source::file::{FileSource, md5_of};

#[derive(Debug, PartialEq, Eq)]
pub enum GetDecision {
    /// Fetch it to `to`; `replaces`: something that may be replaced has the name.
    Fetch {
        to: Target,
        replaces: bool,
    },
    Skip {
        reason: String,
    },
}

/// What this machine knows of an entry besides what its provider tells.
pub struct LocalHistory<'a> {
    pub ledger: &'a dyn TransferStore,
    /// Origin and account, as in [`CompletedTransfer::remote`].
    pub remote: &'a str,
    pub checksum: ChecksumMode,
    /// An equal size is proof enough (`--size-only`).
    pub size_only: bool,
    pub dry_run: bool,
}

/// Places that files of this run get: on the disk there is only a part of them yet.
#[derive(Default)]
pub struct ReservedPaths(Mutex<HashSet<PathBuf>>);

impl ReservedPaths {
    /// False when another file of the run has it.
    pub fn give(&self, target: &Target) -> bool {
        self.0.lock().insert(target.path())
    }
}

impl LocalHistory<'_> {
    pub fn md5(&self, file: &Entry) -> Result<Option<String>> {
        known_md5(file, self.ledger, self.remote)
    }

    /// Remembers that `target` holds what `file` is now. Somebody may have written to it since it came: where its MD5 is
    /// known, the next run compares that first, and only then takes the file by its signs.
    pub async fn record_download(&self, file: &Entry, target: &Target, md5: Option<String>) -> Result<()> {
        let here = match &md5 {
            Some(_) => FileFingerprint { version: None, ..FileFingerprint::of(&target.path())? },
            None => FileFingerprint::of_settled(&target.path()).await?,
        };
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let noted = self.ledger.record_finished(&CompletedTransfer {
            remote: self.download_key(),
            id: fetch_id(file, &here.path),
            stamp: EntryFingerprint::of(file).text(),
            size: file.size,
            md5,
            source: here.path,
            source_size: here.size,
            source_mtime_ns: here.modified_ns,
            source_inode: here.inode,
            source_version: here.version,
            source_device: here.device,
            at: i64::try_from(now).unwrap_or(i64::MAX),
        });
        noted.map(drop)
    }

    /// What haul fetched to the place of `here`, if it was this very entry as it is now.
    fn find_download(&self, file: &Entry, here: &FileFingerprint) -> Result<Option<CompletedTransfer>> {
        let fetched = self.ledger.completed_transfer(&self.download_key(), &fetch_id(file, &here.path))?;
        Ok(fetched.filter(|fetched| EntryFingerprint::of(file).matches(&fetched.stamp) && fetched.source_size == here.size))
    }

    fn is_enough_size(&self, file: &Entry, here: &FileFingerprint) -> Result<bool> {
        Ok(self.size_only && known_size(file, self.ledger, self.remote)? == Some(here.size))
    }

    /// Why a local file, looked at without being opened, holds what `file` is; none where its content must tell.
    pub fn same_by_signs(&self, file: &Entry, here: &FileFingerprint) -> Result<Option<&'static str>> {
        if self.is_enough_size(file, here)? {
            return Ok(Some("same size"));
        }
        if file.size.is_some_and(|size| size != here.size) || compares_content(self.checksum, file) {
            return Ok(None);
        }
        Ok(self.find_download(file, here)?.filter(|fetched| is_same_source(fetched, here)).map(|_| UNCHANGED))
    }

    /// Is the local file at `path`, whatever its signs say, what `file` is?
    pub async fn is_same(&self, file: &Entry, here: &FileFingerprint, path: &Path) -> Result<bool> {
        if self.same_by_signs(file, here)?.is_some() {
            return Ok(true);
        }
        let fetched = self.find_download(file, here)?.and_then(|fetched| fetched.md5);
        let Some(there) = self.md5(file)?.or(fetched) else { return Ok(false) };
        Ok(md5_of(&FileSource::open(path)?).await?.eq_ignore_ascii_case(&there))
    }

    /// Downloads are kept apart from what was put: one entry may be here in several places.
    fn download_key(&self) -> String {
        format!("get|{}", self.remote)
    }
}

const UNCHANGED: &str = "unchanged since it was fetched";

fn fetch_id(file: &Entry, path: &str) -> String {
    format!("{}|{path}", file.id)
}

/// To be asked once for each file, and again where the place that `Rename` found is taken after all.
pub async fn decide(
    policy: IfExists,
    target: &Target,
    file: &Entry,
    known: &LocalHistory<'_>,
    given: &ReservedPaths,
) -> Result<GetDecision> {
    let elsewhere = || Ok(GetDecision::Fetch { to: free_name(target, &ContentId::of(file, known.remote), given), replaces: false });
    let meta = match target.metadata() {
        Ok(meta) => meta,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let free = given.give(target) || policy != IfExists::Rename;
            return if free { Ok(GetDecision::Fetch { to: target.clone(), replaces: false }) } else { elsewhere() };
        }
        Err(e) => return Err(Error::new(Kind::Local, "it can't be read").on_local(display_path(&target.path())).with_cause(e)),
    };
    if policy == IfExists::Rename {
        return elsewhere();
    }
    if meta.is_symlink() {
        return Err(symlink_refused_error(&target.path()));
    }
    if !meta.is_file() {
        let what = if meta.is_dir() { "a folder of this name is in the way" } else { "something that is no file is in the way" };
        return Err(Error::new(Kind::Exists, what).on_local(display_path(&target.path())));
    }
    let fetch = GetDecision::Fetch { to: target.clone(), replaces: true };
    match policy {
        IfExists::Fail => Err(Error::new(Kind::Exists, "it exists already")
            .on_local(display_path(&target.path()))
            .with_hint("choose with --if-exists update, replace, skip or rename")),
        IfExists::Skip => Ok(GetDecision::Skip { reason: "it exists".to_owned() }),
        IfExists::Replace | IfExists::Rename => Ok(fetch),
        IfExists::Update => Ok(match provably_same(target, file, known).await? {
            Some(reason) => GetDecision::Skip { reason },
            None => fetch,
        }),
    }
}

/// `a.mov`, `a (2).mov`, `a (3).mov`, …: the first that nothing has, and that no download in progress will get.
fn free_name(target: &Target, whose: &ContentId, given: &ReservedPaths) -> Target {
    let taken = |to: &Target| to.is_taken() || is_anothers(to, whose) || !given.give(to);
    target.beside(&if_exists::free_name(target.name(), |name| taken(&target.beside(name))))
}

/// Why the local file holds this very content, or none. MD5, or: haul fetched it, and neither side has changed since.
async fn provably_same(target: &Target, file: &Entry, known: &LocalHistory<'_>) -> Result<Option<String>> {
    let here = FileFingerprint::of_settled(&target.path()).await?;
    if file.size.is_some_and(|size| size != here.size) {
        return Ok(None);
    }
    if known.is_enough_size(file, &here)? {
        return Ok(Some("same size".to_owned()));
    }
    let fetched = known.find_download(file, &here)?;
    let unchanged = fetched.as_ref().is_some_and(|fetched| is_same_source(fetched, &here));
    if unchanged && !compares_content(known.checksum, file) {
        return Ok(Some(UNCHANGED.to_owned()));
    }
    let Some(there) = known.md5(file)?.or_else(|| fetched.as_ref().and_then(|fetched| fetched.md5.clone())) else { return Ok(None) };
    if !md5_of(&FileSource::open(&target.path())?).await?.eq_ignore_ascii_case(&there) {
        return Ok(None);
    }
    if let Some(fetched) = fetched.filter(|_| !unchanged && !known.dry_run) {
        known.ledger.record_finished(&seen_as(fetched, here))?;
    }
    Ok(Some("same MD5".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EntryKind, RemotePath};
    use crate::transfer::download::open_folder::LocalFolder;
    use crate::transfer::download::part_file::PartFile;

    struct Fixture {
        dir: tempfile::TempDir,
        state: crate::state::State,
        file: Entry,
    }

    impl Fixture {
        fn new() -> Fixture {
            let dir = tempfile::tempdir().unwrap();
            let state = crate::state::State::new(Some(dir.path().join("state")));
            let mut file = Entry::new(EntryKind::File, "7", RemotePath::parse("/a.mov").unwrap());
            file.size = Some(7);
            std::fs::write(dir.path().join("a.mov"), "content").unwrap();
            Fixture { dir, state, file }
        }

        fn at(&self, name: &str) -> Target {
            LocalFolder::open(self.dir.path(), false).unwrap().at(name)
        }

        fn target(&self) -> Target {
            self.at("a.mov")
        }

        fn history(&self) -> LocalHistory<'_> {
            LocalHistory { ledger: &self.state, remote: "r", checksum: ChecksumMode::Auto, size_only: false, dry_run: false }
        }

        async fn decide(&self, policy: IfExists) -> Result<GetDecision> {
            decide(policy, &self.target(), &self.file, &self.history(), &ReservedPaths::default()).await
        }
    }

    fn skip(reason: &str) -> GetDecision {
        GetDecision::Skip { reason: reason.to_owned() }
    }

    #[tokio::test]
    async fn each_policy_has_its_way() {
        let fixture = Fixture::new();
        let fetch = |name: &str, replaces| GetDecision::Fetch { to: fixture.at(name), replaces };
        assert_eq!(fixture.decide(IfExists::Fail).await.unwrap_err().kind(), Kind::Exists);
        assert_eq!(fixture.decide(IfExists::Skip).await.unwrap(), skip("it exists"));
        assert_eq!(fixture.decide(IfExists::Replace).await.unwrap(), fetch("a.mov", true));
        assert_eq!(fixture.decide(IfExists::Rename).await.unwrap(), fetch("a (2).mov", false));
        assert_eq!(fixture.decide(IfExists::Update).await.unwrap(), fetch("a.mov", true), "size alone proves nothing");
        std::fs::remove_file(fixture.target().path()).unwrap();
        for policy in [IfExists::Fail, IfExists::Skip, IfExists::Rename, IfExists::Update] {
            assert_eq!(fixture.decide(policy).await.unwrap(), fetch("a.mov", false));
        }
        std::fs::create_dir(fixture.target().path()).unwrap();
        assert_eq!(fixture.decide(IfExists::Replace).await.unwrap_err().kind(), Kind::Exists);
    }

    #[tokio::test]
    async fn a_new_name_is_one_that_no_other_download_will_get() {
        let fixture = Fixture::new();
        let given = ReservedPaths::default();
        let rename = async |name: &str, file: &Entry| match decide(IfExists::Rename, &fixture.at(name), file, &fixture.history(), &given)
            .await
            .unwrap()
        {
            GetDecision::Fetch { to, replaces: false } => to.name().to_owned(),
            other => panic!("{other:?}"),
        };
        let mut other = fixture.file.clone();
        other.id = "8".into();
        assert_eq!(rename("a (2).mov", &other).await, "a (2).mov");
        assert_eq!(rename("a.mov", &fixture.file).await, "a (3).mov", "its own name will be taken");
        assert_eq!(rename("a (3).mov", &other).await, "a (3) (2).mov");
        // What earlier runs have begun.
        for (name, file) in [("a (4).mov", &other), ("a (5).mov", &fixture.file)] {
            PartFile::open(&fixture.at(name), &ContentId::of(file, "r")).unwrap().unwrap();
        }
        std::fs::write(fixture.dir.path().join(".a (6).mov.haul-part"), "whose?").unwrap();
        assert_eq!(rename("a.mov", &fixture.file).await, "a (5).mov", "its own part is gone on with");
        assert_eq!(rename("a.mov", &fixture.file).await, "a (7).mov");
    }

    #[tokio::test]
    async fn what_is_provably_the_same() {
        let mut fixture = Fixture::new();
        fixture.file.md5 = Some(format!("{:X}", md5::compute("content")));
        assert_eq!(fixture.decide(IfExists::Update).await.unwrap(), skip("same MD5"));
        fixture.file.md5 = None;
        fixture.history().record_download(&fixture.file, &fixture.target(), None).await.unwrap();
        assert_eq!(fixture.decide(IfExists::Update).await.unwrap(), skip("unchanged since it was fetched"));
        fixture.file.revision = Some("2".into());
        fixture.history().record_download(&fixture.file, &fixture.target(), None).await.unwrap();
        fixture.file.revision = Some("3".into());
        assert!(matches!(fixture.decide(IfExists::Update).await.unwrap(), GetDecision::Fetch { .. }), "changed there");
        fixture.file.revision = Some("2".into());
        std::fs::write(fixture.target().path(), "CONTENT").unwrap();
        assert!(matches!(fixture.decide(IfExists::Update).await.unwrap(), GetDecision::Fetch { .. }), "changed here");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_is_neither_written_through_nor_replaced() {
        let fixture = Fixture::new();
        std::fs::rename(fixture.target().path(), fixture.dir.path().join("real")).unwrap();
        std::os::unix::fs::symlink(fixture.dir.path().join("real"), fixture.target().path()).unwrap();
        for policy in [IfExists::Update, IfExists::Replace, IfExists::Skip] {
            assert_eq!(fixture.decide(policy).await.unwrap_err().kind(), Kind::Refused, "{policy:?}");
        }
    }
}
