//! The URLs of remotes: which ones are valid, and how they are shown to the user.

use reqwest::Url;

use crate::error::{Error, Kind, Result};
use crate::model::secret::mask;

/// Host and port, as messages name a server.
pub fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        _ => "the server".to_owned(),
    }
}

/// Parses a remote's `url`. Plain http is allowed only for loopback, unless the remote has `insecure = true`.
pub fn base_url(text: &str, insecure: bool) -> Result<Url> {
    let bad = |why: &str| Error::new(Kind::Usage, why.to_owned()).with_subject(mask(text).into_owned());
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&with_scheme).map_err(|e| bad("the url of this remote can't be read").with_cause(e))?;
    match url.scheme() {
        "https" => {}
        "http" if insecure || is_loopback(&url) => {}
        "http" => {
            return Err(bad("with plain http others on the network could read the password")
                .with_hint("use https, or allow it with `haul remote set REMOTE insecure=true` (a remote of variables: by its HAUL_REMOTE_…_INSECURE=true)"));
        }
        _ => return Err(bad("the url of a remote begins with https://")),
    }
    if url.host_str().is_none() {
        return Err(bad("the url of this remote names no host"));
    }
    Ok(url)
}

/// As [`base_url`], without the parts that no request may take from it: user and password, query, fragment.
pub fn bare_url(text: &str, insecure: bool) -> Result<Url> {
    let mut url = base_url(text, insecure)?;
    url.set_query(None);
    url.set_fragment(None);
    // Neither call can fail, because the url has a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    Ok(url)
}

pub fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some(host) => is_loopback_host(host),
        None => false,
    }
}

pub fn is_loopback_host(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_only_at_home() {
        assert!(base_url("http://127.0.0.1:8080", false).is_ok());
        assert!(base_url("http://[::1]:8080", false).is_ok());
        assert!(base_url("http://localhost", false).is_ok());
        assert_eq!(base_url("http://127.0.0.1.example.com", false).unwrap_err().kind(), Kind::Usage);
        assert_eq!(base_url("http://files.example.com", false).unwrap_err().kind(), Kind::Usage);
        assert!(base_url("http://files.example.com", true).is_ok());
        assert_eq!(base_url("files.example.com", false).unwrap().as_str(), "https://files.example.com/");
        assert_eq!(base_url("ftp://files.example.com", false).unwrap_err().kind(), Kind::Usage);
    }
}
