//! Text in columns of a terminal: wide, combining and right-to-left characters count by the columns that they take.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The width of a text in columns.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// As `width`, for text with our own colour sequences, which take no columns. Names contain none, as their escapes are made
/// visible.
pub(crate) fn display_width(text: &str) -> usize {
    let mut parts = text.split("\x1b[");
    let first = width(parts.next().unwrap_or_default());
    parts.fold(first, |sum, part| sum + width(part.split_once('m').map_or("", |(_, shown)| shown)))
}

/// `text`, filled with spaces up to `columns`; a longer text stays unchanged.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The same, with the spaces on the left.
pub(crate) fn padded_left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The beginning of `text` that fits, with `…` for the rest.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    match columns {
        0 => String::new(),
        _ => format!("{}…", head(text, columns - 1)),
    }
}

/// Shortens a name in its middle: its end (a number, a suffix) matters as much as its beginning. For a path that does not fit
/// only the last name is shown.
pub(crate) fn shorten(name: &str, columns: usize) -> String {
    let name = match width(name) > columns {
        true => name.rsplit(['/', std::path::MAIN_SEPARATOR]).next().unwrap_or(name),
        false => return name.to_owned(),
    };
    if width(name) <= columns || columns < 3 {
        return cut(name, columns);
    }
    let (before, behind) = ((columns - 1).div_ceil(2), (columns - 1) / 2);
    format!("{}…{}", head(name, before), tail(name, behind))
}

/// The full and the empty part of a bar. The bar of an empty file is full; the bar of a file of unknown size is empty.
pub(crate) fn bar(at: u64, size: Option<u64>, columns: usize) -> (String, String) {
    let full = match size {
        None => 0,
        Some(0) => columns,
        Some(size) => usize::try_from(u128::from(at.min(size)) * columns as u128 / u128::from(size)).unwrap_or(columns),
    };
    let head = usize::from(at > 0 && full < columns && size.is_some());
    (format!("{}{}", "━".repeat(full), "╸".repeat(head)), "─".repeat(columns - full - head))
}

/// As many characters of the beginning as fit, with the combining marks of the last one.
fn head(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += c.width().unwrap_or(0);
        taken > columns
    });
    end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
}

/// As many characters of the end as fit; the first one is no combining mark.
fn tail(text: &str, columns: usize) -> &str {
    let (mut taken, mut from) = (0, text.len());
    for (at, c) in text.char_indices().rev() {
        let wide = c.width().unwrap_or(0);
        taken += wide;
        if taken > columns {
            break;
        }
        if wide > 0 {
            from = at;
        }
    }
    text.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_in_the_middle() {
        assert_eq!(shorten("take 1.mov", 10), "take 1.mov");
        assert_eq!(shorten("A001_C009_0101AB_camera-original.mov", 20), "A001_C009_…ginal.mov");
        assert_eq!(shorten("2026/harbour/take 1.mov", 12), "take 1.mov");
        assert_eq!((shorten("abcdef", 2), shorten("abcdef", 0)), ("a…".to_owned(), String::new()));
    }

    #[test]
    fn wide_and_combining_characters_take_the_room_that_is_seen() {
        for columns in 0..30 {
            for name in ["日本語のファイル名.mov", "cafe\u{301}-cafe\u{301}-cafe\u{301}-cafe\u{301}.txt", "שלום עולם שלום עולם.txt"]
            {
                assert!(width(&shorten(name, columns)) <= columns, "{name} in {columns}");
                assert!(width(&cut(name, columns)) <= columns, "{name} in {columns}");
            }
        }
        assert_eq!(shorten("日本語のファイル名", 8), "日本…名");
        assert_eq!(tail("e\u{301}x", 1), "x", "no mark without its character");
        assert_eq!(head("e\u{301}x", 1), "e\u{301}");
        assert_eq!((display_width("\x1b[1;34m日本\x1b[0m/"), display_width("")), (5, 0));
        assert_eq!((pad("日", 4), padded_left("日", 4)), ("日  ".to_owned(), "  日".to_owned()));
    }
}
