//! Waits until a server's offset stands still. A request that was cut, or whose process was killed, may still be on its way, as
//! a kernel or a proxy passes on the bytes that it has. At a server that keeps no lock, bytes sent from the present offset
//! would be mixed with those.

use std::time::{Duration, Instant};

use crate::contract::{Recovery, UploadSession};
use crate::error::{Error, Kind, Result};
use crate::transfer::sleep::sleep;

const BETWEEN: Duration = Duration::from_secs(1);
/// The longest wait. An offset that still moves after it means that another client is sending.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Can bytes of the failed request still arrive? Not after the server itself has answered it.
pub(crate) fn may_be_on_its_way(failure: &Error) -> bool {
    let has_spoken = failure.status_code().is_some_and(|status| !matches!(status, 408 | 502 | 504));
    failure.kind() == Kind::Interrupted && !has_spoken
}

/// Returns the offset once it has stood still for a second. `found` is the first one that was seen.
pub(crate) async fn at_rest(session: &mut dyn UploadSession, failure: &Error, found: Recovery, size: Option<u64>) -> Result<Recovery> {
    let (mut found, begun) = (found, Instant::now());
    loop {
        let Recovery::ResumeAt(at) = found else { return Ok(found) };
        if size == Some(at) {
            return Ok(found);
        }
        sleep(BETWEEN).await;
        let now = session.recover(failure).await?;
        if now == found {
            return Ok(found);
        }
        if begun.elapsed() > MAX_WAIT {
            return Err(Error::new(Kind::Busy, format!("another connection still sends to this upload, which grows past byte {at}")));
        }
        found = now;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::contract::{BoxFuture, Chunking, Part};
    use crate::model::Protocol;

    /// A server that answers each look with the next of these; the last one stays.
    struct Looks(VecDeque<Recovery>, usize);

    impl UploadSession for Looks {
        fn protocol(&self) -> Protocol {
            Protocol::Tus
        }
        fn note(&self) -> Option<String> {
            None
        }
        fn chunking(&self) -> Chunking {
            Chunking::Whole
        }
        fn takes_unknown_size(&self) -> bool {
            false
        }
        fn send(&mut self, part: Part) -> BoxFuture<'_, Result<u64>> {
            Box::pin(async move { Ok(part.end_offset()) })
        }
        fn recover<'a>(&'a mut self, _: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
            self.1 += 1;
            let next = if self.0.len() > 1 { self.0.pop_front() } else { self.0.front().copied() };
            Box::pin(async move { Ok(next.unwrap_or(Recovery::StartOver)) })
        }
        fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
            Box::pin(async { Ok(()) })
        }
        fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
            Box::pin(async { None })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_offset_is_asked_for_until_it_rests() {
        use Recovery::{ResumeAt, StartOver};
        let cut = Error::new(Kind::Interrupted, "cut");
        for (first, looks, found, asked) in [
            (ResumeAt(100), vec![ResumeAt(100)], ResumeAt(100), 1),
            (ResumeAt(100), vec![ResumeAt(200), ResumeAt(300), ResumeAt(300)], ResumeAt(300), 3),
            (ResumeAt(0), vec![ResumeAt(7)], ResumeAt(7), 2),
            (ResumeAt(100), vec![StartOver], StartOver, 1),
            (ResumeAt(100), vec![ResumeAt(1000)], ResumeAt(1000), 1),
            (ResumeAt(1000), vec![], ResumeAt(1000), 0),
            (StartOver, vec![], StartOver, 0),
        ] {
            let mut session = Looks(looks.into(), 0);
            assert_eq!((at_rest(&mut session, &cut, first, Some(1000)).await.unwrap(), session.1), (found, asked), "{first:?}");
        }
    }

    #[test]
    fn a_server_that_has_spoken_holds_nothing_back() {
        for (error, waits) in [
            (Error::new(Kind::Interrupted, "cut"), true),
            (Error::new(Kind::Interrupted, "a proxy").with_status(504), true),
            (Error::new(Kind::Interrupted, "elsewhere").with_status(409), false),
            (Error::new(Kind::Busy, "later").with_status(503), false),
            (Error::new(Kind::Unreachable, "no way"), false),
        ] {
            assert_eq!(may_be_on_its_way(&error), waits, "{error}");
        }
    }
}
