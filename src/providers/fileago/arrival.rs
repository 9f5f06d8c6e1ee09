//! Finds a file that the server stored under another name. How it reads a quote, a backslash or outer blanks in a form's file
//! name is not known (providers.md 3.5), nor whether it changes names in other ways. Its answer contains no name. So such a
//! file is found by its size and its similar name among the new entries of the folder.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;

use super::names::may_come_from;
use super::upload::is_new;
use crate::contract::{UploadHandle, UploadRequest};
use crate::model::Entry;

/// A folder's id and a name there.
type NameKey = (String, String);

/// The uploads of this process.
#[derive(Default)]
pub struct ArrivalTracker(Mutex<Attempts>);

#[derive(Default)]
struct Attempts {
    wishes: HashSet<NameKey>,
    /// The ids of entries, each with the upload that it belongs to.
    owned: HashMap<String, NameKey>,
}

impl ArrivalTracker {
    /// Must be called before the upload's first byte is sent.
    pub fn note(&self, item: &UploadRequest) {
        let wish = (item.folder.id.clone(), item.name.clone());
        self.0.lock().wishes.insert(wish);
    }

    /// Returns the new entry of the ticket's size whose name may come from the ticket's name, and that no other upload may have
    /// made. None if there are several.
    pub fn match_listing(&self, ticket: &UploadHandle, listed: impl Iterator<Item = Entry>) -> Option<Entry> {
        let wish: NameKey = (ticket.folder.clone()?, ticket.path.name()?.to_owned());
        let mut known = self.0.lock();
        let wished_by_another = |e: &Entry| known.wishes.contains(&(wish.0.clone(), e.name.clone()));
        let owned_by_another = |e: &Entry| known.owned.get(&e.id).is_some_and(|owner| *owner != wish);
        let is_ours = |e: &Entry| {
            !e.is_folder()
                && ticket.size.is_some()
                && e.size == ticket.size
                && is_new(e, ticket)
                && !wished_by_another(e)
                && !owned_by_another(e)
                && may_come_from(&e.name, &wish.1)
        };
        let mut ours = listed.filter(is_ours);
        let (Some(found), None) = (ours.next(), ours.next()) else { return None };
        known.owned.insert(found.id.clone(), wish);
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EntryKind, RemotePath};
    use crate::providers::fileago::upload::mark;

    fn file(id: &str, name: &str) -> Entry {
        Entry { size: Some(3), ..Entry::new(EntryKind::File, id, RemotePath::root().join(name).unwrap()) }
    }

    fn tracker_for(wishes: &[&str]) -> ArrivalTracker {
        let renamed = ArrivalTracker::default();
        renamed.0.lock().wishes.extend(wishes.iter().map(|name| ("home".to_owned(), (*name).to_owned())));
        renamed
    }

    fn ticket(name: &str, before: &[Entry]) -> UploadHandle {
        let path = RemotePath::root().join(name).unwrap();
        let before = before.iter().map(mark).collect();
        UploadHandle { path, folder: Some("home".into()), size: Some(3), known_ids: before, ..UploadHandle::default() }
    }

    #[test]
    fn one_new_entry_is_ours_and_of_several_none() {
        let ticket = ticket("\"b\".txt", &[file("old", "b.txt")]);
        let found = |renamed: &ArrivalTracker, listed: &[Entry]| renamed.match_listing(&ticket, listed.iter().cloned()).map(|e| e.id);
        let renamed = tracker_for(&["\"b\".txt"]);
        assert_eq!(found(&renamed, &[file("old", "b.txt")]), None, "it was there before");
        assert_eq!(found(&renamed, &[file("1", "b.txt"), file("2", "b_.txt")]), None, "which of them?");
        assert_eq!(found(&renamed, &[Entry { size: Some(4), ..file("1", "b.txt") }]), None, "another size");
        assert_eq!(found(&renamed, &[file("old", "b.txt"), file("1", "c.txt"), file("2", "b_.txt")]).as_deref(), Some("2"));
        assert_eq!(found(&renamed, &[file("2", "b_.txt")]).as_deref(), Some("2"), "asked again");
        assert_eq!(found(&tracker_for(&[]), &[file("1", "b.txt")]).as_deref(), Some("1"), "an upload of another run");
    }

    #[test]
    fn what_another_upload_wished_or_got_is_not_ours() {
        let renamed = tracker_for(&["\"b\".txt", "b.txt"]);
        assert!(renamed.match_listing(&ticket("\"b\".txt", &[]), [file("1", "b.txt")].into_iter()).is_none());
        let renamed = tracker_for(&["\"b\".txt", " b.txt"]);
        assert!(renamed.match_listing(&ticket(" b.txt", &[]), [file("1", "b.txt")].into_iter()).is_some());
        assert!(renamed.match_listing(&ticket("\"b\".txt", &[]), [file("1", "b.txt")].into_iter()).is_none());
    }
}
