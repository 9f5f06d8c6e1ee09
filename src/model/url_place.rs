//! Places as URLs, without a configured remote: `ftps://ann@HOST:PORT/PATH`, `tus+https://HOST/ENDPOINT/`. The part of the URL
//! with server and user stands for the remote, in one spelling for the same server.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::Host;

use super::place_text::{FROM_THE_ROOT, is_endpoint, split};
use super::secret::Secret;
use crate::error::{Error, Kind, Result};

const IN_USERS: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'/').add(b':').add(b'@').add(b'?').add(b'[').add(b']');

/// The parts of a URL.
pub struct UrlPlace {
    /// The part that stands for the remote.
    pub remote: String,
    /// For an endpoint, whose whole URL is the remote: the text after it, as after `REMOTE:`.
    pub rest: Option<String>,
    /// For other URLs: the path on the server, decoded.
    pub path: String,
}

/// None if the text is no such URL.
///
/// # Errors
/// `Usage` for a text that names no server, and for a URL with a password; no message repeats the password.
pub fn parse(text: &str) -> Result<Option<UrlPlace>> {
    let Some((scheme, rest)) = split(text) else { return Ok(None) };
    if is_endpoint(scheme) {
        return endpoint(scheme, rest).map(Some);
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority_of(scheme, authority)?;
    let bad = |why: &str, hint: &str| Error::new(Kind::Usage, why).with_subject(format!("{scheme}://{authority}")).with_hint(hint);
    if path.contains('#') {
        return Err(bad("a # begins the fragment of a URL, and files have none", "write %23 for a # in a name"));
    }
    let kind = path.rsplit_once(';').map(|(_, end)| end.to_ascii_lowercase());
    if kind.is_some_and(|kind| kind.starts_with("type=") && kind.len() <= "type=".len() + 1) {
        return Err(bad("files are always sent byte by byte", "leave \";type=\" out, or write %3B for a ; in a name"));
    }
    let below = path.strip_prefix('/').unwrap_or(path);
    let is_absolute = below.starts_with('/') || below.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("%2f"));
    let decoded = percent_decode_str(below).decode_utf8().map_err(|_| bad("the path is not UTF-8", "write the name as UTF-8"))?;
    Ok(Some(UrlPlace {
        remote: format!("{scheme}://{authority}{}", if is_absolute { FROM_THE_ROOT } else { "" }),
        rest: None,
        path: decoded.into_owned(),
    }))
}

fn endpoint(scheme: &'static str, rest: &str) -> Result<UrlPlace> {
    let (authority, path) = rest.split_at(end_of_authority(rest));
    let authority = authority_of(scheme, authority)?;
    let bad = |why: &str, hint: &str| Error::new(Kind::Usage, why).with_subject(format!("{scheme}://{authority}")).with_hint(hint);
    if authority.contains('@') {
        return Err(bad("an endpoint is reached by a token, and not as a user", "set HAUL_TOKEN"));
    }
    // A colon ends the endpoint. The place after it may have a query.
    let (path, place) = path.split_once(':').map_or((path, None), |(path, place)| (path, Some(place)));
    if path.contains(['?', '#']) {
        return Err(bad("a query may contain a secret, which every process list would show", "set the endpoint up with `haul remote add`"));
    }
    let path = if path.is_empty() { "/" } else { path };
    Ok(UrlPlace { remote: format!("{scheme}://{authority}{path}"), rest: Some(place.unwrap_or_default().to_owned()), path: String::new() })
}

/// The end of host and port; for an endpoint without a path that is the colon after the port.
fn end_of_authority(rest: &str) -> usize {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let from = rest.find(']').filter(|at| *at < end).unwrap_or(0);
    rest.match_indices(':').map(|(at, _)| at).filter(|at| (from..end).contains(at)).nth(1).unwrap_or(end)
}

/// `[USER@]HOST[:PORT]` in one spelling.
fn authority_of(scheme: &str, text: &str) -> Result<String> {
    let (user, server) = text.rsplit_once('@').map_or((None, text), |(user, server)| (Some(user), server));
    let bad = |why: &str| Error::new(Kind::Usage, why).with_subject(format!("{scheme}://"));
    if let Some((_, password)) = user.and_then(|user| user.split_once(':')) {
        drop(Secret::new(password));
        drop(percent_decode_str(password).decode_utf8().map(Secret::new));
        return Err(Error::new(Kind::Usage, "every process list would show a password in a URL")
            .with_hint("leave it out, and set HAUL_PASSWORD, or name the host in ~/.netrc"));
    }
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (server, ""),
    };
    // The text may be half of a password, so the message does not repeat it.
    let host = Host::parse(host).map_err(|_| bad("this URL names no host"))?;
    let port = match port {
        "" => None,
        port => match port.parse::<u16>() {
            Ok(port) if port > 0 => Some(port).filter(|port| *port != usual_port(scheme)),
            _ => return Err(bad("the port of this URL is not a number up to 65535")),
        },
    };
    let user = match user.map(|user| percent_decode_str(user).decode_utf8()) {
        None => String::new(),
        Some(Ok(user)) if user.is_empty() => String::new(),
        Some(Ok(user)) if !user.contains(char::is_control) => format!("{}@", utf8_percent_encode(&user, IN_USERS)),
        Some(_) => return Err(bad("the user of this URL is no line of text")),
    };
    Ok(format!("{user}{host}{}", port.map(|port| format!(":{port}")).unwrap_or_default()))
}

fn usual_port(scheme: &str) -> u16 {
    match scheme {
        "ftps+implicit" => 990,
        "tus+https" => 443,
        "tus+http" => 80,
        _ => 21,
    }
}

/// The settings of the server in a URL, as a configured remote would have them.
pub struct UrlRemote {
    /// The first word of the scheme.
    pub protocol: &'static str,
    /// The URL without a user.
    pub url: String,
    /// The host, without the brackets of an IPv6 address.
    pub host: String,
    /// The user that the URL names.
    pub username: Option<String>,
}

impl UrlRemote {
    /// None if `remote` is no URL.
    ///
    /// # Errors
    /// Those of [`parse`].
    pub fn of(remote: &str) -> Result<Option<UrlRemote>> {
        let Some(UrlPlace { remote, .. }) = parse(remote)? else { return Ok(None) };
        let Some((scheme, rest)) = split(&remote) else { return Ok(None) };
        let protocol = scheme.split('+').next().unwrap_or(scheme);
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, server) = authority.rsplit_once('@').map_or((None, authority), |(user, server)| (Some(user), server));
        let username = user.and_then(|user| percent_decode_str(user).decode_utf8().ok()).map(|user| user.into_owned());
        let host = match server.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => host,
            _ => server,
        };
        let scheme = if is_endpoint(scheme) { scheme.trim_start_matches(protocol).trim_start_matches('+') } else { scheme };
        let url = format!("{scheme}://{server}{path}");
        Ok(Some(UrlRemote { protocol, url, host: host.trim_matches(['[', ']']).to_owned(), username }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Address;

    fn split_place(text: &str) -> (String, String) {
        let address = Address::parse(text).unwrap().unwrap();
        (address.remote, address.place.path.to_string())
    }

    fn refusal_of(text: &str) -> String {
        let error = Address::parse(text).err().unwrap();
        assert!(matches!(error.kind(), Kind::Usage | Kind::Refused), "{error}");
        error.to_string()
    }

    #[test]
    fn equal_servers_are_one_remote() {
        for text in ["ftp://HOST.example/a/b", "FTP://host.example:21", "ftp://host.example:/a/b/", "ftp://@host.example"] {
            assert_eq!(split_place(text).0, "ftp://host.example", "{text}");
        }
        assert_eq!(split_place("ftps+implicit://ann@[::1]:990/x").0, "ftps+implicit://ann@[::1]");
        assert_eq!(split_place("ftps://ann%40corp@h:2121/x").0, "ftps://ann%40corp@h:2121");
        assert_eq!(split_place("ftps://bücher.example/").0, "ftps://xn--bcher-kva.example");
        assert_eq!(split_place("tus+https://H.example:443/files/").0, "tus+https://h.example/files/");
        assert_eq!(split_place("tus+http://127.0.0.1:1080").0, "tus+http://127.0.0.1:1080/");
        for text in ["tus+http://127.0.0.1:1080:a", "tus+http://127.0.0.1:1080/:a", "tus+http://[::1]:1080:/a"] {
            assert_eq!(split_place(text).1, "/a", "{text}");
        }
    }

    #[test]
    fn paths_are_decoded_and_counted_as_curl_counts_them() {
        assert_eq!(split_place("ftp://h/day%201/a%23b"), ("ftp://h".into(), "/day 1/a#b".into()));
        assert_eq!(split_place("ftp://h/100%"), ("ftp://h".into(), "/100%".into()));
        for absolute in ["ftp://h/%2Fvar/a", "ftp://h/%2fvar/a", "ftp://h//var/a"] {
            assert_eq!(split_place(absolute), ("ftp://h/%2F".into(), "/var/a".into()), "{absolute}");
        }
        assert_eq!(split_place("ftp://h"), ("ftp://h".into(), "/".into()));
        let is_folder = |text: &str| Address::parse(text).unwrap().unwrap().folder;
        assert!(is_folder("ftp://h/a/") && is_folder("ftp://h") && !is_folder("ftp://h/a"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (text, words) in [
            ("ftp://", "names no host"),
            ("ftp:///a", "names no host"),
            ("ftp://h:0/", "port"),
            ("ftp://h:70000/", "port"),
            ("ftp://h:x/", "port"),
            ("ftp://h/a;type=i", ";type="),
            ("ftp://h/a;TYPE=A", ";type="),
            ("ftp://h/a#b", "%23"),
            ("ftp://h/a%00b", "NUL"),
            ("ftp://h/a%0d%0aDELE x", "line break"),
            ("ftp://h/a/%2e%2e/b", "\"..\""),
            ("ftp://h/%ff", "UTF-8"),
            ("ftp://a%0ab@h/", "user"),
            ("tus+https://ann@h/", "HAUL_TOKEN"),
            ("tus+https://h/f?sig=1", "haul remote add"),
        ] {
            assert!(refusal_of(text).contains(words), "{text}: {}", refusal_of(text));
        }
        assert!(parse("https://h/a").unwrap().is_none() && parse("studio://a").unwrap().is_none());
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for text in
            ["ftp://ann:hunter2@h/a", "ftps://:hunter2@h/", "ftp://ann:hun@ter2@h/", "tus+https://a:hunter2@h/f", "ftp://ann:hunter2/x@h/"]
        {
            let told = refusal_of(text);
            assert!(!told.contains("hunter2") && !told.contains("hun@"), "{told}");
        }
        assert!(refusal_of("ftp://ann:hunter2@h/a").contains("HAUL_PASSWORD"));
    }

    #[test]
    fn a_place_that_is_shown_can_be_typed() {
        for text in
            ["ftp://h/a b", "ftp://ann@h:99/%2Fvar/x;y", "ftp://h", "ftps://h/a%23b/100%25/*.mov", "tus+https://h/f/:/in/a b", "ftp://h/ü"]
        {
            let address = Address::parse(text).unwrap().unwrap();
            let again = Address::parse(&address.to_string()).unwrap().unwrap();
            assert_eq!((&again.remote, &again.place), (&address.remote, &address.place), "{address}");
        }
        assert_eq!(Address::parse("ftp://h/a bü ñ%").unwrap().unwrap().to_string(), "ftp://h/a%20bü%20ñ%25");
        assert_eq!(Address::parse("tus+https://h/f/:@https://h/f/1").unwrap().unwrap().to_string(), "tus+https://h/f/:@https://h/f/1");
    }

    #[test]
    fn a_remote_is_made_of_it() {
        let of = |text: &str| {
            let made = UrlRemote::of(text).unwrap().unwrap();
            (made.protocol, made.url, made.host, made.username)
        };
        assert_eq!(of("ftps://ann%40corp@[::1]:99"), ("ftps", "ftps://[::1]:99".into(), "::1".into(), Some("ann@corp".into())));
        assert_eq!(of("ftps+implicit://h/%2F"), ("ftps", "ftps+implicit://h/%2F".into(), "h".into(), None));
        assert_eq!(of("tus+http://127.0.0.1:1/f/"), ("tus", "http://127.0.0.1:1/f/".into(), "127.0.0.1".into(), None));
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Address;
    use crate::model::place_text::SCHEMES;
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn any_url_is_a_place_that_can_be_typed_again(text in prop_oneof![arbitrary::text(), "[a-zA-Z0-9@:/%;?#\\[\\].*-]{0,40}"], scheme in prop::sample::select(SCHEMES.to_vec())) {
            match Address::parse(&format!("{scheme}://{text}")) {
                Ok(Some(address)) => {
                    let again = Address::parse(&address.to_string()).unwrap().unwrap();
                    prop_assert_eq!((&again.remote, &again.place), (&address.remote, &address.place));
                    prop_assert!(UrlRemote::of(&address.remote).unwrap().is_some());
                }
                Ok(None) => prop_assert!(false, "{}", text),
                Err(error) => arbitrary::assert_escaped(&error.to_string()),
            }
        }
    }
}
