//! The requests without bytes: OPTIONS, creation, HEAD, DELETE; each is a function with a typed answer.

use std::borrow::Cow;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};

use super::bridge::{Overrides, run};
use super::capabilities::Capabilities;
use super::location;
use super::refusal::{LOCKED, refusal};
use super::target::{Endpoint, TusTarget};
use crate::error::{Error, Kind, Result};
use crate::model::Secret;
use crate::model::secret::mask;
use crate::protocols::http::host_of;
use crate::protocols::http::response::HttpReply;
use crate::protocols::lenient_json::digits;

/// `tus_client` requires a file for the length; the length that is sent is ours.
const ANY_PATH: &str = "/";

/// The state of an upload on the server.
pub struct UploadStatus {
    /// Bytes.
    pub offset: u64,
    /// Bytes of the whole file; none while it is not declared.
    pub length: Option<u64>,
    pub expires: Option<DateTime<Utc>>,
    /// The metadata of the creation, if the server reports it.
    pub metadata: Vec<(String, String)>,
}

/// Fails when the server does not answer OPTIONS as TUS does; an upload may work all the same.
pub async fn options(line: &Endpoint) -> Result<Capabilities> {
    let url = line.endpoint.to_string();
    let (info, reply) = run(line, Overrides::default(), move |tus| tus.get_server_info(&url)).await?;
    Ok(Capabilities::new(&info, &reply))
}

/// What an upload is to others (protocol 1.0.0, "Concatenation").
#[derive(Clone, Copy)]
pub enum Concat<'a> {
    Alone,
    Partial,
    /// It is made of these, in their order.
    Final(&'a [Url]),
}

impl Concat<'_> {
    fn header(self) -> Result<Option<HeaderValue>> {
        let text = match self {
            Concat::Alone => return Ok(None),
            Concat::Partial => "partial".to_owned(),
            Concat::Final(parts) => format!("final;{}", parts.iter().map(Url::as_str).collect::<Vec<_>>().join(" ")),
        };
        HeaderValue::from_str(&text)
            .map(Some)
            .map_err(|e| Error::new(Kind::Protocol, "the addresses of the parts can't be sent").with_cause(e))
    }
}

/// Creates the upload; returns its URL and when it expires. After a failure of kind `Interrupted` the upload may exist.
pub async fn create(line: &Endpoint, target: &TusTarget, concat: Concat<'_>) -> Result<(Url, Option<DateTime<Utc>>)> {
    let metadata = encode_metadata(&target.metadata)?;
    let length = match (concat, target.size) {
        // Its length is the sum of the others, and must not be told.
        (Concat::Final(_), _) => None,
        (_, Some(size)) => Some((HeaderName::from_static("upload-length"), HeaderValue::from(size))),
        (_, None) => Some((HeaderName::from_static("upload-defer-length"), HeaderValue::from(1))),
    };
    let endpoint = target.endpoint.to_string();
    let mut creation: Vec<_> = length.into_iter().collect();
    creation.extend(concat.header()?.map(|value| (HeaderName::from_static("upload-concat"), value)));
    // Older versions of @tus/server refuse an empty header (providers.md 11.1).
    if !metadata.is_empty() {
        let value = HeaderValue::from_str(&metadata).map_err(|e| Error::new(Kind::Usage, "this metadata can't be sent").with_cause(e))?;
        creation.push((HeaderName::from_static("upload-metadata"), value));
    }
    let instead = Overrides { creation, via_post: false };
    let call = move |tus: &tus_client::Client<'_>| tus.create(&endpoint, Path::new(ANY_PATH));
    let (location, reply) = run(line, instead, call).await?;
    let upload = location::resolve(&target.endpoint, &location)?;
    guard(&upload);
    Ok((upload, expiry(&reply)))
}

/// Everyone who knows an upload's address can write to it. If the address contains no registered token, its last step is
/// registered as a secret.
pub fn guard(upload: &Url) {
    if matches!(mask(upload.as_str()), Cow::Owned(_)) {
        return;
    }
    let last = upload.path_segments().and_then(|mut steps| steps.rfind(|step| !step.is_empty()));
    for part in last.into_iter().chain(upload.query()) {
        drop(Secret::new(part));
    }
}

/// Fails with `Usage` for a key that `Upload-Metadata` can't hold.
pub fn check_key(key: &str) -> Result<()> {
    match !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic() && b != b',') {
        true => Ok(()),
        false => Err(Error::new(Kind::Usage, format!("{key:?} can't be a key of TUS metadata"))),
    }
}

/// `Upload-Metadata`: `key base64,key base64`, in the given order and without further blanks: @tus/server parses strictly
/// (providers.md 11.1).
pub fn encode_metadata(metadata: &[(String, String)]) -> Result<String> {
    let pair = |(key, value): &(String, String)| {
        check_key(key)?;
        Ok(if value.is_empty() { key.clone() } else { format!("{key} {}", BASE64_STANDARD.encode(value)) })
    };
    Ok(metadata.iter().map(pair).collect::<Result<Vec<_>>>()?.join(","))
}

/// `Upload-Metadata` of an answer; unreadable parts are left out.
fn parse_metadata(reply: &HttpReply) -> Vec<(String, String)> {
    let pairs = reply.header("upload-metadata").unwrap_or_default().split(',').map(str::trim).filter(|pair| !pair.is_empty());
    let decoded = pairs.filter_map(|pair| {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        Some((key.to_owned(), String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?))
    });
    decoded.collect()
}

/// None: the upload is gone, or can't be resumed.
pub async fn head(line: &Endpoint, upload: &Url) -> Result<Option<UploadStatus>> {
    let url = upload.to_string();
    match run(line, Overrides::default(), move |tus| tus.get_info(&url)).await {
        Ok((info, reply)) => {
            let length = info.total_size.map(|n| n as u64);
            Ok(Some(UploadStatus { offset: offset_of(&reply)?, length, expires: expiry(&reply), metadata: parse_metadata(&reply) }))
        }
        Err(failure) if is_gone(&failure) => Ok(None),
        Err(failure) => Err(locked_error(failure, upload)),
    }
}

/// tusdotnet's HEAD also takes the lock, and answers 409 when it is taken.
fn locked_error(failure: Error, upload: &Url) -> Error {
    match failure.status_code() {
        Some(409) => Error::new(Kind::Busy, LOCKED).with_status(409).with_subject(host_of(upload)),
        _ => failure,
    }
}

/// The bytes of a final upload; none while the server still joins it: its HEAD then may lack the offset.
pub async fn head_of_final(line: &Endpoint, upload: &Url) -> Result<Option<u64>> {
    let reply = line.http.call(line.request(Method::HEAD, upload.clone()).header("tus-resumable", "1.0.0")).await?;
    line.cookies.take(&reply);
    match () {
        () if !reply.is_success() => Err(locked_error(refusal(&reply), upload)),
        () if reply.headers.contains_key("upload-offset") => offset_of(&reply).map(Some),
        () => Ok(None),
    }
}

/// `Upload-Offset`: digits, and only one value. A wrong offset would leave a hole in the file.
pub fn offset_of(reply: &HttpReply) -> Result<u64> {
    let mut told = reply.headers.get_all("upload-offset").iter();
    let first = told.next().ok_or_else(|| reply.protocol_error("no Upload-Offset"))?;
    if told.any(|other| other != first) {
        return Err(reply.protocol_error("two Upload-Offsets"));
    }
    first.to_str().ok().and_then(digits).ok_or_else(|| reply.protocol_error("the Upload-Offset is not a number"))
}

/// Any other 4xx to HEAD means: start again (as the vendor's client does, providers.md 1.14; tuspyserver's 400 is permanent).
fn is_gone(failure: &Error) -> bool {
    match failure.status_code() {
        Some(401 | 407 | 408 | 409 | 412 | 423 | 425 | 429) => false,
        Some(status) => (400..500).contains(&status),
        None => false,
    }
}

pub async fn delete(line: &Endpoint, upload: &Url, via_post: bool) -> Result<()> {
    let url = upload.to_string();
    let instead = Overrides { creation: Vec::new(), via_post };
    match run(line, instead, move |tus| tus.delete(&url)).await {
        Ok(_) => Ok(()),
        Err(failure) if failure.kind() == Kind::NotFound => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// `Upload-Expires` of any answer that has it.
pub fn expiry(reply: &HttpReply) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(reply.header("upload-expires")?.trim()).ok().map(|at| at.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_token_is_a_secret_itself() {
        drop(Secret::new("tus-calls-t0ken"));
        for (url, shown) in [
            ("https://h.example/files/f00ba7-only-key", "https://h.example/files/***"),
            ("https://h.example/up?key=f00ba7-in-a-query", "https://h.example/***?***"),
            ("https://h.example/tus-calls-t0ken/f00ba7-shown", "https://h.example/***/f00ba7-shown"),
        ] {
            guard(&Url::parse(url).unwrap());
            assert_eq!(mask(url).replace("up?", "***?"), shown);
        }
    }

    #[test]
    fn metadata_is_encoded_as_the_protocol_has_it() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            encode_metadata(&[pair("filename", "grüße, \"1\".bin"), pair("empty", "")]).unwrap(),
            "filename Z3LDvMOfZSwgIjEiLmJpbg==,empty"
        );
        assert_eq!(encode_metadata(&[]).unwrap(), "");
        for bad in ["", "a b", "a,b", "ü", "a\r\nX: y"] {
            assert_eq!(encode_metadata(&[pair(bad, "any ü")]).unwrap_err().kind(), Kind::Usage, "{bad:?}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;
    use reqwest::StatusCode;

    use super::*;
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn an_offset_is_digits(first in prop_oneof![arbitrary::header(), "[ +0-9-]{0,22}"], second in prop::option::of("[0-9]{1,3}"), date in arbitrary::header()) {
            let mut headers = reqwest::header::HeaderMap::new();
            let names = ["upload-offset", "upload-offset", "upload-expires"];
            for (name, value) in names.into_iter().zip([Some(first.clone()), second.clone(), Some(date)]) {
                if let Some(value) = value.and_then(|v| HeaderValue::from_str(&v).ok()) {
                    headers.append(name, value);
                }
            }
            let url = Url::parse("https://h.example/x").unwrap();
            let reply = HttpReply { status: StatusCode::NO_CONTENT, headers, url, body: Default::default() };
            let _ = expiry(&reply);
            match offset_of(&reply) {
                Ok(_) => prop_assert!(first.trim().bytes().all(|b| b.is_ascii_digit()) && second.is_none_or(|s| s == first)),
                Err(error) => arbitrary::assert_error_is_safe(&error),
            }
        }
    }
}
