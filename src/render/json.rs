//! The output for scripts: one JSON object a line, with `schema` and `event` first.

use std::borrow::Cow;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::model::Report;
use crate::model::escape::escape_control;

/// Increases only when a field changes its meaning or disappears; new fields may come at any time.
const SCHEMA: u8 = 1;

#[derive(Serialize)]
struct JsonLine<'a> {
    schema: u8,
    #[serde(flatten)]
    report: &'a Report,
    /// The line number in a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

/// One line without its end. `number` is the line of a batch that the report belongs to.
pub(super) fn json_line(report: &Report, number: Option<u64>) -> io::Result<String> {
    let mut text = Vec::with_capacity(256);
    JsonLine { schema: SCHEMA, report, line: number }.serialize(&mut Serializer::with_formatter(&mut text, EscapingFormatter))?;
    String::from_utf8(text).map_err(io::Error::other)
}

/// Compact JSON that escapes every control character and direction override, not only those that JSON requires: U+009B begins
/// an escape sequence in some terminals, U+202E reverses a line.
struct EscapingFormatter;

impl Formatter for EscapingFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if let Cow::Borrowed(_) = escape_control(fragment) {
            return writer.write_all(fragment.as_bytes());
        }
        for c in fragment.chars() {
            let mut bytes = [0; 4];
            let alone = c.encode_utf8(&mut bytes);
            match escape_control(alone) {
                Cow::Borrowed(plain) => writer.write_all(plain.as_bytes())?,
                Cow::Owned(_) => alone.encode_utf16().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing;
    use serde_json::Value;

    /// The names of a line's fields, in their order; nested ones with a dot.
    fn keys(line: &str) -> String {
        fn walk(value: &Value, before: &str, found: &mut Vec<String>) {
            let Value::Object(map) = value else { return };
            for (key, value) in map {
                found.push(format!("{before}{key}"));
                walk(value, &format!("{before}{key}."), found);
            }
        }
        let mut found = Vec::new();
        walk(&serde_json::from_str(line).unwrap(), "", &mut found);
        found.sort();
        found.join(" ")
    }

    #[test]
    fn every_report_has_exactly_the_fields_of_the_contract() {
        let told: Vec<String> = testing::all().iter().map(|report| keys(&json_line(report, None).unwrap())).collect();
        let wanted = [
            "event id md5 path protocol remote resumed_from retries schema seconds size source verified",
            "event id path reason remote schema size source",
            "action event path remote schema size source",
            "event id kind path remote schema",
            "error error.kind error.message error.retryable error.status event path remote schema source",
            "event extra extra.views id kind md5 modified name path remote schema size url",
            "account event extra limits limits.downloads_at_once limits.expired limits.file_size limits.may_download limits.may_upload limits.uploads_at_once package protocols provider quota quota.free \
             quota.total quota.used remote schema warnings",
            "account event remote schema",
            "event remote revoked schema",
            "event name origin provider schema settings settings.password settings.username url",
            "detail event ok remote schema step",
            "abilities abilities.folders abilities.removal event protocols provider schema title",
            "event md5 path protocol provider schema size",
            "created event id owner parent path remote removed schema source_timecode text timecode timecode_out times",
            "bytes bytes_per_second event files of_bytes of_files schema seconds_left",
            "bytes event failed files schema seconds skipped",
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn lines_are_what_scripts_parse() {
        let told: Vec<String> = testing::all().iter().map(|report| json_line(report, None).unwrap()).collect();
        assert_eq!(
            told[0],
            r#"{"schema":1,"event":"uploaded","source":"a.mov","remote":"studio","path":"/in/a.mov","id":"77","size":3650722201,"md5":"900150983cd24fb0d6963f7d28e17f72","verified":"md5","protocol":"tus","resumed_from":1073741824,"retries":2,"seconds":80.5}"#
        );
        assert_eq!(
            told[4],
            r#"{"schema":1,"event":"failed","source":"b.mov","remote":"studio","path":"/in/b.mov","error":{"kind":"refused","message":"the account is full; delete something","status":507,"retryable":false}}"#
        );
        assert_eq!(
            told[5],
            r#"{"schema":1,"event":"entry","remote":"studio","path":"/in/a.mov","name":"a.mov","kind":"file","id":"77","size":3650722201,"modified":"2026-10-01T23:30:10Z","md5":null,"url":"https://studio.example/77","extra":{"views":3}}"#
        );
        assert!(told.iter().all(|line| line.starts_with(r#"{"schema":1,"event":""#)));
    }

    #[test]
    fn hostile_names_are_escaped_and_still_the_same_names() {
        let name = "a\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\u{2028}\n\"ü𝄞";
        let text = json_line(&Report::Login { remote: "r".into(), account: Some(name.into()) }, None).unwrap();
        assert!(
            json_line(&Report::Logout { remote: "r".into(), revoked: true }, Some(7)).unwrap().ends_with(r#","revoked":true,"line":7}"#)
        );
        assert_eq!(text, r#"{"schema":1,"event":"login","remote":"r","account":"a\u001b[2J\u009b31m\u202e\u007f\u2028\n\"ü𝄞"}"#);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["account"], name);
    }
}
