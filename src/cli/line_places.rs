//! Which places a line of a batch reads and changes: lines that touch the same place keep their order, the others run side by side.

use std::path::{Component, Path, PathBuf};

use crate::model::{Address, Root};
use crate::transfer::filter::is_pattern;

/// What a line has to do with places.
#[derive(Debug)]
pub enum LinePlaces {
    /// Nobody can tell: it runs alone.
    All,
    Some {
        reads: Vec<LinePlace>,
        writes: Vec<LinePlace>,
        /// A `put` or a `get`: each place it writes to is one that a single file or folder may get, and two of them touch the
        /// same place only where that is one and the same.
        carries: Option<TransferDirection>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferDirection {
    Put,
    Get,
}

/// A place with all that is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePlace {
    /// None: on this machine.
    remote: Option<String>,
    steps: Vec<String>,
}

/// Commands that change nothing on a remote.
const READS: &[&str] = &["ls", "tree", "du", "stat", "find", "link", "about"];
/// Commands that change the places they are given.
const WRITES: &[&str] = &["mkdir", "rm", "edit", "import", "share", "star", "unstar"];

impl LinePlaces {
    /// `places`: the words of the command that are no options; `literal`: wildcards stand for themselves.
    pub fn of(command: &str, places: &[String], literal: bool) -> LinePlaces {
        let named = || places.iter().map(|place| place_of(place, literal)).collect::<Vec<_>>();
        let of = |reads, writes, carries| LinePlaces::Some { reads, writes, carries };
        match (command, places.split_last()) {
            ("providers", _) => of(Vec::new(), Vec::new(), None),
            (reads, _) if READS.contains(&reads) => of(named(), Vec::new(), None),
            (writes, _) if WRITES.contains(&writes) => of(Vec::new(), named(), None),
            ("put", Some((target, sources))) if !sources.is_empty() => of(
                sources.iter().map(|source| local(source)).collect(),
                landing(target, sources, target.ends_with([':', '/'])),
                Some(TransferDirection::Put),
            ),
            ("get", Some(_)) => {
                let (target, sources) = match places.split_last() {
                    Some((last, sources)) if !sources.is_empty() && is_local(last) => (last.as_str(), sources),
                    _ => (".", places),
                };
                let is_folder = target.ends_with('/') || Path::new(target).is_dir();
                let reads = sources.iter().map(|source| place_of(source, literal)).collect();
                of(reads, landing(target, sources, is_folder), Some(TransferDirection::Get))
            }
            ("cp", Some((target, sources))) => {
                of(sources.iter().map(|source| place_of(source, literal)).collect(), vec![place_of(target, literal)], None)
            }
            ("mv", Some(_)) => of(Vec::new(), named(), None),
            _ => LinePlaces::All,
        }
    }

    /// Does it change nothing on a remote?
    pub fn only_reads(&self) -> bool {
        matches!(self, LinePlaces::Some { writes, carries, .. } if writes.is_empty() || *carries == Some(TransferDirection::Get))
    }

    pub fn is_put(&self) -> bool {
        matches!(self, LinePlaces::Some { carries: Some(TransferDirection::Put), .. })
    }

    /// Must one of them be over before the other begins?
    pub fn touches(&self, other: &LinePlaces) -> bool {
        let (LinePlaces::Some { reads, writes, carries }, LinePlaces::Some { reads: r, writes: w, carries: c }) = (self, other) else {
            return true;
        };
        if carries.is_some() && carries == c {
            return writes.iter().any(|place_of| w.contains(place_of));
        }
        let any = |changed: &[LinePlace], others: &[LinePlace]| {
            changed.iter().any(|place_of| others.iter().any(|other| place_of.overlaps(other)))
        };
        any(writes, w) || any(writes, r) || any(w, reads)
    }
}

impl LinePlace {
    fn overlaps(&self, other: &LinePlace) -> bool {
        self.remote == other.remote && self.steps.iter().zip(&other.steps).all(|(a, b)| a == b)
    }

    fn join(&self, name: &str) -> LinePlace {
        let steps = self.steps.iter().cloned().chain([name.to_owned()]).collect();
        LinePlace { remote: self.remote.clone(), steps }
    }
}

/// Where sources may land: below the target under their own names; as the target itself where that may be a file's new name, or
/// what lands is what a source holds.
fn landing(target: &str, sources: &[String], is_folder: bool) -> Vec<LinePlace> {
    let top = place_of(target, true);
    let has_own_name = |source: &&String| !source.ends_with('/') && !is_pattern(source);
    let mut named: Vec<LinePlace> = sources.iter().filter(has_own_name).filter_map(|source| Some(top.join(name_of(source)?))).collect();
    if !is_folder || named.len() < sources.len() {
        named.push(top);
    }
    named
}

fn name_of(source: &str) -> Option<&str> {
    source.rsplit(['/', ':']).next().filter(|name| !name.is_empty() && !name.starts_with('@'))
}

fn is_local(place: &str) -> bool {
    matches!(Address::parse(place), Ok(None))
}

fn place_of(place: &str, literal: bool) -> LinePlace {
    match Address::parse_remote(place).ok().filter(|_| !is_local(place)) {
        Some(address) => {
            let remote = Some(address.remote.to_lowercase());
            // The folder of an id is not known without a request.
            let names = if address.place.root == Root::Top { address.place.path.names() } else { &[] };
            let steps = names.iter().take_while(|name| literal || !is_pattern(name)).cloned().collect();
            LinePlace { remote, steps }
        }
        None => local(place),
    }
}

fn local(place: &str) -> LinePlace {
    let path = std::path::absolute(place).unwrap_or_else(|_| PathBuf::from(place));
    let mut steps: Vec<String> = Vec::new();
    for step in path.components() {
        match step {
            Component::ParentDir => drop(steps.pop()),
            step => steps.push(step.as_os_str().to_string_lossy().into_owned()),
        }
    }
    LinePlace { remote: None, steps }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places_of(text: &str) -> LinePlaces {
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        let command = words.remove(0);
        LinePlaces::of(&command, &words, false)
    }

    #[test]
    fn lines_that_touch_one_place_keep_their_order() {
        for (first, second) in [
            ("put a r:/in/", "put b/a r:/in/"),
            ("put a r:/in/x", "put b R:/in/x"),
            ("put a r:/in", "put b r:/in"),
            ("put a r:/in/", "rm r:/in/a"),
            ("put a r:/in/", "ls r:/in"),
            ("put a r:/in/", "ls r:"),
            ("put a r:/in/", "rm r:/in/*"),
            ("mkdir r:/in", "put a r:/in/"),
            ("mv r:/a r:/b", "ls r:/a/c"),
            ("mv r:/a r:/b", "mv r:/b r:/c"),
            ("get r:/a x", "put x r:/b"),
            ("get r:/a x/", "put ./x/a r:/b"),
            ("get r:/d/ x/", "get r:/e/ x/"),
            ("rm r:@12", "ls r:/in"),
            ("transfers clear", "ls r:/in"),
            ("verify receipt", "ls r:/in"),
            ("cp r:/a s:/b/", "rm s:/b"),
        ] {
            assert!(places_of(first).touches(&places_of(second)), "{first} | {second}");
            assert!(places_of(second).touches(&places_of(first)), "{second} | {first}");
        }
    }

    #[test]
    fn all_other_lines_run_side_by_side() {
        for (first, second) in [
            ("put a r:/in/", "put b r:/in/"),
            ("put a r:/in/a", "put b r:/in/ab"),
            ("put a r:", "put b r:"),
            ("put a r:/in/", "put a s:/in/"),
            ("put a r:/in/", "rm r:/in/b"),
            ("ls r:/in", "du r:/in"),
            ("get r:/a .", "get r:/b ."),
            ("get r:/a", "get r:/b"),
            ("get r:/a x", "ls r:/a"),
            ("rm r:/a", "rm r:/b"),
            ("providers", "rm r:/b"),
            ("cp r:/a s:/b/", "rm s:/c"),
        ] {
            assert!(!places_of(first).touches(&places_of(second)), "{first} | {second}");
        }
    }

    #[test]
    fn who_changes_a_remote() {
        for (text, only_reads) in
            [("ls r:/", true), ("get r:/a x", true), ("put a r:/", false), ("rm r:/a", false), ("transfers clear", false)]
        {
            assert_eq!(places_of(text).only_reads(), only_reads, "{text}");
        }
    }
}
