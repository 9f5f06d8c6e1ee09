//! plupload 2: chunks in order, each one form. Receivers append any chunk, so a chunk that may have arrived is never sent
//! again. The body decides about an answer, because every error of the reference server comes with HTTP 200 (providers.md
//! section 4).

use reqwest::{Url, header::HeaderMap};
use serde_json::Value;

use super::http::Http;
use super::http::cookies::Cookies;
use super::http::response::HttpReply;
use super::http::streaming::StreamingRequest;
use super::multipart::form::FormFrame;
use crate::contract::{BoxFuture, Chunking, Error, Kind, Part, Recovery, Result, UploadSession};
use crate::model::Protocol;
use crate::model::escape::shorten;

const WORDS_SHOWN: usize = 200;
/// After a chunk that is too large for a server, the next size is at most this number of bytes.
const LARGE_CHUNK: u64 = 8 << 20;
/// The size in bytes below which chunks are not made smaller.
const MIN_CHUNK: u64 = 256 << 10;

pub struct PluploadTarget {
    /// The receiver's URL with its query.
    pub url: Url,
    /// The field `name`: identifies the upload.
    pub name: String,
    pub headers: HeaderMap,
    /// Bytes of one chunk; none = one request.
    pub chunk_size: Option<u64>,
    /// Bytes of the file.
    pub size: u64,
}

pub struct PluploadSession {
    http: Http,
    target: PluploadTarget,
    /// Bytes that the server has confirmed.
    accepted: u64,
    /// A chunk was sent, so the server may hold some bytes under our name.
    begun: bool,
    cookies: Cookies,
}

pub fn open(http: &Http, mut target: PluploadTarget) -> PluploadSession {
    target.chunk_size = target.chunk_size.filter(|&size| size > 0);
    PluploadSession { http: http.clone(), target, accepted: 0, begun: false, cookies: Cookies::default() }
}

impl PluploadSession {
    async fn send_chunk(&mut self, part: Part) -> Result<u64> {
        let (chunk, chunks) = self.number(&part)?;
        self.begun = true;
        let again = async { Ok(self.request(&part, chunk, chunks)) };
        let reply = self.http.send_streaming(self.request(&part, chunk, chunks), again).await?;
        self.cookies.take(&reply);
        match check_response(&reply) {
            Ok(()) => {
                self.accepted = part.end_offset();
                Ok(self.accepted)
            }
            Err(Refusal { error, too_large: true }) if self.shrink_chunks(&part) => Err(error.with_kind(Kind::Busy)),
            Err(refusal) => Err(refusal.error),
        }
    }

    /// All chunks but the last have one size, as their numbers count them: so the size may change only before the first chunk
    /// is stored.
    fn shrink_chunks(&mut self, part: &Part) -> bool {
        let shrinks = self.accepted == 0 && part.len > MIN_CHUNK;
        if shrinks {
            self.target.chunk_size = Some((part.len / 2).clamp(MIN_CHUNK, LARGE_CHUNK));
        }
        shrinks
    }

    /// The number of this chunk, and the number of all chunks. An empty file is one chunk (the original client sends 0 of 0,
    /// and some receivers then never finish the file).
    fn number(&self, part: &Part) -> Result<(u64, u64)> {
        let size = self.target.size;
        let most = self.target.chunk_size.unwrap_or(size).max(1);
        let expected = most.min(size.saturating_sub(part.offset));
        if part.offset != self.accepted || !part.offset.is_multiple_of(most) || part.len != expected {
            return Err(Error::new(Kind::Other, "plupload takes chunks of one size, in order"));
        }
        Ok((part.offset / most, size.div_ceil(most).max(1)))
    }

    fn request(&self, part: &Part, chunk: u64, chunks: u64) -> StreamingRequest {
        let fields = [("name", self.target.name.clone()), ("chunk", chunk.to_string()), ("chunks", chunks.to_string())];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        let request = self.http.client().post(self.target.url.clone()).headers(self.target.headers.clone());
        let request = self.cookies.with(request, &self.target.url);
        FormFrame::new(&fields, "file", &self.target.name).around(part.chunks(), part.len, request)
    }
}

/// Why a chunk was refused.
#[derive(Debug)]
struct Refusal {
    error: Error,
    /// The server kept nothing of the chunk, and may accept a smaller one.
    too_large: bool,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal { error, too_large: false }
    }
}

/// The server's answer to one chunk: any 2xx is a success, unless the body says otherwise.
fn check_response(reply: &HttpReply) -> Result<(), Refusal> {
    let too_large = |error: Error| Refusal { error: error.with_hint("use a smaller --chunk-size"), too_large: true };
    let answer = serde_json::from_slice::<Value>(reply.object());
    let refused = |kind: Kind, message: String| Error::new(kind, message).with_status(reply.status.as_u16());
    if !reply.is_success() {
        // A widely copied .NET handler sends its own, final errors with status 500.
        let own = answer.ok().filter(|_| reply.status.as_u16() == 500).and_then(|answer| answer.get("error").cloned());
        return Err(match own.filter(Value::is_object).as_ref().map(classify) {
            Some((kind, words)) => refused(kind, format!("the server could not take a chunk: {words}")).into(),
            None if reply.status.as_u16() == 413 => too_large(reply.error()),
            None => reply.error().into(),
        });
    }
    let text = reply.text();
    if let Ok(answer) = answer {
        if let Some(error) = answer.get("error").filter(|e| is_nonempty(e)) {
            let (kind, words) = classify(error);
            let error = (code_of(error), refused(kind, format!("the server could not take a chunk: {words}")));
            return Err(match error {
                // PHP keeps nothing of a file above its own limit.
                (Some(103), error) => Refusal { error, too_large: true },
                (_, error) => error.into(),
            });
        }
        if answer.get("OK").is_some_and(|ok| !is_nonempty(ok)) {
            let words = answer.get("info").and_then(Value::as_str).unwrap_or("it gives no reason");
            return Err(refused(Kind::Refused, format!("the server refused a chunk: {}", shorten(words, WORDS_SHOWN))).into());
        }
    }
    // PHP drops a form above `post_max_size`, and the receiver then reports success although it has stored nothing.
    if text.contains("POST Content-Length") && text.contains("exceeds the limit") {
        return Err(too_large(refused(Kind::Refused, "the chunk is too large for the server".into())));
    }
    if reply.is_page() && asks_for_password(&text) {
        return Err(refused(Kind::Expired, "the server answers with its sign-in page".into()).into());
    }
    if reply.is_whole_page() {
        return Err(reply.protocol_error("a web page in place of a word or of JSON").into());
    }
    Ok(())
}

/// As in PHP, null, false, 0, "0" and "" count as false.
fn is_nonempty(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty() && s != "0",
        Value::Array(_) | Value::Object(_) => true,
    }
}

fn code_of(error: &Value) -> Option<u64> {
    error.get("code").and_then(|code| code.as_u64().or_else(|| code.as_str()?.trim().parse().ok()))
}

/// The reference server's error codes. Only 101 (it could not read the request) may be transient.
fn classify(error: &Value) -> (Kind, String) {
    let code = code_of(error);
    let said = error.get("message").or(Some(error)).and_then(Value::as_str).unwrap_or("it gives no reason");
    let (kind, words) = match code {
        Some(100) => (Kind::Refused, "it can't use its temporary folder"),
        Some(101) => (Kind::Interrupted, "it could not read what was sent"),
        Some(102) => (Kind::Refused, "it can't write the file"),
        Some(103) => (Kind::Refused, "it could not store the chunk, which may be too large for it"),
        Some(104) => (Kind::Refused, "it does not take files of this type"),
        // The token in the address is no longer valid; a new token comes with a new address.
        Some(105) => (Kind::Expired, "its security check said no"),
        _ => (Kind::Refused, "it failed"),
    };
    let code = code.map(|c| format!("error {c}, ")).unwrap_or_default();
    (kind, format!("{words} ({code}{})", shorten(said, WORDS_SHOWN)))
}

fn asks_for_password(page: &str) -> bool {
    let page = page.to_ascii_lowercase();
    ["type=\"password\"", "type='password'", "type=password"].iter().any(|field| page.contains(field))
}

impl UploadSession for PluploadSession {
    fn protocol(&self) -> Protocol {
        Protocol::Plupload
    }

    fn note(&self) -> Option<String> {
        // A receiver can't be asked for its offset.
        None
    }

    fn burns_name_on_failure(&self) -> bool {
        true
    }

    fn chunking(&self) -> Chunking {
        match self.target.chunk_size {
            Some(most) => Chunking::Parts(most),
            None => Chunking::Whole,
        }
    }

    fn takes_unknown_size(&self) -> bool {
        false
    }

    fn send(&mut self, part: Part) -> BoxFuture<'_, Result<u64>> {
        Box::pin(self.send_chunk(part))
    }

    fn recover<'a>(&'a mut self, failure: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
        let recovery = match failure.kind() {
            // The chunk was not sent, or was refused unread: the receiver has appended nothing.
            Kind::Unreachable | Kind::Busy => Recovery::ResumeAt(self.accepted),
            _ => Recovery::StartOver,
        };
        Box::pin(async move { Ok(recovery) })
    }

    /// The last chunk completes the file. Only the provider can tell whether the file is there.
    fn has_last_step(&self) -> bool {
        false
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// plupload has no removal: receivers drop a part file after hours.
    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        let left = self.begun.then(|| self.target.name.clone());
        Box::pin(async { left })
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::StatusCode;

    use super::*;

    fn verdict(status: u16, body: &str) -> Result<()> {
        let verdict = check_response(&HttpReply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            url: Url::parse("https://h.example/up").unwrap(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        });
        verdict.map_err(|refusal| refusal.error)
    }

    fn kind(status: u16, body: &str) -> Kind {
        verdict(status, body).unwrap_err().kind()
    }

    #[test]
    fn what_counts_as_success() {
        for body in [
            "",
            "saved",
            "<b>thank you</b>",
            r#"{"OK":1,"info":"fine"}"#,
            r#"{"OK":"1"}"#,
            r#"{"jsonrpc":"2.0","result":null,"id":"id"}"#,
            r#"{"jsonrpc":"2.0","error":null}"#,
            "{ not json",
            "[1]",
        ] {
            assert!(verdict(200, body).is_ok(), "{body}");
        }
    }

    #[test]
    fn errors_come_with_status_200() {
        let e = verdict(200, r#"{"jsonrpc":"2.0","error":{"code":102,"message":"Failed to open output stream."},"id":"id"}"#);
        let e = e.unwrap_err();
        assert_eq!(e.kind(), Kind::Refused);
        assert_eq!(e.to_string(), "the server could not take a chunk: it can't write the file (error 102, Failed to open output stream.)");
        assert_eq!(kind(200, "<br />Warning: disk<br />{\"error\":{\"code\":\"101\"}}"), Kind::Interrupted);
        let warned = "Warning: Undefined array key {x} in a.php\n{\"error\":{\"code\":101}}\nWarning: disk";
        assert_eq!(kind(200, warned), Kind::Interrupted);
        assert_eq!(kind(200, &format!("\u{feff}{warned}")), Kind::Interrupted);
        assert_eq!(kind(200, r#"{"error":"no room"}"#), Kind::Refused);
        assert_eq!(kind(200, r#"{"OK":0,"info":"Failed to move"}"#), Kind::Refused);
        assert_eq!(kind(200, r#"{"OK":"0"}"#), Kind::Refused);
        assert_eq!(kind(200, "\n<!DOCTYPE html><form><input name=p type=\"password\">"), Kind::Expired);
        assert_eq!(kind(200, "\u{feff}<form><input type=password>"), Kind::Expired);
        assert_eq!(kind(200, "\u{feff}\n<!doctype HTML><title>Maintenance"), Kind::Protocol);
        assert_eq!(kind(200, "<HTML>thank you</HTML>"), Kind::Protocol);
        assert_eq!(kind(302, ""), Kind::Protocol);
        assert_eq!(kind(401, ""), Kind::Expired);
        assert_eq!(kind(413, "<html>"), Kind::Refused);
        assert_eq!(kind(429, ""), Kind::Busy);
        assert_eq!(kind(502, ""), Kind::Interrupted);
        assert_eq!(kind(500, ""), Kind::Interrupted);
    }

    #[test]
    fn a_json_rpc_error_with_500_is_a_refusal() {
        let e = verdict(500, r#"{"jsonrpc":"2.0","error":{"code":413,"message":"Extension not allowed"},"id":"id"}"#).unwrap_err();
        assert_eq!((e.kind(), e.status_code()), (Kind::Refused, Some(500)));
        assert_eq!(e.to_string(), "the server could not take a chunk: it failed (error 413, Extension not allowed)");
        for proxy in [r#"{"error":"Internal Server Error"}"#, r#"{"message":"x"}"#, "<html>"] {
            assert_eq!(kind(500, proxy), Kind::Interrupted, "{proxy}");
        }
        assert_eq!(kind(503, r#"{"error":{"code":1,"message":"x"}}"#), Kind::Busy);
    }

    #[test]
    fn every_code_of_the_reference_server_has_words() {
        let words: std::collections::HashSet<_> =
            (100..=105).map(|code| classify(&serde_json::json!({"code": code, "message": "m"})).1).collect();
        assert_eq!(words.len(), 6);
        assert_eq!(classify(&serde_json::json!({"code": 111, "message": "m"})), (Kind::Refused, "it failed (error 111, m)".into()));
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::arbitrary;

    const ANSWERS: &[&str] = &[
        r#"{"jsonrpc":"2.0","error":{"code":102,"message":"Failed to open output stream."},"id":"id"}"#,
        r#"{"jsonrpc":"2.0","result":null,"id":"id"}"#,
        r#"{"OK":0,"info":"no"}"#,
    ];

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn any_verdict_is_harmless(status in 200..600_u16, body in arbitrary::body(ANSWERS), html in arbitrary::text()) {
            for body in [body, html.into_bytes()] {
                let url = Url::parse("https://h.example/x").unwrap();
                let reply = HttpReply { status: status.try_into().unwrap(), headers: HeaderMap::new(), url, body: body.into() };
                match check_response(&reply) {
                    Ok(()) => prop_assert!(reply.is_success()),
                    Err(refusal) => arbitrary::assert_error_is_safe(&refusal.error),
                }
            }
        }
    }
}
