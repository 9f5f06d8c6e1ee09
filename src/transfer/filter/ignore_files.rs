//! The `.haulignore` files of a local source. Each file holds rules for everything below its folder.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::gitignore::{Patterns, lines, read};
use crate::error::{Error, Kind};

/// The name of these files.
const NAME: &str = ".haulignore";

/// The `.haulignore` files of one local source. Each file is read when the filter is first asked about its folder.
pub struct IgnoreFiles {
    top: PathBuf,
    read: Mutex<HashMap<String, PatternsRead>>,
    /// The errors of the files that can't be read, for a report.
    unreadable: Mutex<Vec<Error>>,
}

type PatternsRead = std::result::Result<Option<Arc<Patterns>>, Arc<str>>;

impl IgnoreFiles {
    pub fn of_source(top: &Path) -> IgnoreFiles {
        IgnoreFiles { top: top.to_owned(), read: Mutex::default(), unreadable: Mutex::default() }
    }

    /// Returns the patterns of the file in a folder; none where there is no such file. `folder` is relative to the top. Fails with
    /// the reason why the whole folder is left out: the file can't be read, so nobody knows which files must stay on this machine.
    pub(super) fn of(&self, folder: &str) -> PatternsRead {
        if let Some(known) = self.read.lock().get(folder) {
            return known.clone();
        }
        let found = self.read_patterns(&self.top.join(folder).join(NAME));
        self.read.lock().insert(folder.to_owned(), found.clone());
        found
    }

    fn read_patterns(&self, file: &Path) -> PatternsRead {
        let patterns = match read(file) {
            Ok(text) => {
                let said = |line: &str| format!("{}: {line:?}", file.display());
                Patterns::read(lines(&text).map(|line| (line, said(line)))).map(|patterns| Some(Arc::new(patterns)))
            }
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        patterns.map_err(|error| {
            self.unreadable.lock().push(error.on_local(file.display().to_string()));
            format!("{} can't be read", file.display()).into()
        })
    }

    /// Returns the errors of the files that could not be read since the last call.
    pub fn take_unreadable(&self) -> Vec<Error> {
        std::mem::take(&mut self.unreadable.lock())
    }
}
