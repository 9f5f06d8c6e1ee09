//! One upload to giga0: one form, one request (providers.md 2.5). What must be known before it is sent, and what its answer
//! means; `arrival.rs` finds the file when the answer is lost.

use std::sync::Arc;

use anyhow::anyhow;
use parking_lot::Mutex;
use reqwest::header::HeaderMap;

use super::api::Api;
use super::arrival::ArrivalTracker;
use super::wire::{Stored, UploadAnswer};
use super::{answer, entry, names};
use crate::contract::{BoxFuture, Error, Kind, Result, StoredToken, UploadHandle, UploadRequest};
use crate::model::{Entry, Limits, Protocol, RemotePath};
use crate::protocols::http::response::HttpReply;
use crate::protocols::multipart::{Form, FormTarget};

/// In bytes. The size limit of a web server does not explain the loss of a smaller form.
const BIG_UPLOAD: u64 = 1 << 20;
const SIZE_LIMIT: &str = "the site's web server may limit the size of uploads below what the account allows; ask the site's operators";

/// Returns the size of the item in bytes, if the account may upload it. Fails with `NeedsSize`, or with `Refused` before a byte
/// is sent.
pub fn admit(item: &UploadRequest, limits: &Limits) -> Result<u64> {
    let on = || item.source.name().to_owned();
    if let Some(closed) = item.avoid.first() {
        return Err(closed.error.duplicate());
    }
    if item.protocol.is_some_and(|p| p != Protocol::Multipart) {
        return Err(Error::new(Kind::Unsupported, "this site takes uploads by multipart only").with_subject(on()));
    }
    let Some(size) = item.source.size() else {
        return Err(Error::new(Kind::NeedsSize, "this site must know the size of an upload before it begins").with_subject(on()));
    };
    if size == 0 {
        return Err(Error::new(Kind::Refused, "this site stores no empty files").with_subject(on()));
    }
    if limits.may_upload == Some(false) {
        return Err(Error::new(Kind::Refused, "this account's package allows no uploads").with_subject(on()));
    }
    match limits.file_size {
        Some(most) if size > most => {
            Err(Error::new(Kind::Refused, format!("{size} bytes are more than this account may upload in one file ({most} bytes)"))
                .with_subject(on()))
        }
        _ => Ok(size),
    }
}

/// Notes, before the first byte is sent, which files have this name.
pub fn ticket(item: &UploadRequest, size: u64) -> Result<UploadHandle> {
    let forms = names::Forms::of(&item.name);
    let is_like_it = |e: &Entry| forms.hold(&e.name) || (e.size == Some(size) && forms.resemble_numbered(&e.name));
    let stored = names::apply_site_rules(&item.name);
    let same_name = item.siblings.candidates(&[&item.name, &stored]).filter(|e| !e.is_folder() && is_like_it(e));
    Ok(UploadHandle {
        path: item.path()?,
        id: item.replaces.as_ref().map(|old| old.id.clone()),
        folder: Some(item.folder.id.clone()),
        size: Some(size),
        known_ids: same_name.map(|e| e.id.clone()).collect(),
        ..UploadHandle::default()
    })
}

/// Returns what the site stored; none for a success that names no file. `size` is in bytes: if the web server drops a big form,
/// the answer complains about a missing token or an empty file (providers.md 2.5).
pub(super) fn parse_stored(reply: &HttpReply, size: u64) -> Result<Option<Stored>> {
    let complaint = answer::complaint(reply).map_err(|e| match e.status_code() {
        Some(413) => e.with_hint(SIZE_LIMIT),
        _ => e,
    })?;
    if let Some(text) = complaint {
        return Err(refused_upload(reply, &text, size));
    }
    let stored = match answer::content::<UploadAnswer>(reply)? {
        Some(UploadAnswer::List(list)) => list.into_iter().next(),
        Some(UploadAnswer::One(stored)) => Some(*stored),
        None => None,
    };
    match stored.as_ref().and_then(|s| answer::message_in(&s.error)) {
        Some(text) => Err(refused_upload(reply, &text, size)),
        None => Ok(stored),
    }
}

fn refused_upload(reply: &HttpReply, text: &str, size: u64) -> Error {
    let lower = text.to_lowercase();
    let lost_form = lower.contains("please provide the access_token") || lower.contains("please provide the account_id");
    let lost_file = lower.contains("filesize received was zero") || lower.contains("did not receive uploaded file");
    if !(lost_form || lost_file) {
        return answer::error_from_text(reply, text);
    }
    let what = if lost_form { "the site lost the whole upload form" } else { "the site received no file" };
    let error = answer::with_status(Error::new(Kind::Refused, what).with_cause(anyhow!("{text}")), reply);
    if size >= BIG_UPLOAD { error.with_hint(SIZE_LIMIT) } else { error }
}

pub struct UploadForm {
    pub api: Arc<Api>,
    pub ours: Arc<ArrivalTracker>,
    pub ticket: UploadHandle,
    /// The wished name; the site may store another.
    pub name: String,
    /// The folder's path.
    pub folder: RemotePath,
    /// The token of the latest try: its answer may call the token expired.
    pub used: Mutex<Option<StoredToken>>,
}

impl FormTarget for UploadForm {
    fn form(&self) -> BoxFuture<'_, Result<Form>> {
        Box::pin(async {
            let token = self.api.token().await?;
            *self.used.lock() = Some(token.clone());
            let (access, account) = self.api.identity(&token)?;
            let fields =
                [("access_token", access), ("account_id", account), ("folder_id", self.ticket.folder.as_deref().unwrap_or_default())];
            Ok(Form {
                url: self.api.url("file/upload"),
                headers: HeaderMap::new(),
                fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
                file_field: "upload_file".to_owned(),
                file_name: self.name.clone(),
            })
        })
    }

    fn check_reply(&self, reply: HttpReply) -> Result<()> {
        let size = self.ticket.size.unwrap_or_default();
        let stored = parse_stored(&reply, size).map_err(|e| self.with_upload_note(e).with_subject(self.ticket.path.to_string()))?;
        self.api.record_success();
        if let Some(entry) = stored.and_then(|s| entry::of_stored(s, &self.folder)) {
            self.ours.record_arrival(&self.ticket, &entry);
            // A second answer for one ticket would name the same file.
            let _ = self.ticket.confirmed_entry.set(entry);
        }
        Ok(())
    }
}

impl UploadForm {
    fn with_upload_note(&self, error: Error) -> Error {
        if error.kind() == Kind::Expired
            && let Some(token) = &*self.used.lock()
        {
            self.api.note_stale(token);
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::super::arrival::find_arrival;
    use super::*;
    use crate::model::EntryKind;
    use crate::testing::server::reply;
    use crate::testing::{MemorySource, upload_request};

    fn item(size: Option<u64>) -> UploadRequest {
        let folder = Entry::new(EntryKind::Folder, "125", RemotePath::parse("/x").unwrap());
        upload_request(MemorySource::only_size(size), folder, "a.jpg")
    }

    fn file(id: u64, name: &str, size: u64) -> Entry {
        let mut entry = Entry::new(EntryKind::File, format!("file:{id}"), RemotePath::parse(&format!("/x/{name}")).unwrap());
        entry.size = Some(size);
        entry
    }

    #[test]
    fn what_is_refused_before_a_byte_is_sent() {
        let none = Limits::default();
        assert_eq!(admit(&item(Some(7)), &none).unwrap(), 7);
        assert_eq!(admit(&item(None), &none).unwrap_err().kind(), Kind::NeedsSize);
        assert_eq!(admit(&item(Some(0)), &none).unwrap_err().kind(), Kind::Refused);
        let small = Limits { file_size: Some(7), ..Limits::default() };
        assert_eq!(admit(&item(Some(7)), &small).unwrap(), 7);
        assert_eq!(admit(&item(Some(8)), &small).unwrap_err().kind(), Kind::Refused);
        let closed = Limits { may_upload: Some(false), ..Limits::default() };
        assert_eq!(admit(&item(Some(7)), &closed).unwrap_err().kind(), Kind::Refused);
        let tus = UploadRequest { protocol: Some(Protocol::Tus), ..item(Some(7)) };
        assert_eq!(admit(&tus, &none).unwrap_err().kind(), Kind::Unsupported);
        let closed = crate::contract::Closed { protocol: Protocol::Multipart, error: Arc::new(Error::new(Kind::Unreachable, "no way")) };
        let avoided = UploadRequest { avoid: vec![closed], ..item(Some(7)) };
        assert_eq!(admit(&avoided, &none).unwrap_err().kind(), Kind::Unreachable);
    }

    #[test]
    fn only_a_new_id_of_the_right_name_and_size_is_ours() {
        let before = [file(5, "a.jpg", 10), file(6, "a (2).jpg", 10), file(7, "other.jpg", 10)];
        let ticket = ticket(&UploadRequest { siblings: before.clone().into(), ..item(Some(10)) }, 10).unwrap();
        assert_eq!(ticket.known_ids, ["file:5", "file:6"]);
        assert_eq!((ticket.folder.as_deref(), ticket.path.to_string()), (Some("125"), "/x/a.jpg".to_owned()));

        let arrived = |ticket: &UploadHandle, listed| find_arrival(ticket, listed, |_| false);
        assert!(arrived(&ticket, before.to_vec()).is_none(), "what was there before is not ours");
        let listed = before.clone();
        let with = |more: Vec<Entry>| arrived(&ticket, listed.iter().cloned().chain(more).collect()).map(|e| e.id);
        let half =
            arrived(&ticket, before.iter().cloned().chain([file(8, "a (3).jpg", 9)]).collect()).filter(|entry| ticket.has_size_of(entry));
        assert!(half.is_none(), "half a file is told, but is not whole");
        assert_eq!(with(vec![file(8, "a (3).jpg", 9), file(9, "a (4).jpg", 10)]).as_deref(), Some("file:9"));
        assert_eq!(with(vec![file(8, "A_(3).jpg", 10)]).as_deref(), Some("file:8"), "as the site writes it");
        assert_eq!(with(vec![file(8, "A.jpg", 10), file(9, "a-.jpg", 10)]), None, "which of them?");
        assert_eq!(with(vec![file(8, "b.jpg", 10)]), None);
        assert_eq!(with(vec![file(9, "a (4).jpg", 10), file(8, "a (3).jpg", 10)]).as_deref(), Some("file:8"));
        assert_eq!(with(vec![file(8, "a (3).jpg", 10), file(9, "a.jpg", 10)]).as_deref(), Some("file:9"));
        let mut folder = file(9, "a.jpg", 10);
        folder.kind = EntryKind::Folder;
        assert_eq!(with(vec![folder]), None);
        let alone = super::ticket(&item(Some(10)), 10).unwrap();
        assert!(arrived(&alone, vec![file(8, "a (2).jpg", 10)]).is_none(), "that is another file of this run");
        let replacing = UploadRequest { replaces: Some(file(5, "a.jpg", 10)), siblings: before.into(), ..item(Some(10)) };
        let replacing = super::ticket(&replacing, 10).unwrap();
        let new = arrived(&replacing, vec![file(8, "a (3).jpg", 10)]);
        assert_eq!(new.map(|e| e.id).as_deref(), Some("file:8"), "the older one is gone already");
        let mut sizeless = file(9, "a.jpg", 10);
        sizeless.size = None;
        assert_eq!(with(vec![sizeless]), None);
    }

    fn error(text: &str) -> String {
        serde_json::json!({"response": text, "_status": "error"}).to_string()
    }

    #[test]
    fn what_an_upload_stored() {
        let stored = parse_stored(&reply(200, include_str!("../../../fixtures/giga0/file_upload.json")), 149_084).unwrap().unwrap();
        assert_eq!((stored.name.as_deref(), stored.size, stored.file_id.as_deref()), (Some("sample4_l.jpg"), Some(149_084), Some("1253")));
        assert!(parse_stored(&reply(200, r#"{"_status":"success"}"#), 1).unwrap().is_none());
        let one = r#"{"_status":"success","data":{"name":"a","file_id":7,"size":1,"error":""}}"#;
        assert_eq!(parse_stored(&reply(200, one), 1).unwrap().unwrap().file_id.as_deref(), Some("7"));
    }

    #[test]
    fn a_success_with_an_error_inside_is_none() {
        let body = r#"{"_status":"success","data":[{"name":"a.exe","error":"File type is banned"}]}"#;
        let e = parse_stored(&reply(200, body), 10).err().unwrap();
        assert_eq!((e.kind(), e.to_string()), (Kind::Refused, "the site refused: File type is banned".to_owned()));
    }

    #[test]
    fn a_lost_form_is_about_size_not_about_the_token() {
        for text in ["Please provide the access_token param.", "Filesize received was zero.", "Did not receive uploaded file."] {
            let big = parse_stored(&reply(200, error(text)), 5 << 30).err().unwrap();
            assert_eq!((big.kind(), big.hint()), (Kind::Refused, Some(SIZE_LIMIT)), "{text}");
            let small = parse_stored(&reply(200, error(text)), 10).err().unwrap();
            assert_eq!((small.kind(), small.hint()), (Kind::Refused, None), "{text}");
        }
        let page = parse_stored(&reply(413, "<html>413</html>"), 5 << 30).err().unwrap();
        assert_eq!((page.kind(), page.hint()), (Kind::Refused, Some(SIZE_LIMIT)));
        let stale = error("Could not validate access_token and account_id, please reauthenticate or try again.");
        assert_eq!(parse_stored(&reply(200, stale), 5 << 30).err().unwrap().kind(), Kind::Expired);
    }
}
