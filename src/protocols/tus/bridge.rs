//! Runs `tus_client` on our own HTTP client. The crate is synchronous and has few errors, so it runs on a blocking thread. Each
//! of its requests is sent by the async code, and the real error is stored while the crate returns.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use reqwest::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Url};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tus_client::http::{HttpHandler, HttpMethod, HttpRequest, HttpResponse};

use super::refusal::{creation_refusal, draft_of, refusal};
use super::target::Endpoint;
use crate::error::{Error, Kind, Result};
use crate::protocols::http::response::HttpReply;

/// Changes to the crate's requests.
#[derive(Clone, Default)]
pub struct Overrides {
    /// Headers of a creation: the length, which the crate would read from a local file, and the metadata, which the crate
    /// writes in any order.
    pub creation: Vec<(HeaderName, HeaderValue)>,
    /// DELETE as POST with `X-HTTP-Method-Override`.
    pub via_post: bool,
}

/// The result of the single request of a call.
#[derive(Default)]
struct Exchange {
    reply: Option<HttpReply>,
    failure: Option<Error>,
}

struct Bridge {
    runtime: Handle,
    line: Endpoint,
    instead: Overrides,
    slot: Arc<Mutex<Exchange>>,
    stopped: CancellationToken,
}

/// Runs one call of the crate and returns its value with the server's reply. Fails with the error of the request, or with
/// `Protocol` when the crate could not use a successful reply. Dropping the future ends the request too.
pub async fn run<T, F>(line: &Endpoint, instead: Overrides, call: F) -> Result<(T, HttpReply)>
where
    T: Send + 'static,
    F: FnOnce(&tus_client::Client<'_>) -> std::result::Result<T, tus_client::Error> + Send + 'static,
{
    let stopped = CancellationToken::new();
    let _stop_when_dropped = stopped.clone().drop_guard();
    let slot = Arc::new(Mutex::new(Exchange::default()));
    let via_post = instead.via_post;
    let bridge = Bridge { runtime: Handle::current(), line: line.clone(), instead, slot: slot.clone(), stopped };
    let done = tokio::task::spawn_blocking(move || match via_post {
        false => call(&tus_client::Client::new(bridge)),
        true => call(&tus_client::Client::with_method_override(bridge)),
    });
    let done = done.await.map_err(|e| Error::new(Kind::Other, "the TUS client failed").with_cause(e))?;
    let Exchange { reply, failure } = std::mem::take(&mut *slot.lock());
    match (done, reply, failure) {
        (Ok(value), Some(reply), None) => Ok((value, reply)),
        (_, _, Some(failure)) => Err(failure),
        (Err(e), Some(reply), None) => Err(reply.protocol_error(&unusable(&e))),
        (_, None, None) => Err(Error::new(Kind::Other, "the TUS client sent nothing")),
    }
}

fn unusable(error: &tus_client::Error) -> String {
    match error {
        // The crate's text for a HEAD without an offset would be wrong here.
        tus_client::Error::NotFoundError => "the Upload-Offset is missing".to_owned(),
        other => other.to_string(),
    }
}

impl HttpHandler for Bridge {
    fn handle_request(&self, request: HttpRequest<'_>) -> std::result::Result<HttpResponse, tus_client::Error> {
        let expected = expected_status(&request.method, self.instead.via_post);
        let outcome = self.exchange(request);
        let mut slot = self.slot.lock();
        match outcome {
            Ok(reply) => {
                let response = HttpResponse { headers: plain_headers(&reply), status_code: expected };
                slot.reply = Some(reply);
                Ok(response)
            }
            Err(failure) => {
                let said = failure.message();
                slot.failure = Some(failure);
                Err(tus_client::Error::HttpHandlerError(said))
            }
        }
    }
}

impl Bridge {
    fn exchange(&self, request: HttpRequest<'_>) -> Result<HttpReply> {
        let options = matches!(request.method, HttpMethod::Options);
        let creates = matches!(request.method, HttpMethod::Post) && !self.instead.via_post;
        let call = self.line.http.call(self.translate(request)?);
        let reply = self
            .runtime
            .block_on(self.stopped.run_until_cancelled(call))
            .unwrap_or_else(|| Err(Error::new(Kind::Cancelled, "the request was given up")))?;
        self.line.cookies.take(&reply);
        if let Some(draft) = draft_of(&reply) {
            return Err(draft);
        }
        if !reply.is_success() {
            return Err(if options || creates { creation_refusal(&reply) } else { refusal(&reply) });
        }
        // The crate panics on such an answer, which any web server may send.
        if options && !reply.headers.contains_key("tus-version") {
            return Err(reply.protocol_error("no Tus-Version"));
        }
        Ok(reply)
    }

    fn translate(&self, request: HttpRequest<'_>) -> Result<RequestBuilder> {
        let bad = |e: anyhow::Error| Error::new(Kind::Usage, "this TUS request can't be written").with_cause(e);
        // The crate writes `Delete`; methods are upper case.
        let method = request.method.to_string().to_ascii_uppercase().parse::<Method>().map_err(|e| bad(e.into()))?;
        let url = Url::parse(&request.url).map_err(|e| bad(e.into()))?;
        let creates = method == Method::POST && !self.instead.via_post;
        let mut ours = self.line.request(method, url);
        for (name, value) in request.headers {
            match name.as_str() {
                "upload-length" | "upload-metadata" => continue,
                "x-http-method-override" => ours = ours.header(name, value.to_ascii_uppercase()),
                _ => ours = ours.header(name, value),
            }
        }
        if creates || self.instead.via_post {
            ours = ours.header(CONTENT_LENGTH, 0);
        }
        let headers = self.instead.creation.iter().filter(|_| creates);
        Ok(headers.fold(ours, |ours, (name, value)| ours.header(name, value)))
    }
}

/// Any 2xx is a success (providers.md section 5), but the crate requires one exact status for each request.
fn expected_status(method: &HttpMethod, via_post: bool) -> usize {
    match method {
        HttpMethod::Post if !via_post => 201,
        _ => 204,
    }
}

/// The headers for the crate, without `Upload-Metadata`: the crate parses that wrongly, and panics on bytes that are not UTF-8.
fn plain_headers(reply: &HttpReply) -> HashMap<String, String> {
    let metadata = HeaderName::from_static("upload-metadata");
    let readable = reply.headers.iter().filter(|(name, _)| **name != metadata);
    readable.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect()
}
