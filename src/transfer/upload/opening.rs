//! Opening an upload, and what is noted of it before its first byte.

use super::journal::Journal;
use super::uploader::Uploader;
use crate::contract::part::CHUNK_READ;
use crate::contract::{Chunking, Upload, UploadHandle, UploadRequest, UploadSession};
use crate::error::{Kind, Result};
use crate::model::Event;
use crate::transfer::effort::choice;

impl Uploader<'_> {
    pub(super) async fn open(&mut self, item: &UploadRequest) -> Result<(UploadHandle, Box<dyn UploadSession>, u64)> {
        loop {
            if !self.client.has(|can| can.opening_makes_nothing) {
                self.commit().await?;
            }
            match self.patience.attempt(|p| p.open_upload(item)).await {
                Ok(Upload { ticket, session }) => {
                    self.client.events.send(Event::Note(choice(item, session.protocol(), self.client.info().protocols)));
                    let left = self.left || leaves_at_once(item.source.size(), session.chunking());
                    // This note is on the disk before the first byte, because without it the upload could not be resumed.
                    self.note(|journal| journal.record_opened(item, &ticket, session.as_ref(), left))?;
                    self.commit().await?;
                    return Ok((ticket, session, 0));
                }
                Err(error) => match self.patience.backoff(error).await {
                    Ok(()) => {}
                    Err(error) => {
                        if error.kind() == Kind::Exists {
                            // Somebody took the name meanwhile: the caller decides anew what becomes of the file.
                            self.note(Journal::close)?;
                        }
                        if self.patience.retries() == 0 && matches!(error.kind(), Kind::Refused | Kind::Unsupported) {
                            self.note(Journal::forget_refused)?;
                        }
                        return Err(error);
                    }
                },
            }
        }
    }
}

/// An empty file leaves with its request, and a small file with the first piece that is read. So one note says both that the
/// upload is open and that its last byte may have left.
fn leaves_at_once(size: Option<u64>, chunking: Chunking) -> bool {
    let whole = match chunking {
        Chunking::Whole => CHUNK_READ as u64,
        Chunking::Parts(most) => most.min(CHUNK_READ as u64),
    };
    size.is_some_and(|size| size <= whole)
}
