//! Finds the files that only moved: a new file of FROM and a file that FROM lacks have the same content. Equal sizes say which pairs
//! are possible; equal MD5s prove a pair. In this module a file of TO that FROM lacks is an extra file.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::error::Result;

/// A file that may have moved: its size and its name. Its position in the list identifies the file.
pub(super) struct RenameCandidate {
    pub size: u64,
    pub name: String,
}

/// Returns for each new file the extra files of the same size; new files without such an extra file are left out. Empty files are
/// left out, too: all empty files are equal, so that proves no move.
pub(super) fn possible(new: &[RenameCandidate], extras: &[RenameCandidate]) -> Vec<(usize, Vec<usize>)> {
    let mut by_size: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, extra) in extras.iter().enumerate().filter(|(_, extra)| extra.size > 0) {
        by_size.entry(extra.size).or_default().push(at);
    }
    let of = |(at, file): (usize, &RenameCandidate)| {
        let mut fitting = by_size.get(&file.size)?.clone();
        // A file that kept its name is tried first, as that is the usual move.
        fitting.sort_by_key(|extra| extras.get(*extra).is_none_or(|extra| extra.name != file.name));
        Some((at, fitting))
    };
    new.iter().enumerate().filter_map(of).collect()
}

/// Returns the pairs (new, extra) with equal MD5s; each file is in one pair at most. An MD5 is asked for once, and only where sizes
/// are equal. A file whose MD5 is not known is in no pair.
pub(super) async fn proven(
    new: &[RenameCandidate],
    extras: &[RenameCandidate],
    md5_of_new: impl AsyncFn(usize) -> Result<Option<String>>,
    md5_of_extra: impl AsyncFn(usize) -> Result<Option<String>>,
) -> Vec<(usize, usize)> {
    let mut known: HashMap<usize, Option<String>> = HashMap::new();
    let (mut taken, mut pairs) = (HashSet::new(), Vec::new());
    for (file, fitting) in possible(new, extras) {
        let mut ours: Option<String> = None;
        for extra in fitting {
            if taken.contains(&extra) {
                continue;
            }
            let theirs = match known.entry(extra) {
                Entry::Occupied(known) => known.into_mut(),
                // A file that can't be read proves no move: the new file is transferred as any other file.
                Entry::Vacant(unknown) => unknown.insert(md5_of_extra(extra).await.ok().flatten()),
            };
            let Some(theirs) = theirs.as_ref() else { continue };
            if ours.is_none() {
                ours = md5_of_new(file).await.ok().flatten();
            }
            match &ours {
                None => break,
                Some(ours) if ours.eq_ignore_ascii_case(theirs) => {
                    taken.insert(extra);
                    pairs.push((file, extra));
                    break;
                }
                Some(_) => {}
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_an_equal_md5_proves_it_and_each_file_moves_once() {
        let all = |sizes: &[u64]| sizes.iter().map(|size| RenameCandidate { size: *size, name: String::new() }).collect::<Vec<_>>();
        let (new, extras) = (all(&[5, 5, 5, 6]), all(&[5, 5, 6]));
        let ours = ["a", "a", "b", "c"];
        let theirs = [Some("A"), Some("x"), None];
        let md5 = |text: &str| Ok(Some(text.to_owned()));
        let pairs = proven(&new, &extras, async |n| md5(ours[n]), async |n| Ok(theirs[n].map(str::to_owned))).await;
        assert_eq!(pairs, [(0, 0)], "the second has no file left, the third is another one, the fourth can't be told");
    }

    #[test]
    fn sizes_and_names_say_who_may_be_whom() {
        let all = |files: &[(&str, u64)]| {
            files.iter().map(|(name, size)| RenameCandidate { size: *size, name: (*name).to_owned() }).collect::<Vec<_>>()
        };
        let (new, extras) = (all(&[("a", 5), ("b", 0), ("c", 7)]), all(&[("x", 5), ("a", 5), ("b", 0), ("y", 6)]));
        assert_eq!(possible(&new, &extras), [(0, vec![1, 0])]);
    }
}
