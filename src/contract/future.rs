//! The future that a trait object returns.

use std::future::Future;
use std::pin::Pin;

/// A boxed future: what a trait object can return from an asynchronous call.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
