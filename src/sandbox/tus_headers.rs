//! The headers of a TUS request, read strictly (protocol 1.0.0).

use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// Checksum algorithms on offer, in the order of `Tus-Checksum-Algorithm`.
pub const ALGORITHMS: &str = "sha1,md5";

/// A status and a message for the log.
pub type Refused = (StatusCode, &'static str);

/// `Upload-Concat`.
#[derive(Clone, Debug, PartialEq)]
pub enum Concat {
    No,
    Partial,
    /// The last path segments of the partial uploads' URLs.
    Final(Vec<String>),
}

#[derive(Debug)]
pub struct Creation {
    /// Bytes; none = deferred.
    pub length: Option<u64>,
    pub metadata: Vec<(String, String)>,
    /// The text as it was sent, for HEAD.
    pub metadata_text: Option<String>,
    pub concat: Concat,
    /// As it was sent, for HEAD.
    pub concat_text: Option<String>,
}

impl Creation {
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// # Errors
    /// 400 for headers that contradict each other or can't be read.
    pub fn read(headers: &HeaderMap) -> Result<Creation, Refused> {
        let concat = concat(headers)?;
        let length = number(headers, "upload-length")?;
        let deferred = text(headers, "upload-defer-length");
        if deferred.is_some_and(|d| d != "1") {
            return Err((StatusCode::BAD_REQUEST, "Upload-Defer-Length must be 1"));
        }
        match (&concat, length, deferred) {
            (Concat::Final(_), None, None) => {}
            (Concat::Final(_), ..) => return Err((StatusCode::BAD_REQUEST, "a final upload has no Upload-Length")),
            (_, Some(_), Some(_)) => return Err((StatusCode::BAD_REQUEST, "Upload-Length and Upload-Defer-Length together")),
            (_, None, None) => return Err((StatusCode::BAD_REQUEST, "Upload-Length is missing")),
            _ => {}
        }
        let metadata_text = text(headers, "upload-metadata").map(str::to_owned);
        let metadata = metadata_text.as_deref().map_or(Ok(Vec::new()), metadata)?;
        let concat_text = text(headers, "upload-concat").map(str::to_owned);
        Ok(Creation { length, metadata, metadata_text, concat, concat_text })
    }
}

pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A non-negative number, if the header is there.
pub fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Refused> {
    match text(headers, name) {
        None => Ok(None),
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err((StatusCode::BAD_REQUEST, "a number is too large")),
        },
        Some(_) => Err((StatusCode::BAD_REQUEST, "a number is expected")),
    }
}

fn concat(headers: &HeaderMap) -> Result<Concat, Refused> {
    match text(headers, "upload-concat") {
        None => Ok(Concat::No),
        Some("partial") => Ok(Concat::Partial),
        Some(other) => {
            let list = other.strip_prefix("final;").ok_or((StatusCode::BAD_REQUEST, "Upload-Concat is neither partial nor final"))?;
            let ids = list.split(' ').filter_map(|url| url.rsplit('/').next()).filter(|id| !id.is_empty());
            Ok(Concat::Final(ids.map(str::to_owned).collect()))
        }
    }
}

/// `key base64,key2 base64`; a value may be missing.
fn metadata(text: &str) -> Result<Vec<(String, String)>, Refused> {
    let bad = (StatusCode::BAD_REQUEST, "Upload-Metadata can't be read");
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in text.split(',') {
        let (key, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let value = STANDARD.decode(value.trim()).map_err(|_| bad)?;
        if key.is_empty() || !key.is_ascii() || pairs.iter().any(|(k, _)| k == key) {
            return Err(bad);
        }
        pairs.push((key.to_owned(), String::from_utf8(value).map_err(|_| bad)?));
    }
    Ok(pairs)
}

/// `Upload-Checksum` of one PATCH, and the hash of the bytes so far.
pub struct Checksum {
    expected: Vec<u8>,
    hash: Hash,
}

enum Hash {
    Sha1(Sha1),
    Md5(md5::Context),
}

impl Checksum {
    /// # Errors
    /// 400 for an algorithm that is not offered.
    pub fn read(headers: &HeaderMap) -> Result<Option<Checksum>, Refused> {
        let Some(text) = text(headers, "upload-checksum") else { return Ok(None) };
        let bad = (StatusCode::BAD_REQUEST, "the checksum algorithm is not supported");
        let (algorithm, expected) = text.split_once(' ').ok_or(bad)?;
        let hash = match algorithm {
            "sha1" => Hash::Sha1(Sha1::new()),
            "md5" => Hash::Md5(md5::Context::new()),
            _ => return Err(bad),
        };
        let expected = STANDARD.decode(expected).map_err(|_| (StatusCode::BAD_REQUEST, "the checksum is not Base64"))?;
        Ok(Some(Checksum { expected, hash }))
    }

    pub fn take(&mut self, bytes: &[u8]) {
        match &mut self.hash {
            Hash::Sha1(hash) => hash.update(bytes),
            Hash::Md5(hash) => hash.consume(bytes),
        }
    }

    pub fn fits(self) -> bool {
        match self.hash {
            Hash::Sha1(hash) => hash.finalize().as_slice() == self.expected,
            Hash::Md5(hash) => hash.finalize().0.as_slice() == self.expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect()
    }

    #[test]
    fn a_creation_says_its_length_exactly_once() {
        let read = |pairs: &[(&'static str, &str)]| Creation::read(&headers(pairs)).map(|c| c.length).map_err(|e| e.0.as_u16());
        assert_eq!(read(&[("upload-length", "12")]), Ok(Some(12)));
        assert_eq!(read(&[("upload-defer-length", "1")]), Ok(None));
        assert_eq!(read(&[]), Err(400));
        assert_eq!(read(&[("upload-length", "-1")]), Err(400));
        assert_eq!(read(&[("upload-length", "1"), ("upload-defer-length", "1")]), Err(400));
        assert_eq!(read(&[("upload-concat", "final;/a/1 http://h/a/2")]), Ok(None));
        assert_eq!(read(&[("upload-concat", "final;/a/1"), ("upload-length", "1")]), Err(400));
    }

    #[test]
    fn metadata_is_base64_with_unique_keys() {
        assert_eq!(metadata("filename YS5i, flag").unwrap(), [("filename".into(), "a.b".into()), ("flag".into(), String::new())]);
        assert!(metadata("filename !").is_err());
        assert!(metadata("a YQ==,a YQ==").is_err());
    }
}
