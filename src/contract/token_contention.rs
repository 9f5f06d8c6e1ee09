//! Finds out whether another client signs in to our account again and again. giga0 forgets the old token when it issues a new
//! one (providers.md 2.2): two machines on one account sign each other out, and each believes that its token has expired.

use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

/// On some sites tokens live for a minute only (providers.md 2.2); a token that ends sooner was ended by another sign-in.
const SOON: Duration = Duration::from_secs(45);
/// So many tokens in a row must have been obtained by us, accepted at least once, and ended soon after.
const ENOUGH: u32 = 3;

/// What became of the tokens of one account in this run.
#[derive(Default)]
pub struct TokenContention(Mutex<TokenHistory>);

#[derive(Default)]
struct TokenHistory {
    /// The time of our last sign-in.
    signed_in: Option<Instant>,
    /// The server has accepted the current token at least once.
    worked: bool,
    lost: u32,
    told: bool,
}

impl TokenContention {
    /// Notes that we signed in and got a new token.
    pub fn signed_in(&self) {
        let (mut seen, now) = (self.lock_history(), Instant::now());
        let lost = seen.worked && seen.signed_in.is_some_and(|before| now.duration_since(before) < SOON);
        seen.lost = if lost { seen.lost + 1 } else { 0 };
        (seen.signed_in, seen.worked) = (Some(now), false);
    }

    /// Notes that the server accepted the current token.
    pub fn mark_used(&self) {
        self.lock_history().worked = true;
    }

    /// The number of tokens in a row that another client ended. None while that may be chance.
    pub fn lost_tokens(&self) -> Option<u32> {
        (self.lock_history().lost + 1).checked_sub(ENOUGH).filter(|rounds| *rounds > 0)
    }

    /// True once, as soon as there is something to warn about.
    pub fn should_warn(&self) -> bool {
        self.lost_tokens().is_some() && !std::mem::replace(&mut self.lock_history().told, true)
    }

    fn lock_history(&self) -> MutexGuard<'_, TokenHistory> {
        self.0.lock()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn after(contention: &TokenContention, seconds: u64, worked: bool) -> Option<u32> {
        if worked {
            contention.mark_used();
        }
        tokio::time::advance(Duration::from_secs(seconds)).await;
        contention.signed_in();
        contention.lost_tokens()
    }

    #[tokio::test(start_paused = true)]
    async fn the_third_token_that_dies_young_is_no_chance() {
        let contention = TokenContention::default();
        contention.signed_in();
        assert_eq!((after(&contention, 5, true).await, after(&contention, 5, true).await, contention.should_warn()), (None, None, false));
        assert_eq!((after(&contention, 5, true).await, after(&contention, 5, true).await), (Some(1), Some(2)));
        assert_eq!((contention.should_warn(), contention.should_warn()), (true, false), "told once");
        assert_eq!(after(&contention, 50, true).await, None, "an hour, or a minute, is a token's own life");
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_that_live_a_minute_or_were_never_good_have_no_rival() {
        let contention = TokenContention::default();
        for _ in 0..9 {
            assert_eq!(after(&contention, 60, true).await, None);
        }
        for _ in 0..9 {
            assert_eq!(after(&contention, 1, false).await, None);
        }
    }
}
