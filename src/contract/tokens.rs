//! What is kept of a token between runs, and where.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::{BoxFuture, Error, Result};
use crate::model::Secret;

/// A token as it is kept between runs. `fields` are what the provider needs beside it (giga0: `account_id`; FileAgo:
/// `fileaccesskey`). All of it is secret.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredToken {
    /// The token itself.
    pub token: Secret,
    /// What the provider keeps beside the token, by name.
    pub fields: Vec<(String, Secret)>,
}

impl StoredToken {
    /// The value of that name.
    pub fn field(&self, name: &str) -> Option<&Secret> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}

/// The id of this installation, by which a server recognises a device (providers.md 1.4). The id is kept among the tokens, and
/// outlives each of them.
pub const DEVICE: &str = "device";

/// Where tokens are kept between runs (`state`), or a map in tests. `account` names provider, origin and user.
pub trait TokenStore: Send + Sync {
    /// The token that was saved for this account; none where there is none.
    ///
    /// # Errors
    /// Any failure of the store; the caller signs in then.
    fn load(&self, account: &str) -> Result<Option<StoredToken>>;
    /// Keeps the token for this account.
    ///
    /// # Errors
    /// Any failure of the store; the token is used in this run all the same.
    fn save(&self, account: &str, token: &StoredToken) -> Result<()>;
    /// Forgets the token of this account.
    ///
    /// # Errors
    /// Any failure of the store.
    fn forget(&self, account: &str) -> Result<()>;
    /// A lock that one process holds while it signs in. Other processes wait for it and then find the new token.
    ///
    /// # Errors
    /// Any failure of the store: nobody signs in without the lock.
    fn lock<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>>>;
    /// The refused sign-ins that all users of this store share. Without such a list each user has a list of its own.
    fn refusals(&self) -> Arc<Refusals> {
        Arc::default()
    }
}

/// Refused sign-ins of this process, by account: repeated wrong logins lock accounts (providers.md 2.2), whatever remote
/// names the account, and however often it is opened.
#[derive(Default)]
pub struct Refusals(Mutex<HashMap<String, Error>>);

impl Refusals {
    /// The refusal of this account's sign-in in this run.
    pub fn of(&self, account: &str) -> Option<Error> {
        self.all().get(account).map(Error::duplicate)
    }

    /// Notes that this account's sign-in was refused.
    pub fn add(&self, account: &str, refusal: &Error) {
        self.all().insert(account.to_owned(), refusal.duplicate());
    }

    /// Forgets the refusal of this account.
    pub fn forget(&self, account: &str) {
        self.all().remove(account);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Error>> {
        self.0.lock()
    }
}
