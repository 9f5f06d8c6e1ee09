//! Fixed answers in place of a stand-in's own: for the errors that a real service documents, but that no ordinary state of a
//! stand-in causes.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::request::RequestInfo;

#[derive(Clone, Debug)]
pub struct Canned {
    provider: String,
    /// One kind of request, named as in `Counts::requests`.
    kind: String,
    status: u16,
    body: String,
    /// The number of requests that are let through first.
    skip: u64,
    /// How often the answer is given after that.
    times: u64,
}

impl Canned {
    /// An answer that is given once, to the next request of this kind.
    pub fn new(provider: &str, kind: &str, status: u16, body: impl Into<String>) -> Canned {
        Canned { provider: provider.to_owned(), kind: kind.to_owned(), status, body: body.into(), skip: 0, times: 1 }
    }

    /// Lets this number of requests through first.
    pub fn after(mut self, requests: u64) -> Canned {
        self.skip = requests;
        self
    }

    pub fn times(mut self, times: u64) -> Canned {
        self.times = times;
        self
    }

    fn response(&self) -> Response {
        let kind = if self.body.starts_with('{') { "application/json" } else { "text/html; charset=utf-8" };
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(header::CONTENT_TYPE, kind)], self.body.clone()).into_response()
    }
    pub(super) fn is_for(&self, asked: RequestInfo<'_>) -> bool {
        self.provider == asked.provider && self.kind == asked.kind && self.times > 0
    }

    /// Returns the answer; none while requests are let through.
    pub(super) fn take(&mut self) -> Option<Response> {
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.response())
    }
}
