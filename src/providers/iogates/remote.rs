//! One ioGates remote while it is open: its API, and what is cached between the calls.

use super::api::Api;
use super::settings::{Pools, Settings};
use super::tree::cache::TreeCache;
use super::upload::entry_pool::EntryPool;
use crate::contract::{ProviderContext, Result};
use crate::protocols::tus::Servers;

pub struct IoGates {
    pub(super) api: Api,
    pub(super) listing: TreeCache,
    pub(super) making: EntryPool,
    pub(super) pools: Pools,
    pub(super) tus: Servers,
    pub(super) settings: Settings,
}

impl IoGates {
    pub(super) fn new(opening: ProviderContext) -> Result<IoGates> {
        let settings = Settings::read(&opening)?;
        let (listing, making, pools) = Default::default();
        Ok(IoGates { api: Api::new(opening)?, listing, making, pools, tus: Default::default(), settings })
    }

    pub(super) async fn renew_token(&self) -> Result<()> {
        self.api.access().await?.renew(&self.api.http).await?;
        // The upload addresses contain the old token.
        self.api.forget_offers().await;
        Ok(())
    }

    /// No call that revokes a token is documented.
    pub(super) async fn forget_token(&self) -> Result<bool> {
        self.api.access().await?.forget().await?;
        self.api.forget_offers().await;
        Ok(false)
    }
}
