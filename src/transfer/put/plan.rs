//! What a `put` will upload, and where each file goes: the rules of `put` from the contract of the command line, from local
//! facts only.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use chrono::DateTime;

use crate::error::{Error, Kind, Result};
use crate::model::RemotePath;
use crate::transfer::filter::{Candidate, Filter, FilterDecision};
use crate::transfer::local_tree::{LocalFound, LocalTree, utf8};
use crate::transfer::source::SourceSpec;
use crate::transfer::source::file::unreadable;

/// One file to put.
#[derive(Clone, Debug)]
pub struct PutItem {
    pub origin: SourceSpec,
    /// The target folder, relative to the target's root.
    pub folder: RemotePath,
    pub name: String,
    /// Bytes, if known.
    pub size: Option<u64>,
}

impl PutItem {
    /// The name of the source for the user: the path as it was typed or found, `-` for standard input, `REMOTE:PATH`.
    pub fn display_source(&self) -> String {
        match &self.origin {
            SourceSpec::File(path) => path.display().to_string(),
            SourceSpec::Stdin => "-".to_owned(),
            SourceSpec::Remote(original) => original.shown.clone(),
        }
    }
}

/// A step of a plan.
#[derive(Debug)]
pub enum PlanStep {
    Put(PutItem),
    /// A folder without files, which is made on its own.
    EmptyFolder(RemotePath),
    /// A source that can't be uploaded, and why; the others go on.
    Rejected(String, Error),
    /// A message about an entry that the filter leaves out: no failure.
    LeftOut(String),
    /// A message about an entry that can never be uploaded, for example a device: no failure.
    Special(String),
}

/// The target of one source of the command line, or of a file of a list.
#[derive(Debug)]
pub enum PlannedSource {
    /// A single file, with its path for the filter.
    One(PutItem, FilterPath),
    /// The content of a local folder, which goes into the folder at the path.
    Tree(PathBuf, RemotePath, FilterPath),
    /// The source can't be uploaded; the others go on.
    Rejected(String, Error),
}

/// A source as the filter needs it.
#[derive(Clone, Debug)]
pub struct FilterPath {
    pub filter: Arc<Filter>,
    /// The path from the filter's source, with `/` between names.
    pub path: String,
    /// The user named this source itself.
    pub is_source: bool,
}

impl PlannedSource {
    fn place(&self) -> Result<Option<RemotePath>> {
        match self {
            PlannedSource::One(item, _) => item.folder.join(&item.name).map(Some),
            PlannedSource::Tree(_, target, _) => Ok(Some(target.clone())),
            PlannedSource::Rejected(..) => Ok(None),
        }
    }

    /// The steps for the source. The disk is read while the iterator runs.
    pub fn steps(self) -> Box<dyn Iterator<Item = PlanStep>> {
        match self {
            PlannedSource::One(item, at) => Box::new(one_step(item, &at).into_iter()),
            PlannedSource::Tree(top, target, at) => {
                Box::new(LocalTree::new(&top, &target).with_filter(at.filter, at.path).filter_map(PlanStep::of))
            }
            PlannedSource::Rejected(shown, error) => Box::new(std::iter::once(PlanStep::Rejected(shown, error))),
        }
    }
}

/// Standard input always fits: the filter has nothing to check.
fn one_step(item: PutItem, at: &FilterPath) -> Option<PlanStep> {
    let FilterPath { filter, path, is_source } = at;
    if let SourceSpec::File(file) = &item.origin {
        let modified = filter.needs_time().then(|| file.metadata().and_then(|meta| meta.modified()).ok()).flatten().map(DateTime::from);
        let verdict = filter.decide(&Candidate { path, is_source: *is_source, is_folder: false, size: item.size, modified });
        if !matches!(verdict, FilterDecision::Unsettled(_))
            && let Some(note) = filter.count_left_out(&item.display_source(), &verdict)
        {
            return Some(PlanStep::LeftOut(note));
        }
    }
    filter.count_taken();
    Some(PlanStep::Put(item))
}

impl PlanStep {
    /// None: nothing is to be done for it.
    fn of(found: LocalFound) -> Option<PlanStep> {
        Some(match found {
            LocalFound::File { path, folder, name, size } => {
                PlanStep::Put(PutItem { origin: SourceSpec::File(path), folder, name, size: Some(size) })
            }
            LocalFound::Folder(_) => return None,
            LocalFound::EmptyFolder(folder) => PlanStep::EmptyFolder(folder),
            LocalFound::Rejected { shown, error } => PlanStep::Rejected(shown, error),
            LocalFound::LeftOut(note, _) => PlanStep::LeftOut(note),
            LocalFound::Special(note, _) => PlanStep::Special(note),
        })
    }
}

/// What a `SOURCE` argument is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceArg {
    Stdin,
    File(PathBuf, u64),
    /// The folder itself, under its own name.
    Folder(PathBuf, String),
    /// `dir/`, `.`, `..`: the content of the folder.
    Contents(PathBuf),
}

/// The checked sources of the command line.
#[derive(Debug)]
pub struct NamedSources {
    pub found: Vec<SourceArg>,
    /// Sources that can't be uploaded.
    pub unfit: Vec<(String, Error)>,
}

/// Checks every named source before anything is sent. If the only source is unfit, fails with `NotFound` or `Local`; of several
/// sources an unfit one is a failed file.
pub fn inspect_sources(sources: &[String]) -> Result<NamedSources> {
    if sources.iter().filter(|s| *s == "-").count() > 1 {
        return Err(Error::new(Kind::Usage, "standard input can be put only once"));
    }
    let mut named = NamedSources { found: Vec::new(), unfit: Vec::new() };
    for source in sources {
        match look_at_one(source).map_err(|e| e.with_source_path(source)) {
            Ok(found) => named.found.push(found),
            Err(error) if sources.len() == 1 || error.kind() == Kind::Usage => return Err(error),
            Err(error) => named.unfit.push((source.clone(), error)),
        }
    }
    Ok(named)
}

fn look_at_one(source: &str) -> Result<SourceArg> {
    if source == "-" {
        crate::transfer::source::stdin::standard_input()?;
        return Ok(SourceArg::Stdin);
    }
    let path = Path::new(source);
    let meta = std::fs::metadata(path).map_err(|e| unreadable(path, e))?;
    if meta.is_file() {
        std::fs::File::open(path).map_err(|e| unreadable(path, e))?;
        return Ok(SourceArg::File(path.to_owned(), meta.len()));
    }
    if !meta.is_dir() {
        return Err(Error::new(Kind::Local, "this is neither a file nor a folder")
            .on_local(source)
            .with_hint("pipe it in: … | haul put - REMOTE:PATH"));
    }
    std::fs::read_dir(path).map_err(|e| unreadable(path, e))?;
    match path.components().next_back() {
        Some(Component::Normal(name)) if !source.ends_with(['/', std::path::MAIN_SEPARATOR]) && !source.ends_with("/.") => {
            Ok(SourceArg::Folder(path.to_owned(), utf8(path, name)?.to_owned()))
        }
        _ => Ok(SourceArg::Contents(path.to_owned())),
    }
}

/// True if the target must be a folder, whatever the remote contains.
pub fn target_is_folder(sources: &[SourceArg], unfit: usize, says_folder: bool) -> bool {
    says_folder || sources.len() + unfit > 1 || sources.iter().any(|s| matches!(s, SourceArg::Folder(..) | SourceArg::Contents(_)))
}

/// Plans the sources below `target`. With `as_folder` each source goes into it under its own name, else `target` is the new
/// name of the one file. `stdin_size` is the announced size of standard input in bytes. Fails if two sources have the same
/// target.
pub fn plan_uploads(
    sources: &[SourceArg],
    target: &RemotePath,
    as_folder: bool,
    stdin_size: Option<u64>,
    filter: &Arc<Filter>,
) -> Result<Vec<PlannedSource>> {
    let of_folder = |path: &Path| FilterPath { filter: Arc::new(filter.of_local_folder(path)), path: String::new(), is_source: true };
    let named = |path: &Path| {
        let path = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        FilterPath { filter: filter.clone(), path, is_source: true }
    };
    let land = |source: &SourceArg| {
        Ok(match source {
            SourceArg::Stdin => PlannedSource::One(place_stdin(target, as_folder, stdin_size)?, named(Path::new("-"))),
            SourceArg::File(path, size) => PlannedSource::One(place_file(path, *size, target, as_folder)?, named(path)),
            SourceArg::Folder(path, name) => PlannedSource::Tree(path.clone(), target.join(name)?, of_folder(path)),
            SourceArg::Contents(path) => PlannedSource::Tree(path.clone(), target.clone(), of_folder(path)),
        })
    };
    let planned = sources.iter().map(land).collect::<Result<Vec<_>>>()?;
    reject_duplicates(&planned)?;
    Ok(planned)
}

fn place_stdin(target: &RemotePath, as_folder: bool, size: Option<u64>) -> Result<PutItem> {
    match (target.parent(), target.name()) {
        (Some(folder), Some(name)) if !as_folder => Ok(PutItem { origin: SourceSpec::Stdin, folder, name: name.to_owned(), size }),
        _ => Err(Error::new(Kind::Usage, "standard input has no name of its own")
            .on_local("-")
            .with_hint("end the target with the file's name: haul put - REMOTE:/folder/name")),
    }
}

fn place_file(path: &Path, size: u64, target: &RemotePath, as_folder: bool) -> Result<PutItem> {
    let own = path.file_name().ok_or_else(|| Error::new(Kind::Usage, "this source has no name").on_local(path.display().to_string()))?;
    let (folder, name) = match (target.parent(), target.name()) {
        (Some(folder), Some(name)) if !as_folder => (folder, name.to_owned()),
        _ => (target.clone(), utf8(path, own)?.to_owned()),
    };
    folder.join(&name)?;
    Ok(PutItem { origin: SourceSpec::File(path.to_owned()), folder, name, size: Some(size) })
}

/// Checks that no two sources have the same target, before anything is sent. Files of one folder never have, so a folder is
/// read for this check only if another source goes into the same target folder.
fn reject_duplicates(planned: &[PlannedSource]) -> Result<()> {
    let mut trees: HashMap<RemotePath, usize> = HashMap::new();
    for source in planned {
        if let PlannedSource::Tree(_, target, _) = source {
            *trees.entry(target.clone()).or_default() += 1;
        }
    }
    let mut shared: HashSet<RemotePath> = HashSet::new();
    for source in planned {
        let Some(place) = source.place()? else { continue };
        let above = std::iter::successors(place.parent(), RemotePath::parent).filter(|above| trees.contains_key(above));
        let above: Vec<RemotePath> = above.collect();
        if matches!(source, PlannedSource::Tree(..)) && (!above.is_empty() || trees.get(&place).is_some_and(|trees| *trees > 1)) {
            shared.insert(place);
        }
        shared.extend(above);
    }
    let mut taken = HashSet::new();
    for source in planned {
        match source {
            PlannedSource::One(item, _) => take(item, &mut taken)?,
            PlannedSource::Tree(top, target, at) if shared.contains(target) => {
                for step in LocalTree::new(top, target).with_filter(at.filter.clone(), at.path.clone()).filter_map(PlanStep::of) {
                    if let PlanStep::Put(item) = step {
                        take(&item, &mut taken)?;
                    }
                }
            }
            PlannedSource::Tree(..) | PlannedSource::Rejected(..) => {}
        }
    }
    Ok(())
}

fn take(item: &PutItem, taken: &mut HashSet<RemotePath>) -> Result<()> {
    let at = item.folder.join(&item.name)?;
    if taken.insert(at.clone()) {
        return Ok(());
    }
    Err(Error::new(Kind::Usage, format!("two sources have the same target: {at}"))
        .with_subject(item.display_source())
        .with_source_path(item.display_source())
        .with_hint("put them into different folders"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("d/sub/empty")).unwrap();
        std::fs::write(dir.path().join("d/b.txt"), "b").unwrap();
        std::fs::write(dir.path().join("d/sub/a.txt"), "aa").unwrap();
        std::fs::write(dir.path().join("f"), "fff").unwrap();
        dir
    }

    fn plan_in(dir: &Path, sources: &[&str], target: &str, exists: bool) -> Result<Vec<PlannedSource>> {
        let sources: Vec<String> = sources.iter().map(|s| format!("{}/{s}", dir.display())).collect();
        let named = inspect_sources(&sources).unwrap();
        let as_folder = target_is_folder(&named.found, 0, target.ends_with('/') || exists);
        plan_uploads(&named.found, &RemotePath::parse(target).unwrap(), as_folder, None, &Arc::default())
    }

    fn landing(dir: &Path, sources: &[&str], target: &str, exists: bool) -> Vec<String> {
        let steps = plan_in(dir, sources, target, exists).unwrap().into_iter().flat_map(PlannedSource::steps);
        let places = steps.filter_map(|step| match step {
            PlanStep::Put(item) => Some(item.folder.join(&item.name).unwrap().to_string()),
            _ => None,
        });
        places.collect()
    }

    #[test]
    fn where_an_upload_lands() {
        let dir = tree();
        let at = dir.path();
        assert_eq!(landing(at, &["d"], "/x/", false), ["/x/d/b.txt", "/x/d/sub/a.txt"]);
        assert_eq!(landing(at, &["d"], "/x", false), ["/x/d/b.txt", "/x/d/sub/a.txt"]);
        assert_eq!(landing(at, &["d/"], "/x", false), ["/x/b.txt", "/x/sub/a.txt"]);
        assert_eq!(landing(at, &["d/."], "/x", false), ["/x/b.txt", "/x/sub/a.txt"]);
        assert_eq!(landing(at, &["f"], "/x/new", false), ["/x/new"]);
        assert_eq!(landing(at, &["f"], "/x/new", true), ["/x/new/f"]);
        assert_eq!(landing(at, &["f"], "/x/", false), ["/x/f"]);
        assert_eq!(landing(at, &["f"], "/", false), ["/f"]);
        assert_eq!(landing(at, &["f", "d/b.txt"], "/x", false), ["/x/f", "/x/b.txt"]);
    }

    #[test]
    fn a_part_of_a_download_that_is_named_is_wanted() {
        let dir = tree();
        std::fs::write(dir.path().join("d/.b.mov.haul-part"), "half").unwrap();
        assert_eq!(landing(dir.path(), &["d/.b.mov.haul-part"], "/", false), ["/.b.mov.haul-part"]);
        assert_eq!(landing(dir.path(), &["d/"], "/", false), ["/b.txt", "/sub/a.txt"]);
    }

    #[test]
    fn sources_that_are_unfit() {
        let dir = tree();
        let missing = inspect_sources(&[format!("{}/nope", dir.path().display())]).unwrap_err();
        assert_eq!(missing.kind(), Kind::NotFound);
        assert_eq!(inspect_sources(&["-".into(), "-".into()]).unwrap_err().kind(), Kind::Usage);
        assert_eq!(plan_uploads(&[SourceArg::Stdin], &RemotePath::root(), true, None, &Arc::default()).unwrap_err().kind(), Kind::Usage);
    }

    #[test]
    fn two_sources_that_land_on_one_place_are_refused_before_anything_is_sent() {
        let dir = tree();
        let at = dir.path();
        std::fs::create_dir_all(at.join("e/d/sub")).unwrap();
        std::fs::write(at.join("e/d/b.txt"), "other").unwrap();
        std::fs::write(at.join("e/a.txt"), "other").unwrap();
        for (sources, place) in [
            (&["f", "f"][..], Some("/x/f")),
            (&["d", "e/d"], Some("/x/d/b.txt")),
            (&["d/", "e/d/b.txt"], Some("/x/b.txt")),
            (&["e/d/b.txt", "d/"], Some("/x/b.txt")),
            (&["d/sub/", "e/"], Some("/x/a.txt")),
            (&["d", "e/"], Some("/x/d/b.txt")),
            (&["d/", "e"], None),
            (&["d/sub/", "e/d/"], None),
            (&["d", "f"], None),
        ] {
            let refused = plan_in(at, sources, "/x", false).err().map(|e| (e.kind(), e.to_string()));
            let wanted = place.map(|place| (Kind::Usage, format!("two sources have the same target: {place}")));
            assert_eq!(
                refused.map(|(kind, text)| (kind, text.contains(place.unwrap_or("?")))),
                wanted.map(|(kind, _)| (kind, true)),
                "{sources:?}"
            );
        }
    }
}
