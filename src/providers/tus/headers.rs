//! The headers that a remote sends with each request to its own origin: the token, and lines of `Name: value`.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::contract::{Error, Kind, Result};
use crate::model::Secret;

/// Headers that the protocol and the connection set themselves.
const OWN: &[&str] = &["host", "connection", "content-length", "content-type", "transfer-encoding", "x-http-method-override"];
/// Prefixes of headers that the protocol sets itself.
const OWN_PREFIXES: &[&str] = &["tus-", "upload-"];
/// A shorter value (`x-upsert: true`) is an ordinary word, which would be masked in every message that contains it.
const MIN_SECRET: usize = 8;

/// Fails with `Usage` for a line that is no header; no message shows a value.
pub fn read(token: Option<&Secret>, lines: Option<&Secret>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.insert(AUTHORIZATION, value(&format!("Bearer {}", token.expose()), "token")?);
    }
    let lines = lines.map(Secret::expose).unwrap_or_default().lines().map(str::trim).filter(|line| !line.is_empty());
    for (number, line) in lines.enumerate() {
        let on = format!("`headers`, line {}", number + 1);
        let bad = |why: &str| Error::new(Kind::Usage, why.to_owned()).with_subject(on.clone()).with_hint("write each as `Name: value`");
        let (name, text) = line.split_once(':').ok_or_else(|| bad("this is not a header"))?;
        let name: HeaderName = name.trim().parse().map_err(|_| bad("this can't be the name of a header"))?;
        if OWN.contains(&name.as_str()) || OWN_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix)) {
            return Err(bad("the protocol sends this header itself"));
        }
        if token.is_some() && name == AUTHORIZATION {
            return Err(bad("the remote has a `token`, which is sent as Authorization"));
        }
        let text = text.trim();
        // A scheme before the secret (`Bearer`) is no secret.
        text.split_whitespace().chain([text]).filter(|word| word.len() >= MIN_SECRET).for_each(|word| drop(Secret::new(word)));
        headers.append(name, value(text, &on)?);
    }
    Ok(headers)
}

fn value(text: &str, on: &str) -> Result<HeaderValue> {
    let mut value =
        HeaderValue::from_str(text).map_err(|_| Error::new(Kind::Usage, "a header can't hold this value").with_subject(on.to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::mask;

    fn lines(text: &str) -> Result<HeaderMap> {
        read(None, Some(&Secret::new(text)))
    }

    #[test]
    fn lines_become_headers_and_their_values_are_hidden() {
        let headers = read(Some(&Secret::new("tok-en-1")), Some(&Secret::new("apikey: key-of-a-site\n\n x-upsert : true \r\n"))).unwrap();
        assert_eq!(headers["authorization"], "Bearer tok-en-1");
        assert_eq!(
            (&headers["apikey"], &headers["x-upsert"]),
            (&HeaderValue::from_static("key-of-a-site"), &HeaderValue::from_static("true"))
        );
        assert_eq!(mask("key-of-a-site is true"), "*** is true");
        lines("Authorization: Basic dXNlcjpwYXNz").unwrap();
        assert_eq!(mask("Basic dXNlcjpwYXNz"), "***");
        assert!(read(None, None).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_header_is_refused_without_its_value() {
        for bad in [
            "no colon s3cret-value",
            "bad name: s3cret-value",
            "Upload-Offset: 9",
            "Tus-Resumable: 2",
            "Content-Length: 1",
            "x: a\x01s3cret-value",
        ] {
            let error = lines(bad).unwrap_err();
            assert!(error.kind() == Kind::Usage && !error.to_string().contains("s3cret"), "{error}");
        }
        let twice = read(Some(&Secret::new("tok-en-2")), Some(&Secret::new("authorization: Bearer other-one")));
        assert_eq!(twice.unwrap_err().kind(), Kind::Usage);
    }
}
