//! How giga0 changes a name: it strips tags and outer blanks (providers.md 2.1), and a taken name becomes `name (2).ext` (2.5).
//! So an uploaded file may be stored under another name.

use std::borrow::Cow;

use crate::contract::{Error, Kind, Result};
use crate::model::RemotePath;
use crate::model::similar_names::{is_alike, is_numbered, without_number};

/// Refuses a name that can't be stored in any form. A name that the site only changes is allowed, as the answer shows the
/// change.
pub fn check(name: &str) -> Result<()> {
    RemotePath::root().join(name)?;
    let settled = normalise(name);
    if settled.is_empty() {
        return Err(Error::new(
            Kind::Refused,
            "nothing of this name is left without tags, backslashes and outer blanks, which the site removes",
        )
        .with_subject(format!("{name:?}"))
        .with_hint("rename the file first"));
    }
    RemotePath::root().join(&settled).map(drop)
}

/// The name that is sent in place of this one, because the site keeps it unchanged. Backslashes are removed: PHP takes the part
/// of an uploaded file's name after the last one, and what happens to the others is unknown.
pub fn stored_name(name: &str) -> Cow<'_, str> {
    match normalise(name) {
        settled if settled == name || check(name).is_err() => Cow::Borrowed(name),
        settled => Cow::Owned(settled),
    }
}

/// The name after the site has changed it until it changes no more.
fn normalise(name: &str) -> String {
    let mut name = name.replace('\\', "");
    loop {
        let next = apply_site_rules(&name);
        if next == name {
            return name;
        }
        name = next;
    }
}

/// The name without anything that looks like a tag, and without outer blanks.
pub fn apply_site_rules(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, tag)) = rest.split_once('<') {
        kept.push_str(before);
        if tag.starts_with(char::is_whitespace) {
            kept.push('<');
            rest = tag;
        } else {
            rest = tag.split_once('>').map_or("", |(_, after)| after);
        }
    }
    kept.push_str(rest);
    kept.trim().to_owned()
}

/// The names that the site may make from one name. Compared with every name of a listing.
pub struct Forms<'a> {
    wished: &'a str,
    stored: String,
}

impl<'a> Forms<'a> {
    pub fn of(wished: &'a str) -> Self {
        Forms { wished, stored: apply_site_rules(wished) }
    }

    /// The name itself, if the site can hold it.
    pub fn is_plain(&self, name: &str) -> bool {
        name == self.wished || name == self.stored
    }

    /// The name itself, or its `name (n).ext` form.
    pub fn hold(&self, name: &str) -> bool {
        self.is_plain(name) || is_numbered(name, self.wished) || is_numbered(name, &self.stored)
    }

    /// A name that a site with its own spelling (lower case, blanks as `_`) may have made from it.
    pub fn resemble(&self, name: &str) -> bool {
        is_alike(name, self.wished)
    }

    /// Like `resemble`, also with a number.
    pub fn resemble_numbered(&self, name: &str) -> bool {
        self.resemble(name) || without_number(name).is_some_and(|name| self.resemble(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_gets_a_number() {
        for (stored, wished) in [
            ("a.jpg", "a.jpg"),
            ("a (2).jpg", "a.jpg"),
            ("sample4_l (1).jpg", "sample4_l.jpg"),
            ("a.tar (12).gz", "a.tar.gz"),
            ("a.tar.gz (2)", "a.tar.gz"),
            ("README (3)", "README"),
            ("ac (2).txt", "a<b>c.txt"),
            ("x.txt", "  x.txt "),
        ] {
            assert!(Forms::of(wished).hold(stored), "{stored} from {wished}");
        }
        for (stored, wished) in [
            ("b.jpg", "a.jpg"),
            ("a (x).jpg", "a.jpg"),
            ("a ().jpg", "a.jpg"),
            ("a (2).png", "a.jpg"),
            ("a.jpg", "a (2).jpg"),
            ("A.jpg", "a.jpg"),
            ("a(2).jpg", "a.jpg"),
            ("a", ""),
        ] {
            assert!(!Forms::of(wished).hold(stored), "{stored} from {wished}");
        }
    }

    #[test]
    fn tags_and_blanks_go() {
        for (name, stored) in [("a<b>c", "ac"), (" x ", "x"), ("1 < 2", "1 < 2"), ("a<b", "a"), ("<b>", ""), ("ü", "ü"), ("a>b", "a>b")] {
            assert_eq!(apply_site_rules(name), stored, "{name}");
        }
    }

    #[test]
    fn what_is_sent_is_kept_as_it_is() {
        for (name, sent) in [("a<b>c", "ac"), ("a< ", "a"), (r"a\b.txt", "ab.txt"), (r"<\b> x", "x"), ("ü.txt", "ü.txt"), ("<b>", "<b>")]
        {
            assert_eq!(stored_name(name), sent, "{name}");
            assert_eq!(stored_name(sent), sent, "{name}");
        }
    }

    #[test]
    fn only_what_cannot_be_stored_is_refused() {
        for name in ["", ".", "..", "a/b", "a\nb", "a\rb", "a\0b", "   ", "<b>", ".<b>.", "\\"] {
            assert_eq!(check(name).unwrap_err().kind(), Kind::Refused, "{name:?}");
        }
        for name in ["a<b>c", " outer ", "ü (2).jpg", "@x", ".hidden"] {
            check(name).unwrap();
        }
    }
}
