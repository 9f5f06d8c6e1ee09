//! Answers in place of a stand-in's own, word for word: for the errors that a real service documents and that no ordinary
//! state of a stand-in brings about.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Faults, RequestInfo};
use crate::sandbox::storage::held;

#[derive(Clone, Debug)]
pub struct Canned {
    provider: String,
    /// One kind of request, named as in `Counts::requests`.
    kind: String,
    status: u16,
    body: String,
    /// Requests that are let through first.
    skip: u64,
    /// How often it is given then.
    times: u64,
}

impl Canned {
    /// Given once, to the next request of this kind.
    pub fn new(provider: &str, kind: &str, status: u16, body: impl Into<String>) -> Canned {
        Canned { provider: provider.to_owned(), kind: kind.to_owned(), status, body: body.into(), skip: 0, times: 1 }
    }

    /// Lets so many requests through first.
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
}

impl Faults {
    pub fn answer(&self, canned: Canned) {
        held(&self.canned).push(canned);
    }

    /// The answer to this request, if one is to be given; the request's body is not read then.
    pub(crate) fn canned(&self, asked: RequestInfo<'_>) -> Option<Response> {
        let mut all = held(&self.canned);
        let at = all.iter().position(|c| c.provider == asked.provider && c.kind == asked.kind && c.times > 0)?;
        let canned = all.get_mut(at)?;
        if canned.skip > 0 {
            canned.skip -= 1;
            return None;
        }
        canned.times -= 1;
        Some(canned.response())
    }
}
