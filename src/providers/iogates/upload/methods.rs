//! The upload methods that Auth Info offers (providers.md 1.5): each is ready to be used, or has the reason why it can't be.

use reqwest::Url;

use crate::contract::Network;
use crate::model::{Protocol, Secret};
use crate::protocols::ftp::{FtpServer, Security};
use crate::protocols::http::{base_url, is_loopback_host};
use crate::providers::iogates::wire::{AuthInfo, FtpOffer, Web};

/// The shortest token in characters. Shorter steps of a path, and steps without a digit, count as words.
const MIN_TOKEN: usize = 6;

/// A limit of 0 means none at ioGates.
pub fn limit(bytes: Option<u64>) -> Option<u64> {
    bytes.filter(|b| *b > 0)
}

pub struct UploadMethods {
    /// Best first: TUS, plupload, FTP(S) (OQ-12).
    pub usable: Vec<UploadMethod>,
    /// Methods on offer that we can't use, with the reason.
    pub closed: Vec<(Protocol, String)>,
    /// The server's own recommendation, which `about` shows.
    pub default: Option<String>,
    /// Bytes of one file.
    pub max_file_size: Option<u64>,
    /// Bytes.
    pub available_storage: Option<u64>,
}

pub struct UploadMethod {
    pub protocol: Protocol,
    /// Bytes of one file.
    pub max_file_size: Option<u64>,
    pub way: Method,
}

pub enum Method {
    /// `chunk_size`: most bytes of one request.
    Tus {
        endpoint: Url,
        chunk_size: Option<u64>,
    },
    Plupload {
        url: Url,
        chunk_size: Option<u64>,
    },
    Ftp(FtpServer),
}

impl UploadMethods {
    pub fn new(info: AuthInfo, origin: &Url, network: &Network) -> UploadMethods {
        let listed = |name: &str| info.available.as_ref().is_none_or(|list| list.iter().any(|word| word == name));
        let mut offers = UploadMethods {
            usable: Vec::new(),
            closed: Vec::new(),
            default: info.default.clone(),
            max_file_size: limit(info.max_file_size),
            available_storage: info.available_storage,
        };
        if let Some(tus) = info.tus.as_ref().filter(|_| listed("tus")) {
            let way = web_address(tus, origin, network).map(|endpoint| Method::Tus { endpoint, chunk_size: limit(tus.chunk_size) });
            offers.add(Protocol::Tus, limit(tus.max_file_size), way);
        }
        if let Some(web) = info.plupload.as_ref().filter(|_| listed("plupload")) {
            let way = web_address(web, origin, network).map(|url| Method::Plupload { url, chunk_size: limit(web.chunk_size) });
            offers.add(Protocol::Plupload, limit(web.max_file_size), way);
        }
        if let Some(ftp) = info.ftp.as_ref().filter(|_| listed("ftp") || listed("ftps")) {
            let (protocol, way) = ftp_server(ftp, network);
            offers.add(protocol, None, way.map(Method::Ftp));
        }
        offers
    }

    fn add(&mut self, protocol: Protocol, max_file_size: Option<u64>, way: Result<Method, String>) {
        match way {
            Ok(way) => self.usable.push(UploadMethod { protocol, max_file_size, way }),
            Err(why) => self.closed.push((protocol, why)),
        }
    }

    pub fn find(&self, protocol: Protocol) -> Option<&UploadMethod> {
        self.usable.iter().find(|offer| offer.protocol == protocol)
    }

    pub fn protocols(&self) -> Vec<Protocol> {
        self.usable.iter().map(|offer| offer.protocol).collect()
    }
}

/// `server` may be a URL, a host without a scheme, or a path on the API's own origin.
fn web_address(web: &Web, origin: &Url, network: &Network) -> Result<Url, String> {
    let server = web.server.as_deref().map(str::trim).filter(|s| !s.is_empty()).ok_or("the server names no address for it")?;
    let text = if server.contains("://") {
        server.to_owned()
    } else if server.starts_with('/') {
        origin.join(server).map_err(|_| "its address can't be read")?.into()
    } else {
        let scheme = if web.protocol.as_deref().is_some_and(|p| p.eq_ignore_ascii_case("http")) { "http" } else { "https" };
        let (host, path) = server.find('/').map_or((server, ""), |slash| server.split_at(slash));
        format!("{scheme}://{}{path}", bracket_ipv6(host))
    };
    remember_tokens(&text);
    base_url(&text, network.insecure).map_err(|e| e.to_string())
}

/// Registers the tokens with the masking: TUS has it in the path, plupload in the query.
fn remember_tokens(address: &str) {
    let Ok(url) = Url::parse(address) else { return };
    let is_token = |text: &str| text.len() >= MIN_TOKEN && text.bytes().any(|b| b.is_ascii_digit());
    let steps = url.path_segments().into_iter().flatten().filter(|step| is_token(step)).map(str::to_owned);
    let values = url.query_pairs().map(|(_, value)| value.into_owned()).filter(|value| value.len() >= MIN_TOKEN);
    steps.chain(values).for_each(|token| drop(Secret::new(token)));
}

/// Uses TLS when the server says `ssl` or `ftps`: from the first byte on port 990, else after AUTH TLS (OQ-32).
fn ftp_server(ftp: &FtpOffer, network: &Network) -> (Protocol, Result<FtpServer, String>) {
    let text = ftp.server.as_deref().map(str::trim).unwrap_or_default();
    let (scheme, address) = text.split_once("://").unwrap_or(("ftp", text));
    let says_ftps = [Some(scheme), ftp.protocol.as_deref()].into_iter().flatten().any(|p| p.eq_ignore_ascii_case("ftps"));
    let protocol = if says_ftps || ftp.ssl == Some(true) { Protocol::Ftps } else { Protocol::Ftp };
    let server = || {
        let (host, in_address) = host_and_port(address)?;
        let usual = if scheme.eq_ignore_ascii_case("ftps") { 990 } else { 21 };
        let told = ftp.port.filter(|p| *p > 0).map(u16::try_from).transpose().map_err(|_| "its port can't be read")?;
        let port = in_address.or(told).unwrap_or(usual);
        let security = match (protocol, port) {
            (Protocol::Ftps, 990) => Security::Implicit,
            (Protocol::Ftps, _) => Security::Explicit,
            _ => Security::Plain,
        };
        if security == Security::Plain && !network.insecure && !is_loopback_host(&host) {
            return Err("plain FTP would show the file to everybody on the way; `insecure = true` allows it".to_owned());
        }
        let (Some(user), Some(password)) = (ftp.username.clone(), ftp.password.clone()) else {
            return Err("the server gives no credentials for it".to_owned());
        };
        // User and password become FTP commands (providers.md 6.2).
        if [user.as_str(), password.expose()].iter().any(|word| word.contains(['\r', '\n', '\0'])) {
            return Err("its credentials hold a line break".to_owned());
        }
        let (ca_file, timeout) = (network.ca_file.clone(), network.timeout);
        Ok(FtpServer { host, port, user, password, security, user_chooses: false, ca_file, timeout })
    };
    (protocol, server())
}

/// An IPv6 address may come without the brackets that it has in a URL.
fn bracket_ipv6(host: &str) -> String {
    if host.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
}

/// Parsed as a URL: that handles IPv6 addresses in brackets and refuses invalid hosts.
fn host_and_port(address: &str) -> Result<(String, Option<u16>), String> {
    if address.is_empty() {
        return Err("the server names no address for it".to_owned());
    }
    let url = Url::parse(&format!("ftp://{}", bracket_ipv6(address.trim_end_matches('/')))).map_err(|_| "its address can't be read")?;
    match url.host_str().map(|host| host.trim_matches(['[', ']'])) {
        Some(host) if !host.is_empty() => Ok((host.to_owned(), url.port())),
        _ => Err("its address can't be read".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::mask;
    use crate::providers::iogates::wire::examples::*;

    fn network(insecure: bool) -> Network {
        Network { timeout: std::time::Duration::from_secs(1), ca_file: None, insecure }
    }

    fn offers(text: &str) -> UploadMethods {
        UploadMethods::new(parse(text), &Url::parse("https://iogates.com/").unwrap(), &network(false))
    }

    fn ftp(text: &str, insecure: bool) -> (Protocol, Result<FtpServer, String>) {
        ftp_server(&parse(text), &network(insecure))
    }

    #[test]
    fn the_documented_answer_offers_three_ways() {
        let offers = offers(AUTHINFO);
        assert_eq!(offers.protocols(), [Protocol::Tus, Protocol::Plupload, Protocol::Ftps]);
        assert_eq!((offers.max_file_size, offers.available_storage), (Some(524_288_000), Some(29_301_996_265)));
        let Some(Method::Tus { endpoint, chunk_size }) = offers.find(Protocol::Tus).map(|o| &o.way) else { panic!("no tus") };
        assert_eq!((endpoint.as_str(), *chunk_size), ("https://iogates.com/upload/tus/a80d9be201", Some(33_554_432)));
        assert_eq!(mask(endpoint.as_str()), "https://iogates.com/upload/tus/***");
        let Some(Method::Plupload { url, .. }) = offers.find(Protocol::Plupload).map(|o| &o.way) else { panic!("no plupload") };
        assert_eq!(url.query(), Some("token=a80d9be201"));
    }

    #[test]
    fn blank_addresses_are_no_offer() {
        let offers = offers(AUTHINFO_BLANK_SERVERS);
        assert!(offers.usable.is_empty());
        assert_eq!(offers.closed.iter().map(|(p, _)| *p).collect::<Vec<_>>(), [Protocol::Tus, Protocol::Plupload, Protocol::Ftps]);
    }

    #[test]
    fn addresses_without_a_scheme_and_php_habits() {
        let offers = offers(AUTHINFO_PHP_HABITS);
        let Some(Method::Tus { endpoint, .. }) = offers.find(Protocol::Tus).map(|o| &o.way) else { panic!("no tus") };
        assert_eq!(endpoint.as_str(), "https://share-a.iogates.com:8443/upload/tus/a80d9be202");
        assert_eq!(offers.find(Protocol::Tus).unwrap().max_file_size, None);
        assert_eq!(offers.protocols(), [Protocol::Tus]);
    }

    #[test]
    fn only_what_is_listed_is_on_offer() {
        let with = |list: &str| offers(&AUTHINFO.replace(r#"["ftp", "plupload", "tus"]"#, list)).protocols();
        assert_eq!(with(r#"["plupload"]"#), [Protocol::Plupload]);
        assert_eq!(with("[]"), []);
        assert_eq!(with("null").len(), 3);
    }

    #[test]
    fn plain_http_away_from_home_is_closed() {
        let web = |server: &str| {
            web_address(
                &Web { server: Some(server.into()), ..Web::default() },
                &Url::parse("http://127.0.0.1:9/").unwrap(),
                &network(false),
            )
        };
        assert!(web("http://files.example.com/tus").unwrap_err().contains("plain http"));
        assert_eq!(web("http://127.0.0.1:7/tus").unwrap().as_str(), "http://127.0.0.1:7/tus");
        assert_eq!(web("/tus/x").unwrap().as_str(), "http://127.0.0.1:9/tus/x");
        assert_eq!(web("2001:db8::7/tus/x").unwrap().as_str(), "https://[2001:db8::7]/tus/x");
        assert!(web("file:///etc/passwd").is_err());
    }

    #[test]
    fn ftp_addresses_and_their_security() {
        let rest = r#""username": "u", "password": "pw-one""#;
        for (fields, wanted) in [
            (r#""server": "h.example", "port": 21, "ssl": true, "protocol": "ftps""#, ("h.example", 21, Security::Explicit)),
            (r#""server": "h.example", "port": "990", "ssl": "1""#, ("h.example", 990, Security::Implicit)),
            (r#""server": "ftps://h.example/""#, ("h.example", 990, Security::Implicit)),
            (r#""server": "ftp://h.example:2121", "port": 21, "ssl": true"#, ("h.example", 2121, Security::Explicit)),
            (r#""server": "[::1]:2121", "ssl": true"#, ("::1", 2121, Security::Explicit)),
            (r#""server": "2001:db8::7", "port": 2121, "ssl": true"#, ("2001:db8::7", 2121, Security::Explicit)),
            (r#""server": "ftps://2001:db8::7/""#, ("2001:db8::7", 990, Security::Implicit)),
            (r#""server": "127.0.0.1", "port": 2100, "ssl": false, "protocol": "ftp""#, ("127.0.0.1", 2100, Security::Plain)),
        ] {
            let server = ftp(&format!("{{{fields}, {rest}}}"), false).1.unwrap();
            assert_eq!((server.host.as_str(), server.port, server.security), wanted, "{fields}");
        }
        let plain = format!(r#"{{"server": "h.example", "port": 21, {rest}}}"#);
        assert!(ftp(&plain, false).1.unwrap_err().contains("plain FTP"));
        assert_eq!(ftp(&plain, true).0, Protocol::Ftp);
        assert!(ftp(&plain, true).1.is_ok());
        for bad in [r#""server": "h.example", "port": 70000, "ssl": true"#, r#""server": "a b", "ssl": true"#, r#""ssl": true"#] {
            assert!(ftp(&format!("{{{bad}, {rest}}}"), false).1.is_err(), "{bad}");
        }
        assert!(ftp(r#"{"server": "h.example", "ssl": true, "username": "u\r\nDELE x", "password": "p"}"#, false).1.is_err());
    }
}
