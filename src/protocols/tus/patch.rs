//! One part, one PATCH: streamed, with its length, its offset and, where the server wants one, its checksum.

use reqwest::Method;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;

use super::{TusSession, calls};
use crate::contract::Part;
use crate::error::{Error, Kind, Result};
use crate::protocols::long::Long;
use crate::protocols::reply::Reply;

/// After 413: where the parts begin to shrink, and where a server is beyond help, in bytes. Web servers refuse bodies above 1 MiB
/// (nginx) or 8 MiB (PHP) unless told otherwise.
const LARGE_PART: u64 = 8 << 20;
const SMALLEST_PART: u64 = 256 << 10;

impl TusSession {
    /// Bytes the server holds afterwards: the truth, also where it is less than was sent.
    pub(super) async fn send_part(&mut self, part: Part) -> Result<u64> {
        if part.len == 0 && self.needs_no_patch(&part).await? {
            return Ok(part.offset);
        }
        let checksum = self.announced().await.checksum_of(&part).await?;
        self.accepted = None;
        let reply = self.patch(&part, checksum.as_deref()).await?;
        self.expires = calls::expiry(&reply).or(self.expires);
        if !reply.is_success() {
            return Err(self.refusal(&reply, &part));
        }
        let offset = offset_in(&reply, part.end())?;
        self.accepted = Some(offset);
        if self.deferred && part.last {
            self.size = Some(part.end());
            self.deferred = false;
        }
        Ok(offset)
    }

    /// An upload of length 0 is complete as soon as it is made, at most servers; and one that is complete takes no more.
    async fn needs_no_patch(&mut self, part: &Part) -> Result<bool> {
        if self.deferred {
            return Ok(false);
        }
        if self.accepted.is_none() {
            let Some(held) = self.look().await? else {
                return Err(Error::new(Kind::Interrupted, "the server no longer has this upload"));
            };
            return Ok(held.length == Some(part.offset) && held.offset == part.offset);
        }
        Ok(self.accepted == self.size)
    }

    async fn patch(&mut self, part: &Part, checksum: Option<&str>) -> Result<Reply> {
        let reply = self.patch_once(part, checksum).await?;
        let blocked = matches!(reply.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED);
        if !blocked || self.via_post {
            return Ok(reply);
        }
        // A proxy that knows no PATCH; the override is part of the protocol.
        self.via_post = true;
        self.patch_once(part, checksum).await
    }

    async fn patch_once(&self, part: &Part, checksum: Option<&str>) -> Result<Reply> {
        let again = async { Ok(self.request(part, checksum)) };
        self.line.http.call_long(self.request(part, checksum), again).await
    }

    fn request(&self, part: &Part, checksum: Option<&str>) -> Long {
        let method = if self.via_post { Method::POST } else { Method::PATCH };
        let mut request = self
            .line
            .request(method, self.upload.clone())
            .header("tus-resumable", "1.0.0")
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .header("upload-offset", part.offset);
        if self.via_post {
            request = request.header("x-http-method-override", "PATCH");
        }
        if self.deferred && part.last {
            request = request.header("upload-length", part.end());
        }
        if let Some(checksum) = checksum {
            request = request.header("upload-checksum", checksum);
        }
        Long { request, body: part.chunks(), length: part.len }
    }

    fn refusal(&mut self, reply: &Reply, part: &Part) -> Error {
        let error = calls::refused(reply);
        match error.kind() {
            // `recover` looks, finds it gone, and the file starts over.
            Kind::NotFound => error.with_kind(Kind::Interrupted),
            Kind::Refused if reply.status == StatusCode::PAYLOAD_TOO_LARGE && part.len > SMALLEST_PART => {
                self.most = (part.len / 2).clamp(SMALLEST_PART, LARGE_PART);
                error.with_kind(Kind::Busy)
            }
            _ => error,
        }
    }
}

/// `Upload-Offset`, which may lie anywhere up to the end of what was sent.
fn offset_in(reply: &Reply, end: u64) -> Result<u64> {
    let offset = calls::offset_of(reply)?;
    if offset > end {
        return Err(reply.nonsense(&format!("the server claims {offset} bytes where only {end} were sent")));
    }
    Ok(offset)
}
