//! The server of an upload, and the headers and cookies that may be sent to it.

use reqwest::{Method, RequestBuilder, Url, header::HeaderMap};

use super::capabilities::Servers;
use crate::protocols::http::Http;
use crate::protocols::http::cookies::Cookies;

/// The data to create an upload.
#[derive(Clone)]
pub struct TusTarget {
    /// The creation endpoint.
    pub endpoint: Url,
    /// `Upload-Metadata`; keys are ASCII, values any text.
    pub metadata: Vec<(String, String)>,
    /// Sent with every request to the endpoint's origin, never to another.
    pub headers: HeaderMap,
    /// Bytes of the file; none = deferred length, where the server announces it (else `NeedsSize`, before anything is created).
    pub size: Option<u64>,
    /// The largest body of one PATCH in bytes; none = the whole file in one.
    pub chunk_size: Option<u64>,
    pub manners: TusServer,
}

/// What is known about a server beyond its announcement.
#[derive(Clone, Copy, Debug, Default)]
pub struct TusServer {
    /// The server requires parts of exactly this size, except for the last one (Supabase): they are never made smaller.
    pub exact_chunks: bool,
    /// A file whose upload's address is unknown can't be looked for: each upload is created before its first byte is sent.
    pub creates_first: bool,
}

/// The data to create an upload later, together with its bytes.
pub struct WithUpload {
    pub target: TusTarget,
    pub servers: Servers,
}

/// The connection to one TUS server: the client, and the headers for each origin.
#[derive(Clone)]
pub struct Endpoint {
    pub http: Http,
    pub endpoint: Url,
    /// For the endpoint's origin only.
    pub headers: HeaderMap,
    /// The cookies that the server has set since this upload began.
    pub cookies: Cookies,
}

impl Endpoint {
    pub fn new(http: &Http, target: &TusTarget) -> Endpoint {
        Endpoint::of(http, &target.endpoint, &target.headers)
    }

    pub fn of(http: &Http, endpoint: &Url, headers: &HeaderMap) -> Endpoint {
        Endpoint { http: http.clone(), endpoint: endpoint.clone(), headers: headers.clone(), cookies: Cookies::default() }
    }

    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let own = url.origin() == self.endpoint.origin();
        let request = self.cookies.with(self.http.client().request(method, url.clone()), &url);
        if own { request.headers(self.headers.clone()) } else { request }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn headers_stay_at_their_origin() {
        let network = crate::contract::Network { timeout: std::time::Duration::from_secs(1), ca_file: None, insecure: false };
        let endpoint = Url::parse("https://h.example/files").unwrap();
        let headers = HeaderMap::from_iter([(HeaderName::from_static("token"), HeaderValue::from_static("key"))]);
        let line = Endpoint { http: Http::new(&network).unwrap(), endpoint, headers, cookies: Cookies::default() };
        let sent_to = |url: &str| line.request(Method::HEAD, Url::parse(url).unwrap()).build().unwrap().headers().contains_key("token");
        assert!(sent_to("https://h.example/other/1"));
        assert!(!sent_to("https://up.example/files/1"));
        assert!(!sent_to("https://h.example:8443/files/1"));
        assert!(!sent_to("http://h.example/files/1"));
    }
}
