//! Makes text from a server or a file name harmless before a user sees it.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Replaces by visible escapes: control characters (terminal escapes, line ends, NUL), and all characters that are invisible
/// but change how their neighbours look (the direction of the text, joiners, tags, marks of no width). Everything else stays
/// unchanged.
pub fn escape_control(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn is_hidden(c: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    !c.is_ascii_graphic() && matches!(c.general_category(), Control | Format | LineSeparator | ParagraphSeparator)
}

/// One word of a command, quoted so that a shell (and `haul batch`) reads the same word.
pub fn shell_word(word: &str) -> Cow<'_, str> {
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}

/// The first words of a server's text for one line of an error: white space folded, at most `most` characters.
pub fn shorten(text: &str, most: usize) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.chars().count() > most {
            let cut: String = out.chars().take(most).collect();
            return format!("{}…", escape_control(&cut));
        }
    }
    escape_control(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_shown_not_obeyed() {
        assert_eq!(escape_control("a\x1b[31mb\0"), "a\\u{1b}[31mb\\u{0}");
        assert_eq!(escape_control("gl\u{202e}fdp"), "gl\\u{202e}fdp");
        assert!(matches!(escape_control("plain ü"), Cow::Borrowed(_)));
    }

    #[test]
    fn whatever_turns_or_hides_text_is_shown_alike() {
        // The Arabic letter mark, marks of no width, embeddings and isolates, the byte order mark, annotations, tags.
        for c in "\u{61c}\u{ad}\u{180e}\u{200b}\u{200d}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\u{206f}\u{feff}\u{fff9}\u{e0001}\u{e007f}".chars() {
            assert_eq!(escape_control(&format!("a{c}b")), format!("a\\u{{{:x}}}b", c as u32));
        }
        let harmless = "größe ✓ 日本語 عربي עברית हिन्दी 👍🏽 e\u{301}";
        assert!(matches!(escape_control(harmless), Cow::Borrowed(_)), "{}", escape_control(harmless));
    }

    #[test]
    fn first_words_end_in_time() {
        assert_eq!(shorten("<html>\n <body>Bad   gateway", 200), "<html> <body>Bad gateway");
        assert_eq!(shorten("abcdef", 3), "abc…");
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn nothing_that_a_terminal_obeys(text in arbitrary::text()) {
            arbitrary::assert_escaped(&escape_control(&text));
            arbitrary::assert_escaped(&shorten(&text, 200));
            prop_assert!(escape_control(&text).len() >= text.len());
            let once = escape_control(&text).into_owned();
            prop_assert_eq!(escape_control(&once), once.as_str(), "what is harmless stays as it is");
        }

        #[test]
        fn first_words_are_few(text in arbitrary::text(), most in 0..300_usize) {
            // A hidden character takes up to ten to be shown.
            prop_assert!(shorten(&text, most).chars().count() <= 10 * most + 1);
        }
    }
}
