//! Random server answers, for unit tests only. Most of them are nearly right: a valid answer with a few fields replaced, cut,
//! or with changed bytes.
//!
//! `PROPTEST_CASES=100000 cargo test --lib fuzz` runs longer.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::RngSeed;
use serde_json::Value;

use super::server::reply;
use crate::protocols::http::response::HttpReply;

/// The usual short run is the same each time; a run with more cases uses others. A failure prints its shrunk input, which
/// belongs into a separate test: no file stores it.
pub fn config() -> ProptestConfig {
    let rng_seed = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => RngSeed::Random,
        None => RngSeed::Fixed(1),
    };
    ProptestConfig { failure_persistence: None, rng_seed, ..ProptestConfig::default() }
}

/// Control characters, direction overrides, separators, numbers out of range, and words with a meaning.
const PIECES: &[&str] = &[
    "\0",
    "\r\n",
    "\n",
    "\t",
    "\u{1b}[2J",
    "\u{1b}]0;x\u{7}",
    "\u{9b}31m",
    "\u{7f}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "ü",
    "𝔘",
    "/",
    "\\",
    "..",
    ".",
    ":",
    ";",
    ",",
    "-",
    "+",
    "%",
    "%00",
    "%0d%0a",
    "@",
    "?",
    "#",
    "&",
    "=",
    "<",
    ">",
    "</",
    "<title>",
    "</title>",
    "<script>",
    "<style>",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "|",
    " ",
    "0",
    "1",
    "9",
    "00",
    "12",
    "59",
    "255",
    "256",
    "65536",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "NaN",
    "inf",
    "null",
    "true",
    "wait ",
    " seconds",
    " hours",
    "bytes ",
    "*",
    "2020-07-07",
    "T10:14:21",
    "Z",
    "+0200",
    "+262142-12-31",
    "0000-00-00 00:00:00",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "http://",
    "https://h.example",
    "user:pw@",
    "[::1]",
    ".haul-part",
    "CON",
];

/// Text: random characters, known words in a row, or something very long.
pub fn text() -> BoxedStrategy<String> {
    let words = prop::collection::vec(select(PIECES), 0..12).prop_map(|pieces| pieces.concat());
    let long = (select(PIECES), 1000..5000_usize).prop_map(|(piece, times)| piece.repeat(times));
    prop_oneof![8 => words, 4 => any::<String>(), 4 => "[ -~]{0,40}", 1 => long].boxed()
}

/// The text of a header, as far as HTTP allows.
pub fn header() -> BoxedStrategy<String> {
    text().prop_map(|text| text.chars().filter(|c| !c.is_control()).collect()).boxed()
}

/// JSON for the value of a field.
fn field() -> BoxedStrategy<String> {
    let raw = select(
        &[
            "null",
            "true",
            "false",
            "0",
            "-1",
            "1.5",
            "-0.0",
            "1e400",
            "-1e308",
            "1e300",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "\"18446744073709551616\"",
            "\"-7\"",
            "\"+5\"",
            "\" 5 \"",
            "\"1e400\"",
            "\"NaN\"",
            "\"inf\"",
            "\"\"",
            "[]",
            "{}",
            "[null]",
            "[[]]",
            "{\"a\":1,\"a\":2}",
            "\"\\u0000\\r\\n\\u001b[2J\\u009b31m\\u202e\"",
            "\"\\ud800\"",
            "\"\\q\"",
            "\"../../x\"",
            "\"0000-00-00 00:00:00\"",
            "\"+262142-12-31T23:59:59-2359\"",
            "\"-262143-01-01T00:00:00+2359\"",
            "\"2020-02-30T25:61:61+9999\"",
        ][..],
    );
    let deep = (1..400_usize).prop_map(|n| "[".repeat(n) + &"]".repeat(n));
    let mapped = (1..200_usize).prop_map(|n| "{\"a\":".repeat(n) + "1" + &"}".repeat(n));
    let said = text().prop_map(|text| Value::from(text).to_string());
    prop_oneof![8 => raw.prop_map(str::to_owned), 1 => deep, 1 => mapped, 4 => said].boxed()
}

/// A valid answer with up to six of its fields replaced, sometimes with a field twice, cut anywhere, with a changed byte, or
/// with something before it.
pub fn mutated_answer(valid: &'static str) -> BoxedStrategy<Vec<u8>> {
    let tree: Value = serde_json::from_str(valid).unwrap();
    let fields = prop::collection::vec((any::<Index>(), field()), 0..6);
    let cut = prop::option::weighted(0.1, any::<Index>());
    let turned = prop::option::weighted(0.1, (any::<Index>(), any::<u8>()));
    let before = select(&["", "", "", "", "", "", "\u{feff}", "<br />\n<b>Notice</b>: ", " \n"][..]);
    (fields, any::<Option<Index>>(), cut, turned, before)
        .prop_map(move |(fields, twice, cut, turned, before)| {
            let mut tree = tree.clone();
            let count = nodes(&tree);
            for (n, (at, _)) in fields.iter().enumerate() {
                if let Some(node) = nth(&mut tree, &mut at.index(count)) {
                    *node = Value::from(format!("@@{n}@@"));
                }
            }
            let mut text = before.to_owned() + &tree.to_string();
            for (n, (_, field)) in fields.iter().enumerate() {
                text = text.replace(&format!("\"@@{n}@@\""), field);
            }
            if let Some(twice) = twice {
                text = duplicate_pair(text, &twice);
            }
            let mut bytes = text.into_bytes();
            if let Some((at, byte)) = turned {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Some(at) = cut {
                bytes.truncate(at.index(bytes.len()));
            }
            bytes
        })
        .boxed()
}

/// A possible body of an answer: a mutation of one of these, or something unrelated.
pub fn body(valid: &[&'static str]) -> BoxedStrategy<Vec<u8>> {
    let near = select(valid.to_vec()).prop_flat_map(mutated_answer);
    prop_oneof![8 => near, 1 => text().prop_map(String::into_bytes), 1 => prop::collection::vec(any::<u8>(), 0..200)].boxed()
}

/// Repeats one of the object's own pairs.
fn duplicate_pair(text: String, at: &Index) -> String {
    let begins: Vec<usize> = text.match_indices("{\"").map(|(at, _)| at).collect();
    match begins.is_empty() {
        true => text,
        false => {
            let at = begins[at.index(begins.len())];
            let key: String = text[at + 1..].split_inclusive("\":").next().unwrap().to_owned();
            format!("{}{{{key}null,{}", &text[..at], &text[at + 1..])
        }
    }
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(map) => map.values().map(nodes).sum(),
        _ => 0,
    }
}

fn nth<'a>(value: &'a mut Value, n: &mut usize) -> Option<&'a mut Value> {
    if *n == 0 {
        return Some(value);
    }
    *n -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth(item, n)),
        Value::Object(map) => map.values_mut().find_map(|item| nth(item, n)),
        _ => None,
    }
}

/// The rules for every text that is shown to a user.
#[track_caller]
pub fn assert_escaped(shown: &str) {
    let hidden =
        |c: char| matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let bad = shown.chars().find(|c| c.is_control() || hidden(*c));
    assert_eq!(bad, None, "{shown:?}");
}

/// A failure as it is shown: harmless, and not too long.
#[track_caller]
pub fn assert_error_is_safe(error: &crate::error::Error) {
    let shown = error.to_string();
    assert_escaped(&shown);
    assert!(shown.len() < 8000, "{} bytes: {}…", shown.len(), &shown.chars().take(300).collect::<String>());
}

/// The same answer with another secret of the same length in place of `known`: a secret that no test has registered yet.
fn with_secret(body: &[u8], known: &str, fresh: &str) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::with_capacity(body.len()), body);
    while let Some(at) = rest.windows(known.len()).position(|w| w == known.as_bytes()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(fresh.as_bytes());
        rest = &rest[at + known.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// As [`assert_error_is_safe`]; and the output contains no part of `secret`.
#[track_caller]
pub fn assert_secret_masked(error: &crate::error::Error, secret: &str) {
    assert_error_is_safe(error);
    let shown = error.to_string();
    let printed = crate::model::secret::mask(&shown);
    assert!(!printed.contains(&secret[..12]), "{printed}");
}

/// Reads each valid answer cut at every byte.
pub fn read_cut_at_every_byte(valid: &[&str], read: impl Fn(&HttpReply)) {
    for whole in valid {
        for at in 0..whole.len() {
            read(&reply(200, &whole.as_bytes()[..at]));
        }
    }
}

/// One body as a success, and with any status.
pub fn replies(valid: &[&'static str]) -> BoxedStrategy<[HttpReply; 2]> {
    (200..600_u16, body(valid)).prop_map(|(status, body)| [reply(200, body.clone()), reply(status, body)]).boxed()
}

/// An answer that contains a secret: `known` in `valid` is replaced by a secret that no test has registered yet. Mostly a
/// success. Returns the secret, too.
pub fn replies_with_secret(valid: &'static str, known: &'static [&'static str]) -> BoxedStrategy<(HttpReply, String)> {
    let alphabet: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
    let fresh = prop::collection::vec(select(alphabet), known[0].len()).prop_map(|chars| chars.into_iter().collect::<String>());
    let status = prop_oneof![Just(200_u16), 200..600_u16];
    (status, mutated_answer(valid), fresh)
        .prop_map(|(status, body, fresh)| {
            let body = known.iter().fold(body, |body, known| with_secret(&body, known, &fresh));
            (reply(status, body), fresh)
        })
        .boxed()
}
