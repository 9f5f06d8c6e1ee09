//! Matches new files in a folder with the uploads of this run, after the answer to an upload was lost. The site's name for one
//! file (`a (2).jpg`, if another user has `a.jpg`) may be the wished name of another, and only their sizes tell them apart.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::{entry, names};
use crate::contract::UploadHandle;
use crate::model::{Entry, RemotePath};

#[derive(Default)]
pub struct ArrivalTracker(Mutex<Attempts>);

#[derive(Default)]
struct Attempts {
    /// The ids that an answer or a listing has confirmed, each with its file of this run.
    landed: HashMap<String, RemotePath>,
    /// The uploads in progress, with their size in bytes.
    open: HashMap<RemotePath, Option<u64>>,
}

impl ArrivalTracker {
    pub fn record_start(&self, ticket: &UploadHandle) {
        self.with(|known| known.open.insert(ticket.path.clone(), ticket.size));
    }

    pub fn record_arrival(&self, ticket: &UploadHandle, entry: &Entry) {
        self.with(|known| known.record_arrival(ticket, entry));
    }

    /// Finds the ticket's file in the listing of its folder (see [`find_arrival`]); never the file of another upload of this run.
    pub fn match_listing(&self, ticket: &UploadHandle, listed: Vec<Entry>) -> Option<Entry> {
        self.with(|known| {
            let found = find_arrival(ticket, listed, |entry| known.belongs_to_other(ticket, entry))?;
            if ticket.has_size_of(&found) {
                known.record_arrival(ticket, &found);
            }
            Some(found)
        })
    }

    fn with<T>(&self, then: impl FnOnce(&mut Attempts) -> T) -> T {
        then(&mut self.0.lock())
    }
}

impl Attempts {
    fn record_arrival(&mut self, ticket: &UploadHandle, entry: &Entry) {
        self.open.remove(&ticket.path);
        self.landed.insert(entry.id.clone(), ticket.path.clone());
    }

    /// True if the entry is the file of another upload of this run. Two tickets of one path are two tries of one file.
    fn belongs_to_other(&self, ticket: &UploadHandle, entry: &Entry) -> bool {
        match self.landed.get(&entry.id) {
            Some(path) => *path != ticket.path,
            None => ticket.path.name() != Some(entry.name.as_str()) && self.is_expected(ticket, &entry.name),
        }
    }

    /// True if this run uploads another file of this very name and size to the ticket's folder.
    fn is_expected(&self, ticket: &UploadHandle, name: &str) -> bool {
        let beside = |path: &RemotePath| *path != ticket.path && path.parent() == ticket.path.parent();
        let fits = |path: &RemotePath| path.name().is_some_and(|wished| names::Forms::of(wished).is_plain(name));
        self.open.iter().any(|(path, size)| *size == ticket.size && beside(path) && fits(path))
    }
}

/// Finds the uploaded file in the listing of its folder: a new id that no other upload of this run has, the right size, and the
/// wished name. A number after the name counts only where another file has the wished name, or had it: the file to be replaced
/// may be gone by now. (Otherwise `a (2).jpg` is another file of this run.) The wished name takes precedence. Of several files
/// the oldest is returned, as it is from the first try.
///
/// If there is none: the only file whose name the site can have made from the wished name; else the file that has the wished
/// name and another size.
pub fn find_arrival(ticket: &UploadHandle, listed: Vec<Entry>, is_anothers: impl Fn(&Entry) -> bool) -> Option<Entry> {
    let wished = ticket.path.name()?;
    let forms = names::Forms::of(wished);
    let taken = ticket.id.is_some() || listed.iter().any(|e| forms.is_plain(&e.name));
    let named = |e: &Entry| forms.is_plain(&e.name) || (taken && forms.hold(&e.name));
    let alike_taken = taken || listed.iter().any(|e| forms.resemble(&e.name));
    let may_be_named = |e: &Entry| if alike_taken { forms.resemble_numbered(&e.name) } else { forms.resemble(&e.name) };
    let is_new = |e: &Entry| !e.is_folder() && !ticket.known_ids.contains(&e.id) && !ticket.strangers.contains(&e.id);
    let age = |e: &Entry| entry::file_number(e).ok().and_then(|n| n.parse::<u64>().ok()).unwrap_or(u64::MAX);
    let mut other_size = None;
    let (mut ours, mut alike) = (Vec::new(), Vec::new());
    for entry in listed.into_iter().filter(is_new).filter(|e| !is_anothers(e)) {
        match (entry.size == ticket.size, named(&entry)) {
            (true, true) => ours.push(entry),
            (true, false) if may_be_named(&entry) => alike.push(entry),
            (false, true) if entry.size.is_some() => other_size = Some(entry),
            _ => {}
        }
    }
    let first = ours.into_iter().min_by_key(|e| (e.name != wished, age(e)));
    first.or_else(|| if alike.len() == 1 { alike.pop() } else { None }).or(other_size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EntryKind;

    fn entry(id: u64, name: &str) -> Entry {
        let mut entry = Entry::new(EntryKind::File, format!("file:{id}"), RemotePath::parse(&format!("/x/{name}")).unwrap());
        entry.size = Some(10);
        entry
    }

    fn ticket(name: &str, before: &[&str]) -> UploadHandle {
        let before = before.iter().map(|id| (*id).to_owned()).collect();
        UploadHandle {
            path: RemotePath::parse(&format!("/x/{name}")).unwrap(),
            size: Some(10),
            known_ids: before,
            ..UploadHandle::default()
        }
    }

    fn id(found: Option<Entry>) -> Option<String> {
        found.map(|entry| entry.id)
    }

    #[test]
    fn one_file_of_the_run_is_not_taken_for_another() {
        let (first, second) = (ticket("a.jpg", &["file:1"]), ticket("a (2).jpg", &[]));
        let listed = || vec![entry(1, "a.jpg"), entry(2, "a (2).jpg")];
        let ours = ArrivalTracker::default();
        ours.record_start(&first);
        ours.record_start(&second);
        assert_eq!(id(ours.match_listing(&first, listed())), None, "its answer may still be on its way");
        ours.record_arrival(&second, &entry(2, "a (2).jpg"));
        assert_eq!(id(ours.match_listing(&first, listed())), None);
        assert_eq!(id(ours.match_listing(&second, listed())).as_deref(), Some("file:2"));
        let more = || listed().into_iter().chain([entry(3, "a (3).jpg")]).collect();
        assert_eq!(id(ours.match_listing(&first, more())).as_deref(), Some("file:3"));
        assert_eq!(id(ours.match_listing(&ticket("a.jpg", &["file:1"]), more())).as_deref(), Some("file:3"), "a second try of the same");
    }

    #[test]
    fn what_the_site_named_so_is_ours_when_nobody_else_of_the_run_can_be_meant() {
        let first = ticket("a.jpg", &["file:1"]);
        let listed = || vec![entry(1, "a.jpg"), entry(2, "a (2).jpg")];
        let of_other_size = UploadHandle { size: Some(11), ..ticket("a (2).jpg", &[]) };
        let elsewhere = UploadHandle { path: RemotePath::parse("/y/a (2).jpg").unwrap(), ..ticket("a (2).jpg", &[]) };
        let ours = ArrivalTracker::default();
        for ticket in [&first, &of_other_size, &elsewhere] {
            ours.record_start(ticket);
        }
        assert_eq!(id(ours.match_listing(&first, listed())).as_deref(), Some("file:2"));
        let second = ticket("a (2).jpg", &[]);
        assert_eq!(id(ours.match_listing(&second, listed())), None, "that is the first one's");
    }
}
