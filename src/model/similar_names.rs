//! Names that a server may have made of one another: servers that put accents together, write in lower case, or turn blanks
//! and signs into underscores are known. Such a name is only a hint: what else is known of a file must agree.

use std::collections::HashMap;

use icu_normalizer::ComposingNormalizerBorrowed;

/// What parsers of forms leave undone.
const ESCAPES: [&str; 5] = ["%22", "%5C", "%5c", "&quot;", "&#34;"];

/// The same letters and digits, whatever their case, and whatever stands between them.
pub fn is_alike(stored: &str, wished: &str) -> bool {
    if !has_digits_of(stored, wished) {
        return false;
    }
    let left = essence(stored);
    !left.is_empty() && left == essence(wished)
}

/// `a (2).jpg` of `a.jpg`: what a site makes of a name that is taken.
pub fn is_numbered(stored: &str, wished: &str) -> bool {
    let dot = wished.rfind('.').unwrap_or(wished.len());
    let (stem, extension) = wished.split_at(dot);
    [(stem, extension), (wished, "")].into_iter().any(|(stem, extension)| {
        let number = stored.strip_prefix(stem).and_then(|s| s.strip_suffix(extension));
        let number = number.and_then(|n| n.strip_prefix(" (")).and_then(|n| n.strip_suffix(')'));
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// The name without such a number, also where the blank before it is stored otherwise.
pub fn without_number(stored: &str) -> Option<String> {
    let open = stored.rfind('(')?;
    let (number, rest) = stored.get(open + 1..)?.split_once(')')?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let stem = stored.get(..open)?.trim_end_matches([' ', '_', '-']);
    (is_number && (rest.is_empty() || rest.starts_with('.'))).then(|| format!("{stem}{rest}"))
}

/// Whole folders are gone through: frames of one film differ in their numbers, and most names are told apart by that.
fn has_digits_of(one: &str, other: &str) -> bool {
    let has_escapes = |name: &str| name.contains(['%', '&']);
    digits(one).eq(digits(other)) || has_escapes(one) || has_escapes(other)
}

/// The last first: there frames differ.
fn digits(name: &str) -> impl Iterator<Item = u8> + '_ {
    name.bytes().rev().filter(u8::is_ascii_digit)
}

fn essence(name: &str) -> String {
    let undone = ESCAPES.iter().fold(name.to_owned(), |name, escape| name.replace(escape, ""));
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(&undone).to_lowercase();
    composed.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Many names, of which those that may have been made of one are found without going through all.
#[derive(Debug)]
pub struct NameIndex {
    /// Places by what is left of a name, with its number and without.
    alike: HashMap<Box<str>, Vec<u32>>,
    /// Of two brackets either may begin a number: such names are always looked at.
    doubtful: Vec<u32>,
}

impl NameIndex {
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> NameIndex {
        let mut index = NameIndex { alike: HashMap::new(), doubtful: Vec::new() };
        for (at, name) in (0..).zip(names) {
            let whole = essence(name);
            let bare = without_number(name).map(|bare| essence(&bare)).filter(|bare| *bare != whole);
            for left in bare.into_iter().chain([whole]) {
                index.alike.entry(left.into()).or_default().push(at);
            }
            if name.matches('(').count() > 1 {
                index.doubtful.push(at);
            }
        }
        index
    }

    /// The places, in order, of all names that [`is_alike`] or [`is_numbered`] may hold for one of `wished`; others may be
    /// among them.
    pub fn candidates(&self, wished: &[&str]) -> Vec<u32> {
        let alike = wished.iter().filter_map(|wished| self.alike.get(essence(wished).as_str())).flatten();
        let mut found: Vec<u32> = alike.chain(&self.doubtful).copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_index_passes_over_no_name_that_may_be_meant(
            names in prop::collection::vec("[aA_ .(1%)é\\[]{0,7}( \\([0-9]\\))?(\\.[a(]{1,2})?", 1..40),
            wished in "[aA_ .(1%)é\\[]{0,7}(\\.[a(]{1,2})?",
        ) {
            let index = NameIndex::of(names.iter().map(String::as_str));
            let found = index.candidates(&[&wished]);
            for (at, name) in (0..).zip(&names) {
                let bare = without_number(name);
                let may_be = name == &wished || is_alike(name, &wished) || is_numbered(name, &wished) || bare.is_some_and(|bare| is_alike(&bare, &wished));
                prop_assert!(!may_be || found.contains(&at), "{name:?} of {wished:?}");
            }
        }
    }

    #[test]
    fn what_servers_make_of_a_name() {
        for (stored, wished) in [
            ("a_b.txt", "a b.txt"),
            ("a b.txt", "A B.TXT"),
            ("caf\u{e9}.mov", "cafe\u{301}.mov"),
            ("größe_1.txt", "GRÖßE 1.txt"),
            ("a %22b%22.txt", "a \"b\".txt"),
            ("a-12.dpx", "a:12.dpx"),
        ] {
            assert!(is_alike(stored, wished), "{stored} from {wished}");
        }
        for (stored, wished) in
            [("b.txt", "a.txt"), ("a1.txt", "a2.txt"), ("a 12.txt", "a 2.txt"), ("_", "\"\""), ("a (2).txt", "a.txt"), ("e.txt", "é.txt")]
        {
            assert!(!is_alike(stored, wished), "{stored} from {wished}");
        }
    }

    #[test]
    fn numbers_of_names_that_were_taken() {
        for (stored, without) in [("a (2).txt", "a.txt"), ("a_(12).tar.gz", "a.tar.gz"), ("a (2)", "a"), ("(1).txt", ".txt")] {
            assert_eq!(without_number(stored).as_deref(), Some(without));
        }
        for none in ["a.txt", "a (x).txt", "a ().txt", "a (2)b.txt", "a)(.txt"] {
            assert_eq!(without_number(none), None, "{none}");
        }
    }
}
