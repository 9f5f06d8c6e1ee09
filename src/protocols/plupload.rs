//! plupload 2.
use reqwest::{Url, header::HeaderMap};

use super::http::Http;
use crate::contract::{BoxFuture, Error, Part, Recovery, Result, Slicing, UploadSession};
use crate::model::Protocol;

pub struct PluploadTarget {
    /// With its query string.
    pub url: Url,
    /// The field `name`: identifies the upload.
    pub name: String,
    pub headers: HeaderMap,
    /// Bytes of one chunk; none = one request.
    pub chunk_size: Option<u64>,
    /// Bytes of the file.
    pub size: u64,
}

pub struct PluploadSession {}

pub fn open(_http: &Http, _target: PluploadTarget) -> PluploadSession {
    unimplemented!()
}

impl UploadSession for PluploadSession {
    fn protocol(&self) -> Protocol {
        Protocol::Plupload
    }
    fn slicing(&self) -> Slicing {
        unimplemented!()
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
