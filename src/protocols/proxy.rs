//! Connects FTP through the proxy that `ALL_PROXY` names: SOCKS5, or CONNECT of an HTTP proxy. (The HTTP client has its own
//! proxies.) `NO_PROXY` exempts hosts.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_socks::tcp::Socks5Stream;

use super::http::system_proxy::{is_exempt, set};
use crate::error::{Error, Kind, Result};
use crate::model::Secret;

const MAX_HEAD: usize = 16 << 10;

#[derive(Clone, Debug)]
pub struct Proxy {
    way: ProxyKind,
    host: String,
    port: u16,
    login: Option<(String, Secret)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProxyKind {
    /// SOCKS5; true: the proxy resolves names (`socks5h`).
    Socks(bool),
    Connect,
}

impl Proxy {
    /// The proxy for FTP connections to `host`, from the environment. Fails with `Unsupported` for a proxy that can't forward
    /// FTP: haul must not bypass a proxy on its own.
    pub fn for_ftp(host: &str, port: u16) -> Result<Option<Proxy>> {
        let [all, no] = ["ALL_PROXY", "NO_PROXY"].map(|name| set(name).unwrap_or_default());
        if all.is_empty() || is_exempt(&no, host, port) { Ok(None) } else { Proxy::read(&all).map(Some) }
    }

    fn read(text: &str) -> Result<Proxy> {
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let unusable = |why: &str| {
            Error::new(Kind::Unsupported, format!("FTP can't go through the proxy in ALL_PROXY: {why}"))
                .with_hint("name a socks5, socks5h or http proxy there, or this host in NO_PROXY")
        };
        let url = Url::parse(&full).map_err(|_| unusable("its address can't be read"))?;
        let (way, usual_port) = match url.scheme() {
            "socks5" => (ProxyKind::Socks(false), 1080),
            "socks5h" => (ProxyKind::Socks(true), 1080),
            "http" => (ProxyKind::Connect, 80),
            other => return Err(unusable(&format!("{other} is no way for it"))),
        };
        let host = url.host_str().filter(|h| !h.is_empty()).ok_or_else(|| unusable("it names no host"))?;
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let login =
            (!url.username().is_empty()).then(|| (decoded(url.username()), Secret::new(decoded(url.password().unwrap_or_default()))));
        let host = host.trim_matches(['[', ']']).to_owned();
        Ok(Proxy { way, host, port: url.port().unwrap_or(usual_port), login })
    }

    /// Host and port of the proxy itself.
    pub fn address(&self) -> (&str, u16) {
        (&self.host, self.port)
    }

    /// Takes a `socket` that is connected to the proxy, and returns it connected to `host`.
    pub async fn lead(&self, socket: TcpStream, host: &str, port: u16) -> Result<TcpStream> {
        match self.way {
            ProxyKind::Connect => self.connect(socket, host, port).await,
            ProxyKind::Socks(names_there) => self.socks(socket, host, port, names_there).await,
        }
    }

    async fn socks(&self, socket: TcpStream, host: &str, port: u16, names_there: bool) -> Result<TcpStream> {
        let address = match host.parse() {
            Ok(ip) => Some(std::net::SocketAddr::new(ip, port)),
            Err(_) if names_there => None,
            Err(_) => tokio::net::lookup_host((host, port)).await.map_err(|e| self.failure("the host's name is not known", e))?.next(),
        };
        let led = match (&self.login, address) {
            (None, Some(address)) => Socks5Stream::connect_with_socket(socket, address).await,
            (None, None) => Socks5Stream::connect_with_socket(socket, (host, port)).await,
            (Some((user, password)), Some(address)) => {
                Socks5Stream::connect_with_password_and_socket(socket, address, user, password.expose()).await
            }
            (Some((user, password)), None) => {
                Socks5Stream::connect_with_password_and_socket(socket, (host, port), user, password.expose()).await
            }
        };
        Ok(led.map_err(|e| self.failure("it did not connect us", e))?.into_inner())
    }

    /// Reads the answer byte by byte: an FTP server's greeting may follow it immediately.
    async fn connect(&self, mut socket: TcpStream, host: &str, port: u16) -> Result<TcpStream> {
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let login = self.login.as_ref().map(|(user, password)| STANDARD.encode(format!("{user}:{}", password.expose())));
        let login = login.map(|login| format!("Proxy-Authorization: Basic {login}\r\n")).unwrap_or_default();
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n");
        let broken = |e| self.failure("the connection to it broke", e);
        socket.write_all(request.as_bytes()).await.map_err(broken)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
            if head.len() >= MAX_HEAD {
                return Err(self.refusal("its answer never ends".to_owned()));
            }
            head.push(socket.read_u8().await.map_err(broken)?);
        }
        let head = String::from_utf8_lossy(&head);
        let status =
            head.lines().next().filter(|line| line.starts_with("HTTP/1.")).and_then(|line| line.split(' ').nth(1)?.parse::<u16>().ok());
        match status {
            Some(200..=299) => Ok(socket),
            Some(407) => Err(self
                .refusal("it wants a user and a password (HTTP 407)".to_owned())
                .with_status(407)
                .with_hint("write them into ALL_PROXY")),
            Some(status) => Err(self.refusal(format!("it did not connect us (HTTP {status})")).with_status(status)),
            None => Err(self.refusal("it does not speak HTTP".to_owned())),
        }
    }

    fn refusal(&self, why: String) -> Error {
        Error::new(Kind::Unreachable, format!("the proxy {}:{}: {why}", self.host, self.port))
    }

    /// An error that names the proxy.
    pub fn failure(&self, why: &str, cause: impl std::fmt::Display) -> Error {
        self.refusal(why.to_owned()).with_cause(anyhow::anyhow!("{cause}"))
    }
}

/// Connects within `wait`, through the proxy if there is one.
pub async fn connect(proxy: Option<&Proxy>, host: &str, port: u16, wait: Duration) -> std::io::Result<TcpStream> {
    let connecting = async {
        match proxy {
            None => TcpStream::connect((host, port)).await,
            Some(proxy) => {
                let socket = TcpStream::connect(proxy.address())
                    .await
                    .map_err(|e| std::io::Error::other(proxy.failure("it can't be reached", e)))?;
                proxy.lead(socket, host, port).await.map_err(std::io::Error::other)
            }
        }
    };
    tokio::time::timeout(wait, connecting).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_that_carry_ftp_and_those_that_do_not() {
        for (text, way, address) in [
            ("socks5://p.example", ProxyKind::Socks(false), ("p.example", 1080)),
            ("socks5h://u%40x:pw@p.example:9", ProxyKind::Socks(true), ("p.example", 9)),
            ("http://[::1]:3128/", ProxyKind::Connect, ("::1", 3128)),
            ("p.example:8080", ProxyKind::Connect, ("p.example", 8080)),
        ] {
            let proxy = Proxy::read(text).unwrap();
            assert_eq!((proxy.way, proxy.address()), (way, address), "{text}");
        }
        assert_eq!(Proxy::read("socks5h://u%40x:pw@p.example:9").unwrap().login.unwrap().0, "u@x");
        for text in ["https://p.example", "socks4://p.example", "://", "http://"] {
            let error = Proxy::read(text).unwrap_err();
            assert_eq!(error.kind(), Kind::Unsupported, "{text}");
            assert!(error.to_string().contains("ALL_PROXY"), "{error}");
        }
    }

    #[test]
    fn who_is_exempt() {
        for (no, host, exempt) in [
            ("", "h.example", false),
            ("h.example", "h.example", true),
            (".example", "h.example", true),
            ("ample", "h.example", false),
            ("*", "192.0.2.1", true),
            ("x, *", "h.example", true),
            ("192.0.2.0/24", "192.0.2.1", true),
            ("192.0.2.2", "192.0.2.1", false),
            ("h.example:21", "h.example", true),
            ("h.example:22", "h.example", false),
            ("192.0.2.1:21", "192.0.2.1", true),
            ("::1", "::1", true),
            ("[::1]:21", "::1", true),
            ("[::1]:22", "::1", false),
        ] {
            assert_eq!(is_exempt(no, host, 21), exempt, "{no} {host}");
        }
    }
}
