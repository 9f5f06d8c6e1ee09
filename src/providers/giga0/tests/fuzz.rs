//! Answers that are nearly right, or not at all: they are read without a panic, and reported without a control character or a
//! token.

use proptest::prelude::*;

use crate::model::{Entry, EntryKind, RemotePath};
use crate::protocols::http::response::HttpReply;
use crate::protocols::http::row_stream::split;
use crate::providers::giga0::listing::{LISTS, Listed};
use crate::providers::giga0::wire::{Copied, File, Folder, Grant, Info, Package, Scheduled, SearchResult};
use crate::providers::giga0::{answer, entry, names, upload};
use crate::testing::arbitrary;

const GRANTED: &str = include_str!("../../../../fixtures/giga0/authorize.json");
const TOKEN: &str = "lGoVSof0VRwq1Gaza8fO";

const ANSWERS: &[&str] = &[
    GRANTED,
    include_str!("../../../../fixtures/giga0/account_info.json"),
    include_str!("../../../../fixtures/giga0/account_package.json"),
    include_str!("../../../../fixtures/giga0/error.json"),
    include_str!("../../../../fixtures/giga0/file_download.json"),
    include_str!("../../../../fixtures/giga0/file_edit.json"),
    include_str!("../../../../fixtures/giga0/file_info.json"),
    include_str!("../../../../fixtures/giga0/file_upload.json"),
    include_str!("../../../../fixtures/giga0/folder_create.json"),
    include_str!("../../../../fixtures/giga0/folder_info.json"),
    include_str!("../../../../fixtures/giga0/folder_listing.json"),
];

fn sound(entry: &Entry, folder: &RemotePath) {
    assert_eq!(entry.path.parent().as_ref(), Some(folder), "{entry:?}");
    assert!(entry.md5.as_ref().is_none_or(|md5| md5.len() == 32), "{entry:?}");
}

/// Every question that is ever asked of a reply.
fn read(reply: &HttpReply) {
    let folder = RemotePath::parse("/a/b").unwrap();
    let shown = [
        answer::verdict(reply).err(),
        answer::data::<Grant>(reply).err(),
        answer::data::<Info>(reply).err(),
        answer::data::<Package>(reply).err(),
        answer::data::<SearchResult>(reply).err(),
        answer::data::<Scheduled>(reply).err(),
        upload::parse_stored(reply, 10)
            .map(|stored| stored.and_then(|s| entry::of_stored(s, &folder)).iter().for_each(|e| sound(e, &folder)))
            .err(),
        answer::data::<Folder>(reply).and_then(|row| entry::of_folder(row, Some(&folder))).map(|e| sound(&e, &folder)).err(),
        answer::data::<File>(reply).and_then(|row| entry::of_file(row, Some(&folder))).map(|e| sound(&e, &folder)).err(),
    ];
    shown.iter().flatten().for_each(arbitrary::assert_error_is_safe);
    let _ = serde_json::from_slice::<Copied>(&reply.body);
    let top = Entry::new(EntryKind::Folder, "", folder.clone());
    let listed = parse_listing(&reply.body);
    match answer::data(reply).and_then(|around| listed.entries(&top, around)) {
        Ok(entries) => entries.for_each(|e| sound(&e, &folder)),
        Err(error) => arbitrary::assert_error_is_safe(&error),
    }
}

/// As the rows of an answer come.
fn parse_listing(body: &[u8]) -> Listed {
    let mut listed = Listed::default();
    split(body, LISTS, |list, row| listed.add(list, row));
    listed
}

#[test]
fn answers_cut_at_any_byte_are_read() {
    arbitrary::read_cut_at_every_byte(ANSWERS, read);
}

proptest! {
    #![proptest_config(arbitrary::config())]

    #[test]
    fn answers_of_any_form_are_read(replies in arbitrary::replies(ANSWERS)) {
        replies.iter().for_each(read);
    }

    #[test]
    fn no_token_is_shown((reply, fresh) in arbitrary::replies_with_secret(GRANTED, &[TOKEN])) {
        for error in [answer::verdict(&reply).err(), answer::data::<Grant>(&reply).err()].into_iter().flatten() {
            arbitrary::assert_secret_masked(&error, &fresh);
        }
    }

    #[test]
    fn a_stored_name_is_stored_as_it_is(name in arbitrary::text()) {
        let stored = names::apply_site_rules(&name);
        prop_assert!(names::Forms::of(&name).is_plain(&stored));
        if names::check(&name).is_ok() {
            let sent = names::stored_name(&name);
            prop_assert!(!sent.is_empty());
            prop_assert_eq!(names::apply_site_rules(&sent), sent.as_ref());
            prop_assert!(names::check(&sent).is_ok());
        }
    }

    #[test]
    fn dates_are_read_or_not(text in prop_oneof![arbitrary::text(), "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"]) {
        if let Some(date) = entry::date(&Some(text.clone())) {
            let again = date.format("%Y-%m-%d %H:%M:%S").to_string();
            prop_assert_eq!(entry::date(&Some(again)).map(|d| d.timestamp()), Some(date.timestamp()));
        }
    }
}
