//! `[defaults]` of the file: values for long options, with lower precedence than flag and environment. The values are texts, as
//! if typed, and keep their line, so that an error can name it.

use super::file::{ConfigLine, Position, Scalar};
use super::keys::suggestion;
use crate::error::{Error, Result};

/// One option that the file sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultValue {
    /// The long option without its dashes, spelt with `-`.
    pub option: String,
    /// One text, or several for an option that can be repeated; a switch is `true` or `false`.
    pub values: Vec<String>,
    at: Position,
}

impl DefaultValue {
    /// The error for a value that can't be used: `Usage`, with file, line and column.
    pub fn error(&self, why: impl Into<String>) -> Error {
        self.at.error(why)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Defaults(Vec<DefaultValue>);

impl Defaults {
    /// `if-exists` and `if_exists` return the same value.
    pub fn get(&self, option: &str) -> Option<&DefaultValue> {
        let option = option.replace('_', "-");
        self.0.iter().find(|d| d.option == option)
    }

    /// In the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &DefaultValue> {
        self.0.iter()
    }

    /// `options` are all long options without dashes.
    pub(super) fn from_lines(lines: Vec<ConfigLine>, options: &[&str]) -> Result<Defaults> {
        let mut defaults = Defaults::default();
        for line in lines {
            let option = line.key.replace('_', "-");
            if !options.contains(&option.as_str()) {
                let wrong = line.key_at.error(format!("there is no option `{}`", line.key));
                return Err(wrong.with_hint(suggestion(&option, options.iter().copied())));
            }
            if defaults.get(&option).is_some() {
                return Err(line.key_at.error(format!("`{option}` is set twice")));
            }
            let values = match line.value {
                Scalar::Text(text) | Scalar::Number(text) => vec![text],
                Scalar::Flag(on) => vec![on.to_string()],
                Scalar::List(texts) => texts,
                Scalar::Other(found) => {
                    return Err(line
                        .value_at
                        .error(format!("`{option}` can't be a TOML {found}"))
                        .with_hint("write it as on the command line"));
                }
            };
            defaults.0.push(DefaultValue { option, values, at: line.value_at });
        }
        Ok(defaults)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::file::{CONFIG, parse};
    use super::*;

    fn read(text: &str) -> Result<Defaults> {
        let document = parse(Path::new("c.toml"), text, CONFIG).unwrap();
        Defaults::from_lines(document.defaults, &["jobs", "if-exists", "fail-fast", "exclude"])
    }

    #[test]
    fn both_spellings_and_all_types() {
        let defaults = read("[defaults]\njobs = 8\nif_exists = \"skip\"\nfail-fast = true\nexclude = [\"*.tmp\", \"*.bak\"]\n").unwrap();
        assert_eq!(defaults.get("jobs").unwrap().values, ["8"]);
        assert_eq!(defaults.get("if-exists").unwrap().values, ["skip"]);
        assert_eq!(defaults.get("if_exists").unwrap().values, ["skip"]);
        assert_eq!(defaults.get("fail-fast").unwrap().values, ["true"]);
        assert_eq!(defaults.get("exclude").unwrap().values, ["*.tmp", "*.bak"]);
        assert_eq!(defaults.iter().count(), 4);
        assert!(defaults.get("retries").is_none());
        let told = defaults.get("jobs").unwrap().error("8 is no number").to_string();
        assert_eq!(told, "c.toml, line 2, column 8: 8 is no number");
    }

    #[test]
    fn mistakes_have_a_position() {
        let wrong = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(wrong("[defaults]\njobs = 8\njbos = 8"), "c.toml, line 3, column 1: there is no option `jbos`; write `jobs`");
        assert_eq!(wrong("[defaults]\nif-exists = \"a\"\nif_exists = \"b\""), "c.toml, line 3, column 1: `if-exists` is set twice");
        assert_eq!(
            wrong("[defaults]\njobs = { a = 1 }"),
            "c.toml, line 2, column 8: `jobs` can't be a TOML table; write it as on the command line"
        );
    }
}
