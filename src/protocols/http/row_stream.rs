//! Reads long answers as a stream: the rows of their lists are passed on one by one as they arrive, and only the rest around
//! the lists is kept. So a listing takes only the memory of the values made from its rows, a row that can't be read does not
//! affect the others, and an answer that decompresses to a huge size is stopped at a limit.

use serde::de::DeserializeOwned;

/// The longest row in bytes: attributes and descriptions have some kilobytes.
const MAX_ROW: usize = 256 << 10;
/// The largest rest around the lists, in bytes.
const MAX_REST: usize = 1 << 20;
/// The largest number of rows in one answer: twice as many as the largest listing that is known to work.
pub const MAX_ROWS: usize = 1_000_000;
/// The largest answer in bytes that begins with a warning: it is searched in memory as a whole.
const MAX_NOISY: usize = 32 << 20;
/// The depth down to which keys are kept.
const DEPTH_KEPT: usize = 4;
/// The longest key that is kept, in bytes.
const MAX_KEY: usize = 64;

/// The place of a list: the keys from the outermost object inwards, as in `["data", "files"]`.
pub type Path = &'static [&'static str];

/// A row as it was sent; none for a text that is too long for a row.
pub type RawRow<'a> = Option<&'a [u8]>;

/// What exceeds a limit, as a few words for the message.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMuch(pub String);

/// Splits one answer. Its rows are the values of a list, or of a map that PHP made from a list.
pub struct Splitter {
    lists: &'static [Path],
    rest: Vec<u8>,
    /// The number of rows of each list.
    rows: Vec<usize>,
    /// The answer does not begin with JSON: all of it is kept, and searched at the end.
    noisy: Option<bool>,
    depth: usize,
    /// The last key of each open object; none for a list.
    keys: Vec<Option<Vec<u8>>>,
    text: Text,
    /// The string that is being read, up to the longest key.
    word: Vec<u8>,
    /// Inside a list: its number, whether it is a map, and the row so far.
    list: Option<List>,
}

struct List {
    number: usize,
    row: Vec<u8>,
    too_long: bool,
    /// The number of open brackets in the row.
    depth: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

impl Text {
    fn after(self, byte: u8) -> Text {
        match (self, byte) {
            (Text::Outside, b'"') => Text::Inside,
            (Text::Inside, b'"') => Text::Outside,
            (Text::Inside, b'\\') => Text::Escaped,
            (Text::Escaped, _) => Text::Inside,
            (text, _) => text,
        }
    }
}

impl Splitter {
    pub fn new(lists: &'static [Path]) -> Splitter {
        Splitter {
            lists,
            rest: Vec::new(),
            rows: vec![0; lists.len()],
            noisy: None,
            depth: 0,
            keys: Vec::new(),
            text: Text::Outside,
            word: Vec::new(),
            list: None,
        }
    }

    /// Passes the number of the list and the row to `take`.
    pub fn feed(&mut self, bytes: &[u8], take: &mut impl FnMut(usize, RawRow<'_>)) -> Result<(), TooMuch> {
        let mut bytes = bytes;
        if self.noisy.is_none() {
            self.rest.extend_from_slice(bytes);
            let begun = super::response::trim_start(&self.rest);
            // A byte order mark may be cut between two pieces.
            let Some(first) = begun.first().filter(|_| self.rest.len() >= 3) else { return Ok(()) };
            self.noisy = Some(*first != b'{');
            if self.noisy == Some(false) {
                let all = std::mem::take(&mut self.rest);
                return self.split(super::response::trim_start(&all), take);
            }
            bytes = &[];
        }
        match self.noisy {
            Some(true) => {
                self.rest.extend_from_slice(bytes);
                if self.rest.len() > MAX_NOISY { Err(no_end(MAX_NOISY)) } else { Ok(()) }
            }
            _ => self.split(bytes, take),
        }
    }

    /// Returns the rest of the answer, in which the lists are empty.
    pub fn finish(mut self, take: &mut impl FnMut(usize, RawRow<'_>)) -> Result<Vec<u8>, TooMuch> {
        if self.noisy == Some(true) {
            let all = std::mem::take(&mut self.rest);
            let object = super::response::object_in(&all);
            if object.first() != Some(&b'{') {
                self.rest = all;
                self.rest.truncate(MAX_REST);
                return Ok(self.rest);
            }
            let before = all.len() - object.len();
            self.rest.extend_from_slice(all.get(..before.min(MAX_REST / 2)).unwrap_or_default());
            self.split(object, take)?;
        }
        Ok(self.rest)
    }

    fn split(&mut self, bytes: &[u8], take: &mut impl FnMut(usize, RawRow<'_>)) -> Result<(), TooMuch> {
        for byte in bytes {
            match &mut self.list {
                Some(_) => self.in_list(*byte, take)?,
                None => self.around(*byte)?,
            }
        }
        Ok(())
    }

    fn around(&mut self, byte: u8) -> Result<(), TooMuch> {
        if self.rest.len() >= MAX_REST {
            return Err(no_end(MAX_REST));
        }
        self.rest.push(byte);
        let before = self.text;
        self.text = before.after(byte);
        match (before, byte) {
            (Text::Outside, b'"') => self.word.clear(),
            (Text::Inside | Text::Escaped, _) if self.text != Text::Outside && self.word.len() < MAX_KEY => self.word.push(byte),
            (Text::Outside, b':') => {
                if let Some(Some(key)) = self.keys.get_mut(self.depth.wrapping_sub(1)) {
                    key.clone_from(&self.word);
                }
            }
            (Text::Outside, b'{' | b'[') => self.open(byte),
            (Text::Outside, b'}' | b']') => {
                self.depth = self.depth.saturating_sub(1);
                self.keys.truncate(self.depth);
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, byte: u8) {
        let is_here = |path: &Path| {
            path.len() == self.depth
                && self.keys.len() == self.depth
                && path.iter().zip(&self.keys).all(|(step, key)| key.as_deref() == Some(step.as_bytes()))
        };
        if let Some(number) = self.lists.iter().position(is_here) {
            self.list = Some(List { number, row: Vec::new(), too_long: false, depth: 0 });
            return;
        }
        if self.keys.len() == self.depth && self.depth < DEPTH_KEPT {
            self.keys.push((byte == b'{').then(Vec::new));
        }
        self.depth += 1;
    }

    fn in_list(&mut self, byte: u8, take: &mut impl FnMut(usize, RawRow<'_>)) -> Result<(), TooMuch> {
        let Some(list) = &mut self.list else { return Ok(()) };
        let before = self.text;
        self.text = before.after(byte);
        if before == Text::Outside {
            match byte {
                b'{' | b'[' => list.depth += 1,
                b',' | b'}' | b']' if list.depth == 0 => {
                    let row = list.row.trim_ascii();
                    if !row.is_empty() || list.too_long {
                        take(list.number, Some(row).filter(|_| !list.too_long));
                        if let Some(rows) = self.rows.get_mut(list.number) {
                            *rows += 1;
                        }
                    }
                    list.row.clear();
                    list.too_long = false;
                    if byte != b',' {
                        self.rest.push(byte);
                        self.list = None;
                    }
                    let too_many = self.rows.iter().any(|rows| *rows > MAX_ROWS);
                    return if too_many { Err(TooMuch(format!("over {MAX_ROWS} entries"))) } else { Ok(()) };
                }
                b'}' | b']' => list.depth -= 1,
                // The bytes before the colon were a key of the map.
                b':' if list.depth == 0 => {
                    list.row.clear();
                    return Ok(());
                }
                _ => {}
            }
        }
        match list.row.len() < MAX_ROW {
            true => list.row.push(byte),
            false => list.too_long = true,
        }
        Ok(())
    }
}

/// Splits a whole answer: returns the rest around its lists.
#[cfg(test)]
pub fn split(body: &[u8], lists: &'static [Path], mut take: impl FnMut(usize, RawRow<'_>)) -> Vec<u8> {
    let mut splitter = Splitter::new(lists);
    splitter.feed(body, &mut take).unwrap();
    splitter.finish(&mut take).unwrap()
}

fn no_end(most: usize) -> TooMuch {
    TooMuch(format!("over {} MiB that are no entries", most >> 20))
}

/// Parses the row as an object. An error contains what can be read of a row whose strings are invalid (half of a surrogate
/// pair, which PHP makes from a cut name, or bytes that are no UTF-8): no address can name such an entry.
pub fn object<T: DeserializeOwned>(row: RawRow<'_>) -> Result<T, Option<T>> {
    let Some(row) = row.filter(|row| row.starts_with(b"{")) else { return Err(None) };
    serde_json::from_slice(row).map_err(|_| serde_json::from_str(&replace_lone_surrogates(&String::from_utf8_lossy(row))).ok())
}

/// Replaces each half of a surrogate pair by a mark.
fn replace_lone_surrogates(row: &str) -> String {
    let mut mended = String::with_capacity(row.len());
    let mut rest = row;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        mended.push_str(before);
        let length = match (half(escape), escape.get(6..).and_then(half)) {
            (Some(0xd800..0xdc00), Some(0xdc00..)) => 12,
            (Some(_), _) => {
                mended.push('\u{fffd}');
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            _ => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        let (kept, after) = escape.split_at(length);
        mended.push_str(kept);
        rest = after;
    }
    mended.push_str(rest);
    mended
}

/// `\ud800` to `\udfff` at the start of the text.
fn half(text: &str) -> Option<u16> {
    let code = text.strip_prefix("\\u").and_then(|hex| hex.get(..4)).and_then(|hex| u16::from_str_radix(hex, 16).ok())?;
    (0xd800..0xe000).contains(&code).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_spoils_nothing_but_its_own_text() {
        let read = |row: &[u8]| object::<serde_json::Value>(Some(row)).map_err(|what| what.map(|value| value["name"].clone()));
        assert!(read(br#"{"name":"\ud83d\ude00 \\ud800 \u00e9"}"#).is_ok());
        for (row, name) in [
            (&br#"{"id":1,"name":"a\ud800"}"#[..], "a\u{fffd}"),
            (br#"{"name":"\udc00\ud800\ud83d\ude00\\ \"b"}"#, "\u{fffd}\u{fffd}\u{1f600}\\ \"b"),
            (b"{\"name\":\"\xff!\"}", "\u{fffd}!"),
        ] {
            assert_eq!(read(row).unwrap_err().unwrap(), name);
        }
        for row in [&b"null"[..], b"[]", br#"["a"]"#, b"7", br#"{"name":"#, br#"{"name":"\u12"}"#, br#"{"a":"\"#] {
            assert!(object::<serde_json::Value>(Some(row)).unwrap_err().is_none(), "{}", String::from_utf8_lossy(row));
        }
    }

    const FILES: &[Path] = &[&["data", "folders"], &["data", "files"]];

    fn split(answer: &[u8], piece: usize) -> Result<(String, Vec<String>), TooMuch> {
        let (mut splitter, mut rows) = (Splitter::new(FILES), Vec::new());
        let mut take = |list: usize, row: RawRow<'_>| rows.push(format!("{list}:{}", String::from_utf8_lossy(row.unwrap_or(b"too long"))));
        for piece in answer.chunks(piece) {
            splitter.feed(piece, &mut take)?;
        }
        let rest = splitter.finish(&mut take)?;
        Ok((String::from_utf8_lossy(&rest).into_owned(), rows))
    }

    #[test]
    fn rows_are_handed_on_and_the_rest_is_kept() {
        let answer = r#"{"response":"fi\"les [","data":{"folders":{"0":{"a":[1,{"files":[2]}]}, "7" : {"b":"}],"}},
            "files":[ {"c":1} ,null,"x\\",7,[],{"d":"\ud800"}], "other":{"files":[3]}},"files":[4],"_status":"success"}"#;
        let rows = [
            r#"0:{"a":[1,{"files":[2]}]}"#,
            r#"0:{"b":"}],"}"#,
            r#"1:{"c":1}"#,
            "1:null",
            r#"1:"x\\""#,
            "1:7",
            "1:[]",
            r#"1:{"d":"\ud800"}"#,
        ];
        let rest = "{\"response\":\"fi\\\"les [\",\"data\":{\"folders\":{},\n            \"files\":[], \"other\":{\"files\":[3]}},\"files\":[4],\"_status\":\"success\"}";
        for piece in [1, 2, 7, 10_000] {
            for before in ["", "\u{feff}", "\n ", "<b>Warning</b>: key {x} in /a.php<br />\n"] {
                let (kept, handed) = split(format!("{before}{answer}").as_bytes(), piece).unwrap();
                assert_eq!(handed, rows, "{before}");
                assert!(kept.ends_with(rest), "{kept}");
            }
        }
    }

    #[test]
    fn what_is_no_such_list_stays_as_it_is() {
        for answer in
            [r#"{"data":{"files":null,"folders":false}}"#, r#"{"data":[{"files":[1]}]}"#, "[]", "", "<html>", "{", "{}", r#"{"data":"#]
        {
            assert_eq!(split(answer.as_bytes(), 3).unwrap(), (answer.to_owned(), vec![]), "{answer}");
        }
        assert_eq!(split(br#"{"data":{"files":[{"a":1},{"b"#, 3).unwrap().1, [r#"1:{"a":1}"#], "a cut one is no row");
    }

    #[test]
    fn everything_has_a_bound() {
        let of = |begin: &str, part: &str, times: usize| [begin.as_bytes(), &part.as_bytes().repeat(times)].concat();
        let most = MAX_ROWS + 1;
        assert_eq!(split(&of(r#"{"data":{"files":["#, "{},", most), 1 << 16), Err(TooMuch("over 1000000 entries".into())));
        assert!(split(&of(r#"{"data":{"files":0,"x":["#, "{},", most), 1 << 16).is_err());
        assert!(split(&of("", "{\"a\":[", MAX_REST), 1 << 16).is_err());
        let long = [of(r#"{"data":{"files":[{"a":""#, "x", MAX_ROW), br#""},{"b":1}]}}"#.to_vec()].concat();
        assert_eq!(split(&long, 1 << 16).unwrap().1, ["1:too long", r#"1:{"b":1}"#]);
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn no_bytes_are_too_strange(body in arbitrary::body(&[r#"{"data":{"files":[{"a":"b"},null],"folders":{"0":{}}},"x":1}"#]), piece in 1..9_usize) {
            let mut splitter = Splitter::new(&[&["data", "files"], &["data", "folders"]]);
            let fed = body.chunks(piece).try_for_each(|piece| splitter.feed(piece, &mut |_, _| {}));
            let ended = splitter.finish(&mut |_, _| {});
            prop_assert!(fed.is_ok() && ended.is_ok());
        }

        #[test]
        fn rows_are_what_was_sent(names in prop::collection::vec(arbitrary::text(), 0..9), piece in 1..99_usize) {
            prop_assume!(names.iter().all(|name| name.len() < MAX_ROW / 24));
            let rows: Vec<Value> = names.iter().map(|name| json!({"name": name, name: [name, {}]})).collect();
            let answer = json!({"msg": names.first(), "data": rows, "end": names}).to_string();
            let (mut splitter, mut handed) = (Splitter::new(&[&["data"]]), Vec::new());
            let mut take = |_: usize, row: RawRow<'_>| handed.push(serde_json::from_slice::<Value>(row.unwrap()).unwrap());
            for piece in answer.as_bytes().chunks(piece) {
                splitter.feed(piece, &mut take).unwrap();
            }
            let rest: Value = serde_json::from_slice(&splitter.finish(&mut take).unwrap()).unwrap();
            prop_assert_eq!(handed, rows);
            prop_assert_eq!(rest, json!({"msg": names.first(), "data": [], "end": names}));
        }
    }
}
