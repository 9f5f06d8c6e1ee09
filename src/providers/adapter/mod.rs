//! What the adapters of all providers share: the token of a remote, its secrets, and listings that serve many uploads.

pub mod credentials;
pub mod listing_cache;
pub mod token_cache;
