//! What a server announces of itself, and the checksums that follow from it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::TryStreamExt;
use sha1::{Digest, Sha1};
use tus_client::{ServerInfo, TusExtension};

use crate::contract::{Error, Part, Result};
use crate::protocols::http::response::HttpReply;

/// Bytes of the largest part that gets a checksum. It stands before the body, so the part is read twice: up to here the
/// second time from memory.
const LARGEST_SUMMED: u64 = 64 << 20;

/// The answer to OPTIONS. A server that does not answer it announces nothing (some proxies block OPTIONS).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Capabilities {
    pub termination: bool,
    pub defer_length: bool,
    pub checksum: Option<Algorithm>,
    /// Bytes of one file.
    pub max_size: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Sha1,
    Md5,
}

impl Capabilities {
    /// `info` drops extensions that its crate does not know; those are read from the reply.
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
            checksum,
            max_size: info.max_upload_size.map(|n| n as u64).filter(|&n| n > 0),
        }
    }

    /// The value of `Upload-Checksum` for one part, where the server wants one and the part is not too large for it.
    pub async fn checksum_of(&self, part: &Part) -> Result<Option<String>> {
        match self.checksum {
            Some(algorithm) if (1..=LARGEST_SUMMED).contains(&part.len) => algorithm.header_for(part).await.map(Some),
            _ => Ok(None),
        }
    }
}

fn names<'a>(reply: &'a HttpReply, header: &str) -> impl Iterator<Item = String> + use<'a> {
    reply.header(header).unwrap_or_default().split(',').map(|name| name.trim().to_ascii_lowercase())
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
