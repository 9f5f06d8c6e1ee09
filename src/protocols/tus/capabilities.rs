//! What a server announces, and what follows from it: checksums, and small files created together with their bytes.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::TryStreamExt;
use parking_lot::{Mutex, MutexGuard};
use reqwest::Url;
use sha1::{Digest, Sha1};
use tus_client::{ServerInfo, TusExtension};

use crate::contract::{Error, Part, Result};
use crate::protocols::http::response::HttpReply;

/// The largest part in bytes that gets a checksum. The checksum is sent before the body, so the part is read twice; up to this
/// size the second time from memory.
const MAX_SUMMED: u64 = 64 << 20;

/// The largest file in bytes that is created together with its bytes. A larger file gains little from one request less, and
/// loses more when the connection is cut.
const MAX_WITH_CREATION: u64 = 1 << 20;

/// The announcements of servers by endpoint, so that many files ask only once.
#[derive(Clone, Default)]
pub struct Servers(Arc<Mutex<HashMap<Url, Capabilities>>>);

impl Servers {
    fn lock_known(&self) -> MutexGuard<'_, HashMap<Url, Capabilities>> {
        self.0.lock()
    }

    pub fn get(&self, endpoint: &Url) -> Option<Capabilities> {
        self.lock_known().get(endpoint).cloned()
    }

    pub fn remember(&self, endpoint: &Url, announced: Capabilities) {
        self.lock_known().insert(endpoint.clone(), announced);
    }

    /// It refuses what it announces: for this run each file goes in one stream.
    pub(super) fn forget_concatenation(&self, endpoint: &Url) {
        if let Some(announced) = self.lock_known().get_mut(endpoint) {
            announced.concatenation = false;
        }
    }

    /// Called after a failed creation with upload: for this run uploads are created first, and can be asked for their offset.
    pub(super) fn forget_creation_with_upload(&self, endpoint: &Url) {
        if let Some(announced) = self.lock_known().get_mut(endpoint) {
            announced.creation_with_upload = false;
        }
    }
}

/// The answer to OPTIONS. A server that does not answer OPTIONS announces nothing (some proxies block it).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Capabilities {
    pub termination: bool,
    pub defer_length: bool,
    /// The POST that creates an upload may carry its bytes (protocol 1.0.0, "Creation With Upload").
    pub creation_with_upload: bool,
    /// Uploads can be joined to one (protocol 1.0.0, "Concatenation").
    pub concatenation: bool,
    /// The upload that joins others may be created before they are complete.
    pub concatenation_unfinished: bool,
    pub checksum: Option<Algorithm>,
    /// The largest file in bytes.
    pub max_size: Option<u64>,
    /// `Tus-Version`, `Tus-Extension` and `Tus-Checksum-Algorithm`, as the server lists them.
    pub versions: Vec<String>,
    pub extensions: Vec<String>,
    pub algorithms: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Sha1,
    Md5,
}

impl Capabilities {
    /// `info` lacks the extensions that its crate does not know; those are read from the reply.
    pub fn new(info: &ServerInfo, reply: &HttpReply) -> Self {
        let summed = info.extensions.contains(&TusExtension::Checksum);
        let knows = |algorithm: &str| names(reply, "tus-checksum-algorithm").any(|a| a == algorithm);
        let checksum = match () {
            () if summed && knows("sha1") => Some(Algorithm::Sha1),
            () if summed && knows("md5") => Some(Algorithm::Md5),
            () => None,
        };
        Capabilities {
            termination: info.extensions.contains(&TusExtension::Termination),
            defer_length: names(reply, "tus-extension").any(|e| e == "creation-defer-length"),
            creation_with_upload: names(reply, "tus-extension").any(|e| e == "creation-with-upload"),
            concatenation: names(reply, "tus-extension").any(|e| e == "concatenation"),
            concatenation_unfinished: names(reply, "tus-extension").any(|e| e == "concatenation-unfinished"),
            checksum,
            max_size: info.max_upload_size.map(|n| n as u64).filter(|&n| n > 0),
            versions: header_values(reply, "tus-version"),
            extensions: header_values(reply, "tus-extension"),
            algorithms: header_values(reply, "tus-checksum-algorithm"),
        }
    }

    /// True for a small file of known size, if the server announces the extension. (An empty file has no bytes to send: its
    /// creation is enough.)
    pub fn takes_bytes_with_creation(&self, size: Option<u64>, chunk_size: Option<u64>) -> bool {
        let most = chunk_size.filter(|&size| size > 0).unwrap_or(MAX_WITH_CREATION).min(MAX_WITH_CREATION);
        self.creation_with_upload && size.is_some_and(|size| (1..=most).contains(&size))
    }

    /// The value of `Upload-Checksum` for one part, if the server supports it and the part is not too large.
    pub async fn checksum_of(&self, part: &Part) -> Result<Option<String>> {
        match self.checksum {
            Some(algorithm) if (1..=MAX_SUMMED).contains(&part.len) => algorithm.header_for(part).await.map(Some),
            _ => Ok(None),
        }
    }
}

fn names<'a>(reply: &'a HttpReply, header: &str) -> impl Iterator<Item = String> + use<'a> {
    reply.header(header).unwrap_or_default().split(',').map(|name| name.trim().to_ascii_lowercase())
}

fn header_values(reply: &HttpReply, header: &str) -> Vec<String> {
    names(reply, header).filter(|name| !name.is_empty()).collect()
}

impl Algorithm {
    async fn header_for(self, part: &Part) -> Result<String> {
        let mut chunks = part.peek();
        let mut sha1 = Sha1::new();
        let mut md5 = md5::Context::new();
        while let Some(piece) = chunks.try_next().await.map_err(|e| Error::reading(&e))? {
            match self {
                Algorithm::Sha1 => sha1.update(&piece),
                Algorithm::Md5 => md5.consume(&piece),
            }
        }
        Ok(match self {
            Algorithm::Sha1 => format!("sha1 {}", BASE64_STANDARD.encode(sha1.finalize())),
            Algorithm::Md5 => format!("md5 {}", BASE64_STANDARD.encode(md5.finalize().0)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_fits_one_small_request_of_a_server_that_announces_it() {
        const MAX: u64 = MAX_WITH_CREATION;
        let announced = Capabilities { creation_with_upload: true, ..Capabilities::default() };
        for (size, chunk_size, fits) in [
            (Some(1), None, true),
            (Some(MAX), None, true),
            (Some(MAX), Some(0), true),
            (Some(MAX), Some(64 << 20), true),
            (Some(MAX + 1), None, false),
            (Some(1000), Some(1000), true),
            (Some(1001), Some(1000), false),
            (Some(0), None, false),
            (None, None, false),
        ] {
            assert_eq!(announced.takes_bytes_with_creation(size, chunk_size), fits, "{size:?} {chunk_size:?}");
            assert!(!Capabilities::default().takes_bytes_with_creation(size, chunk_size));
        }
    }
}
