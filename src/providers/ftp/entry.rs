//! Makes entries from the rows of a listing.

use serde_json::Value;

use crate::contract::entry_list::{Faults, Rows};
use crate::contract::lookup::{known_fields, safe_child_path};
use crate::contract::{Entries, Result};
use crate::model::{Entry, EntryKind, RemotePath};
use crate::protocols::ftp::listing::{ListedFile, RemoteKind};

/// The field of an entry that holds the target of a symbolic link.
const LINK: &str = "symlink";

/// The entry of a folder, whose path is its id.
pub fn folder(path: &RemotePath) -> Entry {
    Entry::new(EntryKind::Folder, path.to_string(), path.clone())
}

/// `within` is the folder's path from the remote's top folder.
pub fn of_row(row: ListedFile, within: &RemotePath) -> Entry {
    let kind = if row.kind == RemoteKind::Folder { EntryKind::Folder } else { EntryKind::File };
    // A name that can't stand in a path is listed, but no address leads to it.
    let path = safe_child_path(within, &row.name);
    let mut entry = Entry::new(kind, path.to_string(), path);
    entry.name = row.name;
    entry.size = row.size;
    entry.modified = row.modified;
    if let RemoteKind::Link(target) = row.kind {
        entry.extra = known_fields([(LINK, Some(target.map_or(Value::Null, Value::from)))]).into();
    }
    entry
}

/// The target of a link, if it leads out of the link's folder. An unknown target may lead anywhere.
pub fn link_out_of_its_folder(entry: &Entry) -> Option<String> {
    let target = entry.extra.get(LINK)?.as_str().unwrap_or_default();
    let leads_out = target.is_empty() || target.starts_with('/') || target.split('/').any(|step| step == "..");
    leads_out.then(|| target.to_owned())
}

/// A listing, built row by row.
pub struct Listed {
    within: RemotePath,
    rows: Rows,
    faults: Faults,
}

impl Listed {
    pub fn new(within: RemotePath) -> Listed {
        Listed { within, rows: Rows::default(), faults: Faults::default() }
    }

    /// Adds a row. An error is a row that can't be read, with its name if that could be read. A name that no path can hold
    /// (a line break) is such a row, too: the path is all that a command could reach the file by.
    pub fn add(&mut self, row: std::result::Result<ListedFile, Option<String>>) -> Result<()> {
        match row {
            Ok(row) if self.within.join(&row.name).is_err() => {
                self.faults.add(Some(row.name));
                Ok(())
            }
            Ok(row) => self.rows.push(&of_row(row, &self.within)),
            Err(name) => {
                self.faults.add(name);
                Ok(())
            }
        }
    }

    pub fn entries(mut self, folder: &Entry) -> Entries {
        self.rows.shrink();
        Entries::all(self.rows, self.faults.into(), &folder.path, |folder, name, _| safe_child_path(folder, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_leads_out_is_known() {
        let link = |target: Option<&str>| {
            let row = ListedFile { name: "l".into(), kind: RemoteKind::Link(target.map(str::to_owned)), size: None, modified: None };
            link_out_of_its_folder(&of_row(row, &RemotePath::root()))
        };
        assert_eq!(link(Some("a/b")), None);
        for target in ["/etc/passwd", "../x", "a/../../x", ".."] {
            assert_eq!(link(Some(target)).as_deref(), Some(target));
        }
        assert_eq!(link(None).as_deref(), Some(""));
    }
}
