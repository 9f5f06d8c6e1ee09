//! The HTTP proxy from the environment (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in upper or lower case), and the
//! message when the proxy refuses. The HTTP client does not support `NO_PROXY=*` for addresses, nor ports there, and drops a
//! proxy's refusal.

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::url::host_of;
use crate::error::{Error, Kind};
use crate::model::Secret;

/// The longest first line of a proxy's refusal, in bytes.
const MAX_LINE: usize = 1 << 10;
/// The proxy schemes that the HTTP client supports.
const SCHEMES: &[&str] = &["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

#[derive(Debug, Default)]
pub struct Proxies {
    http: Option<Url>,
    https: Option<Url>,
    none_for: String,
}

/// The proxies of this process's environment.
pub fn proxies() -> &'static Proxies {
    static PROXIES: LazyLock<Proxies> = LazyLock::new(|| Proxies::read(|name| std::env::var(name).ok()));
    &PROXIES
}

/// A variable of this process, in upper or lower case. An empty one counts as unset.
pub fn set(name: &str) -> Option<String> {
    set_in(&|name| std::env::var(name).ok(), name)
}

fn set_in(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    [name.to_owned(), name.to_lowercase()].iter().find_map(|n| variable(n).filter(|v| !v.trim().is_empty()))
}

impl Proxies {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Proxies {
        let set = |name: &str| set_in(&variable, name);
        // In a CGI script a client can set HTTP_PROXY by a request header.
        if set("REQUEST_METHOD").is_some() {
            return Proxies::default();
        }
        let proxy = |name: &str| set(name).and_then(|text| address(&text));
        let all = proxy("ALL_PROXY");
        Proxies {
            http: proxy("HTTP_PROXY").or_else(|| all.clone()),
            https: proxy("HTTPS_PROXY").or(all),
            none_for: set("NO_PROXY").unwrap_or_default(),
        }
    }

    /// The proxy for `url`.
    pub fn of(&self, url: &Url) -> Option<&Url> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        let (host, port) = (url.host_str()?, url.port_or_known_default()?);
        proxy.as_ref().filter(|_| !is_exempt(&self.none_for, host, port))
    }

    pub fn is_any(&self) -> bool {
        self.http.is_some() || self.https.is_some()
    }
}

fn address(text: &str) -> Option<Url> {
    let text = text.trim();
    let url = Url::parse(&if text.contains("://") { text.to_owned() } else { format!("http://{text}") }).ok()?;
    // Registered as a secret now, so that no message shows it.
    drop(url.password().map(Secret::new));
    (SCHEMES.contains(&url.scheme()) && url.has_host()).then_some(url)
}

/// `NO_PROXY`: names with their subdomains, addresses, networks, `*`; each may have a port.
pub fn is_exempt(none_for: &str, host: &str, port: u16) -> bool {
    let host = host.trim_matches(['[', ']']);
    let entries = none_for.split([',', ' ']).filter_map(|entry| match entry.rsplit_once(':') {
        // An entry with more colons is an IPv6 address.
        Some((name, at)) if !name.contains(':') || name.ends_with(']') => (at.parse() == Ok(port)).then_some(name),
        _ => Some(entry),
    });
    let entries: Vec<&str> = entries.map(|e| e.trim_matches(['[', ']']).trim_start_matches("*.")).filter(|e| !e.is_empty()).collect();
    if entries.contains(&"*") {
        return true;
    }
    let matcher = Matcher::builder().all("http://proxy.invalid").no(entries.join(",")).build();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    format!("http://{host}/").parse().is_ok_and(|uri| matcher.intercept(&uri).is_none())
}

/// The error when there is no connection to `url` through `proxy`. `tunnel` is the message of the HTTP client.
pub async fn no_way(tunnel: Option<&str>, proxy: &Url, url: &Url, timeout: Duration) -> Error {
    let said = match tunnel {
        Some(words) if words.ends_with("authorization required") => Some(407),
        Some(words) if words.ends_with("unsuccessful") => tokio::time::timeout(timeout, status(proxy, url)).await.ok().flatten(),
        _ => None,
    };
    let name = host_of(proxy);
    let error = match said {
        Some(status) => refusal(&name, status),
        None if tunnel.is_none_or(|words| words.contains("create underlying connection")) => {
            Error::new(Kind::Unreachable, format!("the proxy {name} can't be reached"))
        }
        None => Error::new(Kind::Unreachable, format!("the server can't be reached through the proxy {name}")),
    };
    error.with_subject(host_of(url))
}

/// The error for a status that a proxy answers in place of the server.
pub fn refusal(proxy: &str, status: u16) -> Error {
    let kind = if status >= 500 { Kind::Unreachable } else { Kind::Untrusted };
    match status {
        407 => Error::new(kind, format!("the proxy {proxy} wants a user and a password (HTTP 407)"))
            .with_hint("write them into the variable that names the proxy, as http://USER:PASSWORD@HOST:PORT"),
        _ => Error::new(kind, format!("the proxy {proxy} does not let us through (HTTP {status})"))
            .with_hint("ask whoever runs the proxy, or name the server in NO_PROXY if it can be reached without"),
    }
    .with_status(status)
}

/// Repeats the request to the proxy, only to read its refusal.
async fn status(proxy: &Url, url: &Url) -> Option<u16> {
    if proxy.scheme() != "http" {
        return None;
    }
    let (host, port) = (proxy.host_str()?.trim_matches(['[', ']']), proxy.port_or_known_default()?);
    let mut socket = TcpStream::connect((host, port)).await.ok()?;
    let target = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
    let login = proxy.password().map(|password| STANDARD.encode(format!("{}:{}", decoded(proxy.username()), decoded(password))));
    let login = login.map(|login| format!("Proxy-Authorization: Basic {login}\r\n")).unwrap_or_default();
    socket.write_all(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n").as_bytes()).await.ok()?;
    let mut line = Vec::new();
    while !line.ends_with(b"\n") && line.len() < MAX_LINE {
        line.push(socket.read_u8().await.ok()?);
    }
    let line = String::from_utf8_lossy(&line).into_owned();
    line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.trim().parse().ok().filter(|status| !(200..300).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Proxies {
        Proxies::read(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn who_goes_through_which_proxy() {
        let url = |text: &str| Url::parse(text).unwrap();
        let proxies =
            read(&[("HTTP_PROXY", ""), ("http_proxy", "p.example:3128"), ("ALL_PROXY", "socks5h://u:pw@s.example"), ("NO_PROXY", " ")]);
        assert_eq!(proxies.of(&url("http://h.example/")).unwrap().as_str(), "http://p.example:3128/");
        assert_eq!(proxies.of(&url("https://h.example/")).unwrap().as_str(), "socks5h://u:pw@s.example");
        assert!(read(&[("HTTPS_PROXY", "ftp://x"), ("HTTP_PROXY", "http://")]).of(&url("https://h.example/")).is_none());
        assert!(!read(&[("HTTP_PROXY", "http://p.example"), ("REQUEST_METHOD", "GET")]).is_any());
    }

    #[test]
    fn who_goes_through_none() {
        for (none_for, host, exempt) in [
            ("", "h.example", false),
            ("h.example", "h.example", true),
            (".example", "h.example", true),
            ("*.example", "h.example", true),
            ("ample", "h.example", false),
            ("*", "192.0.2.1", true),
            ("*", "[::1]", true),
            ("x, *", "h.example", true),
            ("192.0.2.0/24", "192.0.2.1", true),
            ("192.0.2.2", "192.0.2.1", false),
            ("h.example:443", "h.example", true),
            ("h.example:444", "h.example", false),
            ("192.0.2.1:443", "192.0.2.1", true),
            ("*:443", "h.example", true),
            ("::1", "[::1]", true),
            ("[::1]:443", "[::1]", true),
            ("[::1]:444", "[::1]", false),
        ] {
            let proxies = read(&[("https_proxy", "http://p.example"), ("no_proxy", none_for)]);
            let of = proxies.of(&Url::parse(&format!("https://{host}/x")).unwrap());
            assert_eq!(of.is_none(), exempt, "{none_for} {host}");
        }
    }
}
