//! One form, one request, streamed with a known length. A form can't be resumed: when the outcome is uncertain, the adapter
//! looks for the file.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use reqwest::{Url, header::HeaderMap};

use self::form::FormFrame;
use super::http::Http;
use super::http::response::HttpReply;
use super::http::streaming::StreamingRequest;
use crate::contract::{BoxFuture, Chunking, Chunks, Error, Kind, Part, Recovery, Result, UploadSession};
use crate::model::Protocol;

pub mod form;

/// The provider's side of a form.
pub trait FormTarget: Send + Sync {
    /// The form of one try. Called when the file is open and its first bytes are read, so that a token that lives five seconds
    /// (FileAgo) is as young as possible. Called a second time when the server closed the connection in the middle of the file,
    /// to read the refusal.
    fn form(&self) -> BoxFuture<'_, Result<Form>>;
    /// Decides what the answer means, and stores the entry that it names.
    fn check_reply(&self, reply: HttpReply) -> Result<()>;
}

pub struct Form {
    pub url: Url,
    pub headers: HeaderMap,
    /// Text fields, sent before the file.
    pub fields: Vec<(String, String)>,
    pub file_field: String,
    pub file_name: String,
}

pub struct MultipartSession {
    http: Http,
    target: Arc<dyn FormTarget>,
    size: u64,
    left: bool,
}

/// `size` is the size of the file in bytes.
pub fn open(http: &Http, target: Arc<dyn FormTarget>, size: u64) -> MultipartSession {
    MultipartSession { http: http.clone(), target, size, left: false }
}

impl MultipartSession {
    async fn post(&mut self, part: Part) -> Result<u64> {
        self.left = false;
        if (part.offset, part.len) != (0, self.size) {
            return Err(Error::new(Kind::Other, "a form takes a file whole"));
        }
        let file = await_first_bytes(part.chunks()).await?;
        let form = self.target.form().await?;
        self.left = true;
        let again = async { Ok(self.request(self.target.form().await?, part.chunks())) };
        let reply = self.http.send_streaming(self.request(form, file), again).await?;
        self.target.check_reply(reply)?;
        Ok(part.end_offset())
    }

    fn request(&self, form: Form, file: Chunks) -> StreamingRequest {
        let request = self.http.client().post(form.url).headers(form.headers);
        FormFrame::new(&form.fields, &form.file_field, &form.file_name).around(file, self.size, request)
    }
}

/// Waits for the first bytes and puts them back, so that an unreadable file is detected before a token is used.
async fn await_first_bytes(mut file: Chunks) -> Result<Chunks> {
    match file.next().await {
        Some(Err(e)) => Err(Error::reading(&e)),
        Some(Ok(first)) => Ok(Box::pin(stream::iter([Ok(first)]).chain(file))),
        None => Ok(Box::pin(stream::empty())),
    }
}

impl UploadSession for MultipartSession {
    fn protocol(&self) -> Protocol {
        Protocol::Multipart
    }

    fn note(&self) -> Option<String> {
        None
    }

    fn chunking(&self) -> Chunking {
        Chunking::Whole
    }

    fn takes_unknown_size(&self) -> bool {
        false
    }

    fn send(&mut self, part: Part) -> BoxFuture<'_, Result<u64>> {
        Box::pin(self.post(part))
    }

    fn has_left(&self) -> bool {
        self.left
    }

    fn recover<'a>(&'a mut self, _failure: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
        Box::pin(async { Ok(Recovery::StartOver) })
    }

    fn has_last_step(&self) -> bool {
        false
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// A form that was cut leaves nothing on the server.
    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { None })
    }
}
