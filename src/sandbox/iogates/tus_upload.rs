//! TUS uploads for the shared code that stores their bytes, and the move of a complete upload to its entry.

use super::NAME;
use super::model::TusUpload;
use super::state::Iogates;
use crate::model::Protocol;
use crate::sandbox::faults::FaultHit;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::tus_append::{Slot, TusUploads};

impl TusUploads for Iogates {
    fn hit(&self, fault: Fault) -> Option<FaultHit> {
        Iogates::hit(self, fault)
    }

    fn largest(&self) -> u64 {
        self.state().settings.max_file_size
    }

    fn with_slot<T>(&self, id: &str, work: impl FnOnce(Slot<'_>) -> T) -> Option<T> {
        let mut state = self.state();
        let upload = state.tus.get_mut(id)?;
        let is_final = upload.is_final();
        let TusUpload { length, busy, bytes, .. } = upload;
        Some(work(Slot { length, busy, bytes, is_final }))
    }

    fn count_received(&self, id: &str, bytes: usize) {
        let name = self.state().tus.get(id).and_then(|upload| upload.filename.clone()).unwrap_or_default();
        self.shared.store.count_received(NAME, &name, bytes);
    }

    fn refuse_whole(&self, id: &str) {
        if let Some(upload) = self.state().tus.get_mut(id) {
            upload.done = true;
        }
    }

    /// Moves a complete upload to its entry, once; the parts of a concatenation wait for their final upload.
    fn hand_over(&self, id: &str) {
        let mut state = self.state();
        let Some(upload) = state.tus.get_mut(id) else { return };
        if upload.done || upload.is_partial() || upload.length != Some(upload.offset()) {
            return;
        }
        upload.done = true;
        let (root, name, content) = (upload.root, upload.filename.clone(), upload.bytes.lock().content());
        drop(state);
        self.take_in(root, &name.unwrap_or_default(), content, Protocol::Tus);
    }
}
