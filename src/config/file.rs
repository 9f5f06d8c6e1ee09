//! `config.toml` as data with positions: every error about the file names line and column, also if it is found later, when a
//! remote's provider is known.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::suggestion;
use super::{private_file, unquoted};
use crate::error::{Error, Kind, Result};

/// A position in a file: line and column count from 1, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    file: Arc<PathBuf>,
    line: usize,
    column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}, column {}", self.file.display(), self.line, self.column)
    }
}

impl Position {
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::new(Kind::Usage, message).with_subject(self.to_string())
    }
}

/// A key and its value, not yet checked.
pub(super) struct ConfigLine {
    pub key: String,
    pub value: Scalar,
    pub key_at: Position,
    pub value_at: Position,
}

pub(super) enum Scalar {
    Text(String),
    Flag(bool),
    Number(String),
    List(Vec<String>),
    /// A type that no key accepts: its name in TOML.
    Other(&'static str),
}

impl Scalar {
    pub fn type_name(&self) -> &'static str {
        match self {
            Scalar::Text(_) => "string",
            Scalar::Flag(_) => "boolean",
            Scalar::Number(_) => "number",
            Scalar::List(_) => "array",
            Scalar::Other(name) => name,
        }
    }
}

pub(super) struct Section {
    pub name: String,
    pub at: Position,
    pub lines: Vec<ConfigLine>,
}

/// A whole file, in its own order.
#[derive(Default)]
pub(super) struct Document {
    pub defaults: Vec<ConfigLine>,
    pub remotes: Vec<Section>,
}

/// The tables that `config.toml` may have at its top level.
pub(super) const CONFIG: &[&str] = &["defaults", "remotes"];
pub(super) const CREDENTIALS: &[&str] = &["remotes"];

/// Fails with `Usage` and the position for anything except the tables in `allowed`.
pub(super) fn parse(path: &Path, text: &str, allowed: &[&str]) -> Result<Document> {
    let reader = Reader { file: Arc::new(path.to_owned()), text };
    let top = DeTable::parse(text).map_err(|e| {
        let at = reader.position(e.span().unwrap_or(0..0));
        if let Some(found) = e.span().and_then(|span| unquoted::find(text, span.start)) {
            return reader.position(found.at..found.at).error(found.message).with_hint(found.hint);
        }
        // Only the parser's own text is used: the cause would quote the line, which may contain a secret.
        at.error(e.message().lines().collect::<Vec<_>>().join(", "))
    })?;
    let mut document = Document::default();
    for (key, value) in in_order(top.get_ref()) {
        match key.get_ref().as_ref() {
            "defaults" if allowed.contains(&"defaults") => document.defaults = reader.lines(reader.table(key, value)?),
            "remotes" if allowed.contains(&"remotes") => {
                for (name, keys) in in_order(reader.table(key, value)?) {
                    let lines = reader.lines(reader.table(name, keys)?);
                    document.remotes.push(Section { name: name.get_ref().to_string(), at: reader.position(name.span()), lines });
                }
            }
            other => {
                let wrong = reader.position(key.span()).error(format!("there is no key `{other}` here"));
                return Err(wrong.with_hint(suggestion(other, allowed.iter().copied())));
            }
        }
    }
    Ok(document)
}

/// The file's content and whether other users may read it; none when there is no such file.
pub(super) fn read(path: &Path, allowed: &[&str]) -> Result<Option<(Document, bool)>> {
    let Some(file) = private_file::read(path)?.map(private_file::FileText::require_trusted).transpose()? else { return Ok(None) };
    Ok(Some((parse(path, &file.text, allowed)?, file.open_to_others)))
}

type TomlEntry<'t, 'i> = (&'t Spanned<std::borrow::Cow<'i, str>>, &'t Spanned<DeValue<'i>>);

/// The parser sorts keys by name, but the user reads errors from the top of the file.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<TomlEntry<'t, 'i>> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

struct Reader<'i> {
    file: Arc<PathBuf>,
    text: &'i str,
}

impl<'i> Reader<'i> {
    fn position(&self, span: Range<usize>) -> Position {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        let line = before.matches('\n').count() + 1;
        // Editors do not show a byte order mark, so it has no column.
        let column = before.get(line_start..).unwrap_or_default().trim_start_matches('\u{feff}').chars().count() + 1;
        Position { file: self.file.clone(), line, column }
    }

    fn table<'t>(&self, key: &Spanned<std::borrow::Cow<'i, str>>, value: &'t Spanned<DeValue<'i>>) -> Result<&'t DeTable<'i>> {
        value.get_ref().as_table().ok_or_else(|| {
            let found = value.get_ref().type_str();
            self.position(value.span()).error(format!("`{}` must be a table, not a TOML {found}", key.get_ref()))
        })
    }

    fn lines(&self, table: &DeTable<'i>) -> Vec<ConfigLine> {
        let line = |(key, value): TomlEntry<'_, 'i>| ConfigLine {
            key: key.get_ref().to_string(),
            value: scalar(value.get_ref()),
            key_at: self.position(key.span()),
            value_at: self.position(value.span()),
        };
        in_order(table).into_iter().map(line).collect()
    }
}

fn scalar(value: &DeValue<'_>) -> Scalar {
    match value {
        DeValue::String(text) => Scalar::Text(text.to_string()),
        DeValue::Boolean(flag) => Scalar::Flag(*flag),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Scalar::Number(number.to_string()),
            Err(_) => Scalar::Other("number of this size"),
        },
        DeValue::Float(number) => Scalar::Number(number.as_str().to_owned()),
        DeValue::Array(values) => {
            let texts = values.iter().map(|v| match scalar(v.get_ref()) {
                Scalar::Text(text) | Scalar::Number(text) => Some(text),
                _ => None,
            });
            texts.collect::<Option<_>>().map_or(Scalar::Other("array of other things than texts"), Scalar::List)
        }
        other => Scalar::Other(other.type_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_text(text: &str) -> String {
        let e = parse(Path::new("c.toml"), text, CONFIG).err().unwrap();
        assert_eq!(e.kind(), Kind::Usage);
        e.to_string()
    }

    #[test]
    fn mistakes_are_reported_with_line_and_column() {
        assert_eq!(
            error_text("# hello\n[remotes.studio]\nurl = \"x\"\n\n[default]\njobs = 8\n"),
            "c.toml, line 5, column 2: there is no key `default` here; write `defaults`"
        );
        assert_eq!(error_text("defaults = 3"), "c.toml, line 1, column 12: `defaults` must be a table, not a TOML integer");
        assert_eq!(error_text("[remotes]\nstudio = \"x\""), "c.toml, line 2, column 10: `studio` must be a table, not a TOML string");
        assert_eq!(
            error_text("zebra = 1\n[apple]\n"),
            "c.toml, line 1, column 1: there is no key `zebra` here; use one of: defaults, remotes"
        );
        assert_eq!(error_text("[[remotes]]\n"), "c.toml, line 1, column 1: `remotes` must be a table, not a TOML array");
    }

    #[test]
    fn a_syntax_error_quotes_no_line() {
        let told = error_text("[remotes.a]\npassword = hunter22\n");
        assert!(told.starts_with("c.toml, line 2, column 12: "), "{told}");
        assert!(!told.contains("hunter22"), "{told}");
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(error_text("remotes.\"ü\" = 1"), "c.toml, line 1, column 15: `ü` must be a table, not a TOML integer");
    }

    #[test]
    fn values_become_texts() {
        let text = "[defaults]\nz = 0x10\na = 1.5\nb = true\nc = [\"x\", 2]\nd = [[1]]\ne = 1979-05-27\nf = 99999999999999999999\n";
        let document = parse(Path::new("c.toml"), text, CONFIG).unwrap();
        let shown: Vec<String> = document
            .defaults
            .iter()
            .map(|l| match &l.value {
                Scalar::Text(t) | Scalar::Number(t) => format!("{}={t}", l.key),
                Scalar::Flag(f) => format!("{}={f}", l.key),
                Scalar::List(texts) => format!("{}={texts:?}", l.key),
                Scalar::Other(name) => format!("{}: {name}", l.key),
            })
            .collect();
        let expected = ["z=16", "a=1.5", "b=true", "c=[\"x\", \"2\"]", "d: array of other things than texts", "e: datetime"];
        assert_eq!(shown[..6], expected);
        assert_eq!(shown[6], "f: number of this size");
    }

    #[test]
    fn remotes_come_in_the_files_order_whatever_their_spelling() {
        let text = "[remotes.b]\nurl = \"1\"\n[remotes]\na = { url = \"2\" }\nc.url = \"3\"\n";
        let document = parse(Path::new("c.toml"), text, CONFIG).unwrap();
        let names: Vec<_> = document.remotes.iter().map(|r| (r.name.as_str(), r.lines.len())).collect();
        assert_eq!(names, [("b", 1), ("a", 1), ("c", 1)]);
    }

    #[test]
    fn a_byte_order_mark_is_no_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(&path, "\u{feff}[remotes.a]\nurl=\"x\"").unwrap();
        assert_eq!(read(&path, CONFIG).unwrap().unwrap().0.remotes[0].at.to_string(), format!("{}, line 1, column 10", path.display()));
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read(&path, CONFIG).err().unwrap().kind(), Kind::Usage);
        assert!(read(&dir.path().join("none"), CONFIG).unwrap().is_none());
    }
}
