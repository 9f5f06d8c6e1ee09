//! What becomes of an entry whose name is taken in the target folder. Folders are never replaced: a copied folder is merged
//! with the one that is there, a moved folder is refused.

use super::job::Op;
use super::target_folders::TargetFolder;
use crate::contract::walk::one_named;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath};
use crate::transfer::if_exists::{IfExists, free_name};

#[derive(Debug)]
pub(crate) enum Resolution {
    /// The entry gets this name, which is free.
    Free(String),
    /// This file has the name now, and is removed when the new one is there.
    Replace(Box<Entry>),
    /// The entries of the source go into the existing folder of this name.
    Merge,
    Skip(Box<Entry>, String),
}

/// `path` is the path of the target folder. Fails with `Protocol` where the server lists an unreadable row of that name,
/// because the name is taken then.
pub(crate) fn landing(
    policy: IfExists,
    way: Op,
    source: &Entry,
    target_folder: &TargetFolder,
    path: &RemotePath,
    name: &str,
) -> Result<Resolution> {
    let there: Vec<&Entry> = target_folder.children.iter().filter(|e| e.name == name).collect();
    let on = || path.join(name).map_or_else(|_| name.to_owned(), |p| p.to_string());
    let Some(first) = there.first() else {
        return match target_folder.faults.check(name) {
            Ok(()) => Ok(Resolution::Free(name.to_owned())),
            Err(_) if policy == IfExists::Rename => Ok(Resolution::Free(free_name(name, |n| target_folder.has(n)))),
            Err(_) => Err(Error::new(Kind::Protocol, format!("what the server lists as {} can't be read, so nothing is put there", on()))),
        };
    };
    let itself = there.iter().any(|e| e.id == source.id);
    let folders = there.iter().any(|e| e.is_folder());
    let merges = way == Op::Copy && source.is_folder() && first.is_folder() && !itself;
    match policy {
        IfExists::Rename if way == Op::Copy || !itself => Ok(Resolution::Free(free_name(name, |n| target_folder.has(n)))),
        IfExists::Update | IfExists::Replace | IfExists::Skip if merges => {
            one_named(there.into_iter().cloned().collect(), name, true, path)?;
            Ok(Resolution::Merge)
        }
        IfExists::Skip => Ok(Resolution::Skip(Box::new((*first).clone()), "it exists".to_owned())),
        _ if itself => Err(Error::new(Kind::Exists, "it exists already").with_subject(on())),
        IfExists::Fail | IfExists::Rename => Err(Error::new(Kind::Exists, format!("it exists already (@{})", first.id))
            .with_subject(on())
            .with_hint("choose with --if-exists replace, skip or rename")),
        IfExists::Update | IfExists::Replace if folders || source.is_folder() => {
            Err(Error::new(Kind::Exists, "a folder is never replaced, and never replaces a file")
                .with_subject(on())
                .with_hint("remove what is there first"))
        }
        IfExists::Update if way == Op::Copy && first.md5.is_some() && first.md5 == source.md5 => {
            Ok(Resolution::Skip(Box::new((*first).clone()), "same MD5".to_owned()))
        }
        IfExists::Update | IfExists::Replace => {
            let old = one_named(there.into_iter().cloned().collect(), name, false, path)?;
            Ok(old.map_or_else(|| Resolution::Free(name.to_owned()), |old| Resolution::Replace(Box::new(old))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EntryKind;

    fn entry(kind: EntryKind, id: &str, name: &str) -> Entry {
        Entry::new(kind, id, RemotePath::root().join(name).unwrap())
    }

    fn target_folder() -> TargetFolder {
        let (file, folder) = (EntryKind::File, EntryKind::Folder);
        let children =
            vec![entry(file, "1", "a"), entry(folder, "2", "d"), entry(file, "3", "two"), entry(file, "4", "two"), entry(folder, "5", "e")];
        TargetFolder { folder: entry(folder, "top", "x"), children, faults: Default::default() }
    }

    fn land(policy: IfExists, way: Op, source: &Entry, name: &str) -> Result<String, Kind> {
        outcome(landing(policy, way, source, &target_folder(), &RemotePath::root(), name))
    }

    fn outcome(landing: Result<Resolution>) -> Result<String, Kind> {
        Ok(match landing.map_err(|e| e.kind())? {
            Resolution::Free(name) => format!("as {name}"),
            Resolution::Replace(old) => format!("replace {}", old.id),
            Resolution::Merge => "merge".to_owned(),
            Resolution::Skip(there, reason) => format!("skip {}: {reason}", there.id),
        })
    }

    fn ok(text: &str) -> Result<String, Kind> {
        Ok(text.to_owned())
    }

    #[test]
    fn a_file_onto_a_file() {
        let new = entry(EntryKind::File, "9", "a");
        for way in [Op::Move, Op::Copy] {
            assert_eq!(land(IfExists::Fail, way, &new, "b"), ok("as b"));
            assert_eq!(land(IfExists::Fail, way, &new, "a"), Err(Kind::Exists));
            assert_eq!(land(IfExists::Rename, way, &new, "a"), ok("as a (2)"));
            assert_eq!(land(IfExists::Skip, way, &new, "a"), ok("skip 1: it exists"));
            assert_eq!(land(IfExists::Replace, way, &new, "a"), ok("replace 1"));
            assert_eq!(land(IfExists::Update, way, &new, "a"), ok("replace 1"));
            assert_eq!(land(IfExists::Replace, way, &new, "two"), Err(Kind::Ambiguous));
            assert_eq!(land(IfExists::Replace, way, &new, "d"), Err(Kind::Exists));
        }
    }

    #[test]
    fn nothing_is_put_in_its_own_place() {
        let same = entry(EntryKind::File, "1", "a");
        for policy in [IfExists::Fail, IfExists::Replace, IfExists::Update] {
            assert_eq!(land(policy, Op::Copy, &same, "a"), Err(Kind::Exists));
            assert_eq!(land(policy, Op::Move, &same, "a"), Err(Kind::Exists));
        }
        assert_eq!(land(IfExists::Rename, Op::Move, &same, "a"), Err(Kind::Exists));
        assert_eq!(land(IfExists::Rename, Op::Copy, &same, "a"), ok("as a (2)"));
    }

    #[test]
    fn a_folder_is_merged_by_a_copy_and_left_alone_by_a_move() {
        let new = entry(EntryKind::Folder, "9", "d");
        assert_eq!(land(IfExists::Fail, Op::Copy, &new, "d"), Err(Kind::Exists));
        for policy in [IfExists::Update, IfExists::Replace, IfExists::Skip] {
            assert_eq!(land(policy, Op::Copy, &new, "d"), ok("merge"));
        }
        assert_eq!(land(IfExists::Replace, Op::Move, &new, "d"), Err(Kind::Exists));
        assert_eq!(land(IfExists::Replace, Op::Copy, &new, "a"), Err(Kind::Exists));
        assert_eq!(land(IfExists::Replace, Op::Copy, &entry(EntryKind::Folder, "2", "d"), "d"), Err(Kind::Exists));
    }

    #[test]
    fn the_same_md5_is_not_copied_again() {
        let mut target_folder = target_folder();
        target_folder.children[0].md5 = Some("0".repeat(32));
        let new = Entry { md5: Some("0".repeat(32)), ..entry(EntryKind::File, "9", "a") };
        let decide = |policy| outcome(landing(policy, Op::Copy, &new, &target_folder, &RemotePath::root(), "a"));
        assert_eq!(decide(IfExists::Update), ok("skip 1: same MD5"));
        assert_eq!(decide(IfExists::Replace), ok("replace 1"));
    }
}
