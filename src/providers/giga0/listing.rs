//! A folder's listing, read row by row as it comes (providers.md 2.9).

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::entry;
use super::entry::is_active;
use super::wire::{File, Folder};
use crate::contract::entry_list::{Faults, Rows};
use crate::contract::lookup::safe_child_path;
use crate::contract::{Entries, Error, Kind, Result};
use crate::model::{Entry, RemotePath};
use crate::protocols::http::row_stream::{Path, RawRow, object};
use crate::protocols::lenient_json;

/// The keys that hold the rows of the answer.
pub const LISTS: &[Path] = &[&["data", "folders"], &["data", "files"]];
const FOLDERS: usize = 0;

/// The answer without its rows: both lists are empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ListingBody {
    #[serde(deserialize_with = "lenient_json::list")]
    folders: Vec<IgnoredAny>,
    #[serde(deserialize_with = "lenient_json::list")]
    files: Vec<IgnoredAny>,
}

#[derive(Default)]
pub struct Listed {
    rows: Rows,
    faults: Faults,
    failure: Option<Error>,
}

impl Listed {
    /// Rows in the trash are left out: newer versions list them, in the root (OQ-18).
    pub fn add(&mut self, list: usize, row: RawRow<'_>) {
        let read = if list == FOLDERS { folder(row) } else { file(row) };
        match read {
            Ok(Some(entry)) => self.failure = self.failure.take().or(self.rows.push(&entry).err()),
            Ok(None) => {}
            Err(name) => self.faults.add(name),
        }
    }

    pub fn entries(mut self, folder: &Entry, around: ListingBody) -> Result<Entries> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if !around.folders.is_empty() || !around.files.is_empty() {
            return Err(Error::new(Kind::Protocol, "the site's listing makes no sense: it holds its lists twice"));
        }
        self.rows.shrink();
        Ok(Entries::all(self.rows, self.faults.into(), &folder.path, |folder, name, _| safe_child_path(folder, name)))
    }
}

type Read = std::result::Result<Option<Entry>, Option<String>>;

fn folder(row: RawRow<'_>) -> Read {
    let (row, readable) = match object::<Folder>(row) {
        Ok(row) => (row, true),
        Err(row) => (row.ok_or(None)?, false),
    };
    if !is_active(&row.status) {
        return Ok(None);
    }
    let name = row.name.clone();
    if readable { entry::of_folder(row, Some(&RemotePath::root())).map(Some).map_err(|_| name) } else { Err(name) }
}

fn file(row: RawRow<'_>) -> Read {
    let (row, readable) = match object::<File>(row) {
        Ok(row) => (row, true),
        Err(row) => (row.ok_or(None)?, false),
    };
    if !is_active(&row.status) || !is_active(&row.file_status) {
        return Ok(None);
    }
    let name = row.name.clone();
    if readable { entry::of_file(row, Some(&RemotePath::root())).map(Some).map_err(|_| name) } else { Err(name) }
}

#[cfg(test)]
mod tests {
    use super::entry::file_number;
    use super::*;
    use crate::model::EntryKind;
    use crate::protocols::http::row_stream::split;
    use crate::providers::giga0::wire::Envelope;

    fn listing(json: &str) -> Entries {
        let mut listed = Listed::default();
        let rest = split(json.as_bytes(), LISTS, |list, row| listed.add(list, row));
        let around = serde_json::from_slice::<Envelope<ListingBody>>(&rest).unwrap().data.unwrap();
        listed.entries(&Entry::new(EntryKind::Folder, "7", RemotePath::parse("/pictures").unwrap()), around).unwrap()
    }

    #[test]
    fn the_documented_listing() {
        let listed = listing(include_str!("../../../fixtures/giga0/folder_listing.json"));
        assert!(listed.faults.is_empty());
        let (folders, files): (Vec<Entry>, Vec<Entry>) = listed.partition(Entry::is_folder);
        assert_eq!(folders.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(), ["123", "107", "108"]);
        assert_eq!(folders[0].path.to_string(), "/pictures/My Folder 1");
        assert_eq!((folders[0].size, folders[0].modified.unwrap().to_rfc3339()), (None, "2017-02-15T20:02:05+00:00".to_owned()));
        assert_eq!(folders[0].extra["visibility"], "unlisted");
        assert_eq!(folders[0].extra["total_size"], 868_689);
        assert_eq!((files[0].id.as_str(), files[0].size, files[0].modified), ("file:1161", Some(1116), None));
        assert_eq!(files[0].url.as_deref(), Some("https://yoursite.com/2U1"));
        assert_eq!(file_number(&files[2]).unwrap(), "1164");
        assert_eq!(file_number(&folders[0]).unwrap_err().kind(), Kind::Refused);
    }

    #[test]
    fn lists_that_are_no_lists_are_empty() {
        for none in ["null", "false", "[]", "{}", "\"\""] {
            assert!(listing(&format!(r#"{{"data":{{"folders":{none},"files":{none}}}}}"#)).is_empty(), "{none}");
        }
        assert!(listing(r#"{"data":[]}"#).is_empty());
    }

    #[test]
    fn rows_that_cannot_be_read_hide_nobody() {
        let mut listed = listing(
            r#"{"data":{"folders":[{"id":"5","folderName":null},{"id":"6","folderName":"b"}],"files":{"0":{"filename":"a"},"2":null,
                "3":{"id":"8","filename":"\ud83d"},"4":{"id":"9","filename":"\ud83d","status":"trash"},"5":{"id":"7","filename":"c"}}}}"#,
        );
        assert_eq!(
            listed.faults.warning().unwrap(),
            "4 entries that the server lists can't be read (\"a\", \"\u{fffd}\") and are left out"
        );
        assert_eq!(listed.find_by_name("a").unwrap_err().kind(), Kind::Protocol);
        listed.sort();
        assert_eq!(listed.map(|entry| entry.id).collect::<Vec<_>>(), ["6", "file:7"]);
    }
}
