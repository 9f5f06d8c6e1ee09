//! Reads a remote's secrets for an adapter: off the async threads, and with one hint for all providers when there are none.

use crate::contract::{Error, Kind, ProviderContext, Result};
use crate::model::Secret;

impl ProviderContext {
    /// Returns the secret setting `key`; none when it is not set anywhere. The lookup may run a command or ask the user.
    ///
    /// # Errors
    /// Those of [`RemoteSettings::secret`](crate::contract::RemoteSettings::secret).
    pub async fn secret(&self, key: &'static str) -> Result<Option<Secret>> {
        let secrets = self.secrets.clone();
        let found = tokio::task::spawn_blocking(move || secrets.secret(key)).await;
        let found = found.map_err(|e| Error::new(Kind::Other, format!("the lookup of {key} broke off")).with_cause(e))??;
        Ok(found.filter(|secret| !secret.is_empty()))
    }

    /// The error (status 4) when there is nothing to sign in with, with the two ways to set it.
    pub fn no_credentials(&self, missing: &str) -> Error {
        let (remote, missing_name) = (&self.remote, missing.to_uppercase());
        let hint = match self.is_url() {
            true => format!("set HAUL_{missing_name}, or name the host in ~/.netrc"),
            false => {
                let name = remote.to_uppercase().replace('-', "_");
                format!("run `haul login {remote}`, or set HAUL_REMOTE_{name}_{missing_name}")
            }
        };
        Error::new(Kind::Auth, format!("there are no credentials: {missing} is not set"))
            .before_asking()
            .with_subject(self.remote.clone())
            .with_hint(hint)
    }
}
