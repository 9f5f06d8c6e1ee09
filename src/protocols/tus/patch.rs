//! One part, one PATCH: streamed, with its length, its offset and, if the server supports it, its checksum.

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, StatusCode, Url};

use super::{TusSession, requests};
use crate::contract::Part;
use crate::error::{Error, Kind, Result};
use crate::protocols::http::response::HttpReply;
use crate::protocols::http::streaming::StreamingRequest;

impl TusSession {
    /// Returns the bytes that the server holds afterwards; this number counts, even if it is less than was sent. The caller
    /// handles a number that is more than was sent.
    pub(super) async fn send_part(&mut self, part: Part) -> Result<u64> {
        if part.len == 0 && self.needs_no_patch(&part).await? {
            return Ok(part.offset);
        }
        if self.upload.is_none()
            && let Some(offset) = self.create_with(&part).await?
        {
            return Ok(offset);
        }
        let checksum = self.capabilities().await.checksum_of(&part).await?;
        self.accepted = None;
        self.verdicts.unsure = Some((part.offset, part.len));
        let reply = match self.patch(&part, checksum.as_deref()).await {
            Ok(reply) => reply,
            Err(error) => {
                if error.kind() == Kind::Unreachable {
                    self.verdicts.unsure = None;
                }
                return Err(error);
            }
        };
        self.expires = requests::expiry(&reply).or(self.expires);
        if !reply.is_success() {
            self.verdicts.unsure = self.verdicts.unsure.filter(|_| reply.status == StatusCode::REQUEST_TIMEOUT);
            let mut most = self.most;
            let refusal = self.verdicts.refusal(&reply, &part, &mut most);
            if self.exact && most < self.most {
                return Err(refusal
                    .with_kind(Kind::Refused)
                    .with_hint("set a smaller `chunk_size` for the remote, if its server takes that"));
            }
            self.most = most;
            return Err(refusal);
        }
        let offset = requests::offset_of(&reply)?;
        self.shrink_parts(offset);
        self.verdicts.record_accepted();
        self.accepted = Some(offset);
        if self.deferred && part.last {
            self.size = Some(part.end_offset());
            self.deferred = false;
        }
        Ok(offset)
    }

    /// At most servers an upload of length 0 is complete when it is created; and a complete upload accepts no PATCH.
    async fn needs_no_patch(&mut self, part: &Part) -> Result<bool> {
        if self.deferred {
            return Ok(false);
        }
        if self.accepted.is_none() {
            let Some(held) = self.head().await? else {
                return Err(Error::new(Kind::Interrupted, "the server no longer has this upload"));
            };
            return Ok(held.length == Some(part.offset) && held.offset == part.offset);
        }
        Ok(self.accepted == self.size)
    }

    async fn patch(&mut self, part: &Part, checksum: Option<&str>) -> Result<HttpReply> {
        let reply = self.patch_once(part, checksum).await?;
        let blocked = matches!(reply.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED);
        if !blocked || self.via_post {
            return Ok(reply);
        }
        // A proxy does not pass PATCH; the override is part of the protocol. No byte is sent a second time before a look.
        self.via_post = true;
        match requests::head(&self.line, self.upload_url()?).await? {
            Some(held) if held.offset == part.offset => self.patch_once(part, checksum).await,
            _ => Err(Error::new(Kind::Interrupted, "a part of the request was kept")),
        }
    }

    async fn patch_once(&self, part: &Part, checksum: Option<&str>) -> Result<HttpReply> {
        // Only if the server kept nothing: tus-php ignores the offset 0, and would append these bytes to those that it has.
        let again = async {
            match requests::head(&self.line, self.upload_url()?).await? {
                Some(held) if held.offset == part.offset => self.request(part, checksum),
                _ => Err(Error::new(Kind::Interrupted, "a part of the request was kept")),
            }
        };
        let reply = self.line.http.send_streaming(self.request(part, checksum)?, again).await?;
        self.line.cookies.take(&reply);
        Ok(reply)
    }

    fn request(&self, part: &Part, checksum: Option<&str>) -> Result<StreamingRequest> {
        let mut request = self.head_of_patch(part.offset)?;
        if self.deferred && part.last {
            request = request.header("upload-length", part.end_offset());
        }
        if let Some(checksum) = checksum {
            request = request.header("upload-checksum", checksum);
        }
        Ok(StreamingRequest { request, body: part.chunks(), length: part.len })
    }

    fn upload_url(&self) -> Result<&Url> {
        self.upload.as_ref().ok_or_else(|| Error::new(Kind::Other, "the upload was not created yet").with_subject(self.host()))
    }

    fn head_of_patch(&self, offset: u64) -> Result<RequestBuilder> {
        let method = if self.via_post { Method::POST } else { Method::PATCH };
        let request = self
            .line
            .request(method, self.upload_url()?.clone())
            .header("tus-resumable", "1.0.0")
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .header("upload-offset", offset);
        Ok(if self.via_post { request.header("x-http-method-override", "PATCH") } else { request })
    }

    /// Sends a PATCH without bytes, once. A server that has completed the upload refuses it, and that refusal is ignored.
    pub(super) async fn end_empty(&mut self) -> Result<bool> {
        if self.size != Some(0) || std::mem::replace(&mut self.nudged, true) {
            return Ok(false);
        }
        let request = self.head_of_patch(0)?.header(CONTENT_LENGTH, 0);
        self.line.http.call(request).await.map(|reply| reply.is_success())
    }
}
