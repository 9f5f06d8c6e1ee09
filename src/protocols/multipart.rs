//! One form, one request, streamed with a known length.
use std::sync::Arc;

use reqwest::{Url, header::HeaderMap};

use super::http::Http;
use super::reply::Reply;
use crate::contract::{BoxFuture, Error, Part, Recovery, Result, Slicing, UploadSession};
use crate::model::Protocol;

/// What the adapter knows and the protocol does not.
pub trait FormTarget: Send + Sync {
    /// Where the form goes, asked once for each try: when the file is open and its first bytes are read, so that a token
    /// that lives five seconds (FileAgo) is as young as can be.
    fn form(&self) -> BoxFuture<'_, Result<Form>>;
    /// The adapter's verdict on the answer; keeps what it learns (`Ticket::answer`).
    fn judge(&self, reply: Reply) -> Result<()>;
}

pub struct Form {
    pub url: Url,
    pub headers: HeaderMap,
    /// Text fields, sent before the file.
    pub fields: Vec<(String, String)>,
    pub file_field: String,
    pub file_name: String,
}

pub struct MultipartSession {}

/// `size`: bytes of the file.
pub fn open(_http: &Http, _target: Arc<dyn FormTarget>, _size: u64) -> MultipartSession {
    unimplemented!()
}

impl UploadSession for MultipartSession {
    fn protocol(&self) -> Protocol {
        Protocol::Multipart
    }
    fn slicing(&self) -> Slicing {
        Slicing::Whole
    }
    fn takes_unknown_size(&self) -> bool {
        false
    }
    fn send(&mut self, _part: Part) -> BoxFuture<'_, Result<u64>> {
        unimplemented!()
    }
    fn recover<'a>(&'a mut self, _failure: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
        unimplemented!()
    }
    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        unimplemented!()
    }
    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        unimplemented!()
    }
}
