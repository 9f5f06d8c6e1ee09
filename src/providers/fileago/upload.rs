//! One upload to FileAgo: a token, then one form (providers.md 3.5). The answer contains no name or id, so the folder's listing
//! shows whether the file is there.

use std::sync::Arc;

use reqwest::header::HeaderMap;

use super::api::Api;
use super::names::{forms, may_come_from};
use super::{answer, entry, names};
use crate::contract::{BoxFuture, Error, Kind, Result, UploadHandle, UploadRequest};
use crate::model::{Entry, Protocol, RemotePath};
use crate::protocols::http::response::HttpReply;
use crate::protocols::multipart::{Form, FormTarget};

/// Listings hide a file with this prefix, so the upload could neither be confirmed nor found again (providers.md 3.5).
const HIDDEN: &str = "~$";

pub fn check_name(name: &str) -> Result<()> {
    RemotePath::root().join(name)?;
    if name.starts_with(HIDDEN) {
        return Err(Error::new(Kind::Refused, "FileAgo hides names that begin with ~$, so the upload could not be confirmed")
            .with_subject(name)
            .with_hint("leave it out (it is an office program's temporary file), or rename it"));
    }
    Ok(())
}

/// Returns the size of the item in bytes. Fails with `NeedsSize` when the size is not known.
pub fn admit(item: &UploadRequest) -> Result<u64> {
    let on = || item.source.name().to_owned();
    if let Some(closed) = item.avoid.first() {
        return Err(closed.error.duplicate());
    }
    if item.protocol.is_some_and(|p| p != Protocol::Multipart) {
        return Err(Error::new(Kind::Unsupported, "FileAgo takes uploads by multipart only").with_subject(on()));
    }
    item.source
        .size()
        .ok_or_else(|| Error::new(Kind::NeedsSize, "FileAgo must know the size of an upload before it begins").with_subject(on()))
}

/// Notes, before the first byte is sent, which files have this name. Fails with `Exists` when the name is taken by an entry
/// that is not to be replaced: what the server would do then is not known (OQ-27).
pub fn ticket(item: &UploadRequest, size: u64) -> Result<UploadHandle> {
    let path = item.path()?;
    let forms = forms(&item.name);
    let [name, escaped] = &forms;
    let alike = names::origins(name).into_iter().chain([escaped.as_str()]).collect::<Vec<_>>();
    let alike: Vec<&Entry> = item.siblings.candidates(&alike).collect();
    if let (None, Some(there)) = (&item.replaces, alike.iter().find(|e| forms.contains(&e.name))) {
        let what = if there.is_folder() { "folder" } else { "file" };
        let taken = Error::new(Kind::Exists, format!("a {what} of this name is there already")).with_subject(path.to_string());
        return Err(if there.name == item.name {
            taken
        } else {
            taken.with_hint(format!("rename the file: the server stores this name as {:?}", there.name))
        });
    }
    let is_like_it = |e: &Entry| forms.contains(&e.name) || (e.size == Some(size) && may_come_from(&e.name, &item.name));
    Ok(UploadHandle {
        path,
        id: item.replaces.as_ref().map(|e| e.id.clone()),
        folder: Some(item.folder.id.clone()),
        size: Some(size),
        known_ids: alike.into_iter().filter(|e| is_like_it(e)).map(mark).collect(),
        ..UploadHandle::default()
    })
}

/// `uuid#revision#updated`; a missing number is left out.
pub(super) fn mark(entry: &Entry) -> String {
    let text = |n: Option<String>| n.unwrap_or_default();
    let revision = text(entry::revision(entry).map(|n| n.to_string()));
    format!("{}#{revision}#{}", entry.id, text(entry.modified.map(|m| m.timestamp_millis().to_string())))
}

/// Finds the uploaded file in the folder's listing: it has the name, or it is the file that was to get a revision, whatever its
/// name; and its uuid is new, or the file has changed. A file of another size is returned only if none has the right one.
pub fn find_arrival(ticket: &UploadHandle, listed: impl Iterator<Item = Entry>) -> Option<Entry> {
    let is_target = |e: &Entry| ticket.id.as_deref() == Some(&e.id);
    let ours = |e: &Entry| !e.is_folder() && e.size.is_some() && is_new(e, ticket);
    listed.filter(ours).max_by_key(|e| (e.size == ticket.size, is_target(e), e.modified))
}

pub(super) fn is_new(entry: &Entry, ticket: &UploadHandle) -> bool {
    let is_stranger = ticket.strangers.contains(&entry.id);
    !is_stranger
        && ticket.known_ids.iter().all(|mark| match mark.rsplitn(3, '#').collect::<Vec<_>>()[..] {
            [updated, revision, uuid] if uuid == entry.id => {
                let higher = revision.parse().ok().zip(entry::revision(entry)).is_some_and(|(then, now): (u64, u64)| now > then);
                let newer = updated.parse().ok().zip(entry.modified).is_some_and(|(then, now): (i64, _)| now.timestamp_millis() > then);
                higher || newer
            }
            _ => true,
        })
}

pub struct UploadForm {
    pub api: Arc<Api>,
    pub path: RemotePath,
    /// The folder for a new file, the file for a new revision (OQ-27).
    pub node: String,
    pub name: String,
}

impl FormTarget for UploadForm {
    fn form(&self) -> BoxFuture<'_, Result<Form>> {
        Box::pin(async {
            // The token in the URL is the authorisation: no header of ours is sent (providers.md 3.5).
            let url = self.api.upload_url(&self.node).await.map_err(|e| e.with_subject(self.path.to_string()))?;
            let (file_field, file_name) = ("file".to_owned(), self.name.clone());
            Ok(Form { url, headers: HeaderMap::new(), fields: Vec::new(), file_field, file_name })
        })
    }

    fn check_reply(&self, reply: HttpReply) -> Result<()> {
        answer::check_upload(&reply).map_err(|e| e.with_subject(self.path.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EntryKind;

    fn file(uuid: &str, size: u64, revision: Option<u64>, updated: Option<i64>) -> Entry {
        let mut entry = Entry::new(EntryKind::File, uuid, RemotePath::parse("/a.txt").unwrap());
        entry.size = Some(size);
        entry.modified = updated.and_then(chrono::DateTime::from_timestamp_millis);
        entry.extra.extend(revision.map(|r| ("revision".to_owned(), r.into())));
        entry
    }

    fn after(before: &[Entry], listed: Vec<Entry>) -> Option<String> {
        let ticket = UploadHandle {
            path: RemotePath::parse("/a.txt").unwrap(),
            size: Some(10),
            known_ids: before.iter().map(mark).collect(),
            ..UploadHandle::default()
        };
        let listed = listed.into_iter().filter(|e| forms("a.txt").contains(&e.name));
        find_arrival(&ticket, listed).map(|e| e.id)
    }

    #[test]
    fn a_new_uuid_of_the_right_size_is_ours() {
        assert_eq!(after(&[], vec![file("u1", 10, Some(1), Some(5))]).as_deref(), Some("u1"));
        assert_eq!(after(&[], vec![file("u1", 9, Some(1), Some(5)), file("u2", 10, None, None)]).as_deref(), Some("u2"));
        assert_eq!(after(&[], vec![file("u1", 9, Some(1), Some(5))]).as_deref(), Some("u1"), "it may grow, or be bad");
        let sizeless = Entry { size: None, ..file("u1", 9, None, None) };
        assert_eq!(after(&[], vec![sizeless]), None);
        assert_eq!(after(&[], vec![]), None);
        let folder = Entry { kind: EntryKind::Folder, ..file("u1", 10, None, None) };
        assert_eq!(after(&[], vec![folder]), None);
        let other = Entry { name: "b.txt".into(), ..file("u1", 10, None, None) };
        assert_eq!(after(&[], vec![other]), None);
    }

    #[test]
    fn an_old_uuid_is_ours_when_it_has_changed() {
        let old = [file("u#1", 10, Some(3), Some(1000))];
        assert_eq!(after(&old, old.to_vec()), None);
        assert_eq!(after(&old, vec![file("u#1", 10, Some(4), Some(1000))]).as_deref(), Some("u#1"));
        assert_eq!(after(&old, vec![file("u#1", 10, Some(3), Some(1001))]).as_deref(), Some("u#1"));
        assert_eq!(after(&old, vec![file("u#1", 10, Some(2), Some(999))]), None);
        assert_eq!(after(&old, vec![file("u#1", 10, None, None)]), None);
        let bare = [file("u1", 10, None, None)];
        assert_eq!(after(&bare, vec![file("u1", 10, Some(2), Some(5))]), None, "nothing to compare with");
        assert_eq!(after(&bare, vec![file("u1", 10, None, None), file("u2", 10, None, None)]).as_deref(), Some("u2"));
    }
}
