//! Names that a server may have made of one another: servers that put accents together, write in lower case, or turn blanks
//! and signs into underscores are known. Such a name is only a hint: what else is known of a file must agree.

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

#[cfg(test)]
mod tests {
    use super::*;

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
