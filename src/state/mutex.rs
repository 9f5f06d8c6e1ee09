//! How our locks between threads are taken.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A thread that died while it held one of our locks left nothing half-done behind: each change is one statement.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
