//! What the server may make of the name in a form: how it reads a quote, a backslash or outer blanks there is not known
//! (providers.md 3.5), nor whether it writes names its own way.

use crate::model::similar_names::is_alike;
use crate::protocols::multipart::form;

/// A quote in a name may be stored as the form carried it: whether the server undoes that is not known.
pub fn forms(wished: &str) -> [String; 2] {
    [wished.to_owned(), form::escaped(wished)]
}

/// A name alike; or of the wished name only what stands before its first quote, or behind its last backslash, where a parser
/// took these for the end of the name, or for a path.
pub fn may_come_from(stored: &str, wished: &str) -> bool {
    origins(wished).into_iter().any(|part| is_alike(stored, part))
}

/// The wished name, and what a parser may have left of it.
pub fn origins(wished: &str) -> Vec<&str> {
    let before_quote = wished.split('"').next().filter(|part| *part != wished);
    let behind_backslash = wished.rsplit('\\').next().filter(|part| *part != wished);
    [Some(wished), before_quote, behind_backslash].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_may_be_stored_as_the_form_carried_it() {
        assert_eq!(forms("a \"b\".txt"), ["a \"b\".txt", "a \\\"b\\\".txt"]);
    }

    #[test]
    fn what_may_be_left_of_a_name() {
        for (stored, wished) in [
            ("a b.txt", " a b.txt "),
            ("a b.txt", "a \"b\".txt"),
            ("a %22b%22.txt", "a \"b\".txt"),
            ("a _b_.txt", "a \"b\".txt"),
            ("a \\", "a \"b\".txt"),
            ("b.txt", "a\\b.txt"),
            ("a_b.txt", "a\\b.txt"),
            ("a_b.txt", "A b.txt"),
        ] {
            assert!(may_come_from(stored, wished), "{stored} from {wished}");
        }
        for (stored, wished) in [("b.txt", "a.txt"), ("a (2).txt", "a.txt"), ("", "a"), ("_", "\"\""), ("a", "a.txt")] {
            assert!(!may_come_from(stored, wished), "{stored} from {wished}");
        }
    }
}
