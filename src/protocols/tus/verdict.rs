//! What the answers to the PATCHes say together: which refusal is worth another look, which is final, and when the parts
//! are too large for the way.

use reqwest::StatusCode;

use super::refusal::refused;
use crate::contract::Part;
use crate::error::{Error, Kind};
use crate::protocols::http::response::HttpReply;

/// Where parts begin to shrink, and where a server is beyond help, in bytes. Web servers refuse bodies above 1 MiB
/// (nginx) or 8 MiB (PHP) unless told otherwise.
const LARGE_PART: u64 = 8 << 20;
const SMALLEST_PART: u64 = 256 << 10;

#[derive(Default)]
pub struct Verdicts {
    /// A PATCH that may have brought less than it carried: its first byte and its bytes.
    pub(super) unsure: Option<(u64, u64)>,
    /// Refused in doubt: at this byte, with this status.
    doubted: Option<(u64, u16)>,
    /// The server's no to the PATCH with the last byte.
    last: Option<Error>,
    /// It holds every byte all the same.
    whole: bool,
}

impl Verdicts {
    /// A look found this; `size`: of the file.
    pub(super) fn found(&mut self, offset: u64, size: Option<u64>) {
        self.whole = Some(offset) == size;
    }

    pub(super) fn accepted(&mut self) {
        *self = Verdicts::default();
    }

    pub(super) fn refusal_of_the_whole(&self) -> Option<Error> {
        let refusal = self.last.as_ref().filter(|_| self.whole)?;
        let error = Error::new(Kind::Refused, "the server has all bytes, and refuses the file").with_cause(refusal.duplicate());
        Some(error.with_status(refusal.status_code().unwrap_or_default()))
    }

    /// A way that keeps little of a large request (a proxy that passes on only what came whole) gets smaller ones: of so
    /// many bytes. `held`: what the server has.
    pub(super) fn smaller_parts(&mut self, held: u64) -> Option<u64> {
        let (from, len) = self.unsure.take()?;
        let kept = held.saturating_sub(from);
        if kept < len / 2 && kept < LARGE_PART { smaller(len) } else { None }
    }

    /// What a refused PATCH means. `most`: the bytes of a part, which become fewer where this one was too large.
    pub(super) fn refusal(&mut self, reply: &HttpReply, part: &Part, most: &mut u64) -> Error {
        let error = refused(reply);
        let status = reply.status.as_u16();
        if part.last && is_the_server_s_own_no(status) {
            self.last = Some(error.duplicate());
        }
        match (error.kind(), status) {
            // `recover` looks, finds it gone, and the file starts over.
            (Kind::NotFound, _) => error.with_kind(Kind::Interrupted),
            (_, 413) => match smaller(part.len) {
                Some(smaller) => {
                    *most = smaller;
                    error.with_kind(Kind::Busy)
                }
                None => error,
            },
            // tusd says 400 to a PATCH that a newer one interrupts, @tus/server to one that waited for the lock in vain, rustus
            // 417 to a part that was damaged, tus-php 416 and 422 after disk trouble. Said twice at one byte they are final.
            (_, 400 | 416 | 417 | 422) if self.doubted != Some((part.offset, status)) => {
                self.doubted = Some((part.offset, status));
                error.with_kind(Kind::Interrupted)
            }
            _ => error,
        }
    }
}

/// Half of a part that was too large. Some servers want multiples of 256 KiB.
pub fn smaller(len: u64) -> Option<u64> {
    let half = (len / 2).min(LARGE_PART);
    (len > SMALLEST_PART).then(|| (half - half % SMALLEST_PART).max(SMALLEST_PART))
}

/// Not a proxy's word, nor that of a server where another request holds the upload.
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
