//! What is to become of a name that is taken (`--if-exists`), and the next name that is free.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// What becomes of a name that is taken at the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IfExists {
    /// Skips what has not changed, replaces the rest.
    Update,
    /// Replaces the older file.
    Replace,
    /// Keeps the older file and sends nothing.
    Skip,
    /// Takes the next free name: `a (2).mov`.
    Rename,
    /// Fails with `Exists`.
    Fail,
}

impl FromStr for IfExists {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "update" => IfExists::Update,
            "replace" => IfExists::Replace,
            "skip" => IfExists::Skip,
            "rename" => IfExists::Rename,
            "fail" => IfExists::Fail,
            _ => {
                return Err(Error::new(Kind::Usage, format!("--if-exists can't be {text:?}"))
                    .with_hint("use update, replace, skip, rename or fail"));
            }
        })
    }
}

/// Returns the first free name of `a.mov`, `a (2).mov`, `a (3).mov`, …
pub fn free_name(name: &str, taken: impl Fn(&str) -> bool) -> String {
    let (stem, extension) = match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    };
    let mut number = 2u64;
    loop {
        let candidate = format!("{stem} ({number}){extension}");
        if !taken(&candidate) {
            return candidate;
        }
        number += 1;
    }
}
