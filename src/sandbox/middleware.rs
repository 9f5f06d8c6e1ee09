//! Middleware of every stand-in: counts the request, and applies the faults that are the same for all providers (busy, broken,
//! a page in place of data, a slow or lost answer, a connection cut in the middle of the body).

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};

use super::faults::table::Fault;
use super::faults::{Faults, RequestInfo};
use super::request_log::{Answered, RequestLog};
use super::responses;
use super::server::ConnectionHandle;
use super::storage::Store;

/// The data that all stand-ins share.
pub struct Shared {
    pub store: Store,
    pub faults: Faults,
    pub log: RequestLog,
}

/// The name of one stand-in, and how it names the kinds of its requests.
#[derive(Clone)]
pub struct Middleware {
    pub shared: Arc<Shared>,
    pub provider: &'static str,
    /// The kind of a request, and whether its body is a file's bytes.
    pub kind: fn(&Method, &str) -> (String, bool),
}

const LINGER: Duration = Duration::from_secs(5);

/// The header that tells the handlers the kind of a request.
const KIND: &str = "x-sandbox-kind";

/// The kind of this request, as the middleware has set it.
pub fn kind_of(headers: &HeaderMap) -> &str {
    headers.get(KIND).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

/// Handles a request, and writes a line for it and its answer to the log.
pub async fn handle(
    State(middleware): State<Middleware>,
    ConnectInfo(wire): ConnectInfo<ConnectionHandle>,
    request: Request,
    next: Next,
) -> Response {
    if !middleware.shared.log.is_kept() {
        return answer(middleware, wire, request, next).await;
    }
    let (shared, provider, begun) = (middleware.shared.clone(), middleware.provider, Instant::now());
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let (kind, _) = (middleware.kind)(request.method(), request.uri().path());
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse().ok());
    let response = answer(middleware, wire, request, next).await;
    let answered = Answered { method, path, length, status: response.status().as_u16(), took: begun.elapsed() };
    shared.log.add(provider, &kind, Some(answered));
    response
}

async fn answer(middleware: Middleware, wire: ConnectionHandle, mut request: Request, next: Next) -> Response {
    let (kind, carries_file) = (middleware.kind)(request.method(), request.uri().path());
    // A step of the path may be no valid header value; then the kind is `unknown`, which no script names.
    let told = HeaderValue::from_str(&kind).unwrap_or(HeaderValue::from_static("unknown"));
    request.headers_mut().insert(KIND, told);
    let Middleware { shared, provider, .. } = middleware;
    shared.store.count_request(provider, &kind);
    let asked = RequestInfo { provider, kind: &kind, carries_file };
    shared.faults.tick(asked);
    shared.faults.arrive(asked);
    if shared.faults.is_gone(asked) {
        wire.cut();
        return StatusCode::BAD_REQUEST.into_response();
    }
    if let Some(answer) = shared.faults.take_canned_answer(asked).or_else(|| reply_without_reading(&shared.faults, asked)) {
        tokio::spawn(drain(request));
        return answer;
    }
    if shared.faults.take(asked, Fault::ReadPage).is_some() {
        let mut body = request.into_body().into_data_stream();
        while body.next().await.is_some_and(|piece| piece.is_ok()) {}
        return responses::page(StatusCode::OK, "Down for maintenance");
    }
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<u64>().ok());
    if let Some(strike) = shared.faults.hit(provider, Fault::LargestBody)
        && length.is_some_and(|length| length > strike.number)
    {
        tokio::spawn(drain(request));
        return responses::page(StatusCode::PAYLOAD_TOO_LARGE, "413 Request Entity Too Large");
    }
    let request = match shared.faults.peek(asked, Fault::Cut) {
        Some(strike) if strike.number == 0 => {
            // The body may have arrived already, so it must not be read.
            shared.faults.take(asked, Fault::Cut);
            wire.cut();
            return StatusCode::BAD_REQUEST.into_response();
        }
        Some(strike) => {
            let (shared, kind, wire) = (shared.clone(), kind.clone(), wire.clone());
            let cut = move || {
                let struck = shared.faults.take(RequestInfo { provider, kind: &kind, carries_file }, Fault::Cut).is_some();
                if struck {
                    wire.cut();
                }
                struck
            };
            request.map(|body| cut_after(body, strike.number, cut))
        }
        None => request,
    };
    let has_body = request.method() != Method::GET;
    let mut response = next.run(request).await;
    if !has_body {
        response = corrupt_download(response, &shared, provider, kind.clone(), wire.clone());
    }
    if let Some(strike) = shared.faults.take(asked, Fault::Slow) {
        tokio::time::sleep(Duration::from_millis(strike.number)).await;
    }
    if let Some(strike) = shared.faults.take(asked, Fault::Noise) {
        response = noisy(response, strike.word).await;
    }
    if shared.faults.take(asked, Fault::AnswerPage).is_some() {
        return responses::page(StatusCode::OK, "try again later");
    }
    if shared.faults.take(asked, Fault::AnswerTimeout).is_some() {
        return responses::page(StatusCode::GATEWAY_TIMEOUT, "504 Gateway Time-out");
    }
    if shared.faults.take(asked, Fault::AnswerLost).is_some() {
        wire.cut();
    }
    response
}

/// Adds a PHP warning, as a site prints it when errors are displayed. Only JSON is changed.
async fn noisy(response: Response, place: &str) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).and_then(|t| t.to_str().ok()).is_some_and(|t| t.contains("json"));
    if !is_json {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let json = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let warning = b"<br />\n<b>Warning</b>: Undefined array key {name} in <b>/srv/up.php</b> on line <b>7</b><br />\n{}\n";
    let body = if place == "before" { [warning, json.as_ref()].concat() } else { [json.as_ref(), b"\n", warning].concat() };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

/// Reads the rest of a request, as web servers do for a while after a refusal (nginx: lingering_close): otherwise the reset at
/// the close would destroy the answer. The bytes are dropped.
async fn drain(request: Request) {
    let mut rest = request.into_body().into_data_stream();
    let read = async { while rest.next().await.is_some_and(|piece| piece.is_ok()) {} };
    let _ = tokio::time::timeout(LINGER, read).await;
}

/// Applies the faults to an answer whose body is a file: it is cut, or it is too short with a matching length.
fn corrupt_download(response: Response, shared: &Arc<Shared>, provider: &'static str, kind: String, wire: ConnectionHandle) -> Response {
    let asked = RequestInfo { provider, kind: &kind, carries_file: false };
    let length = response.headers().get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse::<u64>().ok());
    if let (true, Some(length)) = (kind == "download", length)
        && let Some(strike) = shared.faults.take(asked, Fault::DownloadShort)
    {
        let length = length.saturating_sub(strike.number);
        let (mut parts, body) = response.into_parts();
        parts.headers.insert(header::CONTENT_LENGTH, length.into());
        return Response::from_parts(parts, truncate(body, length));
    }
    if kind == "download"
        && let Some(strike) = shared.faults.take(asked, Fault::EndsEarly)
    {
        let (mut parts, body) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, truncate(body, strike.number));
    }
    if kind == "download"
        && response.status().is_success()
        && let Some(strike) = shared.faults.take(asked, Fault::RunsOn)
    {
        let (mut parts, body) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        let more = Bytes::from(vec![b'+'; usize::try_from(strike.number).unwrap_or(0)]);
        let body = body.into_data_stream().chain(stream::once(std::future::ready(Ok(more))));
        return Response::from_parts(parts, Body::from_stream(body));
    }
    match shared.faults.peek(asked, Fault::Cut) {
        Some(strike) => {
            let shared = shared.clone();
            let cut = move || {
                let struck = shared.faults.take(RequestInfo { provider, kind: &kind, carries_file: false }, Fault::Cut).is_some();
                if struck {
                    wire.cut();
                }
                struck
            };
            response.map(|body| cut_after(body, strike.number, cut))
        }
        None => response,
    }
}

fn truncate(body: Body, length: u64) -> Body {
    Body::from_stream(body.into_data_stream().scan(length, |left, piece| {
        let piece = piece.map(|piece| piece.slice(..piece.len().min(usize::try_from(*left).unwrap_or(usize::MAX))));
        *left = left.saturating_sub(piece.as_ref().map_or(0, |p| p.len() as u64));
        std::future::ready(piece.as_ref().map_or(true, |p| !p.is_empty()).then_some(piece))
    }))
}

/// Answers that are given without reading the body: the request certainly had no effect.
fn reply_without_reading(faults: &Faults, asked: RequestInfo<'_>) -> Option<Response> {
    let wait = |status, seconds: u64| {
        let mut response = responses::page(status, "try again later");
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        response
    };
    if let Some(strike) = faults.take(asked, Fault::TooMany) {
        return Some(wait(StatusCode::TOO_MANY_REQUESTS, strike.number));
    }
    if let Some(strike) = faults.take(asked, Fault::Unavailable) {
        return Some(wait(StatusCode::SERVICE_UNAVAILABLE, strike.number));
    }
    if faults.take(asked, Fault::ServerError).is_some() {
        return Some(StatusCode::INTERNAL_SERVER_ERROR.into_response());
    }
    if faults.take(asked, Fault::TooLarge).is_some() {
        return Some(responses::page(StatusCode::PAYLOAD_TOO_LARGE, "413 Request Entity Too Large"));
    }
    faults.take(asked, Fault::Html).map(|_| responses::page(StatusCode::OK, "Down for maintenance"))
}

/// The body's first `limit` bytes; if there are more, `cut` decides whether the connection is cut there.
fn cut_after(body: Body, limit: u64, cut: impl Fn() -> bool + Send + 'static) -> Body {
    struct CutBody<C> {
        inner: axum::body::BodyDataStream,
        held_back: Option<Bytes>,
        left: Option<u64>,
        cut: C,
    }
    let flow = CutBody { inner: body.into_data_stream(), held_back: None, left: Some(limit), cut };
    Body::from_stream(stream::unfold(flow, |mut flow| async move {
        if let Some(rest) = flow.held_back.take() {
            flow.left = None;
            if (flow.cut)() {
                return Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), flow));
            }
            return Some((Ok(rest), flow));
        }
        let mut bytes = match flow.inner.next().await? {
            Ok(bytes) => bytes,
            Err(error) => return Some((Err(io::Error::other(error)), flow)),
        };
        if let Some(left) = &mut flow.left {
            let keep = usize::try_from(*left).unwrap_or(usize::MAX);
            if keep < bytes.len() {
                flow.held_back = Some(bytes.split_off(keep));
            }
            *left = left.saturating_sub(bytes.len() as u64);
        }
        Some((Ok(bytes), flow))
    }))
}
