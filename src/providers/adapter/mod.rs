//! What the adapters of all providers share: the token of a remote, and its secrets.

pub mod credentials;
pub mod token_cache;
