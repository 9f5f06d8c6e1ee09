//! The entries of a folder when a run first listed it, for the uploads that go into the folder.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::Entries;
use crate::model::Entry;
use crate::model::similar_names::NameIndex;

/// Shared by all files that go into the folder. No file goes through all entries, as ten thousand files into one folder would
/// be a hundred million comparisons.
#[derive(Clone, Debug, Default)]
pub struct Siblings(Arc<Indexed>);

#[derive(Debug, Default)]
struct Indexed {
    entries: Vec<Entry>,
    /// Made when the first file asks.
    index: OnceLock<NameIndex>,
}

impl Siblings {
    /// All entries whose name a server may have made from one of these names, in their order, and perhaps others.
    pub fn candidates<'a>(&'a self, wished: &[&str]) -> impl Iterator<Item = &'a Entry> + use<'a> {
        let index = self.0.index.get_or_init(|| NameIndex::of(self.iter().map(|entry| entry.name.as_str())));
        index.candidates(wished).into_iter().filter_map(|at| self.get(at as usize))
    }
}

impl Deref for Siblings {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.0.entries
    }
}

impl From<Vec<Entry>> for Siblings {
    fn from(entries: Vec<Entry>) -> Siblings {
        Siblings(Arc::new(Indexed { entries, index: OnceLock::new() }))
    }
}

impl<const N: usize> From<[Entry; N]> for Siblings {
    fn from(entries: [Entry; N]) -> Siblings {
        Vec::from(entries).into()
    }
}

impl From<Entries> for Siblings {
    fn from(entries: Entries) -> Siblings {
        entries.collect::<Vec<_>>().into()
    }
}
