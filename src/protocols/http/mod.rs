//! The only HTTP client. It repeats no call, and reads answers with a limit on time and memory. It follows a redirect only
//! within the same origin (a token must never reach another server), only if the status keeps the method, and only if the body
//! is in memory: a file is not sent again.

pub(crate) mod connection_reuse;
pub(crate) mod content_encoding;
pub(crate) mod content_range;
pub(crate) mod cookies;
pub mod download;
pub(crate) mod excerpt;
pub(crate) mod html_page;
mod range_request;
pub mod response;
pub mod row_stream;
pub mod streaming;
pub(crate) mod system_proxy;
mod url;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Request, RequestBuilder, Response, StatusCode, Url};

use self::connection_reuse::{Reuse, is_silent, steps};
use self::response::HttpReply;
use self::row_stream::{Path, RawRow, Splitter, TooMuch};
pub use self::url::{bare_url, base_url, host_of, is_loopback, is_loopback_host};
use super::socket::{KEEPALIVE_INTERVAL, SIGNS, between_signs};
use super::tls;
use crate::contract::{Chunks, Network, Part};
use crate::error::{Error, Kind, Result};
use crate::model::secret::mask;

/// The largest answer in bytes that is read into memory; as parsed values it takes some thirty times as much.
const MAX_ANSWER: usize = 1 << 20;
/// The largest answer in bytes that is read row by row: a flat listing of some million entries.
const MAX_LISTING: usize = 512 << 20;
/// An answer may take this number of time-outs after its head, and more time for its bytes ([`MIN_RATE`]). Each piece alone may
/// take a time-out, so without a total a server that sends single bytes could keep haul busy for years.
const MAX_TIMEOUTS: u32 = 1;
/// An answer may take one more second for each of this number of bytes.
const MIN_RATE: u64 = 1 << 10;
/// The longest time to make a connection; a slower one would be of little use.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// An unused connection is closed after this time: most servers have closed it by then.
const IDLE: Duration = Duration::from_secs(90);
/// The hint for a url with the wrong scheme.
const MAY_WANT_TLS: &str = "if the server speaks TLS there, write https:// in the remote's url";
const MAY_BE_CLEAR: &str =
    "check the port; for a server without TLS write http:// in the remote's url, and `insecure = true` for a host that is not this machine";
/// The answer of web servers (nginx, Apache, Go's) on a TLS port to a request without TLS, always with status 400.
const SPOKEN_TO_IN_CLEAR: &[&str] =
    &["plain http request was sent to https port", "plain http to an ssl-enabled", "http request to an https server"];
/// A server that wants a slash at the end redirects once; more redirects may be a loop.
const MAX_REDIRECTS: usize = 3;

#[derive(Clone)]
pub struct Http {
    calls: ClientPair,
    /// For file bodies, which must not be decompressed.
    files: ClientPair,
    reuse: Arc<Reuse>,
    timeout: Duration,
}

/// Two clients: one keeps connections for the next request, the other makes a connection for each request.
#[derive(Clone)]
struct ClientPair {
    kept: Client,
    single: Client,
}

impl Http {
    pub fn new(network: &Network) -> Result<Http> {
        // HTTP/1.1 only: one connection for each file in progress, which was measured 1.4 times as fast as HTTP/2 for bodies.
        let mut tls = tls::client_config(network.ca_file.as_deref(), rustls::ALL_VERSIONS)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let build = |unpack: bool, idle: usize| {
            let builder = Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("haul/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT_TIMEOUT.min(network.timeout))
                .tcp_keepalive(KEEPALIVE_INTERVAL)
                .tcp_keepalive_interval(between_signs(network.timeout))
                .tcp_keepalive_retries(SIGNS)
                .tcp_nodelay(true)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(idle)
                .gzip(unpack);
            let builder = match system_proxy::proxies().is_any() {
                true => builder.no_proxy().proxy(reqwest::Proxy::custom(|url| system_proxy::proxies().of(url).cloned())),
                false => builder.no_proxy(),
            };
            // If the peer does not acknowledge bytes, the connection is lost. The client's own limit would be 30 s.
            #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
            let builder = builder.tcp_user_timeout(network.timeout);
            builder.build().map_err(|e| Error::new(Kind::Other, "the HTTP client can't be set up").with_cause(e))
        };
        let lines = |unpack| Ok::<_, Error>(ClientPair { kept: build(unpack, usize::MAX)?, single: build(unpack, 0)? });
        Ok(Http { calls: lines(true)?, files: lines(false)?, reuse: Arc::default(), timeout: network.timeout })
    }

    pub(super) fn files(&self) -> &Client {
        &self.files.kept
    }

    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub fn client(&self) -> &Client {
        &self.calls.kept
    }

    /// One API call: the answer's head and each piece of its body must arrive within the time-out. The caller checks the
    /// status; only transport failures are errors here.
    pub async fn call(&self, request: RequestBuilder) -> Result<HttpReply> {
        let response = tokio::time::timeout(self.timeout, self.start(request)).await.map_err(|_| timeout_error(self.timeout))??;
        not_in_clear(self.read(response, MAX_ANSWER).await?)
    }

    /// As `call`, for an answer that may be long: `take` gets the rows of its lists as they arrive, with the list's number, and
    /// the reply's body is the rest. If the answer turns out to be no success, its rows must be ignored.
    pub async fn call_rows(
        &self,
        request: RequestBuilder,
        lists: &'static [Path],
        mut take: impl FnMut(usize, RawRow<'_>) + Send,
    ) -> Result<HttpReply> {
        let response = tokio::time::timeout(self.timeout, self.start(request)).await.map_err(|_| timeout_error(self.timeout))??;
        if !response.status().is_success() {
            return not_in_clear(self.read(response, MAX_ANSWER).await?);
        }
        let mut splitter = Splitter::new(lists);
        let on = host_of(response.url());
        let endless = |much: TooMuch| Error::unread_answer(format!("the server's answer has no end ({})", much.0)).with_subject(on.clone());
        let head = self.read_body(response, MAX_LISTING, |piece| splitter.feed(piece, &mut take).map_err(&endless)).await?;
        Ok(head.with(splitter.finish(&mut take).map_err(endless)?.into()))
    }

    /// As `call`, for a request whose body may take hours and whose answer may come late (giga0 posts the file to itself again,
    /// providers.md 2.5). There is no time-out here: the engine watches for stalls.
    pub async fn call_without_timeout(&self, request: RequestBuilder) -> Result<HttpReply> {
        let response = self.start(request).await?;
        self.read_verdict(response).await
    }

    /// Checks that a server answers at all. Returns the address and the status in a few words.
    pub async fn reach(&self, url: &Url) -> Result<String> {
        let reply = self.call(self.client().request(Method::OPTIONS, url.clone())).await?;
        Ok(format!("{} answers (HTTP {})", url.origin().ascii_serialization(), reply.status.as_u16()))
    }

    async fn start(&self, request: RequestBuilder) -> Result<Response> {
        let (result, url) = self.execute(request).await?;
        match result {
            Ok(response) => Ok(response),
            Err(e) => Err(self.failure(e, &url).await),
        }
    }

    /// The head of the answer to a request for a file; it must arrive within the time-out.
    pub(super) async fn fetch(&self, request: RequestBuilder) -> Result<Response> {
        let request = request.build().map_err(|e| Error::new(Kind::Usage, "this URL can't be used").with_cause(e.without_url()))?;
        let url = request.url().clone();
        let sent = tokio::time::timeout(self.timeout, self.send_over(&self.files, request)).await;
        match sent.map_err(|_| timeout_error(self.timeout))? {
            Ok(response) => Ok(response),
            Err(e) => Err(self.failure(e, &url).await),
        }
    }

    async fn send_over(&self, lines: &ClientPair, request: Request) -> reqwest::Result<Response> {
        let url = request.url().clone();
        let client = if self.reuse.is_wise(&url) { &lines.kept } else { &lines.single };
        let response = client.execute(request).await?;
        self.reuse.record_answer(&url, &response);
        Ok(response)
    }

    /// As [`transport_error`], with the facts about the connection and about a proxy.
    pub(super) async fn failure(&self, error: reqwest::Error, url: &Url) -> Error {
        let (died, silent) = (self.reuse.is_stale_connection(url, &error), is_silent(&error));
        let tunnel = steps(&error).map(ToString::to_string).find(|words| words.starts_with("tunnel error"));
        let no_way = error.is_connect();
        let error = transport_error(error, url);
        if no_way
            && error.kind() == Kind::Unreachable
            && let Some(proxy) = system_proxy::proxies().of(url)
        {
            return system_proxy::no_way(tunnel.as_deref(), proxy, url, self.timeout).await;
        }
        match () {
            () if died => error.on_kept_line(),
            () if silent && url.scheme() == "http" && !self.reuse.has_answered(url) => error.with_hint(MAY_WANT_TLS),
            () => error,
        }
    }

    /// Sends the request and writes it to the debug log; for callers that handle transport failures themselves.
    pub(super) async fn execute(&self, request: RequestBuilder) -> Result<(reqwest::Result<Response>, Url)> {
        let mut request = request.build().map_err(|e| Error::new(Kind::Usage, "this URL can't be used").with_cause(e.without_url()))?;
        let mut turns = 0;
        loop {
            // None for a body that can't be sent a second time.
            let again = request.try_clone();
            let (method, url, sent) = (request.method().clone(), request.url().clone(), body_length(&request));
            let begun = Instant::now();
            let result = self.send_over(&self.calls, request).await;
            let outcome = match &result {
                Ok(response) => response.status().as_u16().to_string(),
                Err(e) => e.to_string(),
            };
            tracing::debug!(target: "haul::http", "{method} {}{} -> {} in {:.3}s", mask(url.as_str()), display_length(sent), mask(&outcome), begun.elapsed().as_secs_f64());
            let to = result.as_ref().ok().filter(|_| turns < MAX_REDIRECTS).and_then(|response| redirect_target(&method, response));
            let Some((mut next, to)) = again.zip(to) else { return Ok((result, url)) };
            *next.url_mut() = to;
            request = next;
            turns += 1;
        }
    }

    /// Reads an answer that can't be long.
    pub(super) async fn read_verdict(&self, response: Response) -> Result<HttpReply> {
        self.read(response, MAX_ANSWER).await
    }

    /// `most` is in bytes. For a refusal the beginning is enough, as its status decides.
    async fn read(&self, response: Response, most: usize) -> Result<HttpReply> {
        let mut body = BytesMut::new();
        let head = self
            .read_body(response, most, |piece| {
                body.extend_from_slice(piece);
                Ok(())
            })
            .await?;
        body.truncate(most);
        Ok(head.with(body.freeze()))
    }

    /// Reads an answer's body piece by piece, up to a limit for the whole.
    async fn read_body(&self, response: Response, most: usize, mut into: impl FnMut(&[u8]) -> Result<()>) -> Result<ResponseHead> {
        let head = ResponseHead { status: response.status(), headers: response.headers().clone(), url: response.url().clone() };
        let success = head.status.is_success();
        let (begun, mut got) = (Instant::now(), 0);
        let mut stream = response.bytes_stream();
        while let Some(piece) = tokio::time::timeout(self.timeout, stream.next()).await.map_err(|_| timeout_error(self.timeout))? {
            let piece = piece.map_err(|e| transport_error(e, &head.url))?;
            got += piece.len();
            into(&piece)?;
            let late =
                begun.elapsed() > self.timeout.saturating_mul(MAX_TIMEOUTS).saturating_add(Duration::from_secs(got as u64 / MIN_RATE));
            match () {
                () if !success && (late || got > most) => break,
                () if got > most => {
                    let why = format!("the server's answer has no end (over {} MiB)", most >> 20);
                    return Err(Error::unread_answer(why).with_subject(host_of(&head.url)));
                }
                () if late => {
                    return Err(Error::new(Kind::Interrupted, "the server's answer comes too slowly").with_subject(host_of(&head.url)));
                }
                () => {}
            }
        }
        Ok(head)
    }
}

/// An answer without its body.
struct ResponseHead {
    status: StatusCode,
    headers: HeaderMap,
    url: Url,
}

impl ResponseHead {
    fn with(self, body: Bytes) -> HttpReply {
        let ResponseHead { status, headers, url } = self;
        HttpReply { status, headers, url, body }
    }
}

/// Fails if the answer comes from a TLS port that was addressed without TLS.
fn not_in_clear(reply: HttpReply) -> Result<HttpReply> {
    if reply.url.scheme() != "http" || reply.status != StatusCode::BAD_REQUEST {
        return Ok(reply);
    }
    let said = reply.text().to_ascii_lowercase();
    match SPOKEN_TO_IN_CLEAR.iter().any(|words| said.contains(words)) {
        true => Err(Error::new(Kind::Untrusted, "the server speaks TLS at this port")
            .with_subject(host_of(&reply.url))
            .with_status(400)
            .with_hint(MAY_WANT_TLS)),
        false => Ok(reply),
    }
}

/// The URL to repeat the request at: only within the same origin, and only if the status keeps the method and the body. 302 is
/// left out because it leads to sign-in pages.
fn redirect_target(method: &Method, response: &Response) -> Option<Url> {
    let stays = match response.status().as_u16() {
        307 | 308 => true,
        301 => *method == Method::GET || *method == Method::HEAD,
        _ => false,
    };
    let location = response.headers().get(reqwest::header::LOCATION).filter(|_| stays)?;
    let to = response.url().join(location.to_str().ok()?).ok()?;
    (to.origin() == response.url().origin()).then_some(to)
}

/// A part as a request body that is read while it is sent. Its length must be set by the caller (`Content-Length`).
pub fn body_of(part: &Part) -> reqwest::Body {
    reqwest::Body::wrap_stream(with_typed_errors(part.chunks()))
}

/// Wraps the source's errors so that they pass through the HTTP client: an unreadable file must not look like a lost
/// connection.
pub(super) fn with_typed_errors(chunks: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static) -> Chunks {
    Box::pin(chunks.map_err(|e| std::io::Error::other(Error::reading(&e))))
}

pub(super) fn timeout_error(after: Duration) -> Error {
    Error::new(Kind::Interrupted, format!("the server sent nothing for {}", humantime::format_duration(after)))
}

/// The error for a failed request: `Unreachable` when it can't have been sent, `Interrupted` when it may have arrived. A read
/// error of the uploaded file keeps its own message.
pub fn transport_error(error: reqwest::Error, url: &Url) -> Error {
    let host = host_of(url);
    if let Some(untrusted) = tls::untrusted_certificate_error(&error) {
        return untrusted.with_subject(host).with_cause(root_cause(&error));
    }
    if let Some(io) = source_io(&error) {
        return io;
    }
    if error.is_connect() && tls::is_clear(&error) {
        return Error::new(Kind::Untrusted, "the server does not speak TLS at this port").with_subject(host).with_hint(MAY_BE_CLEAR);
    }
    if url.scheme() == "http" && steps(&error).any(|step| step.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse)) {
        return Error::new(Kind::Untrusted, "no HTTP server answers at this port").with_subject(host).with_hint(MAY_WANT_TLS);
    }
    if error.is_connect() {
        return Error::new(Kind::Unreachable, "the server can't be reached").with_subject(host).with_cause(root_cause(&error));
    }
    if error.is_builder() {
        return Error::new(Kind::Usage, "this URL can't be used").with_subject(host).with_cause(error.without_url());
    }
    Error::new(Kind::Interrupted, "the connection broke").with_subject(host).with_cause(root_cause(&error))
}

/// The innermost cause: the layers of the HTTP client around it add nothing, and may name the URL.
fn root_cause(error: &reqwest::Error) -> anyhow::Error {
    let mut root: &dyn std::error::Error = error;
    while let Some(inner) = root.source() {
        root = inner;
    }
    match root.downcast_ref::<reqwest::Error>() {
        Some(_) => anyhow::anyhow!("the request failed"),
        None => anyhow::anyhow!("{root}"),
    }
}

/// Finds the source's own error (the file changed or can't be read), which passes through the HTTP client as an I/O error.
fn source_io(error: &reqwest::Error) -> Option<Error> {
    let mut step: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(e) = step {
        if let Some(io) = e.downcast_ref::<std::io::Error>()
            && io.get_ref().is_some_and(|inner| inner.is::<Error>())
        {
            return Some(Error::reading(io));
        }
        step = e.source();
    }
    None
}

fn body_length(request: &reqwest::Request) -> Option<usize> {
    let known = request.body().and_then(reqwest::Body::as_bytes).map(<[u8]>::len);
    let announced = || request.headers().get(reqwest::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    known.or_else(announced)
}

/// ` (17 bytes)`, for the log.
fn display_length(body: Option<usize>) -> String {
    body.filter(|bytes| *bytes > 0).map(|bytes| format!(" ({bytes} bytes)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::server::{TestServer, ok};

    #[tokio::test]
    async fn a_slash_at_the_end_is_followed_and_nothing_else() {
        const SLASH: &str = "Location: /x/?t=1\r\n";
        const CIRCLE: &str = "Location: /x\r\n";
        const AWAY: &str = "Location: http://other.example/x/\r\n";
        for (status, method, location, turns, ends) in [
            (308, "POST", SLASH, 1, 200),
            (307, "DELETE", SLASH, 1, 200),
            (301, "GET", SLASH, 1, 200),
            (301, "POST", SLASH, 0, 301),
            (302, "GET", SLASH, 0, 302),
            (308, "POST", AWAY, 0, 308),
            (308, "GET", CIRCLE, MAX_REDIRECTS, 308),
        ] {
            let server = TestServer::start(move |asked| match asked.line.contains("/x/") {
                true => ok("there"),
                false => (status, location, String::new()),
            })
            .await;
            let http = Http::new(&Network { timeout: Duration::from_secs(20), ca_file: None, insecure: false }).unwrap();
            let request = http.client().request(method.parse().unwrap(), format!("{}/x", server.url)).header("token", "t").body("body");
            let reply = http.call(request).await.unwrap();
            assert_eq!((reply.status.as_u16(), server.lines().len()), (ends, 1 + turns), "{status} {method}");
            let last = server.last();
            assert!(last.line.starts_with(method) && last.head.contains("token: t") && last.body == "body", "{last:?}");
        }
    }
}
