//! Values of one line, or of several where the key takes them. Editors, shells and CI systems add a byte order mark before the
//! text and a line end after it; sent as part of a password they lock accounts. Any other character that no keyboard types is a
//! mistake, and is refused before anything is sent.

use crate::contract::Setting;
use crate::error::{Error, Kind, Result};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The whole `text` without its mark and one line end. Fails with what is wrong; the message contains no part of the value.
pub(super) fn whole(text: &str) -> Result<&str, String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    match line.chars().find(|c| c.is_control()) {
        None => Ok(line),
        Some(control) => Err(format!("it holds a control character (U+{:04X})", u32::from(control))),
    }
}

/// As [`whole`], for each line of a value that may have several.
fn lines(text: &str) -> Result<&str, String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').try_for_each(|line| whole(line).map(drop))?;
    Ok(text)
}

/// As [`whole`], for the first line only.
pub(super) fn first(text: &str) -> Result<&str, String> {
    whole(text.split_inclusive('\n').next().unwrap_or_default())
}

/// The number of lines that a value may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueForm {
    Line,
    Lines,
}

/// The key whose value has several lines, for all providers.
const LINES: &str = "headers";

impl ValueForm {
    pub fn of(setting: &Setting) -> ValueForm {
        if setting.key == LINES { ValueForm::Lines } else { ValueForm::Line }
    }

    /// The form for a variable whose name ends in the key.
    pub fn of_variable(name: &str) -> ValueForm {
        let key = name.rsplit('_').next().unwrap_or_default();
        if key.eq_ignore_ascii_case(LINES) { ValueForm::Lines } else { ValueForm::Line }
    }

    /// The whole text is the value. Fails with `Usage`.
    pub fn whole<'a>(self, text: &'a str, origin: &str) -> Result<&'a str> {
        let value = match self {
            ValueForm::Line => whole(text),
            ValueForm::Lines => lines(text),
        };
        value.map_err(|why| refusal(origin, &why))
    }

    /// The first line is the value; for a value of several lines the whole text.
    pub fn beginning<'a>(self, text: &'a str, origin: &str) -> Result<&'a str> {
        match self {
            ValueForm::Line => line_of_input(text, origin),
            ValueForm::Lines => self.whole(text, origin),
        }
    }
}

/// `origin` is the variable, or the position in a file.
pub(super) fn refusal(origin: &str, why: &str) -> Error {
    Error::new(Kind::Usage, why).with_subject(origin).with_hint("write the value as one line of plain text")
}

/// As `first`, for text from standard input or the keyboard.
pub fn line_of_input<'a>(text: &'a str, origin: &str) -> Result<&'a str> {
    first(text).map_err(|why| refusal(origin, &why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_several_is_plain() {
        assert_eq!(lines("\u{feff}a: 1\r\nb: 2\n"), Ok("a: 1\r\nb: 2"));
        assert_eq!((lines("one"), lines("")), (Ok("one"), Ok("")));
        assert_eq!(lines("a\nb\x1b"), Err("it holds a control character (U+001B)".to_owned()));
    }

    #[test]
    fn one_line_end_and_a_mark_are_no_part_of_a_value() {
        for text in ["pass word", "pass word\n", "pass word\r\n", "pass word\r", "\u{feff}pass word\r\n"] {
            assert_eq!((whole(text), first(text)), (Ok("pass word"), Ok("pass word")), "{text:?}");
        }
        assert_eq!(first("pass word\r\nuser: ann\x07"), Ok("pass word"));
        assert_eq!((whole(""), first("\n")), (Ok(""), Ok("")));
        for (text, told) in [
            ("a\n\n", "U+000A"),
            ("a\nb", "U+000A"),
            ("a\rb", "U+000D"),
            ("a\r\r\n", "U+000D"),
            ("\u{1b}a", "U+001B"),
            ("a\0", "U+0000"),
            ("a\u{85}b", "U+0085"),
        ] {
            assert_eq!(whole(text), Err(format!("it holds a control character ({told})")), "{text:?}");
        }
    }
}
