//! What a provider tells of an account: who, how much room, which limits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Kind};

/// How bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tus,
    Plupload,
    Ftps,
    Ftp,
    Multipart,
    Https,
    Http,
}

impl Protocol {
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Tus => "tus",
            Protocol::Plupload => "plupload",
            Protocol::Ftps => "ftps",
            Protocol::Ftp => "ftp",
            Protocol::Multipart => "multipart",
            Protocol::Https => "https",
            Protocol::Http => "http",
        }
    }
}

impl Protocol {
    /// Receivers append whatever comes under a name: once a byte has reached it, the name is no good for another try
    /// (providers.md 4).
    pub fn spoils_its_name(self) -> bool {
        self == Protocol::Plupload
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        [Protocol::Tus, Protocol::Plupload, Protocol::Ftps, Protocol::Ftp, Protocol::Multipart]
            .into_iter()
            .find(|p| p.name() == text)
            .ok_or_else(|| {
                Error::new(Kind::Usage, format!("there is no upload protocol {text:?}"))
                    .with_hint("use tus, plupload, ftps, ftp, multipart or auto")
            })
    }
}

/// Bytes; null where the provider does not tell.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Quota {
    pub total: Option<u64>,
    pub used: Option<u64>,
    pub free: Option<u64>,
}

/// What an upload must respect; none = no limit, or none told.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Limits {
    /// Bytes of one file.
    pub file_size: Option<u64>,
    /// Files in flight at once.
    pub uploads_at_once: Option<usize>,
    /// Downloads at once, over all connections.
    pub downloads_at_once: Option<usize>,
    /// False when the account may not upload at all.
    pub may_upload: Option<bool>,
    /// False when the account may not have the files themselves (a share for looking only).
    pub may_download: Option<bool>,
    /// True when the share or account has run out: nothing moves either way.
    pub expired: Option<bool>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Account {
    /// Who we are there: user name, share name or email.
    pub account: Option<String>,
    /// The package or plan, in the provider's words.
    pub package: Option<String>,
    pub quota: Quota,
    pub limits: Limits,
    /// Upload protocols on offer now, best first.
    pub protocols: Vec<Protocol>,
    /// Things a user should know before a transfer (an expired share, an administrator without storage).
    pub warnings: Vec<String>,
    /// The provider's own fields, secrets left out.
    pub extra: Map<String, Value>,
}
