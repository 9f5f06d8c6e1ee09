//! How many connections the server lets us have. Who finds no place waits for one of ours to become free: tries with
//! pauses between them would leave places empty, and give up files that only came too early.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

#[derive(Debug, Default)]
pub struct Seats {
    /// Connections, those that are just signing in counted.
    taken: AtomicUsize,
    signed_in: AtomicUsize,
    /// Told when a connection is put back or ends.
    pub changed: Notify,
}

impl Seats {
    pub fn taken(&self) -> usize {
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

/// Lasts as long as its connection.
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
