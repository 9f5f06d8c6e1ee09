//! One content and no mixture: what the server calls the bytes that are here, and the way back when an answer was not the
//! file.

use super::part_file::PartFile;
use crate::error::Result;

impl PartFile {
    /// Are an answer's bytes of the content that is here? A server that gives no name is believed.
    pub fn same_version(&self, version: Option<&str>) -> bool {
        match (self.record().version.as_deref(), version) {
            (Some(here), Some(there)) => here == there,
            _ => true,
        }
    }

    /// Remembers, for later runs too, what the server calls the bytes that now come.
    pub fn record_version(&self, version: Option<&str>) -> Result<()> {
        if version.is_none() || self.record().version.as_deref() == version {
            return Ok(());
        }
        self.record().version = version.map(str::to_owned);
        self.note()
    }

    /// Forgets all that came from byte `at` on, of a span or of the whole.
    pub fn rewind_to(&self, span: Option<usize>, at: u64) -> Result<()> {
        let Some(span) = span else { return Ok(self.file.set_len(at)?) };
        if let Some(span) = self.record().missing.get_mut(span) {
            span.at = at;
        }
        self.note()
    }
}
