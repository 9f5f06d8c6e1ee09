//! TUS 1.0.0.
use chrono::{DateTime, Utc};
use reqwest::{Url, header::HeaderMap};

use super::http::Http;
use crate::contract::{BoxFuture, Error, Part, Recovery, Result, Slicing, UploadSession};
use crate::model::Protocol;

/// Where and as what an upload is created.
#[derive(Clone)]
pub struct TusTarget {
    /// The creation endpoint.
    pub endpoint: Url,
    /// `Upload-Metadata`; keys are ASCII, values any text.
    pub metadata: Vec<(String, String)>,
    /// Sent with every request to the endpoint's origin, never to another.
    pub headers: HeaderMap,
    /// Bytes of the file; none = deferred length, where the server announces it (else `NeedsSize`, before anything is created).
    pub size: Option<u64>,
    /// Upper size of one PATCH body in bytes; none = the whole file in one.
    pub chunk_size: Option<u64>,
}

pub struct TusSession {}

/// Asks the server what it can do and creates the upload. Sends no byte of the file.
pub async fn create(_http: &Http, _target: TusTarget) -> Result<TusSession> {
    unimplemented!()
}

/// Takes up an upload that an earlier run has created; `recover` tells where it goes on.
pub fn resume(_http: &Http, _target: TusTarget, _upload: Url) -> TusSession {
    unimplemented!()
}

impl TusSession {
    /// The upload's own URL: a secret where the server puts a token into it.
    pub fn url(&self) -> &Url {
        unimplemented!()
    }
    pub fn expires(&self) -> Option<DateTime<Utc>> {
        unimplemented!()
    }
}

impl UploadSession for TusSession {
    fn protocol(&self) -> Protocol {
        Protocol::Tus
    }
    fn slicing(&self) -> Slicing {
        unimplemented!()
    }
    fn takes_unknown_size(&self) -> bool {
        unimplemented!()
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
