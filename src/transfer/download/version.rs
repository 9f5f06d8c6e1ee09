//! Keeps a download to one content: the server's mark of the bytes that are here, and the way back when an answer was not the
//! file.

use super::part_file::PartFile;
use crate::error::Result;

impl PartFile {
    /// Does an answer belong to the content that is here? A server that gives no mark is believed.
    pub fn same_version(&self, version: Option<&str>) -> bool {
        match (self.record().version.as_deref(), version) {
            (Some(here), Some(there)) => here == there,
            _ => true,
        }
    }

    /// Remembers the server's mark of the bytes that now come, for later runs, too.
    pub fn record_version(&self, version: Option<&str>) -> Result<()> {
        if version.is_none() || self.record().version.as_deref() == version {
            return Ok(());
        }
        self.record().version = version.map(str::to_owned);
        self.note()
    }

    /// Forgets all bytes from offset `at` on, of a span or of the whole file.
    pub fn rewind_to(&self, span: Option<usize>, at: u64) -> Result<()> {
        let Some(span) = span else { return Ok(self.file.set_len(at)?) };
        if let Some(span) = self.record().missing.get_mut(span) {
            span.at = at;
        }
        self.note()
    }
}
