//! Checks that the README and `docs/` are true: each screen is the output of a run, each command can be typed, each
//! configuration can be read, each JSON line fits the schema, each link has a target.
//!
//! A block marked `console` is run, line by line, in its own folder with a new sandbox. A block marked `sh` contains commands
//! that need a real host: only their arguments are parsed. A line `<!-- $ COMMAND -->` is run and not shown, and `<!-- remotes:
//! studio=iogates cloud=giga0 -->` sets the names of the sandbox's remotes in the document.

#[cfg(unix)]
mod ci;
mod examples;
mod reading;
#[cfg(unix)]
mod screens;
#[cfg(unix)]
mod windows;

use std::path::{Path, PathBuf};

/// A document with its name, relative to the repository.
pub struct Document {
    pub name: String,
    pub path: PathBuf,
    pub text: String,
}

/// The README, `CONTRIBUTING.md`, `SECURITY.md` and all of `docs/`.
pub fn documents() -> Vec<Document> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<String> = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned).into();
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.extend(docs.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")));
    names.sort();
    let document = |name: String| {
        let path = root.join(&name);
        Document { text: std::fs::read_to_string(&path).unwrap(), path, name }
    };
    names.into_iter().map(document).collect()
}
