//! Downloads one file by GET, from any byte on. A 206 is accepted only if its range fits; a 200 begins at the first byte.
//! Redirects are followed here, without any header of ours. A web page in place of the file is detected, and an unrequested
//! compression is undone.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, LAST_MODIFIED, LOCATION, RANGE};
use reqwest::{Response, StatusCode, Url};

use super::content_range::{ContentRange, whole_size};
use super::response::HttpReply;
use super::{Http, host_of, timeout_error, transport_error};
use crate::contract::{Chunks, Download};
use crate::error::{Error, Kind, Result};
use crate::model::Protocol;
use crate::model::escape::shorten;

pub use super::html_page::HtmlPage;
pub use super::range_request::RangeRequest;

const MAX_REDIRECTS: usize = 5;
/// Bytes that are read of a page or a refusal: the reason stands at the beginning.
const PAGE_READ: usize = 64 << 10;

pub enum Opened {
    File(Download),
    /// HTML or JSON came in place of the file, or a redirect led to a page that is known to be no file.
    Page(HtmlPage),
}

/// Starts the download. If the answer to a range does not fit, the whole file is requested, and [`Download::from`] is 0 then.
/// Fails as `HttpReply::refusal` describes, and with `Refused` when a redirect leads from https to plain http.
pub async fn open(http: &Http, ask: &RangeRequest<'_>) -> Result<Opened> {
    if ask.from > 0
        && let Some(opened) = part(http, ask).await?
    {
        return Ok(opened);
    }
    let response = match fetch(http, ask, 0).await? {
        Fetched::Answer(response) => response,
        Fetched::Page(page) => return Ok(Opened::Page(page)),
    };
    match response.status() {
        StatusCode::OK => Ok(Opened::File(whole(http, ask, response)?)),
        // Some servers answer 206 to a request without `Range`. That is accepted if the range covers the whole file.
        StatusCode::PARTIAL_CONTENT if span_of(&response).is_some_and(|span| span.is_whole()) => {
            Ok(Opened::File(whole(http, ask, response)?))
        }
        status if status.is_success() => {
            Err(Error::new(Kind::Protocol, format!("the server answers HTTP {} in place of the file", status.as_u16()))
                .with_status(status.as_u16())
                .with_subject(host_of(response.url())))
        }
        _ => Err(refusal(http, response).await),
    }
}

/// The answer to a range: the rest of the file, the whole file (200), or none when the answer does not fit.
async fn part(http: &Http, ask: &RangeRequest<'_>) -> Result<Option<Opened>> {
    let response = match fetch(http, ask, ask.from).await? {
        Fetched::Answer(response) => response,
        Fetched::Page(page) => return Ok(Some(Opened::Page(page))),
    };
    let download = match response.status() {
        StatusCode::OK => whole(http, ask, response)?,
        StatusCode::PARTIAL_CONTENT => match span_of(&response).filter(|span| span.fits(ask.from, ask.size)) {
            // A part of a compressed file is useless.
            Some(span) if super::content_encoding::coding(ask, response.headers(), span.whole).is_none() => {
                Download { from: ask.from, size: span.whole.or(ask.size), ..as_it_comes(http, response) }
            }
            _ => return Ok(None),
        },
        StatusCode::RANGE_NOT_SATISFIABLE => {
            let size = text(response.headers(), CONTENT_RANGE).and_then(whole_size).or(ask.size);
            if size != Some(ask.from) {
                return Ok(None);
            }
            Download { chunks: Box::pin(stream::empty()), from: ask.from, size, ..as_it_comes(http, response) }
        }
        status if status.is_success() => return Ok(None),
        _ => return Err(refusal(http, response).await),
    };
    Ok(Some(Opened::File(download)))
}

enum Fetched {
    Answer(Response),
    Page(HtmlPage),
}

/// The first answer that is no redirect. Only `bytes=N-` with N above 0 is ever requested: some servers answer other forms
/// wrongly (providers.md 2.6).
async fn fetch(http: &Http, ask: &RangeRequest<'_>, from: u64) -> Result<Fetched> {
    let mut url = ask.url.clone();
    for step in 0..=MAX_REDIRECTS {
        let mut request = http.files().get(url.clone()).header(ACCEPT_ENCODING, "identity");
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let response = http.fetch(request).await?;
        let status = response.status();
        tracing::debug!(target: "haul::http", "GET {}/*** from byte {from} -> {}", url.origin().ascii_serialization(), status.as_u16());
        if !status.is_redirection() {
            if !is_page(ask, &response) {
                return Ok(Fetched::Answer(response));
            }
            let body = beginning(http, response).await;
            return Ok(Fetched::Page(HtmlPage::read(&url, &body, step > 0)));
        }
        let location = text(response.headers(), LOCATION);
        let next = location.ok_or_else(|| Error::new(Kind::Protocol, "the server redirects without an address"));
        url = next.and_then(|next| redirect_target(&url, next)).map_err(|e| e.with_status(status.as_u16()).with_subject(host_of(&url)))?;
        if let Some(page) = HtmlPage::at(&url, ask.name) {
            return Ok(Fetched::Page(page));
        }
    }
    Err(Error::new(Kind::Protocol, format!("the server redirects more than {MAX_REDIRECTS} times")).with_subject(host_of(&url)))
}

/// The URL that `text`, found at `base`, leads to. Fails with `Refused` when that is plain http although `base` is https, and
/// with `Protocol` when the URL can't be fetched.
pub fn redirect_target(base: &Url, text: &str) -> Result<Url> {
    let url = base.join(text).map_err(|e| Error::new(Kind::Protocol, "the address of the file can't be read").with_cause(e))?;
    match (base.scheme(), url.scheme()) {
        ("https", "http") => Err(Error::new(Kind::Refused, "the server wants to send the file unencrypted, from an http address")),
        (_, "https" | "http") if url.has_host() => Ok(url),
        _ => Err(Error::new(Kind::Protocol, "the address of the file is not a web address")),
    }
}

/// The file from its first byte on. Fails with `Protocol` when the compression is unknown.
fn whole(http: &Http, ask: &RangeRequest<'_>, response: Response) -> Result<Download> {
    let Some(coding) = super::content_encoding::coding(ask, response.headers(), length_of(&response)) else {
        return Ok(as_it_comes(http, response));
    };
    if !super::content_encoding::is_gzip(&coding) {
        let why = format!("the server sends the file packed ({}), although nobody asked for that", shorten(&coding, 40));
        return Err(Error::new(Kind::Protocol, why).with_subject(host_of(response.url())));
    }
    let packed = as_it_comes(http, response);
    // The stated length is that of the compressed data.
    Ok(Download { size: None, chunks: super::content_encoding::decompress(packed.chunks), ..packed })
}

fn as_it_comes(http: &Http, response: Response) -> Download {
    let size = length_of(&response);
    let version = text(response.headers(), ETAG).or_else(|| text(response.headers(), LAST_MODIFIED)).map(str::to_owned);
    Download { from: 0, size, version, protocol: protocol(response.url()), chunks: chunks(response, http.timeout()) }
}

fn length_of(response: &Response) -> Option<u64> {
    text(response.headers(), CONTENT_LENGTH).and_then(|length| length.trim().parse().ok())
}

fn span_of(response: &Response) -> Option<ContentRange> {
    text(response.headers(), CONTENT_RANGE).and_then(ContentRange::parse)
}

fn protocol(url: &Url) -> Protocol {
    if url.scheme() == "https" { Protocol::Https } else { Protocol::Http }
}

/// The body as it arrives; it ends with `Interrupted` when no byte comes for `timeout`.
fn chunks(response: Response, timeout: Duration) -> Chunks {
    let url = response.url().clone();
    let body = Box::pin(response.bytes_stream());
    Box::pin(stream::unfold(Some((body, url)), move |state| async move {
        let (mut body, url) = state?;
        let failed = |error: Error| Some((Err(std::io::Error::other(error)), None));
        match tokio::time::timeout(timeout, body.next()).await {
            Err(_) => failed(timeout_error(timeout).with_subject(host_of(&url))),
            Ok(Some(Err(error))) => failed(transport_error(error, &url)),
            Ok(Some(Ok(piece))) => Some((Ok(piece), Some((body, url)))),
            Ok(None) => None,
        }
    }))
}

/// Reads the beginning of a body that is no file, at most for one time-out. If the connection breaks or is very slow, only a
/// part of the message is lost.
async fn beginning(http: &Http, response: Response) -> Bytes {
    let is_packed = super::content_encoding::codings(response.headers()).is_some_and(|coding| super::content_encoding::is_gzip(&coding));
    let chunks = chunks(response, http.timeout());
    let mut chunks = if is_packed { super::content_encoding::decompress(chunks) } else { chunks };
    let mut body = BytesMut::new();
    let reading = async {
        while let Some(Ok(piece)) = chunks.next().await {
            body.extend_from_slice(piece.get(..piece.len().min(PAGE_READ - body.len())).unwrap_or_default());
            if body.len() >= PAGE_READ {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(http.timeout(), reading).await;
    body.freeze()
}

/// The error for a refusal. Its message must not repeat the URL, which is a secret.
async fn refusal(http: &Http, response: Response) -> Error {
    let (status, headers, url) = (response.status(), response.headers().clone(), response.url().clone());
    let body = beginning(http, response).await;
    let mut words = String::from_utf8_lossy(&body).into_owned();
    for secret in parts_of(&url) {
        words = words.replace(&secret, "***");
    }
    HttpReply { status, headers, url, body: words.into() }.error()
}

/// The parts of a URL that may be secret: the longer steps of its path, and the values of its query.
fn parts_of(url: &Url) -> Vec<String> {
    let steps = url.path_segments().into_iter().flatten().map(str::to_owned);
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    steps.chain(values).filter(|part| part.len() >= 8).collect()
}

/// True for HTML or JSON if the file is neither. Some servers derive JSON from a file's first bytes: then the length is that of
/// the file.
fn is_page(ask: &RangeRequest<'_>, response: &Response) -> bool {
    let told = text(response.headers(), CONTENT_TYPE).unwrap_or_default();
    let length = length_of(response);
    let may_be = |fits: fn(&str) -> bool| ask.mime.is_some_and(fits) || mime_guess::from_path(ask.name).first_raw().is_some_and(fits);
    match response.status() {
        status if status.is_success() && is_html(told) => !may_be(is_html),
        StatusCode::OK if is_json(told) => !may_be(is_json) && (ask.size.is_none() || ask.size != length),
        _ => false,
    }
}

fn is_json(mime: &str) -> bool {
    mime.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn is_html(mime: &str) -> bool {
    let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(mime.as_str(), "text/html" | "application/xhtml+xml")
}

fn text(headers: &HeaderMap, name: reqwest::header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests;
