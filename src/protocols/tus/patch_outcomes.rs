//! Judges the answers to all PATCHes of an upload: which refusal is worth another try, which is final, and when the parts must
//! become smaller.

use reqwest::StatusCode;

use super::refusal::refusal;
use crate::contract::Part;
use crate::error::{Error, Kind};
use crate::protocols::http::response::HttpReply;

/// After a part that is too large, the next size is at most this number of bytes. By default web servers refuse bodies above
/// 1 MiB (nginx) or 8 MiB (PHP).
const LARGE_PART: u64 = 8 << 20;
/// The size in bytes below which parts are not made smaller.
const MIN_PART: u64 = 256 << 10;

#[derive(Default)]
pub struct PatchOutcomes {
    /// A PATCH of which the server may have kept only a part: its offset and its number of bytes.
    pub(super) unsure: Option<(u64, u64)>,
    /// The last refusal that may be transient: its offset and its status.
    doubted: Option<(u64, u16)>,
    /// The server's refusal of the PATCH with the last byte.
    last: Option<Error>,
    /// The server holds every byte all the same.
    whole: bool,
}

impl PatchOutcomes {
    /// Notes the offset that a HEAD reported; `size` is the size of the file.
    pub(super) fn record_offset(&mut self, offset: u64, size: Option<u64>) {
        self.whole = Some(offset) == size;
    }

    pub(super) fn record_accepted(&mut self) {
        *self = PatchOutcomes::default();
    }

    pub(super) fn refusal_of_the_whole(&self) -> Option<Error> {
        let refusal = self.last.as_ref().filter(|_| self.whole)?;
        let error = Error::new(Kind::Refused, "the server has all bytes, and refuses the file").with_cause(refusal.duplicate());
        Some(error.with_status(refusal.status_code().unwrap_or_default()))
    }

    /// The new size of parts when only little of a large request was kept (behind a proxy that forwards only complete
    /// requests). `held` is the number of bytes that the server has.
    pub(super) fn smaller_parts(&mut self, held: u64) -> Option<u64> {
        let (from, len) = self.unsure.take()?;
        let kept = held.saturating_sub(from);
        if kept < len / 2 && kept < LARGE_PART { smaller(len) } else { None }
    }

    /// The error for a refused PATCH. `most` is the size of parts, which is reduced if this part was too large.
    pub(super) fn refusal(&mut self, reply: &HttpReply, part: &Part, most: &mut u64) -> Error {
        let error = refusal(reply);
        let status = reply.status.as_u16();
        if part.last && is_the_server_s_own_no(status) {
            self.last = Some(error.duplicate());
        }
        match (error.kind(), status) {
            // `recover` finds that the upload is gone, and the file starts over.
            (Kind::NotFound, _) => error.with_kind(Kind::Interrupted),
            (_, 413) => match smaller(part.len) {
                Some(smaller) => {
                    *most = smaller;
                    error.with_kind(Kind::Busy)
                }
                None => error,
            },
            // These may be transient: tusd answers 400 to a PATCH that a newer one interrupts, @tus/server to one that could
            // not get the lock, rustus 417 to a damaged part, tus-php 416 and 422 after disk errors. The same answer twice at
            // one offset is final.
            (_, 400 | 416 | 417 | 422) if self.doubted != Some((part.offset, status)) => {
                self.doubted = Some((part.offset, status));
                error.with_kind(Kind::Interrupted)
            }
            _ => error,
        }
    }
}

/// Half of a part that was too large. Some servers require multiples of 256 KiB.
pub fn smaller(len: u64) -> Option<u64> {
    let half = (len / 2).min(LARGE_PART);
    (len > MIN_PART).then(|| (half - half % MIN_PART).max(MIN_PART))
}

/// True if the upload server itself refuses: not a proxy, and not because another request holds the upload.
fn is_the_server_s_own_no(status: u16) -> bool {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    (status.is_client_error() || status.is_server_error())
        && !matches!(status.as_u16(), 401 | 404 | 405 | 407..=410 | 413 | 423 | 425 | 429 | 501..=504)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_shrink_to_multiples_and_end() {
        let mut most = Some(100 << 20);
        let mut seen = Vec::new();
        while let Some(len) = most {
            seen.push(len >> 10);
            most = smaller(len);
        }
        assert_eq!(seen, [102_400, 8192, 4096, 2048, 1024, 512, 256]);
        assert_eq!((smaller(600 << 10), smaller(300 << 10), smaller(256 << 10)), (Some(256 << 10), Some(256 << 10), None));
    }
}
