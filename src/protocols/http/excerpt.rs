//! The part of a server's answer that is quoted to the user: the text of a page, the message of an error, never a token.

use serde_json::Value;

use crate::model::escape::shorten;

const WORDS_SHOWN: usize = 200;
/// The longest title, in words, that is compared with the heading.
const MAX_TITLE: usize = 20;
/// The number of bytes of a body that are searched.
const WORDS_SOUGHT: usize = 64 << 10;

/// The first words of a body; for a page those that a browser would show. JSON is not quoted, wherever it begins in the body
/// (after a PHP notice, a byte order mark), because it may contain a token that is not registered with the masking yet. Only
/// its error message is quoted.
pub fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..WORDS_SOUGHT).unwrap_or(body));
    let (text, said) = match json_begins(&text) {
        Some(at) => (text.get(..at).unwrap_or_default(), message_in_json(text.get(at..).unwrap_or_default())),
        None => (text.as_ref(), None),
    };
    let shown = match text.trim_start().starts_with('<') {
        true => Some(shorten(&dedup_title(&without_tags(text)), WORDS_SHOWN)).filter(|words| !words.is_empty()),
        false => None,
    };
    let shown = shown.unwrap_or_else(|| shorten(text, WORDS_SHOWN));
    [Some(shown), said].into_iter().flatten().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The start of a list or an object, or of a key whose object has lost its beginning.
fn json_begins(text: &str) -> Option<usize> {
    let opens = |at: &usize| {
        let inside = text.get(at + 1..).unwrap_or_default().trim_start();
        inside.starts_with(['"', '{', '[']) || inside.is_empty()
    };
    let opened = text.match_indices(['{', '[']).map(|(at, _)| at).find(opens);
    let key = text.find("\":").and_then(|end| text.get(..end)?.rfind('"'));
    opened.into_iter().chain(key).min()
}

/// The error message in a JSON answer.
fn message_in_json(json: &str) -> Option<String> {
    let end = json.rfind('}')?;
    let answer: Value = serde_json::from_str(json.get(..=end)?).ok()?;
    let said = ["message", "msg", "error", "response"].into_iter().find_map(|key| answer.get(key)?.as_str());
    said.map(|said| shorten(said, WORDS_SHOWN))
}

/// Removes the title of a page whose heading repeats it.
fn dedup_title(page: &str) -> String {
    let words: Vec<&str> = page.split_whitespace().collect();
    let said_twice = |n: &usize| words.get(..*n).is_some_and(|title| words.get(*n..2 * *n) == Some(title));
    let title = (1..=MAX_TITLE).rev().find(said_twice).unwrap_or(0);
    words.into_iter().skip(title).collect::<Vec<_>>().join(" ")
}

/// The text between the tags, without styles and scripts.
pub fn without_tags(page: &str) -> String {
    let (mut words, mut rest) = (String::new(), page);
    while let Some((before, tag)) = rest.split_once('<') {
        words.push_str(before);
        words.push(' ');
        let (tag, after) = tag.split_once('>').unwrap_or((tag, ""));
        let hidden = ["style", "script"].into_iter().find(|name| tag.get(..name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name)));
        rest = hidden.map_or(after, |name| text_after(after, name));
    }
    words.push_str(rest);
    words
}

/// The text after the end of a style or script. If there is no end, all that follows is hidden, as in a browser: a new search
/// at each beginning would take minutes for a page that consists of such beginnings.
fn text_after<'a>(inside: &'a str, name: &str) -> &'a str {
    let ends = |at: &usize| inside.get(at + 2..at + 2 + name.len()).is_some_and(|end| end.eq_ignore_ascii_case(name));
    let end = inside.match_indices("</").map(|(at, _)| at).find(ends);
    end.and_then(|at| inside.get(at..)?.split_once('>')).map_or("", |(_, after)| after)
}
