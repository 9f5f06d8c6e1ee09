//! An answer that was read, and the meaning of its status before its body is parsed.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{StatusCode, Url, header::HeaderMap};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::excerpt::excerpt;
use super::system_proxy;
use super::url::host_of;
use crate::error::{Error, Kind, Result};
use crate::model::escape::shorten;
use crate::model::secret::mask;

const WORDS_SHOWN: usize = 200;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The largest number of braces in a warning before an answer.
const BRACES_TRIED: usize = 32;
/// In an answer up to this size in bytes, a warning after the JSON is found even if it ends in a brace.
const MAX_WARNED: usize = 1 << 20;

#[derive(Debug)]
pub struct HttpReply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub url: Url,
    pub body: Bytes,
}

impl HttpReply {
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// True for a web page in place of an answer, from a proxy or a maintenance mode. A few words in tags count, too.
    pub fn is_page(&self) -> bool {
        trim_start(&self.body).starts_with(b"<")
    }

    /// As [`HttpReply::is_page`], if words in tags may be a valid answer: only a page that begins with its head.
    pub fn is_whole_page(&self) -> bool {
        begins_as_page(trim_start(&self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The JSON of the answer, also after a byte order mark, and between warnings that PHP prints before or after it. The whole
    /// body when it contains no JSON.
    pub fn object(&self) -> &[u8] {
        object_in(&self.body)
    }

    /// Parses the body as JSON. For anything else (a proxy's HTML page, a cut answer) fails with `Protocol` and its first
    /// words.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(self.object()).map_err(|e| self.protocol_error(&e.to_string()))
    }

    /// `Retry-After` in seconds or as a date, of any length; none for an invalid one.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        match text.parse::<u64>() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => {
                let date = |text: &str| chrono::DateTime::parse_from_rfc2822(text.trim()).ok().map(|at| at.to_utc());
                let at = date(text)?;
                // By the server's own clock: ours may be hours off.
                let now = self.header("date").and_then(date).unwrap_or_else(chrono::Utc::now);
                // A date in the past means no wait.
                Some((at - now).to_std().unwrap_or(Duration::ZERO))
            }
        }
    }

    /// The error for a status that is not 2xx, if the body says nothing better. The provider's `answer.rs` checks the body
    /// first.
    pub fn error(&self) -> Error {
        let status = self.status.as_u16();
        // For plain http a proxy answers in place of the server.
        let proxy = system_proxy::proxies().of(&self.url).filter(|_| self.url.scheme() == "http").map(host_of);
        let error = match status {
            407 => return system_proxy::refusal(proxy.as_deref().unwrap_or("on the way"), status).with_subject(host_of(&self.url)),
            300..=399 => return self.redirect_error(),
            401 => Error::new(Kind::Expired, "the server does not accept the token"),
            403 => Error::new(Kind::Refused, "the server refused permission"),
            404 | 410 => Error::new(Kind::NotFound, "there is no such file or folder"),
            408 => Error::new(Kind::Interrupted, "the server's own time-out was reached"),
            409 => Error::new(Kind::Exists, "the server reports a conflict"),
            413 => Error::new(Kind::Refused, "too large for the server"),
            429 | 503 => Error::new(Kind::Busy, "the server is busy and asks to wait").with_retry_after(self.retry_after()),
            507 => Error::new(Kind::Refused, "there is no space left on the server"),
            500..=599 => Error::new(Kind::Interrupted, "the server failed"),
            _ => Error::new(Kind::Refused, "the server refused"),
        };
        let words = self.excerpt();
        let error = error.with_status(status).with_subject(host_of(&self.url));
        let through = proxy.map(|proxy| format!(" through the proxy {proxy}")).unwrap_or_default();
        if words.is_empty() {
            error.with_cause(anyhow::anyhow!("HTTP {status}{through}"))
        } else {
            error.with_cause(anyhow::anyhow!("HTTP {status}{through}: {words}"))
        }
    }

    /// The first words of the body that may be shown to the user: [`excerpt`].
    pub fn excerpt(&self) -> String {
        excerpt(&self.body)
    }

    fn redirect_error(&self) -> Error {
        let to = self.header("location").and_then(|l| self.url.join(l).ok());
        let error = Error::new(Kind::Protocol, "the server redirects to another address")
            .with_status(self.status.as_u16())
            .with_subject(host_of(&self.url));
        match to {
            Some(to) if to.origin() != self.url.origin() => {
                error.with_hint(format!("if you trust it, set the remote's url to {}", to.origin().ascii_serialization()))
            }
            Some(to) => error.with_cause(anyhow::anyhow!("to {}", shorten(&mask(to.path()), WORDS_SHOWN))),
            None => error,
        }
    }

    /// The error for an answer that can't be parsed, with its first words.
    pub fn protocol_error(&self, why: &str) -> Error {
        let words = self.excerpt();
        let said = match (words.is_empty(), self.body.len()) {
            (false, _) => format!("\"{words}\""),
            (true, 0) => "an empty body".to_owned(),
            (true, bytes) => format!("{bytes} bytes"),
        };
        let why_not = format!("the server's answer makes no sense: {said}");
        let error = if self.is_success() { Error::unread_answer(why_not) } else { Error::new(Kind::Protocol, why_not) };
        error
            .with_status(self.status.as_u16())
            .with_subject(host_of(&self.url))
            .with_cause(anyhow::anyhow!("{}", shorten(why, WORDS_SHOWN)))
            .with_hint("check the remote's url; a proxy or a maintenance page may answer in the server's place")
    }
}

/// See [`HttpReply::object`].
pub fn object_in(body: &[u8]) -> &[u8] {
    let body = trim_start(body);
    if matches!(body.first(), Some(b'{' | b'[')) {
        return without_end(body);
    }
    let braces = body.iter().enumerate().filter(|(_, byte)| **byte == b'{').take(BRACES_TRIED);
    let ends = braces.filter_map(|(begin, _)| body.get(begin..));
    let values = ends.filter_map(|end| Some((value_at(end)?, end)));
    // Pages contain scripts, and warnings may contain a pair of braces: neither is the answer.
    let (is_page, is_last) = (begins_as_page(body), |value: &[u8], end: &[u8]| end.trim_ascii_end().len() == value.len());
    let answers = values.filter(|(value, end)| is_last(value, end) || (!is_page && value.len() > "{}".len()));
    answers.map(|(value, _)| value).max_by_key(|value| value.len()).unwrap_or(body)
}

fn begins_as_page(body: &[u8]) -> bool {
    ["<!doctype", "<html"].iter().any(|tag| body.get(..tag.len()).is_some_and(|b| b.eq_ignore_ascii_case(tag.as_bytes())))
}

/// Removes the noise after the JSON at the start of a body. A long listing is not searched if nothing seems to follow it.
fn without_end(body: &[u8]) -> &[u8] {
    let ends_as_json = matches!(body.trim_ascii_end().last(), Some(b'}' | b']'));
    if ends_as_json && body.len() > MAX_WARNED {
        return body;
    }
    value_at(body).unwrap_or(body)
}

/// The whole JSON value at the start of these bytes.
fn value_at(bytes: &[u8]) -> Option<&[u8]> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
    values.next()?.ok()?;
    bytes.get(..values.byte_offset())
}

/// Removes a byte order mark and blanks at the start.
pub(crate) fn trim_start(body: &[u8]) -> &[u8] {
    body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body).trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, headers: &[(&str, &str)], body: &'static str) -> HttpReply {
        let headers = headers.iter().map(|(k, v)| (k.parse::<reqwest::header::HeaderName>().unwrap(), v.parse().unwrap())).collect();
        HttpReply {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            url: Url::parse("https://h.example/x").unwrap(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn html_in_place_of_json_is_told_with_its_first_words() {
        let e = reply(200, &[], "<html>\x1b[2J<body>Maintenance").json::<serde_json::Value>().unwrap_err();
        assert_eq!(e.kind(), Kind::Protocol);
        assert!(e.to_string().contains("\"\\u{1b}[2J Maintenance\""), "{e}");
        let page = "<!DOCTYPE html><head><style>p { x }</style><title>502</title></head>\n<body class=\"a\"><h1>Bad <b>gateway</b></h1>";
        assert!(reply(502, &[], page).error().to_string().ends_with("HTTP 502: 502 Bad gateway"));
        let twice = "<title>413 Too Large</title><h1>413 Too Large</h1><hr>nginx";
        assert!(reply(413, &[], twice).error().to_string().ends_with("HTTP 413: 413 Too Large nginx"));
        assert!(reply(502, &[], "<html></html>").error().to_string().ends_with("HTTP 502: <html></html>"));
        let capitals = "<STYLE>p { x }</STYLE><SCRIPT>f()</Script >Gone";
        assert!(reply(502, &[], capitals).error().to_string().ends_with("HTTP 502: Gone"));
        assert!(reply(502, &[], "a < b").error().to_string().ends_with("HTTP 502: a < b"));
        assert!(!e.to_string().contains('\x1b'), "{e}");
    }

    #[test]
    fn what_json_says_is_told_and_nothing_else_of_it() {
        let said = |body: &'static str| reply(500, &[], body).error().to_string();
        assert!(said(r#"{"token":"t0ken","message":"Too  late"}"#).ends_with("HTTP 500: Too late"));
        assert!(said("<br />\n<b>Notice</b>: x {\"token\":\"t0ken\"}").ends_with("HTTP 500: Notice : x"));
        assert!(said("\u{feff}[{\"token\":\"t0k").ends_with("HTTP 500: \\u{feff}"));
        assert!(said("x \"token\":\"t0ken\"}").ends_with("HTTP 500: x"));
        assert!(said("a {b} [c]").ends_with("HTTP 500: a {b} [c]"));
        let e = reply(200, &[], r#"{"token":"t0ken"}"#).protocol_error("no list");
        assert!(e.to_string().contains("makes no sense: 17 bytes: no list"), "{e}");
    }

    /// A search for the end of each style would take minutes for a page like this.
    #[test]
    fn words_are_sought_at_the_beginning_only() {
        let page: &'static str = "<style>".repeat(1 << 20).leak();
        assert!(reply(502, &[], page).error().to_string().contains("HTTP 502: <style>"));
        let late: &'static str = format!("{}<p>late", "<p>".repeat(64 << 10)).leak();
        assert!(!reply(502, &[], late).error().to_string().contains("late"));
    }

    #[test]
    fn an_answer_behind_a_mark_or_warnings() {
        let object = r#"{"a": {"b": "}{"}}"#;
        for before in ["", "\n ", "\u{feff}", "\u{feff}\n", "<br />\n<b>Warning</b>:  Undefined array key {x} in <b>/a.php</b><br />\n"] {
            let body: &'static str = format!("{before}{object}\r\n").leak();
            assert_eq!(reply(200, &[], body).object().trim_ascii_end(), object.as_bytes(), "{before}");
            assert!(reply(200, &[], body).json::<serde_json::Value>().is_ok(), "{before}");
        }
        for behind in ["<br />\n<b>Warning</b>:  Undefined array key {x} in <b>/a.php</b><br />\n", "\n{}", "x", "<!-- 0.1 s -->"] {
            for before in ["", "\n ", "Notice: {y}\n", "<b>Notice</b>: {}\n"] {
                let body: &'static str = format!("{before}{object}{behind}").leak();
                assert_eq!(reply(200, &[], body).object(), object.as_bytes(), "{body}");
            }
        }
        let script = r#"<!DOCTYPE html><script type="application/ld+json">{"status": "success"}</script>"#;
        for body in ["", "<html>", script, "<script>f({})</script>", "Warning: x\n{\"a\": ", "{\"a\": ", "[1]"] {
            assert_eq!(reply(200, &[], body).object(), body.as_bytes());
        }
        let many: &'static str = "{ ".repeat(100_000).leak();
        assert_eq!(reply(200, &[], many).object(), many.as_bytes());
    }

    #[test]
    fn pages_and_words_in_tags() {
        for (body, page, whole) in [
            ("<HTML><p>x", true, true),
            ("\u{feff}\n<!DocType html>", true, true),
            ("<b>thank you</b>", true, false),
            ("", false, false),
            ("{}", false, false),
        ] {
            let reply = reply(200, &[], body);
            assert_eq!((reply.is_page(), reply.is_whole_page()), (page, whole), "{body}");
        }
    }

    #[test]
    fn patience_in_seconds_and_as_a_date() {
        assert_eq!(reply(429, &[("retry-after", "7")], "").error().retry_after(), Some(Duration::from_secs(7)));
        let past = reply(503, &[("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")], "");
        assert_eq!(past.retry_after(), Some(Duration::ZERO));
        let year = |now: chrono::DateTime<chrono::Utc>| (now + chrono::TimeDelta::days(365)).to_rfc2822();
        let dated = reply(503, &[("retry-after", &year(chrono::Utc::now()))], "").retry_after().unwrap();
        assert!(dated.as_secs().abs_diff(365 * 86_400) < 600, "{dated:?}");
        let by_its_clock = [("date", "Wed, 21 Oct 2015 07:27:00 GMT"), ("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT")];
        assert_eq!(reply(503, &by_its_clock, "").retry_after(), Some(Duration::from_secs(90)));
        for nonsense in ["", "soon", "-3", "1.5", "99999999999999999999999"] {
            assert_eq!(reply(503, &[("retry-after", nonsense)], "").retry_after(), None, "{nonsense:?}");
        }
    }

    #[test]
    fn a_redirect_names_the_other_origin() {
        let e = reply(301, &[("location", "https://other.example/login?token=1")], "").error();
        assert!(e.to_string().ends_with("https://other.example"), "{e}");
        let e = reply(301, &[("location", "/api/?token=1")], "").error();
        assert!(e.to_string().ends_with("another address: to /api/"), "{e}");
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::arbitrary;

    /// No JSON parses as this type.
    #[derive(Debug, serde::Deserialize)]
    enum Never {}

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn every_reply_is_told_in_a_few_harmless_words(
            status in 200..1000_u16,
            body in arbitrary::body(&["{\"message\":\"x\"}"]),
            header in arbitrary::header(),
            name in proptest::sample::select(&["retry-after", "location", "upload-expires"][..]),
        ) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = reqwest::header::HeaderValue::from_str(&header) {
                headers.insert(name, value);
            }
            let (status, url) = (StatusCode::from_u16(status).unwrap(), Url::parse("https://h.example/x").unwrap());
            let reply = HttpReply { status, headers, url, body: body.into() };
            let _ = reply.retry_after();
            for error in [reply.error(), reply.protocol_error("because"), reply.json::<Never>().err().unwrap()] {
                arbitrary::assert_error_is_safe(&error);
            }
        }
    }
}
