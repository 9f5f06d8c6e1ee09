//! The bounds on the work for one file, upload or download. Starting an upload over is a try. Only bytes that had never been
//! reached before are progress. The bytes that are sent or received for a file are bounded by a multiple of its size.

use crate::contract::UploadRequest;
use crate::error::{Error, Kind, Result};
use crate::model::Protocol;

/// Counts for one file, over all sessions or answers of one run.
pub(crate) struct Effort {
    /// As in `RetryPolicy::tries`.
    tries: u32,
    start_overs: u32,
    forgave_kept_line: bool,
    /// The largest offset that any of them reached.
    furthest: u64,
    /// Bytes that were sent or received, repeated ones included.
    spent: u64,
}

impl Effort {
    pub(crate) fn new(tries: u32) -> Effort {
        Effort { tries: tries.max(1), start_overs: 0, forgave_kept_line: false, furthest: 0, spent: 0 }
    }

    /// Notes that one side has the file up to this offset. True: this is further than ever before.
    pub(crate) fn record_offset(&mut self, at: u64) -> bool {
        let is_progress = at > self.furthest;
        self.furthest = self.furthest.max(at);
        is_progress
    }

    /// Allows the file to begin anew, or returns the error where it has begun often enough. `way_out`: what else a user may try. An expired token does not count as
    /// a try, because `Retries` bounds its renewals; nor does a kept connection that had died, once.
    pub(crate) fn start_over(&mut self, why: Error, way_out: &str) -> Result<Error> {
        let is_free = why.kind() == Kind::Expired || (why.is_on_kept_line() && !std::mem::replace(&mut self.forgave_kept_line, true));
        if is_free {
            return Ok(why);
        }
        self.start_overs += 1;
        if self.start_overs < self.tries {
            return Ok(why);
        }
        // After a failure of the connection or of an answer another try may succeed; a refusal stays a refusal.
        let may_get_through = why.kind().is_transient() || why.kind() == Kind::Protocol;
        if self.start_overs < 2 || !may_get_through {
            return Err(why);
        }
        let begun = self.start_overs;
        Err(why.with_hint(format!("its upload began {begun} times from the first byte; {way_out} may get through")))
    }

    pub(crate) fn spent_attempts(&self) -> u64 {
        self.spent
    }

    pub(crate) fn spend(&mut self, bytes: u64) {
        self.spent = self.spent.saturating_add(bytes);
    }

    /// A part that was refused unread as too large is sent again in smaller parts, so its bytes do not count.
    pub(crate) fn reset_to(&mut self, spent: u64) {
        self.spent = spent;
    }

    /// Allows so many bytes to be sent, or returns the failure. `whole` is the size of the file, as far as it is known.
    pub(crate) fn allow(&self, bytes: u64, whole: u64) -> Result<()> {
        let most = whole.saturating_mul(u64::from(self.tries) + 1);
        if self.spent.saturating_add(bytes) <= most {
            return Ok(());
        }
        let why = format!("{} bytes were sent for {whole}, and the server kept no more than {} of them", self.spent, self.furthest);
        Err(Error::new(Kind::Interrupted, why))
    }

    /// Allows a failed download another request, or returns the error: a server may begin at the first byte each time and send
    /// a little more. `whole` is the size of the file, where it is known; the next answer costs no more than that.
    pub(crate) fn ask_again(&self, why: Error, whole: Option<u64>) -> Result<Error> {
        let whole = whole.unwrap_or(self.furthest);
        if self.spent <= whole.saturating_mul(u64::from(self.tries)) {
            return Ok(why);
        }
        let hint = format!(
            "{} bytes came for {whole}, as the server begins at the first byte again each time; a better line may get through",
            self.spent
        );
        Err(why.with_hint(hint))
    }
}

/// How a file is sent, and why so.
pub(crate) fn choice(item: &UploadRequest, protocol: Protocol, offered: &[Protocol]) -> String {
    let size = item.source.size().map_or_else(|| "of unknown size".to_owned(), |size| format!("{size} bytes"));
    let why = match (item.avoid.last(), item.protocol) {
        (Some(closed), _) => format!(", as {} is closed to us", closed.protocol),
        (None, Some(_)) => ", as asked for".to_owned(),
        (None, None) if offered.len() > 1 => ", the first that the server takes".to_owned(),
        (None, None) => String::new(),
    };
    format!("{}: {size} by {protocol}{why}", item.source.name())
}

/// What a user can change about an upload that does not get through; `offered`: what the provider speaks.
pub(crate) fn way_out(offered: &[Protocol], protocol: Protocol) -> &'static str {
    let has_parts = matches!(protocol, Protocol::Tus | Protocol::Plupload);
    match (offered.len() > 1, has_parts) {
        (true, true) => "another --protocol or a smaller --chunk-size",
        (true, false) => "another --protocol",
        (false, true) => "a smaller --chunk-size",
        (false, false) => "a better line",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_that_ran_out_is_no_try_of_the_file() {
        let mut effort = Effort::new(1);
        for _ in 0..5 {
            effort.start_over(Error::new(Kind::Expired, "old"), "").unwrap();
        }
        effort.start_over(Error::new(Kind::Interrupted, "died").on_kept_line(), "").unwrap();
        let died = effort.start_over(Error::new(Kind::Interrupted, "died").on_kept_line(), "").unwrap_err();
        assert_eq!(died.to_string(), "died", "one start-over is told by nobody");
    }

    #[test]
    fn another_way_is_advised_where_it_may_help() {
        for (kind, advised) in [(Kind::Interrupted, true), (Kind::Protocol, true), (Kind::Refused, false), (Kind::Local, false)] {
            let mut effort = Effort::new(2);
            effort.start_over(Error::new(kind, "no"), "another --protocol").unwrap();
            let told = effort.start_over(Error::new(kind, "no"), "another --protocol").unwrap_err().to_string();
            assert_eq!(told.contains("began 2 times from the first byte; another --protocol"), advised, "{told}");
        }
    }

    proptest! {
        /// A server may begin anywhere and cut anywhere.
        #[test]
        fn no_file_costs_more_than_the_bound(
            size in 1_u64..1_000_000,
            tries in 1_u32..8,
            course in prop::collection::vec((0_u64..1_000_000, 0_u64..1_000_000), 400),
        ) {
            let (mut effort, mut at, mut came) = (Effort::new(tries), 0, 0_u64);
            for (from, cut) in course {
                let from = from % (at + 1);
                let answer = cut % (size - from + 1);
                effort.spend(answer);
                came += answer;
                at = from + answer;
                effort.record_offset(at);
                if at == size || effort.ask_again(Error::new(Kind::Interrupted, "cut"), Some(size)).is_err() {
                    break;
                }
            }
            prop_assert!(came <= size * (u64::from(tries) + 1), "{came} bytes of {size}");
        }

        /// Whatever a server does: it may cut anywhere, keep any part, forget all, and let a little more through each time.
        #[test]
        fn no_server_gets_more_than_the_bound(
            size in 1_u64..1_000_000,
            part in 1_u64..1_000_000,
            tries in 1_u32..8,
            course in prop::collection::vec((0_u64..1_000_000, 0_u64..1_000_000, any::<bool>()), 400),
        ) {
            let (mut effort, mut failures, mut at, mut sent, mut beginnings) = (Effort::new(tries), 0, 0, 0_u64, 1);
            for (leaves, kept, starts_over) in course {
                let len = part.min(size - at);
                if at == size || effort.allow(len, size).is_err() {
                    break;
                }
                let leaves = leaves % (len + 1);
                effort.spend(leaves);
                sent += leaves;
                // As `Retries` counts.
                failures += 1;
                at = if starts_over { 0 } else { at + kept % (leaves + 1) };
                if effort.record_offset(at) {
                    failures = 0;
                }
                if failures >= tries {
                    break;
                }
                if starts_over {
                    if effort.start_over(Error::new(Kind::Interrupted, "cut"), "").is_err() {
                        break;
                    }
                    beginnings += 1;
                }
            }
            prop_assert!(sent <= size * (u64::from(tries) + 1), "{sent} bytes of {size}");
            prop_assert!(beginnings <= tries, "{beginnings} beginnings");
        }
    }
}
