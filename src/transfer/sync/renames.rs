//! Files that only moved: what is new at FROM and what TO has too much of are the same content. Sizes say which may be, an
//! MD5 that both sides are known by says which are.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::error::Result;

/// Something that may be the other side's: its size, and where it stands in its own list.
pub(super) struct RenameCandidate {
    pub size: u64,
    pub name: String,
}

/// The pairs (new, extra) that may be one file by their sizes: of each new one all extras. Empty files are alike and prove
/// nothing.
pub(super) fn possible(new: &[RenameCandidate], extras: &[RenameCandidate]) -> Vec<(usize, Vec<usize>)> {
    let mut by_size: HashMap<u64, Vec<usize>> = HashMap::new();
    for (at, extra) in extras.iter().enumerate().filter(|(_, extra)| extra.size > 0) {
        by_size.entry(extra.size).or_default().push(at);
    }
    let of = |(at, file): (usize, &RenameCandidate)| {
        let mut fitting = by_size.get(&file.size)?.clone();
        // The same name in another folder before another name.
        fitting.sort_by_key(|extra| extras.get(*extra).is_none_or(|extra| extra.name != file.name));
        Some((at, fitting))
    };
    new.iter().enumerate().filter_map(of).collect()
}

/// The pairs (new, extra) that are one file. Each MD5 is asked for only when sizes leave it open, and once; a file whose MD5 is
/// not known moved nowhere.
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
                // What can't be read now is sent as any other file, and says so then.
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
