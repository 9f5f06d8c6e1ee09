//! What the server may make of the name in a form: how it reads a quote, a backslash or outer blanks there is not known
//! (providers.md 3.5), nor whether it changes names in other ways.

use crate::model::similar_names::is_alike;
use crate::protocols::multipart::form;

/// The server may store a quote in a name in its escaped form: whether it unescapes is not known.
pub fn forms(wished: &str) -> [String; 2] {
    [wished.to_owned(), form::escape_quotes(wished)]
}

/// True for a similar name, also for one that is similar to the part of the wished name before its first quote, or after its
/// last backslash: a parser may take a quote for the end of the name, or a backslash for a path.
pub fn may_come_from(stored: &str, wished: &str) -> bool {
    origins(wished).into_iter().any(|part| is_alike(stored, part))
}

/// The wished name, and the parts of it that a parser may have kept.
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
