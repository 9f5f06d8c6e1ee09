//! A file that the server stored under another name than it was sent: how it reads a quote, a backslash or outer blanks in
//! a form's file name is not known (providers.md 3.5). Its answer names nothing, so such a file is told from others by what
//! is new in its folder, its size, and what is left of its name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::contract::{Ticket, UploadItem};
use crate::model::Entry;

/// A folder's id and a name there.
type Wish = (String, String);

/// The uploads of this process.
#[derive(Default)]
pub struct Renamed(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// What each wish's folder held before.
    before: HashMap<Wish, Arc<[Entry]>>,
    /// Ids of entries, and whose they turned out to be.
    owned: HashMap<String, Wish>,
}

impl Renamed {
    /// To be called before the upload's first byte leaves.
    pub fn note(&self, item: &UploadItem) {
        let wish = (item.folder.id.clone(), item.name.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).before.insert(wish, item.siblings.clone());
    }

    /// The one new entry of the ticket's size whose name can have come from the ticket's. None where there are several, and
    /// for a ticket of another process: what was there before is not known then.
    pub fn found(&self, ticket: &Ticket, listed: &[Entry]) -> Option<Entry> {
        let wish: Wish = (ticket.folder.clone()?, ticket.path.name()?.to_owned());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.before.get(&wish)?;
        let wished_by_another = |e: &Entry| known.before.contains_key(&(wish.0.clone(), e.name.clone()));
        let owned_by_another = |e: &Entry| known.owned.get(&e.id).is_some_and(|owner| *owner != wish);
        let is_ours = |e: &&Entry| {
            !e.is_folder()
                && ticket.size.is_some()
                && e.size == ticket.size
                && before.iter().all(|old| old.id != e.id)
                && !wished_by_another(e)
                && !owned_by_another(e)
                && may_come_from(&e.name, &wish.1)
        };
        let mut ours = listed.iter().filter(is_ours);
        let (Some(found), None) = (ours.next().cloned(), ours.next()) else { return None };
        known.owned.insert(found.id.clone(), wish);
        Some(found)
    }
}

/// The same letters and digits when escapes are undone; or of the wished name only what stands before its first quote, or
/// behind its last backslash, where a parser took these for the end of the name, or for a path.
fn may_come_from(stored: &str, wished: &str) -> bool {
    let before_quote = wished.split('"').next().unwrap_or_default();
    let behind_backslash = wished.rsplit('\\').next().unwrap_or_default();
    let left = essence(stored);
    !left.is_empty() && [wished, before_quote, behind_backslash].iter().any(|name| essence(name) == left)
}

fn essence(name: &str) -> String {
    let undone = ["%22", "%5C", "%5c", "&quot;", "&#34;"].iter().fold(name.to_owned(), |name, escape| name.replace(escape, ""));
    undone.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EntryKind, RemotePath};

    #[test]
    fn what_may_be_left_of_a_name() {
        for (stored, wished) in [
            ("a b.txt", " a b.txt "),
            ("a b.txt", "a \"b\".txt"),
            ("a %22b%22.txt", "a \"b\".txt"),
            ("a _b_.txt", "a \"b\".txt"),
            ("a \\", "a \"b\".txt"),
            ("b.txt", "a\\b.txt"),
            ("a_b.txt", "a\\b.txt"),
        ] {
            assert!(may_come_from(stored, wished), "{stored} from {wished}");
        }
        for (stored, wished) in [("b.txt", "a.txt"), ("a (2).txt", "a.txt"), ("", "a"), ("_", "\"\""), ("a", "a.txt"), ("A.txt", "a.txt")] {
            assert!(!may_come_from(stored, wished), "{stored} from {wished}");
        }
    }

    fn file(id: &str, name: &str) -> Entry {
        Entry { size: Some(3), ..Entry::new(EntryKind::File, id, RemotePath::root().join(name).unwrap()) }
    }

    fn noted(wishes: &[&str], before: &[Entry]) -> Renamed {
        let renamed = Renamed::default();
        let mut known = renamed.0.lock().unwrap();
        known.before.extend(wishes.iter().map(|name| (("home".to_owned(), (*name).to_owned()), before.to_vec().into())));
        drop(known);
        renamed
    }

    fn ticket(name: &str) -> Ticket {
        let path = RemotePath::root().join(name).unwrap();
        Ticket { path, folder: Some("home".into()), size: Some(3), ..Ticket::default() }
    }

    #[test]
    fn one_new_entry_is_ours_and_of_several_none() {
        let found = |renamed: &Renamed, listed: &[Entry]| renamed.found(&ticket("\"b\".txt"), listed).map(|e| e.id);
        let renamed = noted(&["\"b\".txt"], &[file("old", "b.txt")]);
        assert_eq!(found(&renamed, &[file("old", "b.txt")]), None, "it was there before");
        assert_eq!(found(&renamed, &[file("1", "b.txt"), file("2", "b_.txt")]), None, "which of them?");
        assert_eq!(found(&renamed, &[Entry { size: Some(4), ..file("1", "b.txt") }]), None, "another size");
        assert_eq!(found(&renamed, &[file("old", "b.txt"), file("1", "c.txt"), file("2", "b_.txt")]).as_deref(), Some("2"));
        assert_eq!(found(&renamed, &[file("2", "b_.txt")]).as_deref(), Some("2"), "asked again");
        assert_eq!(found(&noted(&[], &[]), &[file("1", "b.txt")]), None, "an upload of another run");
    }

    #[test]
    fn what_another_upload_wished_or_got_is_not_ours() {
        let renamed = noted(&["\"b\".txt", "b.txt"], &[]);
        assert!(renamed.found(&ticket("\"b\".txt"), &[file("1", "b.txt")]).is_none());
        let renamed = noted(&["\"b\".txt", " b.txt"], &[]);
        assert!(renamed.found(&ticket(" b.txt"), &[file("1", "b.txt")]).is_some());
        assert!(renamed.found(&ticket("\"b\".txt"), &[file("1", "b.txt")]).is_none());
    }
}
