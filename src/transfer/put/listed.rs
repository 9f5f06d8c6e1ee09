//! `--files-from`: the files that a list names, each where its source would bring it. Read line by line as the work comes to it;
//! what is not there is one failed file.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::plan::{FilterPath, PlanStep, PlannedSource, PutItem, SourceArg};
use crate::error::{Error, Kind, Result};
use crate::model::RemotePath;
use crate::transfer::filter::Filter;
use crate::transfer::local_tree::utf8;
use crate::transfer::source::SourceSpec;
use crate::transfer::source::file::unreadable;

/// A list, and what its lines are counted from.
pub(crate) struct ListedFiles {
    lines: Vec<PathBuf>,
    /// The one folder that the lines are relative to; none: the working directory.
    base: Option<PathBuf>,
    places: Vec<ListedSource>,
    target: RemotePath,
    /// Of what is in no folder.
    filter: Arc<Filter>,
    seen: HashSet<RemotePath>,
}

/// A source in which lines may lie.
struct ListedSource {
    top: PathBuf,
    /// What lies in it lands here; a file: this is its place.
    target: RemotePath,
    is_folder: bool,
    filter: Arc<Filter>,
}

impl ListedFiles {
    /// Fails with `Usage` where standard input is a source.
    pub fn new(lines: Vec<PathBuf>, sources: &[SourceArg], target: &RemotePath, filter: &Arc<Filter>) -> Result<ListedFiles> {
        let folder = |path: &Path, target: RemotePath| {
            Ok(ListedSource { top: path.to_owned(), target, is_folder: true, filter: Arc::new(filter.of_local_folder(path)) })
        };
        let place = |source: &SourceArg| match source {
            SourceArg::Stdin => Err(Error::new(Kind::Usage, "standard input is in no list").with_hint("put it by a command of its own")),
            SourceArg::Folder(path, name) => folder(path, target.join(name)?),
            SourceArg::Contents(path) => folder(path, target.clone()),
            SourceArg::File(path, _) => {
                let name = path.file_name().map(|name| utf8(path, name)).transpose()?.unwrap_or_default();
                Ok(ListedSource { top: path.clone(), target: target.join(name)?, is_folder: false, filter: filter.clone() })
            }
        };
        let mut places = sources.iter().map(place).collect::<Result<Vec<_>>>()?;
        if places.is_empty() {
            places.push(folder(Path::new(""), target.clone())?);
        }
        let base = match sources {
            [SourceArg::Folder(path, _) | SourceArg::Contents(path)] => Some(path.clone()),
            _ => None,
        };
        Ok(ListedFiles { lines, base, places, target: target.clone(), filter: filter.clone(), seen: HashSet::new() })
    }

    pub fn steps(mut self) -> impl Iterator<Item = PlanStep> {
        let lines = std::mem::take(&mut self.lines).into_iter();
        lines.flat_map(move |line| self.plan_line(&line).map(PlannedSource::steps).into_iter().flatten())
    }

    /// None: it stood in the list before.
    fn plan_line(&mut self, line: &Path) -> Option<PlannedSource> {
        let path = self.base.as_ref().map_or_else(|| line.to_owned(), |base| base.join(line));
        let shown = path.display().to_string();
        match self.place(line, path) {
            Ok(planned) => planned,
            Err(error) => Some(PlannedSource::Rejected(shown.clone(), error.with_source_path(&shown))),
        }
    }

    fn place(&mut self, line: &Path, path: PathBuf) -> Result<Option<PlannedSource>> {
        let (target, at) = self.place_of(line, &path)?;
        let first = self.seen.insert(target.clone());
        let meta = std::fs::metadata(&path).map_err(|e| unreadable(&path, e))?;
        if !first {
            return Ok(None);
        }
        if meta.is_dir() {
            return Ok(Some(PlannedSource::Tree(path, target, at)));
        }
        if !meta.is_file() {
            return Err(Error::new(Kind::Local, "this is neither a file nor a folder").on_local(path.display().to_string()));
        }
        let (Some(folder), Some(name)) = (target.parent(), target.name()) else {
            return Err(Error::new(Kind::Usage, "this line names no file").on_local(path.display().to_string()));
        };
        let item = PutItem { origin: SourceSpec::File(path), folder, name: name.to_owned(), size: Some(meta.len()) };
        Ok(Some(PlannedSource::One(item, at)))
    }

    /// Where a line lands, and its path for the filter: as in the innermost source that it lies in.
    fn place_of(&self, line: &Path, path: &Path) -> Result<(RemotePath, FilterPath)> {
        let clean = clean(path);
        let mut inside: Vec<(&ListedSource, PathBuf)> =
            self.places.iter().filter_map(|place| Some((place, below(&clean, &place.top)?))).collect();
        inside.sort_by_key(|(_, below)| below.components().count());
        if let Some((place, below)) = inside.first() {
            let mut target = place.target.clone();
            for name in below.iter() {
                target = target.join(utf8(path, name)?)?;
            }
            let path = match place.is_folder {
                true => below.iter().map(OsStr::to_string_lossy).collect::<Vec<_>>().join("/"),
                false => clean.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            };
            return Ok((target, FilterPath { filter: place.filter.clone(), path, is_source: !place.is_folder }));
        }
        // As if it were named itself.
        match clean.file_name() {
            Some(name) if self.names_no_source() && line.is_absolute() => {
                let name = utf8(path, name)?;
                let at = FilterPath { filter: self.filter.clone(), path: name.to_owned(), is_source: true };
                Ok((self.target.join(name)?, at))
            }
            _ => Err(Error::new(Kind::Usage, "this line of the list lies in none of the sources").on_local(path.display().to_string())),
        }
    }

    fn names_no_source(&self) -> bool {
        self.places.iter().all(|place| place.top.as_os_str().is_empty())
    }
}

/// Without `.`, and with `..` where that can be worked out.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

/// Returns `path` relative to `top`. One of the two may be absolute and the other not.
fn below(path: &Path, top: &Path) -> Option<PathBuf> {
    let top = clean(top);
    let inside = |path: &Path, top: &Path| {
        let below = path.strip_prefix(top).ok()?;
        below.components().all(|part| matches!(part, Component::Normal(_))).then(|| below.to_owned())
    };
    inside(path, &top).or_else(|| {
        let here = std::env::current_dir().ok()?;
        inside(&clean(&here.join(path)), &clean(&here.join(top)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned_targets(sources: &[SourceArg], lines: &[&str]) -> Vec<String> {
        let lines = lines.iter().map(PathBuf::from).collect();
        let list = ListedFiles::new(lines, sources, &RemotePath::parse("/x").unwrap(), &Arc::default()).unwrap();
        let told = |step| match step {
            PlanStep::Put(item) => item.folder.join(&item.name).unwrap().to_string(),
            PlanStep::Rejected(shown, error) => format!("{}: {}", shown.rsplit('/').next().unwrap(), error.kind().name()),
            step => format!("{step:?}"),
        };
        list.steps().map(told).collect()
    }

    #[test]
    fn each_line_lands_where_its_source_would_bring_it() {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("d");
        std::fs::create_dir_all(at.join("sub")).unwrap();
        for name in ["a", "b", "sub/c"] {
            std::fs::write(at.join(name), name).unwrap();
        }
        let (one, contents) = (SourceArg::Folder(at.clone(), "d".into()), SourceArg::Contents(at.clone()));
        let absolute = at.join("sub/c").display().to_string();
        assert_eq!(
            planned_targets(std::slice::from_ref(&one), &["a", "./sub/c", "a", "none", "../z"]),
            ["/x/d/a", "/x/d/sub/c", "none: not-found", "z: usage"]
        );
        assert_eq!(planned_targets(std::slice::from_ref(&contents), &["sub", &absolute, "sub/../b"]), ["/x/sub/c", "/x/sub/c", "/x/b"]);
        assert_eq!(planned_targets(&[], &[&absolute]), ["/x/c"], "as if it were named itself");
        let file = SourceArg::File(at.join("a"), 1);
        let lines = [at.join("a"), at.join("sub/c"), at.join("b")].map(|path| path.display().to_string());
        let lines = lines.each_ref().map(String::as_str);
        assert_eq!(planned_targets(&[file, SourceArg::Contents(at.join("sub"))], &lines), ["/x/a", "/x/c", "b: usage"]);
    }
}
