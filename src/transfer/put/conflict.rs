//! Decides what happens to a file whose name is taken (`--if-exists`). Equal sizes alone never prove equal content.

use super::options::{ChecksumMode, PutOptions};
use crate::contract::walk::{newest, one_named};
use crate::contract::{CompletedTransfer, TransferStore, place_key};
use crate::error::{Error, Kind, Result};
use crate::model::Entry;
use crate::transfer::fingerprint::{EntryFingerprint, FileFingerprint};
use crate::transfer::folder_cache::ListedFolder;
use crate::transfer::if_exists::{IfExists, free_name};
use crate::transfer::source::SourceSpec;

#[derive(Debug)]
pub enum Decision {
    /// Upload under `name`; `replaces` is the entry that has this name now.
    Upload {
        name: String,
        replaces: Option<Box<Entry>>,
    },
    Skip(Skip),
}

#[derive(Debug)]
pub struct Skip {
    pub there: Box<Entry>,
    /// The entry has the same content, for this reason; false if the policy leaves the file out.
    pub same: bool,
    pub reason: String,
    /// The record of the entry with the source as it is now: the next run need not read the source then.
    pub seen: Option<Box<CompletedTransfer>>,
}

pub struct ConflictCheck<'a> {
    pub origin: &'a SourceSpec,
    /// The facts that identify the source.
    pub here: Option<&'a FileFingerprint>,
    pub name: &'a str,
    pub folder: &'a ListedFolder,
    /// The key of server and account, as in [`CompletedTransfer::remote`].
    pub remote: &'a str,
    /// The provider can't remove entries (ioGates), so versions of a file collect under one name, and the newest one counts.
    pub piles_up: bool,
    pub checksum: ChecksumMode,
    /// An equal size is proof enough (`--size-only`).
    pub size_only: bool,
}

pub async fn resolve(policy: IfExists, ask: &ConflictCheck<'_>, ledger: &dyn TransferStore) -> Result<Decision> {
    let fresh = |name: &str| Decision::Upload { name: name.to_owned(), replaces: None };
    let mut there = existing(ask, ledger)?;
    let Some(mut first) = there.first().copied() else {
        // `rename` may have given this name to another file of this run.
        return Ok(if ask.folder.reserve_name(ask.name) { fresh(ask.name) } else { fresh(&next_free_name(ask)) });
    };
    let path = ask.folder.entry.path.join(ask.name)?;
    if there.iter().any(|e| e.is_folder()) && policy != IfExists::Rename {
        return Err(Error::new(Kind::Exists, "a folder of this name is in the way").with_subject(path.to_string()));
    }
    if let Some(original) = ask.origin.original()
        && policy != IfExists::Rename
        && there.iter().any(|e| original.is_same_entry(e))
    {
        return Err(Error::new(Kind::Exists, "this is the source itself").with_subject(path.to_string()));
    }
    if ask.piles_up {
        first = newest(&there).and_then(|at| there.get(at)).copied().unwrap_or(first);
        there = vec![first];
    }
    match policy {
        IfExists::Fail => Err(Error::new(Kind::Exists, "it exists already")
            .with_subject(path.to_string())
            .with_hint("choose with --if-exists update, replace, skip or rename")),
        IfExists::Skip => {
            Ok(Decision::Skip(Skip { there: Box::new(first.clone()), same: false, reason: "it exists".to_owned(), seen: None }))
        }
        IfExists::Rename => Ok(fresh(&next_free_name(ask))),
        IfExists::Replace => Ok(Decision::Upload { name: ask.name.to_owned(), replaces: single(ask, &there)? }),
        IfExists::Update => {
            for there in &there {
                if let Some(same) = provably_same(ask, there, ledger).await? {
                    let Same { reason, seen } = same;
                    return Ok(Decision::Skip(Skip { there: Box::new((*there).clone()), same: true, reason: reason.to_owned(), seen }));
                }
            }
            Ok(Decision::Upload { name: ask.name.to_owned(), replaces: single(ask, &there)? })
        }
    }
}

/// The entries of that name. The empty entry of an abandoned upload does not count. An entry that only looks empty (in a share
/// that may not download) counts if this machine filled it.
fn existing<'a>(ask: &ConflictCheck<'a>, ledger: &dyn TransferStore) -> Result<Vec<&'a Entry>> {
    let counts = |entry: &Entry| Ok::<_, Error>(!entry.incomplete || ledger.completed_transfer(ask.remote, &entry.id)?.is_some());
    let mut there = Vec::new();
    for entry in ask.folder.readable(ask.name)? {
        if counts(entry)? {
            there.push(entry);
        }
    }
    if there.is_empty()
        && !ask.folder.children.is_empty()
        && let Some(stored) = ledger.stored_name_of(&place_key(ask.remote, &ask.folder.entry.path.join(ask.name)?))?
    {
        // The server stores names in another form: the file has that name there.
        there.extend(ask.folder.find_by_name(&stored).filter(|entry| !entry.is_folder()));
    }
    Ok(there)
}

/// The entry to replace. Fails if two entries have that name.
fn single(ask: &ConflictCheck<'_>, there: &[&Entry]) -> Result<Option<Box<Entry>>> {
    // The name of the entries, which the server may spell in another way.
    let name = there.first().map_or(ask.name, |entry| entry.name.as_str());
    let there = there.iter().map(|e| (*e).clone()).collect();
    let one = one_named(there, name, false, &ask.folder.entry.path)?;
    Ok(one.map(Box::new))
}

/// A name that is free in the folder, and that no other file of this run gets.
fn next_free_name(ask: &ConflictCheck<'_>) -> String {
    free_name(ask.name, |name| ask.folder.find_by_name(name).next().is_some() || !ask.folder.reserve_name(name))
}

pub(crate) struct Same {
    pub(crate) reason: &'static str,
    pub(crate) seen: Option<Box<CompletedTransfer>>,
}

/// The reason why the entry has the same content, or none. Either the MD5 is equal, or this machine uploaded this content there
/// and neither side has changed since.
async fn provably_same(ask: &ConflictCheck<'_>, there: &Entry, ledger: &dyn TransferStore) -> Result<Option<Same>> {
    let Some(here) = ask.here else { return Ok(None) };
    if !ask.origin.may_be(here, there) {
        return Ok(None);
    }
    if ask.size_only && has_size(there, ask.origin.size(here), ledger, ask.remote)? {
        return Ok(Some(Same { reason: SAME_SIZE, seen: None }));
    }
    let ours = ledger
        .completed_transfer(ask.remote, &there.id)?
        .filter(|put| EntryFingerprint::of(there).matches(&put.stamp) && put.source_size == here.size);
    let unchanged = ours.as_ref().is_some_and(|put| is_unchanged(ask.origin, put, here));
    if unchanged && !compares_content(ask.checksum, there) {
        return Ok(Some(Same { reason: UNCHANGED, seen: None }));
    }
    let known = there.md5.clone().or_else(|| ours.as_ref().and_then(|put| put.md5.clone()));
    let Some(theirs) = known else { return Ok(None) };
    if !ask.origin.md5().await?.is_some_and(|ours| ours.eq_ignore_ascii_case(&theirs)) {
        return Ok(None);
    }
    let seen = ours.filter(|_| !unchanged).map(|put| Box::new(seen_as(put, here.clone())));
    Ok(Some(Same { reason: SAME_MD5, seen }))
}

/// The reason why `there` has the content of a source that was not opened; none if the content itself must be compared.
/// `remote` is as in [`CompletedTransfer::remote`].
pub(crate) fn same_by_signs(
    origin: &SourceSpec,
    here: &FileFingerprint,
    there: &Entry,
    (remote, options): (&str, &PutOptions),
    ledger: &dyn TransferStore,
) -> Result<Option<&'static str>> {
    if !origin.may_be(here, there) {
        return Ok(None);
    }
    if options.size_only && has_size(there, origin.size(here), ledger, remote)? {
        return Ok(Some(SAME_SIZE));
    }
    let told = origin.original().and_then(|original| original.md5.as_ref());
    if let (Some(ours), Some(theirs)) = (told, &there.md5) {
        return Ok(ours.eq_ignore_ascii_case(theirs).then_some(SAME_MD5));
    }
    if compares_content(options.checksum, there) {
        return Ok(None);
    }
    let put = ledger.completed_transfer(remote, &there.id)?.filter(|put| EntryFingerprint::of(there).matches(&put.stamp));
    Ok(put.filter(|put| is_unchanged(origin, put, here)).map(|_| UNCHANGED))
}

fn has_size(there: &Entry, size: Option<u64>, ledger: &dyn TransferStore, remote: &str) -> Result<bool> {
    Ok(size.is_some() && known_size(there, ledger, remote)? == size)
}

const SAME_SIZE: &str = "same size";
const SAME_MD5: &str = "same MD5";
const UNCHANGED: &str = "unchanged since it was put there";

/// True if the content is read in any case: the user asks for an MD5, or the provider reports one.
pub(crate) fn compares_content(checksum: ChecksumMode, there: &Entry) -> bool {
    match checksum {
        ChecksumMode::Before | ChecksumMode::After => true,
        ChecksumMode::Auto => there.md5.is_some(),
        ChecksumMode::None => false,
    }
}

/// Whether the source has not changed since its upload. A file on a remote that reports neither an MD5 nor a revision is
/// compared as for a download: by id, size and time. Not if the source is to be removed.
fn is_unchanged(origin: &SourceSpec, put: &CompletedTransfer, here: &FileFingerprint) -> bool {
    let alike = |put: &CompletedTransfer| {
        let FileFingerprint { path, size, modified_ns, version, .. } = here;
        let is_dated = *modified_ns != 0 && version.is_none() && put.source_version.is_none();
        is_dated && (&put.source, put.source_size, put.source_mtime_ns) == (path, *size, *modified_ns)
    };
    is_same_source(put, here) || origin.original().is_some_and(|original| !original.moves) && alike(put)
}

/// Compares all facts, also those that a user can't set back; equal names, sizes and times alone prove nothing.
pub(crate) fn is_same_source(put: &CompletedTransfer, here: &FileFingerprint) -> bool {
    fn of(identity: &FileFingerprint) -> (&str, u64, i64, Option<u64>, Option<&str>, Option<u64>) {
        let FileFingerprint { path, size, modified_ns, inode, version, device, .. } = identity;
        (path, *size, *modified_ns, *inode, version.as_deref(), *device)
    }
    let then =
        (put.source.as_str(), put.source_size, put.source_mtime_ns, put.source_inode, put.source_version.as_deref(), put.source_device);
    here.version.is_some() && then == of(here)
}

/// The same record, with the source as it looks now.
pub(crate) fn seen_as(put: CompletedTransfer, source: FileFingerprint) -> CompletedTransfer {
    CompletedTransfer {
        source: source.path,
        source_size: source.size,
        source_mtime_ns: source.modified_ns,
        source_inode: source.inode,
        source_version: source.version,
        source_device: source.device,
        ..put
    }
}

/// The entry's MD5: from its provider, or from the record of this machine's own upload if the entry has not changed since.
/// `remote` is as in [`CompletedTransfer::remote`].
pub(crate) fn known_md5(there: &Entry, ledger: &dyn TransferStore, remote: &str) -> Result<Option<String>> {
    if there.md5.is_some() {
        return Ok(there.md5.clone());
    }
    let put = ledger.completed_transfer(remote, &there.id)?;
    Ok(put.filter(|put| EntryFingerprint::of(there).matches(&put.stamp)).and_then(|put| put.md5))
}

/// The entry's size: from its provider, or from the record of this machine's own upload if the entry has not changed since.
pub fn known_size(there: &Entry, ledger: &dyn TransferStore, remote: &str) -> Result<Option<u64>> {
    if there.size.is_some() {
        return Ok(there.size);
    }
    let put = ledger.completed_transfer(remote, &there.id)?;
    Ok(put.filter(|put| EntryFingerprint::of(there).matches(&put.stamp)).map(|put| put.source_size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EntryKind, RemotePath};

    fn folder(names: &[&str]) -> ListedFolder {
        let child = |name: &&str| Entry::new(EntryKind::File, format!("id-{name}"), RemotePath::root().join(name).unwrap());
        ListedFolder::new(Entry::new(EntryKind::Folder, "top", RemotePath::root()), names.iter().map(child).collect(), 0)
    }

    fn with_changed_entry(folder: ListedFolder, at: usize, change: impl FnOnce(&mut Entry)) -> ListedFolder {
        let mut children = folder.children.to_vec();
        change(&mut children[at]);
        ListedFolder::new(folder.entry, children, 0)
    }

    /// A real store, in a folder of its own.
    fn book() -> (tempfile::TempDir, crate::state::State) {
        let dir = tempfile::tempdir().unwrap();
        let state = crate::state::State::new(Some(dir.path().to_owned()));
        (dir, state)
    }

    #[test]
    fn names_that_are_free() {
        let f = folder(&["a.mov", "a (2).mov", ".rc", "b"]);
        let free = |name| free_name(name, |n| f.find_by_name(n).next().is_some());
        assert_eq!((free("a.mov"), free(".rc"), free("b")), ("a (3).mov".to_owned(), ".rc (2)".to_owned(), "b (2)".to_owned()));
    }

    #[tokio::test]
    async fn two_files_of_one_run_never_get_one_name() {
        let f = folder(&["a.mov"]);
        let mut names = Vec::new();
        for name in ["a.mov", "a (2).mov", "b.mov"] {
            let ask = ConflictCheck {
                origin: &SourceSpec::Stdin,
                here: None,
                name,
                folder: &f,
                remote: "r",
                piles_up: false,
                checksum: ChecksumMode::Auto,
                size_only: false,
            };
            match resolve(IfExists::Rename, &ask, &book().1).await.unwrap() {
                Decision::Upload { name, replaces: None } => names.push(name),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(names, ["a (2).mov", "a (2) (2).mov", "b.mov"]);
    }

    #[tokio::test]
    async fn size_alone_proves_nothing_and_md5_does() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "content").unwrap();
        let here = FileFingerprint::of_settled(file.path()).await.unwrap();
        let (_dir, book) = book();
        let f = with_changed_entry(folder(&["a"]), 0, |a| a.size = Some(7));
        let ask = ConflictCheck {
            origin: &SourceSpec::File(file.path().to_owned()),
            here: Some(&here),
            name: "a",
            folder: &f,
            remote: "r",
            piles_up: false,
            checksum: ChecksumMode::Auto,
            size_only: false,
        };
        assert!(matches!(resolve(IfExists::Update, &ask, &book).await.unwrap(), Decision::Upload { replaces: Some(_), .. }));
        let f = with_changed_entry(f, 0, |a| a.md5 = Some(format!("{:X}", md5::compute("content"))));
        let ask = ConflictCheck {
            origin: &SourceSpec::File(file.path().to_owned()),
            here: Some(&here),
            name: "a",
            folder: &f,
            remote: "r",
            piles_up: false,
            checksum: ChecksumMode::Auto,
            size_only: false,
        };
        assert!(
            matches!(resolve(IfExists::Update, &ask, &book).await.unwrap(), Decision::Skip(Skip { reason, .. }) if reason == "same MD5")
        );
        assert!(matches!(resolve(IfExists::Replace, &ask, &book).await.unwrap(), Decision::Upload { replaces: Some(_), .. }));
        assert_eq!(resolve(IfExists::Fail, &ask, &book).await.unwrap_err().kind(), Kind::Exists);
    }

    #[tokio::test]
    async fn what_this_machine_put_and_nobody_changed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "content").unwrap();
        let here = FileFingerprint::of_settled(file.path()).await.unwrap();
        let f = with_changed_entry(folder(&["a"]), 0, |a| a.size = Some(7));
        let (_dir, book) = book();
        let put = CompletedTransfer {
            remote: "r".into(),
            id: "id-a".into(),
            stamp: EntryFingerprint::of(&f.children[0]).text(),
            size: Some(7),
            md5: None,
            source: here.path.clone(),
            source_size: 7,
            source_mtime_ns: here.modified_ns,
            source_inode: here.inode,
            source_version: here.version.clone(),
            source_device: here.device,
            at: 0,
        };
        book.record_finished(&put).unwrap();
        let ask = ConflictCheck {
            origin: &SourceSpec::File(file.path().to_owned()),
            here: Some(&here),
            name: "a",
            folder: &f,
            remote: "r",
            piles_up: false,
            checksum: ChecksumMode::Auto,
            size_only: false,
        };
        assert!(matches!(resolve(IfExists::Update, &ask, &book).await.unwrap(), Decision::Skip(_)));
        book.record_finished(&CompletedTransfer { stamp: put.stamp.replace("\"size\":7", "\"size\":8"), ..put }).unwrap();
        assert!(matches!(resolve(IfExists::Update, &ask, &book).await.unwrap(), Decision::Upload { .. }));
    }

    #[tokio::test]
    async fn what_a_given_up_upload_left_is_in_nobodys_way() {
        for policy in [IfExists::Update, IfExists::Replace, IfExists::Skip, IfExists::Fail, IfExists::Rename] {
            let f = with_changed_entry(folder(&["a", "a"]), 0, |a| a.incomplete = true);
            let f = with_changed_entry(f, 1, |a| (a.incomplete, a.id) = (true, "other".into()));
            let ask = ConflictCheck {
                origin: &SourceSpec::Stdin,
                here: None,
                name: "a",
                folder: &f,
                remote: "r",
                piles_up: false,
                checksum: ChecksumMode::Auto,
                size_only: false,
            };
            let decision = resolve(policy, &ask, &book().1).await.unwrap();
            assert!(matches!(&decision, Decision::Upload { replaces: None, name } if name == "a"), "{policy:?}: {decision:?}");
        }
    }

    #[tokio::test]
    async fn two_of_a_name_are_not_replaced() {
        let (_dir, book) = book();
        let f = with_changed_entry(folder(&["a", "a"]), 1, |a| a.id = "other".into());
        let ask = ConflictCheck {
            origin: &SourceSpec::Stdin,
            here: None,
            name: "a",
            folder: &f,
            remote: "r",
            piles_up: false,
            checksum: ChecksumMode::Auto,
            size_only: false,
        };
        let e = resolve(IfExists::Replace, &ask, &book).await.unwrap_err();
        assert_eq!(e.kind(), Kind::Ambiguous);
        assert!(e.to_string().contains("@id-a") && e.to_string().contains("@other"), "{e}");
    }

    #[tokio::test]
    async fn where_versions_pile_up_the_newest_counts() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "content").unwrap();
        let (_dir, book) = book();
        let day = |day| chrono::DateTime::from_timestamp(day * 86_400_i64, 0);
        let version = |id: &str, at| Entry {
            modified: at,
            md5: Some(format!("{:x}", md5::compute(if id == "99" { "content" } else { "other" }))),
            ..Entry::new(EntryKind::File, id, RemotePath::root().join("a").unwrap())
        };
        let here = FileFingerprint::of_settled(file.path()).await.unwrap();
        let told = async |versions: Vec<Entry>, policy| {
            let f = ListedFolder::new(Entry::new(EntryKind::Folder, "top", RemotePath::root()), versions, 0);
            let ask = ConflictCheck {
                origin: &SourceSpec::File(file.path().to_owned()),
                here: Some(&here),
                name: "a",
                folder: &f,
                remote: "r",
                piles_up: true,
                checksum: ChecksumMode::Auto,
                size_only: false,
            };
            match resolve(policy, &ask, &book).await.unwrap() {
                Decision::Upload { replaces, .. } => format!("beside {}", replaces.unwrap().id),
                Decision::Skip(Skip { there, .. }) => format!("as {}", there.id),
            }
        };
        let by_time = || vec![version("7", day(1)), version("99", day(3)), version("100", day(2))];
        assert_eq!(told(by_time(), IfExists::Update).await, "as 99");
        assert_eq!(told(by_time(), IfExists::Replace).await, "beside 99");
        assert_eq!(told(by_time(), IfExists::Skip).await, "as 99");
        let by_id = vec![version("99", day(3)), version("100", None), version("7", day(1))];
        assert_eq!(told(by_id, IfExists::Update).await, "beside 100");
        let older_is_same = vec![version("100", day(2)), version("99", day(2))];
        assert_eq!(told(older_is_same, IfExists::Update).await, "beside 100");
        let empty = Entry { incomplete: true, ..version("200", day(9)) };
        assert_eq!(told([by_time(), vec![empty]].concat(), IfExists::Update).await, "as 99");
    }
}
