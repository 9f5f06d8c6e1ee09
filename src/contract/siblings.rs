//! What a folder held when a run first looked, for the uploads that go into it.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::Entries;
use crate::model::Entry;
use crate::model::similar_names::NameIndex;

/// Shared by all files that go into the folder: none of them may have to go through all entries, or ten thousand files
/// into one folder would be a hundred million looks.
#[derive(Clone, Debug, Default)]
pub struct Siblings(Arc<Indexed>);

#[derive(Debug, Default)]
struct Indexed {
    entries: Vec<Entry>,
    /// Made when the first file asks.
    index: OnceLock<NameIndex>,
}

impl Siblings {
    /// In their order all that a server may have made of one of these names, and perhaps others.
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
