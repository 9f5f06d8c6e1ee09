//! Makes entries from giga0's rows, and finds the site's number in an entry's id: `125` is a folder, `file:1253` a file,
//! because the site numbers folders and files separately.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde_json::Value;

use super::wire::{File, Folder, Stored};
use crate::contract::lookup::{known_fields, safe_child_path};
use crate::contract::{Error, Kind, Result};
use crate::model::{Entry, EntryKind, RemotePath};

const FILE: &str = "file:";
const HASH_LENGTH: usize = 32;

/// The number of a file entry, as the calls take it. Fails for a folder.
pub fn file_number(entry: &Entry) -> Result<&str> {
    entry
        .id
        .strip_prefix(FILE)
        .ok_or_else(|| Error::new(Kind::Refused, "this is a folder, not a file").with_subject(entry.path.to_string()))
}

/// Trashed rows have a status that is not `active`; older versions send none (OQ-18).
pub fn is_active(status: &Option<String>) -> bool {
    status.as_deref().is_none_or(|s| s.is_empty() || s.eq_ignore_ascii_case("active"))
}

/// `within` is the folder that was listed; none means that the address names the row itself. Fails with `Protocol` for a row
/// without id or name.
pub fn of_folder(row: Folder, within: Option<&RemotePath>) -> Result<Entry> {
    let (Some(id), Some(name)) = (row.id, row.name) else { return Err(nameless("folder")) };
    let mut entry = Entry::new(EntryKind::Folder, id, path(within, &name));
    entry.name = name;
    entry.modified = date(&row.date_updated).or_else(|| date(&row.date_added));
    entry.url = row.url;
    entry.extra = known_fields([
        ("visibility", row.is_public.map(|p| visibility(p).into())),
        ("total_size", row.total_size.map(Value::from)),
        ("files", row.file_count.map(Value::from)),
        ("folders", row.child_folder_count.map(Value::from)),
    ])
    .into();
    Ok(entry)
}

/// Like [`of_folder`]. Listings show no date for files (providers.md 2.9).
pub fn of_file(row: File, within: Option<&RemotePath>) -> Result<Entry> {
    let (Some(id), Some(name)) = (row.id, row.name) else { return Err(nameless("file")) };
    let mut entry = Entry::new(EntryKind::File, format!("{FILE}{id}"), path(within, &name));
    entry.name = name;
    entry.size = row.size;
    entry.modified = date(&row.uploaded);
    entry.url = row.url;
    entry.extra = known_fields([
        ("short_url", row.short_url.map(Value::from)),
        ("type", row.mime.map(Value::from)),
        ("downloads", row.downloads.map(Value::from)),
        ("folder", row.folder_id.map(Value::from)),
    ])
    .into();
    Ok(entry)
}

/// The entry in the answer to an upload; none when it lacks id or name. The name is the stored one, which may differ from the
/// wished one (providers.md 2.5).
pub fn of_stored(stored: Stored, folder: &RemotePath) -> Option<Entry> {
    let name = stored.name?;
    let mut entry = Entry::new(EntryKind::File, format!("{FILE}{}", stored.file_id?), safe_child_path(folder, &name));
    entry.name = name;
    entry.size = stored.size;
    entry.md5 = stored.hash.filter(|h| is_md5(h)).map(|h| h.to_ascii_lowercase());
    entry.url = stored.url;
    entry.extra = known_fields([("short_url", stored.short_url.map(Value::from))]).into();
    Some(entry)
}

/// Very large files get a placeholder that contains a dash (providers.md 2.5).
fn is_md5(hash: &str) -> bool {
    hash.len() == HASH_LENGTH && hash.bytes().all(|b| b.is_ascii_hexdigit())
}

fn path(within: Option<&RemotePath>, name: &str) -> RemotePath {
    within.map_or_else(RemotePath::root, |folder| safe_child_path(folder, name))
}

fn nameless(what: &str) -> Error {
    Error::unread_answer(format!("the site lists a {what} without id or name"))
}

/// The visibility for the site's code.
pub fn visibility(code: u64) -> &'static str {
    match code {
        0 => "private",
        1 => "unlisted",
        2 => "public",
        _ => "unknown",
    }
}

/// Dates come without a zone (providers.md 2.1) and are read as UTC; `0000-00-00 …` is none.
pub fn date(text: &Option<String>) -> Option<DateTime<Utc>> {
    let date = NaiveDateTime::parse_from_str(text.as_deref()?.trim(), "%Y-%m-%d %H:%M:%S").ok()?;
    Some(date.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn rows_without_id_or_name_make_no_sense() {
        assert_eq!(of_file(File { id: Some("1".into()), ..File::default() }, None).unwrap_err().kind(), Kind::Protocol);
        assert_eq!(of_folder(Folder { name: Some("x".into()), ..Folder::default() }, None).unwrap_err().kind(), Kind::Protocol);
    }

    #[test]
    fn a_row_with_a_hostile_name_is_still_there() {
        let row = File { id: Some("9".into()), name: Some("../../etc/passwd".into()), ..File::default() };
        let entry = of_file(row, Some(&RemotePath::root())).unwrap();
        assert_eq!((entry.path.to_string(), entry.name.as_str()), ("/.._.._etc_passwd".to_owned(), "../../etc/passwd"));
    }

    #[test]
    fn a_hash_is_taken_only_when_it_is_one() {
        let stored =
            |hash: &str| Stored { name: Some("a".into()), file_id: Some("7".into()), hash: Some(hash.into()), ..Stored::default() };
        let md5 = |hash: &str| of_stored(stored(hash), &RemotePath::root()).unwrap().md5;
        assert_eq!(md5("2F4105BC2C626232544275C2D890168B").as_deref(), Some("2f4105bc2c626232544275c2d890168b"));
        assert_eq!(md5("60b0be7e-1b18-de9a-3f00-940a8e5a"), None);
        assert_eq!(md5(""), None);
        assert!(of_stored(Stored { name: Some("a".into()), ..Stored::default() }, &RemotePath::root()).is_none());
    }

    #[test]
    fn dates_without_a_zone_are_utc() {
        assert_eq!(date(&Some("2024-11-05 06:08:40".into())).unwrap().to_rfc3339(), "2024-11-05T06:08:40+00:00");
        assert_eq!(date(&Some("0000-00-00 00:00:00".into())), None);
        assert_eq!(date(&None), None);
    }

    #[test]
    fn only_active_rows_are_shown() {
        let shown = [None, Some(String::new()), Some("active".to_owned()), Some("Active".to_owned())];
        assert!(shown.iter().all(is_active));
        assert!(!is_active(&Some("trash".to_owned())) && !is_active(&Some("deleted".to_owned())));
    }
}
