//! Secrets; no output shows one. Every secret is registered when it is made, and every printed message goes through [`mask`]:
//! a server that repeats a password in its error text gains nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use parking_lot::RwLock;
use secrecy::{ExposeSecret, SecretString};

/// The secrets by their first bytes: each file of a run may have a secret of its own, and a line can't be compared with all of
/// them.
static KNOWN: RwLock<SecretRegistry> = RwLock::new(SecretRegistry { by_head: BTreeMap::new() });

struct SecretRegistry {
    by_head: BTreeMap<SecretHead, Vec<Box<str>>>,
}

/// The shortest masked secret in bytes; a shorter text is too likely to be a word of the message itself.
const MIN_MASKED: usize = 4;

type SecretHead = [u8; MIN_MASKED];

fn head(bytes: &[u8]) -> Option<SecretHead> {
    bytes.first_chunk().copied()
}

/// A password, key or token, or a part of a URL that works like one. Only [`Secret::expose`] shows its text.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the text, and masks it in all output from now on.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        register(&text);
        Secret(SecretString::from(text))
    }

    /// The text itself, for the code that sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// True for the empty text.
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

fn register(text: &str) {
    for form in [text.to_owned(), encode(text)] {
        let Some(head) = head(form.as_bytes()) else { return };
        let mut known = KNOWN.write();
        let alike = known.by_head.entry(head).or_default();
        // The longest first: one secret may begin with another.
        let at = alike.partition_point(|k| (k.len(), k.as_ref()) > (form.len(), form.as_str()));
        if alike.get(at).is_none_or(|k| **k != *form) {
            alike.insert(at, form.into());
        }
    }
}

/// The text as it is encoded in a URL: a secret in a path or a query is masked too.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (b as char).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

/// The text with every secret of this run replaced by `***`.
pub fn mask(text: &str) -> Cow<'_, str> {
    let known = KNOWN.read();
    let secret_at = |rest: &str| known.by_head.get(&head(rest.as_bytes())?)?.iter().find(|s| rest.starts_with(&***s)).map(|s| s.len());
    let (mut out, mut shown, mut at) = (String::new(), 0, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        match secret_at(rest) {
            Some(len) => {
                out.push_str(text.get(shown..at).unwrap_or_default());
                out.push_str("***");
                at += len;
                shown = at;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    if shown == 0 && out.is_empty() {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(shown..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_itself() {
        let s = Secret::new("p&ss w0rd!");
        assert_eq!(format!("{s:?}"), "***");
        assert_eq!(mask("no secret, ü"), "no secret, ü");
        assert_eq!(mask("login p&ss w0rd! failed at /x/p%26ss%20w0rd%21/y"), "login *** failed at /x/***/y");
    }

    #[test]
    fn of_secrets_that_begin_alike_the_longest_goes() {
        let _both = (Secret::new("überlang"), Secret::new("überlanger"), Secret::new("überlang"), Secret::new("abc"));
        assert_eq!(mask("xüberlangerüberlangeüberlan abc"), "x******eüberlan abc");
    }

    /// One secret for each file is usual (tokens, download URLs); 20,000 of them must not slow down every line.
    #[test]
    fn twenty_thousand_secrets_cost_a_line_next_to_nothing() {
        let begun = std::time::Instant::now();
        for n in 0..20_000 {
            drop(Secret::new(format!("many-{n:05}-{:x}", n * 7919)));
            assert!(mask("uploaded film.mov as /incoming/film.mov, 12 MiB, nothing of it secret").len() > 50);
        }
        assert_eq!(mask("many-00007-d889"), "***");
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        /// Whatever stands around a secret, the output does not contain it.
        #[test]
        fn no_secret_is_shown(secret in "[a-z0-9+/=%&]{12,20}", before in arbitrary::text(), after in arbitrary::text()) {
            let made = Secret::new(format!("fuzz-{secret}"));
            for form in [made.expose().to_owned(), encode(made.expose())] {
                let line = format!("{before}{form}{after}");
                prop_assert!(!mask(&line).contains(&form), "{line:?}");
            }
        }
    }
}
