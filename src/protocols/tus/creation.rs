//! Creation with upload: the request that creates the upload of a small file also contains its bytes (protocol 1.0.0, "Creation
//! With Upload").
//!
//! This takes one request in place of two. But when its answer is lost, the upload's address is unknown, and its offset can't
//! be asked for. Then the file is looked for as after a form, and the next try creates the upload first. So only small files
//! are sent in this way.

use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::{Method, StatusCode};

use super::refusal::creation_refusal;
use super::requests::Concat;
use super::target::{TusTarget, WithUpload};
use super::{TusSession, location, requests};
use crate::contract::Part;
use crate::error::{Error, Kind, Result};
use crate::protocols::http::response::HttpReply;
use crate::protocols::http::streaming::StreamingRequest;

impl TusSession {
    /// Creates the upload, with `part` in the same request if it is the whole file.
    ///
    /// # Returns
    /// The offset in bytes that the server reports; none: the upload is created, and a PATCH must send the part.
    pub(super) async fn create_with(&mut self, part: &Part) -> Result<Option<u64>> {
        let WithUpload { target, servers } =
            self.with_upload.as_ref().ok_or_else(|| Error::new(Kind::Other, "the upload was not created yet").with_subject(self.host()))?;
        let (target, servers) = (target.clone(), servers.clone());
        let is_whole = part.offset == 0 && target.size == Some(part.len);
        let reply = if is_whole { self.post_whole(&target, part).await } else { Ok(None) };
        if !matches!(&reply, Ok(Some(reply)) if reply.is_success()) {
            // The next try creates the upload first, so that its address is known.
            servers.forget_creation_with_upload(&target.endpoint);
        }
        let Some(reply) = reply? else {
            let (upload, expires) = requests::create(&self.line, &target, Concat::Alone).await?;
            (self.upload, self.expires, self.accepted) = (Some(upload), expires, None);
            return Ok(None);
        };
        if !reply.is_success() {
            return Err(creation_refusal(&reply));
        }
        self.record_creation(&target, &reply)
    }

    /// None: the server does not accept bytes with a creation, and has created nothing.
    async fn post_whole(&self, target: &TusTarget, part: &Part) -> Result<Option<HttpReply>> {
        let request = || -> Result<StreamingRequest> {
            let request = self
                .line
                .request(Method::POST, target.endpoint.clone())
                .header("tus-resumable", "1.0.0")
                .header("upload-length", part.len)
                .header("upload-metadata", requests::encode_metadata(&target.metadata)?)
                .header(CONTENT_TYPE, "application/offset+octet-stream");
            Ok(StreamingRequest { request, body: part.chunks(), length: part.len })
        };
        // If the request was cut, the upload may have been created: nothing is sent a second time here.
        let again = async { Err(Error::new(Kind::Interrupted, "the upload may have been created")) };
        let reply = self.line.http.send_streaming(request()?, again).await?;
        self.line.cookies.take(&reply);
        Ok((!is_not_taken(reply.status)).then_some(reply))
    }

    fn record_creation(&mut self, target: &TusTarget, reply: &HttpReply) -> Result<Option<u64>> {
        let location = reply.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let location = location.ok_or_else(|| reply.protocol_error("no Location"))?;
        let upload = location::resolve(&target.endpoint, location)?;
        requests::guard(&upload);
        (self.upload, self.expires) = (Some(upload), requests::expiry(reply));
        // By the protocol, a server that reports no offset has taken no byte.
        if !reply.headers.contains_key("upload-offset") {
            return Ok(None);
        }
        let offset = requests::offset_of(reply)?;
        self.accepted = Some(offset);
        Ok((offset > 0).then_some(offset))
    }
}

/// True if the request in this form is refused (by a proxy, or by a server that announces more than it supports): a creation
/// without bytes may work.
fn is_not_taken(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 405 | 411 | 413 | 415 | 501)
}
