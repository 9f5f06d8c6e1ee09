//! The number of connections that the server allows. A task that gets none waits until another of ours becomes free: tries with
//! pauses between them would leave connections unused, and fail files that only came too early.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub struct Seats {
    /// Open connections, including those that are signing in.
    taken: AtomicUsize,
    signed_in: AtomicUsize,
    /// Signals that a connection was returned or closed.
    pub changed: Notify,
}

impl Seats {
    pub fn used_seats(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    pub fn signed_in(&self) -> usize {
        self.signed_in.load(Ordering::Acquire)
    }

    pub fn take(self: &Arc<Seats>) -> Seat {
        self.taken.fetch_add(1, Ordering::AcqRel);
        Seat { seats: self.clone(), is_signed_in: false }
    }
}

/// A permit for one connection; its owner holds it as long as the connection.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    is_signed_in: bool,
}

impl Seat {
    pub fn signed_in(mut self) -> Seat {
        if !self.is_signed_in {
            self.seats.signed_in.fetch_add(1, Ordering::AcqRel);
        }
        self.is_signed_in = true;
        self
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_signed_in {
            self.seats.signed_in.fetch_sub(1, Ordering::AcqRel);
        }
        self.seats.taken.fetch_sub(1, Ordering::AcqRel);
        self.seats.changed.notify_waiters();
    }
}
