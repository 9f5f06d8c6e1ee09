//! Tolerant JSON fields: servers write numbers as strings, write lists as null, false or a map, and leave fields out
//! (providers.md OQ-34). Each function is used as `#[serde(default, deserialize_with = "…")]` and fails for no value.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::model::Secret;

/// A string, or a number as text; none for null, booleans, lists and objects. An empty string stays empty.
pub fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(whole(&number).map_or_else(|| number.to_string(), |n| n.to_string())),
        _ => None,
    })
}

/// Also `3.0` and `1.0e7`: PHP prints sizes above its integers as decimals.
fn whole(number: &serde_json::Number) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let decimal = || number.as_f64().filter(|n| n.fract() == 0.0 && (0.0..=EXACT).contains(n)).map(|n| n as u64);
    number.as_u64().or_else(decimal)
}

/// As [`text`], as a secret. None for an empty text.
pub fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    Ok(text(from)?.filter(|t| !t.is_empty()).map(Secret::new))
}

/// Parses digits with blanks around them; `parse` alone would accept a sign.
pub fn digits(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A whole number of at least 0, written as a number or as a string; none for anything else.
pub fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => digits(&text),
        Value::Number(number) => whole(&number),
        _ => None,
    })
}

/// `true`, `1`, `"1"`, `"true"`, `"yes"`, `"on"` and their opposites; none for anything else.
pub fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(from)?;
    let said = match &value {
        Value::Bool(said) => return Ok(Some(*said)),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        _ => return Ok(None),
    };
    Ok(match said.as_str() {
        "1" | "true" | "yes" | "on" => Some(true),
        "0" | "false" | "no" | "off" => Some(false),
        _ => None,
    })
}

/// Any finite number.
pub fn decimal<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
    let number = match Value::deserialize(d)? {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    Ok(number.filter(|n| n.is_finite()))
}

/// Any other form of JSON reads as none.
macro_rules! nothing_else {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON")
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
}

/// A list; the values of a map that PHP made from a list with gaps; empty for null, false and other single values. Null
/// elements are left out. Fails only when an element can't be parsed as `T`.
pub fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    from.deserialize_any(Elements(PhantomData))
}

struct Elements<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
    type Value = Vec<T>;

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut found = Vec::new();
        while let Some(element) = seq.next_element::<Option<T>>()? {
            found.extend(element);
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<T>, A::Error> {
        let mut found = Vec::new();
        while let Some((_, element)) = map.next_entry::<IgnoredAny, Option<T>>()? {
            found.extend(element);
        }
        Ok(found)
    }

    nothing_else!();
}

/// An object; none for null, `[]` and any other value.
pub fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Option<T>, D::Error> {
    Ok(Maybe::deserialize(d)?.0)
}

/// The objects of a list, or of a map from id to object. None when the value is neither; elements that are no objects are left
/// out. Read as a stream, because a listing of the whole account may have hundreds of megabytes.
pub fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Option<Vec<T>>, D::Error> {
    d.deserialize_any(ListVisitor(PhantomData))
}

struct Maybe<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(ObjectVisitor(PhantomData)).map(Maybe)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Option<T>;

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    nothing_else!();
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Option<Vec<T>>;

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some((_, Maybe(one))) = map.next_entry::<IgnoredAny, Maybe<T>>()? {
            list.extend(one);
        }
        Ok(Some(list))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Maybe(one)) = seq.next_element::<Maybe<T>>()? {
            list.extend(one);
        }
        Ok(Some(list))
    }

    nothing_else!();
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    struct Row {
        #[serde(default, deserialize_with = "text")]
        text: Option<String>,
        #[serde(default, deserialize_with = "number")]
        number: Option<u64>,
        #[serde(default, deserialize_with = "flag")]
        flag: Option<bool>,
        #[serde(default, deserialize_with = "list")]
        list: Vec<Row>,
    }

    fn row(json: &str) -> Row {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numbers_come_as_strings_and_as_numbers() {
        let cases = [
            (r#""1116""#, Some(1116)),
            ("1116", Some(1116)),
            ("-1", None),
            (r#""+7""#, None),
            (r#""1e9""#, None),
            ("null", None),
            ("[]", None),
            ("3.0", Some(3)),
            ("2.5e9", Some(2_500_000_000)),
            ("1.5", None),
            ("1e300", None),
        ];
        for (json, number) in cases {
            assert_eq!(row(&format!(r#"{{"number":{json}}}"#)).number, number, "{json}");
        }
        assert_eq!(row(r#"{"number":18446744073709551616}"#).number, None);
    }

    #[test]
    fn text_and_flags() {
        assert_eq!(row(r#"{"text":158642}"#).text.as_deref(), Some("158642"));
        assert_eq!(row(r#"{"text":52.0}"#).text.as_deref(), Some("52"));
        assert_eq!(row(r#"{"text":false}"#).text, None);
        for (json, flag) in [
            ("\"1\"", Some(true)),
            ("0", Some(false)),
            ("true", Some(true)),
            ("\"false\"", Some(false)),
            ("\" On \"", Some(true)),
            ("\"no\"", Some(false)),
            ("2", None),
            ("{}", None),
        ] {
            assert_eq!(row(&format!(r#"{{"flag":{json}}}"#)).flag, flag, "{json}");
        }
    }

    #[test]
    fn lists_that_are_none_or_maps() {
        for json in ["null", "false", "[]", "{}", "\"\"", "0", "[null]"] {
            assert!(row(&format!(r#"{{"list":{json}}}"#)).list.is_empty(), "{json}");
        }
        assert_eq!(row(r#"{"list":[{"number":1},null]}"#).list.len(), 1);
        assert_eq!(row(r#"{"list":{"0":{"number":7},"2":{"number":8}}}"#).list[1].number, Some(8));
    }

    #[test]
    fn decimals() {
        assert_eq!((decimal(json!("23.976")).unwrap(), decimal(json!("NaN")).unwrap()), (Some(23.976), None));
    }

    #[test]
    fn lists_and_maps_of_objects() {
        type Object = std::collections::BTreeMap<String, u8>;
        let one = Object::from([("a".to_owned(), 1)]);
        assert_eq!(objects::<Object, _>(json!([{"a": 1}, null, "x", [], 3])).unwrap(), Some(vec![one.clone()]));
        assert_eq!(objects::<Object, _>(json!({"7": {"a": 1}, "8": []})).unwrap(), Some(vec![one]));
        assert_eq!(objects::<Object, _>(json!([])).unwrap(), Some(vec![]));
        assert_eq!(objects::<Object, _>(json!("no")).unwrap(), None);
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
        fn a_number_is_digits(text in prop_oneof![arbitrary::text(), "[ +0-9-]{0,22}"]) {
            if let Some(number) = digits(&text) {
                prop_assert_eq!(number.to_string(), text.trim().trim_start_matches('0').to_owned() + if number == 0 { "0" } else { "" });
            }
        }
    }
}
