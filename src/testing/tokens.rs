//! A token store in memory.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::contract::tokens::Refusals;
use crate::contract::{BoxFuture, Result, StoredToken, TokenStore};

#[derive(Default)]
pub struct MemoryTokens {
    tokens: Mutex<HashMap<String, StoredToken>>,
    refusals: Arc<Refusals>,
}

impl MemoryTokens {
    pub fn put(&self, account: &str, token: StoredToken) {
        self.tokens.lock().insert(account.to_owned(), token);
    }

    /// The token of an account. None: nothing is stored.
    pub fn get(&self, account: &str) -> Option<StoredToken> {
        self.tokens.lock().get(account).cloned()
    }

    /// The accounts that have a token.
    pub fn accounts(&self) -> Vec<String> {
        self.tokens.lock().keys().cloned().collect()
    }
}

impl TokenStore for MemoryTokens {
    fn load(&self, account: &str) -> Result<Option<StoredToken>> {
        Ok(self.get(account))
    }
    fn save(&self, account: &str, token: &StoredToken) -> Result<()> {
        self.put(account, token.clone());
        Ok(())
    }
    fn forget(&self, account: &str) -> Result<()> {
        self.tokens.lock().remove(account);
        Ok(())
    }
    fn lock<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>>> {
        Box::pin(async { Ok(Box::new(()) as Box<dyn Send>) })
    }
    fn refusals(&self) -> Arc<Refusals> {
        self.refusals.clone()
    }
}
