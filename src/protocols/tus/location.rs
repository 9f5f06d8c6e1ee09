//! The URL of a created upload. The server's `Location` decides where a file is sent, so it is checked.

use reqwest::Url;

use crate::error::{Error, Kind, Result};
use crate::protocols::http::host_of;

/// The upload's URL from the `Location` in the creation's answer.
///
/// A relative URL is resolved against the endpoint. If a server behind TLS answers `http://` with its own host (@tus/server by
/// default), only the path is used: the file is never sent without encryption. The same holds for a `Location` without the port
/// (behind nginx, `Host` without the port). Another origin must be https.
pub fn resolve(endpoint: &Url, location: &str) -> Result<Url> {
    let bad = |why: &str| Error::new(Kind::Protocol, why.to_owned()).with_subject(host_of(endpoint));
    let mut url = endpoint.join(location.trim()).map_err(|e| bad("the server's address for the upload can't be read").with_cause(e))?;
    url.set_fragment(None);
    if url.origin() == endpoint.origin() {
        return Ok(url);
    }
    let (in_clear, lost_port) = (endpoint.scheme() == "https" && url.scheme() == "http", url.port().is_none());
    if url.host() == endpoint.host() && (in_clear || lost_port && url.scheme() == endpoint.scheme()) {
        let mut same = endpoint.clone();
        same.set_path(url.path());
        same.set_query(url.query());
        return Ok(same);
    }
    // A user name and password in the URL would be sent to another server as an Authorization header.
    if url.scheme() == "https" && url.host().is_some() && url.username().is_empty() && url.password().is_none() {
        return Ok(url);
    }
    Err(bad("the server sends the upload to another address without https")
        .with_cause(anyhow::anyhow!("{}", url.origin().ascii_serialization()))
        .with_hint("if you trust it, set the remote's url to that address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve_location(endpoint: &str, location: &str) -> Result<String> {
        resolve(&Url::parse(endpoint).unwrap(), location).map(|u| u.to_string())
    }

    #[test]
    fn relative_ones_join_the_endpoint() {
        assert_eq!(resolve_location("https://h.example/files/", "abc?t=1").unwrap(), "https://h.example/files/abc?t=1");
        assert_eq!(resolve_location("https://h.example/files", "/up/abc").unwrap(), "https://h.example/up/abc");
        assert_eq!(resolve_location("http://127.0.0.1:9/f", "http://127.0.0.1:9/f/1#x").unwrap(), "http://127.0.0.1:9/f/1");
    }

    #[test]
    fn never_from_https_to_http() {
        assert_eq!(resolve_location("https://h.example:8443/f?k=1", "http://h.example/f/1").unwrap(), "https://h.example:8443/f/1");
        assert_eq!(resolve_location("https://h.example/f", "http://other.example/f/1").unwrap_err().kind(), Kind::Protocol);
        assert_eq!(resolve_location("http://127.0.0.1/f", "http://10.0.0.1/f/1").unwrap_err().kind(), Kind::Protocol);
    }

    #[test]
    fn a_port_that_was_left_out_is_the_endpoint_s() {
        assert_eq!(resolve_location("https://h.example:8443/f", "https://h.example/f/1?k=2").unwrap(), "https://h.example:8443/f/1?k=2");
        assert_eq!(resolve_location("http://127.0.0.1:9/f", "http://127.0.0.1/f/1").unwrap(), "http://127.0.0.1:9/f/1");
        assert_eq!(resolve_location("https://h.example/f", "https://h.example:8443/f/1").unwrap(), "https://h.example:8443/f/1");
        assert_eq!(resolve_location("https://h.example:8443/f", "https://up.example/f/1").unwrap(), "https://up.example/f/1");
    }

    #[test]
    fn another_host_by_https_only_and_without_a_sign_in() {
        assert_eq!(resolve_location("https://h.example/f", "//up.example/1").unwrap(), "https://up.example/1");
        assert_eq!(resolve_location("https://h.example/f", "https://a:b@up.example/1").unwrap_err().kind(), Kind::Protocol);
        assert_eq!(resolve_location("https://h.example/f", "file:///etc/passwd").unwrap_err().kind(), Kind::Protocol);
        assert_eq!(resolve_location("https://h.example/f", "https://[").unwrap_err().kind(), Kind::Protocol);
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn no_upload_goes_in_clear_or_signs_in_at_a_stranger(text in prop_oneof![arbitrary::header(), "(http|https|ftp|file)?:?//?[a-z@:./?#]{0,30}"]) {
            let endpoint = Url::parse("https://h.example/files/").unwrap();
            match resolve(&endpoint, &text) {
                Ok(url) => {
                    prop_assert_eq!(url.scheme(), "https");
                    prop_assert!(url.fragment().is_none() && url.has_host());
                    prop_assert!(url.origin() == endpoint.origin() || url.username().is_empty() && url.password().is_none(), "{}", url);
                }
                Err(error) => arbitrary::assert_error_is_safe(&error),
            }
        }
    }
}
