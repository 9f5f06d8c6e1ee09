//! `--files-from`: lists of paths, one a line or each with a NUL at its end.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::model::{Address, RemotePath};

#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[command(next_help_heading = "Filters")]
pub struct ListArgs {
    /// Only the files in this list, one path a line; relative to the source if it is one folder, else to the working directory; "-" is standard input
    #[arg(long, value_name = "FILE", env = "HAUL_FILES_FROM", conflicts_with = "files_from0")]
    pub files_from: Option<PathBuf>,
    /// Like --files-from, with NUL after each path, as find -print0 and haul find -0 print them
    #[arg(long, value_name = "FILE", env = "HAUL_FILES_FROM0")]
    pub files_from0: Option<PathBuf>,
}

impl ListArgs {
    pub fn is_given(&self) -> bool {
        self.files_from.is_some() || self.files_from0.is_some()
    }

    /// Paths end with NUL.
    pub fn ends_with_nul(&self) -> bool {
        self.files_from0.is_some()
    }

    /// None: it can't be read a second time.
    pub fn absolute(&self) -> Option<ListArgs> {
        let absolute = |file: &Option<PathBuf>| match file {
            Some(file) if is_stdin(file) => None,
            Some(file) => Some(Some(std::path::absolute(file).unwrap_or_else(|_| file.clone()))),
            None => Some(None),
        };
        Some(ListArgs { files_from: absolute(&self.files_from)?, files_from0: absolute(&self.files_from0)? })
    }

    /// The lines of the list that is given. Fails with `NotFound` or `Local`.
    pub fn read(&self) -> Result<Option<Vec<PathBuf>>> {
        let Some(file) = self.files_from.as_ref().or(self.files_from0.as_ref()) else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = match is_stdin(file) {
            true => std::io::stdin().lock().read_to_end(&mut bytes).map(drop),
            false => std::fs::read(file).map(|read| bytes = read),
        };
        read.map_err(|e| {
            let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Local };
            Error::new(kind, "the list can't be read").on_local(file.display().to_string()).with_cause(e)
        })?;
        Ok(Some(lines(&bytes, self.ends_with_nul())))
    }

    /// As `read`, for paths on remotes.
    pub fn read_addresses(&self, context: &Context, named: &[Address]) -> Result<Option<Vec<ListedAddress>>> {
        let Some(lines) = self.read()? else { return Ok(None) };
        let base = match named {
            [] => None,
            [one] => Some(one),
            _ => {
                return Err(Error::new(Kind::Usage, "with a list one remote folder is named at most")
                    .with_hint("write REMOTE:PATH in the list's lines"));
            }
        };
        Ok(Some(lines.iter().map(|line| ListedAddress::of(context, line, base)).collect()))
    }
}

/// A line of a list of remote paths.
pub struct ListedAddress {
    /// The line as it is in the list.
    pub line: String,
    pub address: Result<Address>,
    /// From the folder that was named; none where the line names a place of its own.
    pub below: Option<RemotePath>,
}

impl ListedAddress {
    fn of(context: &Context, line: &Path, base: Option<&Address>) -> ListedAddress {
        let shown = line.display().to_string();
        let found = match line.to_str() {
            Some(text) => address(context, text, base),
            None => Err(Error::new(Kind::Refused, "this line of the list is not UTF-8").with_subject(shown.clone())),
        };
        match found {
            Ok((address, below)) => ListedAddress { line: shown, address: Ok(address), below },
            Err(error) => ListedAddress { line: shown, address: Err(error), below: None },
        }
    }
}

/// What begins with the name of a remote is a place there, whatever the list is relative to.
fn address(context: &Context, line: &str, base: Option<&Address>) -> Result<(Address, Option<RemotePath>)> {
    let own = Address::parse(line).ok().flatten().filter(|address| base.is_none() || context.knows(&address.remote));
    match (own, base) {
        (Some(own), base) => {
            let inside = base.filter(|base| base.remote.eq_ignore_ascii_case(&own.remote) && base.place.root == own.place.root);
            let below = inside.and_then(|base| own.place.path.below(&base.place.path)).filter(|below| !below.is_root());
            Ok((own, below))
        }
        (None, Some(base)) => {
            let below = RemotePath::parse(line)?;
            let mut address = base.clone();
            address.place.path = base.place.path.join_path(&below);
            address.folder = line.ends_with('/');
            Ok((address, Some(below)))
        }
        (None, None) => Err(Error::new(Kind::Usage, "this line of the list is not a place on a remote")
            .with_subject(line)
            .with_hint("write it as REMOTE:PATH, or name the one remote folder that the list is relative to")),
    }
}

fn is_stdin(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// Every line is a path. Line ends of other systems, a byte order mark and empty lines are none of it.
fn lines(bytes: &[u8], by_nul: bool) -> Vec<PathBuf> {
    if by_nul {
        return bytes.split(|byte| *byte == 0).filter(|path| !path.is_empty()).map(path).collect();
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines.filter(|line| !line.is_empty()).map(path).collect()
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_path() {
        let told = |text: &str, by_nul| -> Vec<String> { lines(text.as_bytes(), by_nul).iter().map(|p| p.display().to_string()).collect() };
        assert_eq!(told("\u{feff}a b\r\n#c\n\n  d\ne", false), ["a b", "#c", "  d", "e"]);
        assert_eq!(told("a\nb\0c\r\0\0", true), ["a\nb", "c\r"]);
        assert!(told("", false).is_empty() && told("\r\n", false).is_empty());
    }
}
