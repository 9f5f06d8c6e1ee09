//! How a remote and a path there are written, so that they can be typed again: `REMOTE:PATH`, or a URL.

use std::fmt;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a place begins with that is a URL.
pub const SCHEMES: [&str; 5] = ["ftp", "ftps", "ftps+implicit", "tus+https", "tus+http"];

/// As curl has it: a path that begins so is counted from the server's root, not from where the sign-in leads.
pub(super) const FROM_THE_ROOT: &str = "/%2F";

/// What does not stand for itself in the path of a URL. Wildcards do.
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b';');

/// Scheme, in the form that [`SCHEMES`] has, and what follows `://`.
pub(super) fn split(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    SCHEMES.into_iter().find(|known| known.eq_ignore_ascii_case(scheme)).map(|known| (known, rest))
}

/// True for what stands for a remote in the place of a name.
pub fn is_url(remote: &str) -> bool {
    split(remote).is_some()
}

/// The whole URL is the remote, and what stands behind a colon is a place there.
pub(super) fn is_endpoint(scheme: &str) -> bool {
    scheme.contains("+http")
}

/// `REMOTE:PATH`, or the URL of that place.
pub struct PlaceText<'a, P> {
    /// The remote's name, or what stands for that in a URL.
    pub remote: &'a str,
    /// The path, as it is shown without a remote.
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
                // Letters of other scripts stay letters.
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
