//! Names that a server may have made from one another: some servers compose accents, write in lower case, or replace blanks and
//! signs by underscores. A similar name is only a hint: the other facts about a file must agree.

use std::collections::HashMap;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Escapes that some parsers of forms leave in a name.
const ESCAPES: [&str; 5] = ["%22", "%5C", "%5c", "&quot;", "&#34;"];

/// True for the same letters and digits, whatever their case and the signs between them.
pub fn is_alike(stored: &str, wished: &str) -> bool {
    if !has_digits_of(stored, wished) {
        return false;
    }
    let left = letters_and_digits(stored);
    !left.is_empty() && left == letters_and_digits(wished)
}

/// True for `a (2).jpg` and `a.jpg`: a site adds such a number to a name that is taken.
pub fn is_numbered(stored: &str, wished: &str) -> bool {
    let dot = wished.rfind('.').unwrap_or(wished.len());
    let (stem, extension) = wished.split_at(dot);
    [(stem, extension), (wished, "")].into_iter().any(|(stem, extension)| {
        let number = stored.strip_prefix(stem).and_then(|s| s.strip_suffix(extension));
        let number = number.and_then(|n| n.strip_prefix(" (")).and_then(|n| n.strip_suffix(')'));
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// The name without such a number, also when the blank before the number is stored as `_` or `-`.
pub fn without_number(stored: &str) -> Option<String> {
    let open = stored.rfind('(')?;
    let (number, rest) = stored.get(open + 1..)?.split_once(')')?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let stem = stored.get(..open)?.trim_end_matches([' ', '_', '-']);
    (is_number && (rest.is_empty() || rest.starts_with('.'))).then(|| format!("{stem}{rest}"))
}

/// A quick check first, because whole folders are searched: frames of one film differ in their numbers, and so do most names.
fn has_digits_of(one: &str, other: &str) -> bool {
    let has_escapes = |name: &str| name.contains(['%', '&']);
    digits(one).eq(digits(other)) || has_escapes(one) || has_escapes(other)
}

/// From the end, because the last digits of frames differ.
fn digits(name: &str) -> impl Iterator<Item = u8> + '_ {
    name.bytes().rev().filter(u8::is_ascii_digit)
}

fn letters_and_digits(name: &str) -> String {
    let undone = ESCAPES.iter().fold(name.to_owned(), |name, escape| name.replace(escape, ""));
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(&undone).to_lowercase();
    composed.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// An index of many names: finds those that may have been made from a given name without a search through all.
#[derive(Debug)]
pub struct NameIndex {
    /// Positions by the essence of the name, with its number and without.
    alike: HashMap<Box<str>, Vec<u32>>,
    /// Names with two brackets, either of which may begin a number: these are always returned.
    doubtful: Vec<u32>,
}

impl NameIndex {
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> NameIndex {
        let mut index = NameIndex { alike: HashMap::new(), doubtful: Vec::new() };
        for (at, name) in (0..).zip(names) {
            let whole = letters_and_digits(name);
            let bare = without_number(name).map(|bare| letters_and_digits(&bare)).filter(|bare| *bare != whole);
            for left in bare.into_iter().chain([whole]) {
                index.alike.entry(left.into()).or_default().push(at);
            }
            if name.matches('(').count() > 1 {
                index.doubtful.push(at);
            }
        }
        index
    }

    /// The positions, in order, of all names for which [`is_alike`] or [`is_numbered`] may be true for one of `wished`, and
    /// perhaps of some others.
    pub fn candidates(&self, wished: &[&str]) -> Vec<u32> {
        let alike = wished.iter().filter_map(|wished| self.alike.get(letters_and_digits(wished).as_str())).flatten();
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
