//! Secrets, and the promise that no output shows one. Every secret is remembered when it is made, and whatever is
//! printed as a message goes through [`masked`]: a server that repeats a password in its error text gains nothing.

use std::borrow::Cow;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};

static KNOWN: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// Shorter strings are too likely to be a word of the message itself.
const SHORTEST_MASKED: usize = 4;

/// A password, key or token, or a part of a URL that works like one. Shows itself only to [`Secret::expose`].
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        remember(&text);
        Secret(SecretString::from(text))
    }

    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

fn remember(text: &str) {
    if text.len() < SHORTEST_MASKED {
        return;
    }
    let encoded = encode(text);
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    for form in [text.to_owned(), encoded] {
        if !known.contains(&form) {
            known.push(form);
        }
    }
    known.sort_by_key(|k| std::cmp::Reverse(k.len()));
}

/// As it stands in a URL: a secret in a path or a query is masked too.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (b as char).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

/// The text with every secret of this run replaced by `***`.
pub fn masked(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    let mut out = Cow::Borrowed(text);
    for secret in known.iter() {
        if out.contains(secret.as_str()) {
            out = Cow::Owned(out.replace(secret.as_str(), "***"));
        }
    }
    out
}

/// Every secret of this run, as it stands and as it stands in a URL: for a CI runner that is asked to mask them too.
pub fn known() -> Vec<String> {
    KNOWN.read().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_itself() {
        let s = Secret::new("p&ss w0rd!");
        assert_eq!(format!("{s:?}"), "***");
        assert_eq!(masked("login p&ss w0rd! failed at /x/p%26ss%20w0rd%21/y"), "login *** failed at /x/***/y");
    }
}
