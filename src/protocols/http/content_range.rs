//! `Content-Range` (RFC 9110, 14.4).

use crate::protocols::lenient_json::digits;

/// `bytes 5-9/10`: first and last byte, and the size of the whole file unless the server does not know it (`*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    pub first: u64,
    pub last: u64,
    pub whole: Option<u64>,
}

impl ContentRange {
    pub fn parse(text: &str) -> Option<ContentRange> {
        let (range, whole) = body(text)?;
        let (first, last) = range.split_once('-')?;
        let (first, last) = (digits(first)?, digits(last)?);
        let whole = if whole == "*" { None } else { Some(digits(whole)?) };
        (first <= last && whole.is_none_or(|whole| last < whole)).then_some(ContentRange { first, last, whole })
    }

    /// True if this is the rest of a file from byte `from` on, up to its end. `size` is the size of the file in bytes, if
    /// known.
    pub fn fits(&self, from: u64, size: Option<u64>) -> bool {
        let end = match (self.whole, size) {
            (Some(told), Some(known)) if told != known => return false,
            (told, known) => told.or(known),
        };
        self.first == from && end.is_none_or(|end| self.last.checked_add(1) == Some(end))
    }

    pub fn is_whole(&self) -> bool {
        self.whole.is_some() && self.fits(0, None)
    }
}

/// The size of the whole file from the answer to a refused range: `bytes */10`.
pub fn whole_size(text: &str) -> Option<u64> {
    let (range, whole) = body(text)?;
    if range == "*" { digits(whole) } else { None }
}

fn body(text: &str) -> Option<(&str, &str)> {
    let (unit, rest) = text.trim().split_once(' ')?;
    let (range, whole) = rest.split_once('/')?;
    unit.eq_ignore_ascii_case("bytes").then_some((range.trim(), whole.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_range_and_what_is_none() {
        let span = |first, last, whole| Some(ContentRange { first, last, whole });
        for (text, wanted) in [
            ("bytes 5-9/10", span(5, 9, Some(10))),
            ("Bytes  5-9 / 10", span(5, 9, Some(10))),
            ("bytes 0-0/1", span(0, 0, Some(1))),
            ("bytes 5-9/*", span(5, 9, None)),
            ("bytes */10", None),
            ("bytes 9-5/10", None),
            ("bytes 5-10/10", None),
            ("bytes +5-9/10", None),
            ("bytes 5-/10", None),
            ("bytes 5-9", None),
            ("items 5-9/10", None),
            ("bytes 5-99999999999999999999/10", None),
            ("", None),
        ] {
            assert_eq!(ContentRange::parse(text), wanted, "{text:?}");
        }
        for (text, wanted) in [("bytes */10", Some(10)), ("bytes 0-9/10", None), ("bytes */*", None), ("bytes */-1", None), ("x", None)] {
            assert_eq!(whole_size(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn only_the_rest_of_the_same_file_fits() {
        let fits = |text: &str, from, size| ContentRange::parse(text).unwrap().fits(from, size);
        assert!(fits("bytes 5-9/10", 5, Some(10)) && fits("bytes 5-9/10", 5, None));
        assert!(fits("bytes 5-9/*", 5, Some(10)) && fits("bytes 5-9/*", 5, None));
        assert!(!fits("bytes 4-9/10", 5, Some(10)), "another start");
        assert!(!fits("bytes 5-8/10", 5, Some(10)), "not to the end");
        assert!(!fits("bytes 5-10/11", 5, Some(10)), "another file");
        assert!(!fits("bytes 5-8/*", 5, Some(10)));
        assert!(!fits("bytes 5-18446744073709551615/*", 5, Some(10)));
        assert!(ContentRange::parse("bytes 0-9/10").unwrap().is_whole());
        assert!(!ContentRange::parse("bytes 0-8/10").unwrap().is_whole() && !ContentRange::parse("bytes 0-9/*").unwrap().is_whole());
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
        fn a_span_is_sound(text in prop_oneof![arbitrary::header(), "bytes [0-9]{1,21}-[0-9]{1,21}/([*]|[0-9]{1,21})"], from in any::<u64>()) {
            if let Some(span) = ContentRange::parse(&text) {
                prop_assert!(span.first <= span.last && span.whole.is_none_or(|whole| span.last < whole), "{span:?}");
                prop_assert!(!span.fits(from, None) || span.first == from);
                let whole = span.whole.map_or("*".to_owned(), |whole| whole.to_string());
                prop_assert_eq!(ContentRange::parse(&format!("bytes {}-{}/{whole}", span.first, span.last)), Some(span));
            }
            let _ = whole_size(&text);
        }
    }
}
