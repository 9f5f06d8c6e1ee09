//! In which order people see entries.

use std::cmp::{Ordering, Reverse};

use chrono::{DateTime, Utc};

use super::Entries;
use crate::model::Entry;

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    /// Names as people count: `file2` before `file10`.
    #[default]
    Name,
    /// The largest first; what has no size comes last.
    Size,
    /// The latest first; what has no time comes last.
    Time,
}

/// An order of entries, perhaps from its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryOrder {
    /// What comes first.
    pub by: SortBy,
    /// The last comes first.
    pub reversed: bool,
}

impl EntryOrder {
    /// Which of two entries comes first.
    pub fn compare(self, a: &Entry, b: &Entry) -> Ordering {
        let names = || alphanumeric_sort::compare_str(&a.name, &b.name).then_with(|| a.id.cmp(&b.id));
        let order = match self.by {
            SortBy::Name => names(),
            SortBy::Size => Reverse(a.size).cmp(&Reverse(b.size)).then_with(names),
            SortBy::Time => Reverse(a.modified).cmp(&Reverse(b.modified)).then_with(names),
        };
        if self.reversed { order.reverse() } else { order }
    }

    /// Sorts a listing. By name nothing is made of the entries, as there may be half a million.
    pub fn sort(self, entries: &mut Entries) {
        match self.by {
            SortBy::Name => entries.sort_by_name(|(a, a_id), (b, b_id)| {
                let order = alphanumeric_sort::compare_str(a, b).then_with(|| a_id.cmp(b_id));
                if self.reversed { order.reverse() } else { order }
            }),
            SortBy::Size => self.sort_by_key(entries, |entry| entry.size.map_or(i128::MIN, i128::from)),
            SortBy::Time => {
                self.sort_by_key(entries, |entry| entry.modified.map_or(i128::MIN, |time: DateTime<Utc>| time.timestamp_micros().into()))
            }
        }
    }

    fn sort_by_key(self, entries: &mut Entries, key: impl Fn(&Entry) -> i128) {
        let keys: Vec<i128> = entries.iter().map(|entry| key(&entry)).collect();
        let mut places: Vec<usize> = (0..keys.len()).collect();
        let of = |at: usize| keys.get(at).copied().unwrap_or(i128::MIN);
        let names: Vec<String> = entries.names().map(str::to_owned).collect();
        let name = |at: usize| names.get(at).map_or("", String::as_str);
        places.sort_by(|a, b| {
            let order = of(*b).cmp(&of(*a)).then_with(|| alphanumeric_sort::compare_str(name(*a), name(*b)));
            if self.reversed { order.reverse() } else { order }
        });
        entries.take_order(&places);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::contract::entry_list::{Faults, Rows};
    use crate::model::{EntryKind, RemotePath};

    fn entry(name: &str, size: Option<u64>, time: Option<i64>) -> Entry {
        let mut entry = Entry::new(EntryKind::File, name, RemotePath::parse(name).unwrap());
        (entry.size, entry.modified) = (size, time.and_then(|time| DateTime::from_timestamp(time, 0)));
        entry
    }

    #[test]
    fn names_sizes_and_times_come_as_people_want_them() {
        let all = [
            entry("file10", Some(5), Some(100)),
            entry("file2", Some(9), None),
            entry("File1", None, Some(300)),
            entry("b", Some(5), Some(200)),
        ];
        for (by, wanted) in [
            (SortBy::Name, ["File1", "b", "file2", "file10"]),
            (SortBy::Size, ["file2", "b", "file10", "File1"]),
            (SortBy::Time, ["File1", "b", "file10", "file2"]),
        ] {
            for reversed in [false, true] {
                let order = EntryOrder { by, reversed };
                let mut rows = Rows::default();
                all.iter().for_each(|entry| rows.push(entry).unwrap());
                let path_of = |folder: &RemotePath, name: &str, _: &str| folder.join(name).unwrap();
                let mut listed = Entries::all(rows, Arc::new(Faults::default()), &RemotePath::root(), path_of);
                order.sort(&mut listed);
                let mut alone = all.to_vec();
                alone.sort_by(|a, b| order.compare(a, b));
                let mut wanted = wanted.to_vec();
                if reversed {
                    wanted.reverse();
                }
                assert_eq!(listed.names().collect::<Vec<_>>(), wanted, "{order:?}");
                assert_eq!(alone.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), wanted, "{order:?}");
            }
        }
    }
}
