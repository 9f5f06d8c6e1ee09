//! The current token, one for all workers of this run and, through the store, for all running `haul` processes. giga0 forgets
//! the old token when a new one is issued (providers.md 2.2), so signing in twice at once would never end.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::contract::tokens::Refusals;
use crate::contract::{Kind, Result, StoredToken, TokenContention, TokenStore};

pub struct TokenCache {
    account: String,
    store: Arc<dyn TokenStore>,
    /// Refused sign-ins: each later caller gets the same refusal.
    refusals: Arc<Refusals>,
    held: Mutex<Cached>,
    /// What became of the tokens that were obtained here.
    pub contention: TokenContention,
}

#[derive(Default)]
struct Cached {
    token: Option<StoredToken>,
    /// The token that the server rejected as expired.
    rejected: Option<StoredToken>,
    looked: bool,
}

impl TokenCache {
    pub fn new(account: impl Into<String>, store: Arc<dyn TokenStore>) -> Self {
        let (refusals, held) = (store.refusals(), Mutex::new(Cached::default()));
        TokenCache { account: account.into(), store, refusals, held, contention: TokenContention::default() }
    }

    /// Returns the current token, the stored one, or a new one by `sign_in`. A second caller waits and gets the same token.
    pub async fn token<F>(&self, sign_in: F) -> Result<StoredToken>
    where
        F: Future<Output = Result<StoredToken>>,
    {
        let mut held = self.held.lock().await;
        if let Some(token) = &held.token {
            return Ok(token.clone());
        }
        if !held.looked {
            held.looked = true;
            if let Some(kept) = self.store.load(&self.account)? {
                held.token = Some(kept.clone());
                return Ok(kept);
            }
        }
        self.fetch(&mut held, sign_in).await
    }

    /// Returns the current or the stored token, without signing in.
    pub async fn current(&self) -> Result<Option<StoredToken>> {
        let mut held = self.held.lock().await;
        if held.token.is_none() {
            held.token = self.store.load(&self.account)?;
        }
        Ok(held.token.clone())
    }

    /// Notes that the server rejected `token` as expired, so that the next `renew_token` gets another. Returns false if the
    /// token was not in use any more.
    pub async fn invalidate(&self, token: &StoredToken) -> bool {
        let mut held = self.held.lock().await;
        // Another worker may have replaced the token meanwhile. Then the newer token stays in use.
        let in_use = held.token.as_ref() == Some(token);
        if in_use {
            held.token = None;
            held.looked = true;
            held.rejected = Some(token.clone());
        }
        in_use
    }

    /// Uses `token` again: it was only suspected to be expired, and no other token could be obtained.
    pub async fn put_back(&self, token: StoredToken) {
        let mut held = self.held.lock().await;
        if held.token.is_none() {
            held.rejected = None;
            held.token = Some(token);
        }
    }

    /// Gets a new token by `sign_in`, unless there is a token that the server has not rejected.
    pub async fn renew<F>(&self, sign_in: F) -> Result<()>
    where
        F: Future<Output = Result<StoredToken>>,
    {
        let mut held = self.held.lock().await;
        if held.token.is_some() && held.token != held.rejected {
            return Ok(());
        }
        self.fetch(&mut held, sign_in).await.map(drop)
    }

    pub async fn forget(&self) -> Result<()> {
        let mut held = self.held.lock().await;
        held.token = None;
        held.looked = true;
        self.store.forget(&self.account)
    }

    async fn fetch<F>(&self, held: &mut Cached, sign_in: F) -> Result<StoredToken>
    where
        F: Future<Output = Result<StoredToken>>,
    {
        let _turn = self.store.lock(&self.account).await?;
        // Another process may have signed in while this one waited for the lock.
        if let Some(kept) = self.store.load(&self.account)?
            && Some(&kept) != held.rejected.as_ref()
        {
            held.token = Some(kept.clone());
            return Ok(kept);
        }
        if let Some(refusal) = self.refusals.of(&self.account) {
            return Err(refusal);
        }
        match sign_in.await {
            Ok(token) => self.store(held, token),
            Err(e) => {
                if e.kind() == Kind::Auth && !e.is_before_asking() {
                    self.refusals.add(&self.account, &e);
                }
                Err(e)
            }
        }
    }

    fn store(&self, held: &mut Cached, token: StoredToken) -> Result<StoredToken> {
        held.token = Some(token.clone());
        held.rejected = None;
        self.refusals.forget(&self.account);
        held.looked = true;
        self.contention.signed_in();
        self.store.save(&self.account, &token)?;
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::contract::Error;
    use crate::model::Secret;
    use crate::testing::MemoryTokens;

    fn token(text: &str) -> StoredToken {
        StoredToken { token: Secret::new(text), fields: vec![] }
    }

    #[tokio::test]
    async fn eight_workers_with_one_stale_token_sign_in_once() {
        let store = Arc::new(MemoryTokens::default());
        store.put("a", token("stale"));
        let lease = Arc::new(TokenCache::new("a", store));
        let count = Arc::new(AtomicUsize::new(0));
        let workers = (0..8).map(|_| {
            let (lease, count) = (lease.clone(), count.clone());
            tokio::spawn(async move {
                let sign_in = || async {
                    count.fetch_add(1, Ordering::SeqCst);
                    Ok(token("fresh"))
                };
                let first = lease.token(sign_in()).await.unwrap();
                if first == token("stale") {
                    lease.invalidate(&first).await;
                    lease.renew(sign_in()).await.unwrap();
                }
                assert_eq!(lease.token(sign_in()).await.unwrap(), token("fresh"));
            })
        });
        for worker in workers {
            worker.await.unwrap();
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_refused_sign_in_is_told_and_keeps_nothing() {
        let lease = TokenCache::new("a", Arc::new(MemoryTokens::default()));
        let refused = lease.token(async { Err(Error::new(Kind::Auth, "no")) }).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::Auth);
        assert!(lease.current().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_refused_sign_in_is_never_repeated() {
        let lease = TokenCache::new("a", Arc::new(MemoryTokens::default()));
        let count = AtomicUsize::new(0);
        let sign_in = || async {
            count.fetch_add(1, Ordering::SeqCst);
            Err(Error::new(Kind::Auth, "wrong password").with_hint("look again"))
        };
        for _ in 0..3 {
            let refused = lease.token(sign_in()).await.unwrap_err();
            assert_eq!((refused.kind(), refused.to_string()), (Kind::Auth, "wrong password; look again".to_owned()));
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    /// Two remotes of one account, or one that is opened twice.
    #[tokio::test]
    async fn a_refused_sign_in_is_repeated_by_nobody_with_the_same_store() {
        let store = Arc::new(MemoryTokens::default());
        let refused = async || Err(Error::new(Kind::Auth, "wrong password"));
        let granted = async || Ok(token("granted"));
        let missing = async { Err(Error::new(Kind::Auth, "none is set").before_asking()) };
        let told = TokenCache::new("a", store.clone()).token(missing).await.unwrap_err();
        assert_eq!(told.to_string(), "none is set");
        TokenCache::new("a", store.clone()).token(refused()).await.unwrap_err();
        assert_eq!(TokenCache::new("a", store.clone()).token(granted()).await.unwrap_err().to_string(), "wrong password");
        assert_eq!(TokenCache::new("b", store).token(granted()).await.unwrap(), token("granted"));
    }

    #[tokio::test]
    async fn a_late_word_about_an_older_token_changes_nothing() {
        let lease = TokenCache::new("a", Arc::new(MemoryTokens::default()));
        let old = lease.token(async { Ok(token("old")) }).await.unwrap();
        lease.invalidate(&old).await;
        lease.renew(async { Ok(token("newer")) }).await.unwrap();
        lease.invalidate(&token("newer")).await;
        lease.invalidate(&old).await;
        lease.renew(async { Ok(token("newest")) }).await.unwrap();
        assert_eq!(lease.current().await.unwrap(), Some(token("newest")));
    }
}
