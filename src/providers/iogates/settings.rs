//! What can be configured for an ioGates remote, and the connections that are kept for it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::contract::{Error, Kind, ProviderContext, Result, Setting};
use crate::model::{Protocol, Secret};
use crate::protocols::ftp::{FtpPool, FtpServer};
use crate::protocols::http::base_url;

pub const DEFAULT_URL: &str = "https://iogates.com";

const fn plain(key: &'static str, help: &'static str) -> Setting {
    Setting { key, help, secret: false, required: false, identifies: false }
}

const fn secret(key: &'static str, help: &'static str) -> Setting {
    Setting { key, help, secret: true, required: false, identifies: false }
}

const fn identity(key: &'static str, help: &'static str) -> Setting {
    Setting { identifies: true, ..secret(key, help) }
}

pub static SETTINGS: &[Setting] = &[
    plain("url", "the service's origin, for an installation of your own"),
    plain("username", "sign in as this user"),
    secret("password", "the user's password"),
    identity("share_url", "sign in with a share link instead of a user"),
    identity("token", "use this token as it is instead of signing in"),
    plain("protocol", "tus, plupload, ftps, ftp, or auto"),
    plain("ca_file", "PEM certificates to trust besides the system's"),
    plain("insecure", "true allows plain http and plain FTP"),
    plain("append_extension", "true if uploads by TUS arrive only under a name with the file's extension"),
    plain("ftp_direct", "true if the FTP server refuses to rename a finished upload"),
];

#[derive(Debug, Default)]
pub struct Settings {
    /// None: the best protocol of those on offer.
    pub protocol: Option<Protocol>,
    /// Whether the TUS file name gets the extension of the user's file (OQ-3).
    append_extension: bool,
    /// Whether FTP uploads go straight to the final name (OQ-4).
    pub ftp_direct: bool,
}

impl Settings {
    /// Fails with `Usage` when a value makes no sense.
    pub fn read(opening: &ProviderContext) -> Result<Settings> {
        if let Some(url) = opening.secrets.get("url") {
            base_url(&url, opening.network.insecure)?;
        }
        let protocol = opening.secrets.get("protocol").filter(|p| p != "auto");
        Ok(Settings {
            protocol: protocol.as_deref().map(str::parse).transpose()?,
            append_extension: switch(opening, "append_extension")?,
            ftp_direct: switch(opening, "ftp_direct")?,
        })
    }

    /// The file name that TUS sends: exactly the server's own, unless the remote sets `append_extension`.
    pub fn tus_name(&self, upload_name: &str, file_name: &str) -> String {
        let extension = self.append_extension.then(|| extension(file_name)).flatten();
        format!("{upload_name}{}", extension.unwrap_or_default())
    }
}

/// The extension of the user's file with its dot. The vendor's own client of 2017 appends it (OQ-3).
fn extension(name: &str) -> Option<String> {
    Path::new(name).extension().and_then(|e| e.to_str()).map(|e| format!(".{e}"))
}

fn switch(opening: &ProviderContext, key: &str) -> Result<bool> {
    match opening.secrets.get(key).as_deref() {
        None | Some("" | "false" | "0" | "no") => Ok(false),
        Some("true" | "1" | "yes") => Ok(true),
        Some(other) => {
            Err(Error::new(Kind::Usage, format!("{key} is either true or false, not {other:?}")).with_subject(opening.remote.clone()))
        }
    }
}

/// One pool of connections for each server and user. A new password makes a new pool: the connections of the old pool belong to
/// a token that is no longer valid.
#[derive(Default)]
pub struct Pools(Mutex<HashMap<Login, (Secret, Arc<FtpPool>)>>);

/// Host, port and user.
type Login = (String, u16, String);

impl Pools {
    pub fn of(&self, server: &FtpServer) -> Arc<FtpPool> {
        let mut pools = self.0.lock();
        let key = (server.host.clone(), server.port, server.user.clone());
        match pools.get(&key) {
            Some((password, pool)) if *password == server.password => pool.clone(),
            _ => {
                let pool = FtpPool::new(server.clone());
                pools.insert(key, (server.password.clone(), pool.clone()));
                pool
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::server::provider_context;

    fn read(told: &[(&'static str, &str)]) -> Result<Settings> {
        Settings::read(&provider_context(told, &Arc::default()))
    }

    #[test]
    fn the_server_s_name_is_kept_exactly_unless_the_remote_says_otherwise() {
        assert_eq!(read(&[]).unwrap().tus_name("56f06ba8311c2", "a.mp4"), "56f06ba8311c2");
        let opted = read(&[("append_extension", "true")]).unwrap();
        assert_eq!(opted.tus_name("56f06ba8311c2", "a.mp4"), "56f06ba8311c2.mp4");
        assert_eq!(opted.tus_name("56f06ba8311c2", "README"), "56f06ba8311c2");
    }

    #[test]
    fn extensions_with_their_dot() {
        assert_eq!(extension("a.b.mp4").as_deref(), Some(".mp4"));
        assert_eq!(extension("README"), None);
        assert_eq!(extension(".bashrc"), None);
    }

    #[test]
    fn settings_that_make_no_sense_are_found_at_once() {
        for told in [("protocol", "gopher"), ("ftp_direct", "maybe"), ("url", "http://files.example.com")] {
            assert_eq!(read(&[told]).unwrap_err().kind(), Kind::Usage, "{told:?}");
        }
        assert_eq!(read(&[("protocol", "auto")]).unwrap().protocol, None);
        assert_eq!(read(&[("protocol", "ftps")]).unwrap().protocol, Some(Protocol::Ftps));
    }
}
