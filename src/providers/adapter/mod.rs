//! TODO

pub mod credentials;
pub mod token_cache;
