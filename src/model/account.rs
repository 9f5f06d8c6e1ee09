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
    /// Those that files go up by; what help, completions and errors say of protocols is read from here. The others are for
    /// downloads.
    pub const UPLOADS: [Protocol; 5] = [Protocol::Tus, Protocol::Plupload, Protocol::Ftps, Protocol::Ftp, Protocol::Multipart];

    /// `tus, plupload, ftps, ftp or multipart`
    pub fn upload_names(last: &str) -> String {
        match Protocol::UPLOADS.map(Protocol::name).split_last() {
            Some((end, rest)) => format!("{}{last}{end}", rest.join(", ")),
            None => String::new(),
        }
    }

    /// The name as it is typed and reported.
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

/// Bytes; null where the provider does not tell.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Quota {
    /// Bytes in all.
    pub total: Option<u64>,
    /// Bytes in use.
    pub used: Option<u64>,
    /// Bytes that are free.
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

/// What a sign-in reports.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Account {
    /// Who we are there: user name, share name or email.
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
        // What files only come down by can't be asked for.
        let hint = "https".parse::<Protocol>().unwrap_err().hint().unwrap().to_owned();
        assert_eq!(hint, "use tus, plupload, ftps, ftp, multipart or auto");
    }
}
