//! The next part of a source, and the check that the source ends where the upload does.

use std::sync::Arc;

use crate::contract::{Chunking, Part, Source};
use crate::error::{Error, Kind, Result};
use crate::transfer::source::stdin::WINDOW;

/// Checks that the source ends where the upload does: a pipe may hold more than the user said, a file may have changed
/// meanwhile.
pub(crate) async fn check_complete(source: &dyn Source, size: u64) -> Result<()> {
    if source.available(size, 1).await? > 0 {
        return Err(Error::new(Kind::Integrity, format!("there are more than the announced {size} bytes")).on_local(source.name()));
    }
    source.check_unchanged()
}

/// Returns the part that begins at byte `at`. Fails with `NeedsSize` where nobody knows the size of the source, and with
/// `Integrity` where the source ends early.
pub(crate) async fn next_part(source: &Arc<dyn Source>, slicing: Chunking, takes_unknown_size: bool, at: u64) -> Result<Part> {
    let part = |len, last| Part { source: source.clone(), offset: at, len, last };
    match (source.size(), slicing) {
        (None, _) if !takes_unknown_size => Err(Error::new(Kind::NeedsSize, "the size must be known first")),
        (None, Chunking::Whole) => Ok(part(u64::MAX, true)),
        (None, Chunking::Parts(most)) => {
            let most = most.clamp(1, WINDOW);
            let len = source.available(at, most).await?;
            Ok(part(len, len < most))
        }
        (Some(size), Chunking::Whole) => Ok(part(size.saturating_sub(at), true)),
        (Some(size), Chunking::Parts(most)) => {
            let len = source.available(at, most.max(1).min(size.saturating_sub(at))).await?;
            if len == 0 && at < size {
                return Err(Error::new(Kind::Integrity, format!("the source ended after {at} bytes, before its announced size"))
                    .on_local(source.name()));
            }
            Ok(part(len, at + len == size))
        }
    }
}
