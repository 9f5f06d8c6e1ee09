//! A plan of a sync as a file: JSON lines, the first of which says which sync it is of; then an action a line.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::output_file;
use super::transfer_args::SyncOptionArgs;
use crate::error::{Error, Kind, Result};
use crate::transfer::sync::actions::Action;

/// Grows when an action means something else than before.
const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanHeader {
    schema: u32,
    event: String,
    version: u32,
    /// FROM, the same from every folder.
    pub from: String,
    /// TO, the same from every folder.
    pub to: String,
    pub options: SyncOptionArgs,
    made: DateTime<Utc>,
}

/// Only what tells whether the rest can be read.
#[derive(Deserialize)]
struct Versioned {
    event: String,
    version: u32,
}

impl PlanHeader {
    pub fn new(from: String, to: String, options: SyncOptionArgs) -> PlanHeader {
        PlanHeader { schema: 1, event: "plan".to_owned(), version: VERSION, from, to, options, made: Utc::now() }
    }
}

/// Fails with `Local`.
pub fn write(path: &Path, header: &PlanHeader, actions: &[Action]) -> Result<()> {
    let failed =
        |e: std::io::Error| Error::new(Kind::Local, "the plan can't be written").on_local(path.display().to_string()).with_cause(e);
    let file = output_file::open(OpenOptions::new().create(true).write(true).truncate(true), path).map_err(failed)?;
    let mut file = BufWriter::new(file);
    let mut line = |text: serde_json::Result<String>| writeln!(file, "{}", text.map_err(std::io::Error::other)?);
    line(serde_json::to_string(header)).map_err(failed)?;
    actions.iter().try_for_each(|action| line(serde_json::to_string(action))).map_err(failed)?;
    file.flush().map_err(failed)
}

/// Fails with `NotFound`, or `Usage` with the line that is none of a plan, and for a plan of another version.
pub fn read(path: &Path) -> Result<(PlanHeader, Vec<Action>)> {
    let shown = path.display().to_string();
    let failed = |e: std::io::Error| {
        let kind = match e.kind() {
            std::io::ErrorKind::NotFound => Kind::NotFound,
            std::io::ErrorKind::InvalidData => Kind::Usage,
            _ => Kind::Local,
        };
        Error::new(kind, "the plan can't be read").on_local(shown.clone()).with_cause(e)
    };
    let mut lines = BufReader::new(std::fs::File::open(path).map_err(failed)?).lines();
    let first = lines.next().transpose().map_err(failed)?.unwrap_or_default();
    let no_plan = || Error::new(Kind::Usage, "this is not a plan").on_local(shown.clone()).with_hint("`haul sync --plan FILE` writes one");
    let versioned: Versioned = serde_json::from_str(&first).map_err(|e| no_plan().with_cause(e))?;
    if versioned.event != "plan" {
        return Err(no_plan());
    }
    if versioned.version != VERSION {
        let why = format!("this is a plan of version {}, and this haul reads version {VERSION}", versioned.version);
        return Err(Error::new(Kind::Usage, why).on_local(shown).with_hint("make a new plan"));
    }
    let header = serde_json::from_str(&first).map_err(|e| no_plan().with_cause(e))?;
    let mut actions = Vec::new();
    for (number, line) in lines.enumerate() {
        let line = line.map_err(failed)?;
        let action = serde_json::from_str(&line).map_err(|e| {
            Error::new(Kind::Usage, "this is not a line of a plan").with_subject(format!("{shown}, line {}", number + 2)).with_cause(e)
        })?;
        actions.push(action);
    }
    Ok((header, actions))
}
