//! Tokens between runs: what is kept of one, and where.

use super::{BoxFuture, Result};
use crate::model::Secret;

/// A token as it is kept between runs. `fields` are the provider's own companions of it (giga0: `account_id`;
/// FileAgo: `fileaccesskey`); all of it is secret.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredToken {
    pub token: Secret,
    pub fields: Vec<(String, Secret)>,
}

impl StoredToken {
    pub fn field(&self, name: &str) -> Option<&Secret> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}

/// Kept among the tokens, but not one: the id of this installation, by which a server knows a device again
/// (providers.md 1.4). It outlives every token.
pub const DEVICE: &str = "device";

/// Where tokens are kept between runs (`state`), or a map in tests. `account` names provider, origin and user.
pub trait TokenStore: Send + Sync {
    fn load(&self, account: &str) -> Result<Option<StoredToken>>;
    fn save(&self, account: &str, token: &StoredToken) -> Result<()>;
    fn forget(&self, account: &str) -> Result<()>;
    /// Held while one process signs in; the others wait here and then find the new token.
    fn lock<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>>>;
}
