//! Writes a remote and a path in a form that can be typed again: `REMOTE:PATH`, or a URL.

use std::fmt;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The schemes of places that are URLs.
pub const SCHEMES: [&str; 5] = ["ftp", "ftps", "ftps+implicit", "tus+https", "tus+http"];

/// As in curl: a path with this prefix is relative to the server's root, not to the folder of the sign-in.
pub(super) const FROM_THE_ROOT: &str = "/%2F";

/// The characters that are encoded in the path of a URL. Wildcards are not.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b';');

/// Splits a URL into its scheme, spelt as in [`SCHEMES`], and the text after `://`.
pub(super) fn split(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    SCHEMES.into_iter().find(|known| known.eq_ignore_ascii_case(scheme)).map(|known| (known, rest))
}

/// What to write in place of a URL whose scheme haul does not read as a place.
pub fn hint_for_scheme(scheme: &str) -> Option<&'static str> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" | "tus" => {
            Some("a TUS endpoint is written tus+https://HOST/ENDPOINT/; any other site needs a remote, which `haul remote add` makes")
        }
        "sftp" | "scp" | "ssh" => Some("haul does not speak SFTP; FTP with TLS is another protocol, and is written ftps://HOST/PATH"),
        _ => None,
    }
}

/// True for a URL that stands in the place of a remote's name.
pub fn is_url(remote: &str) -> bool {
    split(remote).is_some()
}

/// True for a scheme where the whole URL is the remote, and the text after a colon is a place there.
pub(super) fn is_endpoint(scheme: &str) -> bool {
    scheme.contains("+http")
}

/// `REMOTE:PATH`, or the URL of that place.
pub struct PlaceText<'a, P> {
    /// The remote's name, or the part of a URL that stands for it.
    pub remote: &'a str,
    /// The path as reports show it.
    pub path: P,
}

impl<P: fmt::Display> fmt::Display for PlaceText<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PlaceText { remote, path } = self;
        match split(remote) {
            Some((scheme, _)) if !is_endpoint(scheme) => {
                let path = path.to_string();
                let slash = if remote.ends_with(FROM_THE_ROOT) { "" } else { "/" };
                write!(f, "{remote}{slash}")?;
                // Letters of other scripts are not encoded.
                path.trim_start_matches('/').split_inclusive(|c: char| !c.is_ascii()).try_for_each(|piece| {
                    let ascii = piece.trim_end_matches(|c: char| !c.is_ascii());
                    let other = piece.get(ascii.len()..).unwrap_or_default();
                    write!(f, "{}{other}", utf8_percent_encode(ascii, ENCODED))
                })
            }
            _ => write!(f, "{remote}:{path}"),
        }
    }
}
