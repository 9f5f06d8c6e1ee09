//! What a provider reports about an account: its user, its space and its limits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Kind};

/// How a file's bytes are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TUS: resumable uploads over HTTP.
    Tus,
    /// The chunked form uploads of the plupload library.
    Plupload,
    /// FTP over TLS.
    Ftps,
    /// FTP without encryption.
    Ftp,
    /// One HTTP form with the whole file.
    Multipart,
    /// Downloads over HTTPS.
    Https,
    /// Downloads over plain HTTP.
    Http,
}

impl Protocol {
    /// The protocols for uploads; help, completions and errors list them from here. The others are for downloads.
    pub const UPLOADS: [Protocol; 5] = [Protocol::Tus, Protocol::Plupload, Protocol::Ftps, Protocol::Ftp, Protocol::Multipart];

    /// `tus, plupload, ftps, ftp or multipart`; `last` stands before the last name.
    pub fn upload_names(last: &str) -> String {
        match Protocol::UPLOADS.map(Protocol::name).split_last() {
            Some((end, rest)) => format!("{}{last}{end}", rest.join(", ")),
            None => String::new(),
        }
    }

    /// The name as the user types it and reports show it.
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

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Protocol {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        Protocol::UPLOADS.into_iter().find(|p| p.name() == text).ok_or_else(|| {
            Error::new(Kind::Usage, format!("there is no upload protocol {text:?}"))
                .with_hint(format!("use {} or auto", Protocol::upload_names(", ")))
        })
    }
}

/// Bytes; null where the provider does not report them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Quota {
    /// Bytes in all.
    pub total: Option<u64>,
    /// Bytes in use.
    pub used: Option<u64>,
    /// Bytes that are free.
    pub free: Option<u64>,
}

/// The limits of an account; none means that there is no limit, or that the provider reports none.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Limits {
    /// Bytes of one file.
    pub file_size: Option<u64>,
    /// The number of uploads at the same time.
    pub uploads_at_once: Option<usize>,
    /// The number of downloads at the same time, over all connections.
    pub downloads_at_once: Option<usize>,
    /// False when the account may not upload at all.
    pub may_upload: Option<bool>,
    /// False when the account may not download files (a share that only shows them).
    pub may_download: Option<bool>,
    /// True when the share or account has expired: no upload or download is possible.
    pub expired: Option<bool>,
}

/// What a sign-in reports.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Account {
    /// The account's user name, share name or email.
    pub account: Option<String>,
    /// The package or plan, in the provider's words.
    pub package: Option<String>,
    /// Space, in bytes.
    pub quota: Quota,
    /// What the account may do.
    pub limits: Limits,
    /// Upload protocols on offer now, best first.
    pub protocols: Vec<Protocol>,
    /// Things a user should know before a transfer (an expired share, an administrator without storage).
    pub warnings: Vec<String>,
    /// The provider's own fields, secrets left out.
    pub extra: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_its_protocol() {
        for protocol in Protocol::UPLOADS {
            assert_eq!(protocol.name().parse::<Protocol>().unwrap(), protocol);
            assert_eq!(serde_json::to_value(protocol).unwrap(), protocol.name());
        }
        // Protocols that are only for downloads can't be chosen.
        let hint = "https".parse::<Protocol>().unwrap_err().hint().unwrap().to_owned();
        assert_eq!(hint, "use tus, plupload, ftps, ftp, multipart or auto");
    }
}
