//! Reads JSON as PHP servers write it (providers.md OQ-34): numbers as strings, ids as either, an empty map as `[]`, null
//! anywhere. A field that makes no sense counts as absent; the caller decides whether the field was needed. What all providers
//! read in the same way is in [`crate::protocols::lenient_json`].

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::{Deserialize, Deserializer};
use serde_json::Value;

use crate::protocols::lenient_json;
pub use crate::protocols::lenient_json::{decimal, flag, number, object, objects, secret};

/// The longest id in characters; a longer text is no id.
const MAX_ID: usize = 128;

/// Text, or a number as it is written. Empty text counts as absent.
pub fn text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    Ok(lenient_json::text(d)?.filter(|text| !text.is_empty()))
}

/// An id that can stand in an address and in a URL's path as it is; anything else is no id.
pub fn id<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let fits = |id: &String| id.len() <= MAX_ID && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':'));
    Ok(text(d)?.filter(fits))
}

/// `2020-07-07T10:14:21+0200` (providers.md 1.6), RFC 3339, or without a zone, which is taken as UTC.
pub fn date<'de, D: Deserializer<'de>>(d: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    Ok(text(d)?.as_deref().and_then(date_of))
}

fn date_of(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(date.to_utc());
    }
    if let Ok(date) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(date.to_utc());
    }
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    local.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|date| date.and_utc())
}

/// 32 hex digits, in lower case.
pub fn md5<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    let hex = text(d)?.map(|t| t.trim().to_ascii_lowercase());
    Ok(hex.filter(|t| t.len() == 32 && t.bytes().all(|b| b.is_ascii_hexdigit())))
}

/// Words in lower case, from a list or from PHP's list with gaps (`{"0": "ftp", "2": "tus"}`). None when it is neither.
pub fn words<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Vec<String>>, D::Error> {
    let values: Vec<Value> = match Value::deserialize(d)? {
        Value::Array(values) => values,
        Value::Object(map) => map.into_iter().map(|(_, value)| value).collect(),
        _ => return Ok(None),
    };
    Ok(Some(values.into_iter().filter_map(|value| text(value).ok()?).map(|word| word.to_ascii_lowercase()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_text_is_absent() {
        for (value, wanted) in [
            (json!("x"), Some("x")),
            (json!(61463.0), Some("61463")),
            (json!(-2.5), Some("-2.5")),
            (json!(""), None),
            (json!(false), None),
            (json!(null), None),
            (json!([]), None),
        ] {
            assert_eq!(text(value.clone()).unwrap().as_deref(), wanted, "{value}");
        }
        assert_eq!(words(json!({"0": "TUS", "1": false, "2": ""})).unwrap(), Some(vec!["tus".to_owned()]));
    }

    #[test]
    fn dates_with_a_zone_without_a_colon() {
        let wanted = DateTime::parse_from_rfc3339("2020-07-07T08:14:21Z").unwrap().to_utc();
        for text in ["2020-07-07T10:14:21+0200", "2020-07-07T10:14:21+02:00", "2020-07-07T08:14:21Z", "2020-07-07 08:14:21"] {
            assert_eq!(date_of(text), Some(wanted), "{text}");
        }
        assert_eq!(date_of("0000-00-00T00:00:00+0000"), None);
        assert_eq!(date_of("yesterday"), None);
    }

    #[test]
    fn ids_are_safe_or_absent() {
        assert_eq!(id(json!(61463)).unwrap().as_deref(), Some("61463"));
        assert_eq!(id(json!("a-1_b:c")).unwrap().as_deref(), Some("a-1_b:c"));
        for bad in ["..", "a/b", "1\r\nX: y", "1?x=1", ""] {
            assert_eq!(id(json!(bad)).unwrap(), None, "{bad:?}");
        }
        assert_eq!(id(json!("9".repeat(129))).unwrap(), None);
    }

    #[test]
    fn hashes() {
        assert_eq!(md5(json!("2D53A2F20FFC76C89848B6A47C97D5D8")).unwrap().as_deref(), Some("2d53a2f20ffc76c89848b6a47c97d5d8"));
        assert_eq!(md5(json!("0")).unwrap(), None);
    }
}
