//! What will be put, and where each file lands: the rules of `put` from the contract of the command line, on local
//! facts only. Over 300 lines with its tests.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use walkdir::WalkDir;

use crate::error::{Error, Kind, Result};
use crate::model::RemotePath;
use crate::transfer::download::part_file::is_reserved;
use crate::transfer::source::SourceSpec;
use crate::transfer::source::file::unreadable;

/// One file to put.
#[derive(Clone, Debug)]
pub struct PutItem {
    pub origin: SourceSpec,
    /// The folder it goes to, counted from the target's root.
    pub folder: RemotePath,
    pub name: String,
    /// Bytes, as far as known.
    pub size: Option<u64>,
}

impl PutItem {
    /// How a person calls the source: the path as it was typed or found, `-` for standard input, `REMOTE:PATH`.
    pub fn shown(&self) -> String {
        match &self.origin {
            SourceSpec::File(path) => path.display().to_string(),
            SourceSpec::Stdin => "-".to_owned(),
            SourceSpec::Remote(original) => original.shown.clone(),
        }
    }
}

#[derive(Debug, Default)]
pub struct Plan {
    pub items: Vec<PutItem>,
    /// Folders that no file makes.
    pub empty_folders: Vec<RemotePath>,
    /// Sources inside a folder that can't be put, each with its reason; the others go on.
    pub unfit: Vec<(String, Error)>,
    /// haul's own files of downloads in progress, which are nobody's content.
    pub left_out: Vec<String>,
}

impl Plan {
    pub fn bytes(&self) -> u64 {
        self.items.iter().filter_map(|i| i.size).fold(0, u64::saturating_add)
    }
}

/// What a `SOURCE` argument turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceArg {
    Stdin,
    File(PathBuf, u64),
    /// The folder itself, under its own name.
    Folder(PathBuf, String),
    /// `dir/`, `.`, `..`: what is inside.
    Contents(PathBuf),
}

/// Looks at every named source before anything is sent. Fails with `NotFound` or `Local` for the first that is unfit.
pub fn inspect_sources(sources: &[String]) -> Result<Vec<SourceArg>> {
    if sources.iter().filter(|s| *s == "-").count() > 1 {
        return Err(Error::new(Kind::Usage, "standard input can be put only once"));
    }
    sources.iter().map(|source| look_at_one(source).map_err(|e| e.with_source_path(source))).collect()
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
            Ok(SourceArg::Folder(path.to_owned(), utf8(path, name)?))
        }
        _ => Ok(SourceArg::Contents(path.to_owned())),
    }
}

/// Is the target a folder whatever the remote holds?
pub fn target_is_folder(sources: &[SourceArg], says_folder: bool) -> bool {
    says_folder || sources.len() > 1 || sources.iter().any(|s| matches!(s, SourceArg::Folder(..) | SourceArg::Contents(_)))
}

/// Lays the sources out under `target`; `as_folder`: each source lands in it under its own name, else `target` is the
/// one file's new name. `stdin_size`: bytes that standard input is said to have.
pub fn plan_uploads(sources: &[SourceArg], target: &RemotePath, as_folder: bool, stdin_size: Option<u64>) -> Result<Plan> {
    let mut plan = Plan::default();
    for source in sources {
        match source {
            SourceArg::Stdin => plan.items.push(place_stdin(target, as_folder, stdin_size)?),
            SourceArg::File(path, size) => plan.items.push(place_file(path, *size, target, as_folder)?),
            SourceArg::Folder(path, name) => walk(path, &target.join(name)?, &mut plan),
            SourceArg::Contents(path) => walk(path, target, &mut plan),
        }
    }
    reject_duplicates(&plan)?;
    Ok(plan)
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
        _ => (target.clone(), utf8(path, own)?),
    };
    folder.join(&name)?;
    Ok(PutItem { origin: SourceSpec::File(path.to_owned()), folder, name, size: Some(size) })
}

/// Files below `top` in a stable order; links are followed, as their content is what the user wants to have there.
fn walk(top: &Path, target: &RemotePath, plan: &mut Plan) {
    let mut folders = Vec::new();
    let mut filled = HashSet::new();
    for step in WalkDir::new(top).follow_links(true).sort_by_file_name() {
        let found = step.map_err(|e| unreadable_step(top, e)).and_then(|entry| place_below(top, target, entry));
        match found {
            Ok(LocalEntry::Folder(folder)) => folders.push(folder),
            Ok(LocalEntry::File(item)) if is_reserved(&item.name) => plan.left_out.push(item.shown()),
            Ok(LocalEntry::File(item)) => {
                filled.insert(item.folder.clone());
                plan.items.push(item);
            }
            Err((shown, error)) => plan.unfit.push((shown, error)),
        }
    }
    plan.empty_folders.extend(empty_ones(folders, &filled));
}

/// Of these folders the ones that no file (`filled`) and no other folder makes.
pub(crate) fn empty_ones(folders: Vec<RemotePath>, filled: &HashSet<RemotePath>) -> impl Iterator<Item = RemotePath> {
    let has_child: HashSet<RemotePath> = folders.iter().filter_map(RemotePath::parent).collect();
    folders.into_iter().filter(move |f| !filled.contains(f) && !has_child.contains(f) && !f.is_root())
}

enum LocalEntry {
    Folder(RemotePath),
    File(PutItem),
}

fn place_below(top: &Path, target: &RemotePath, entry: walkdir::DirEntry) -> std::result::Result<LocalEntry, (String, Error)> {
    let shown = entry.path().display().to_string();
    let failed = |e: Error| (shown.clone(), e.on_local(shown.clone()));
    let below = entry.path().strip_prefix(top).unwrap_or(entry.path());
    let mut path = target.clone();
    for name in below.components() {
        if let Component::Normal(name) = name {
            path = utf8(entry.path(), name).and_then(|name| path.join(&name)).map_err(failed)?;
        }
    }
    if entry.file_type().is_dir() {
        return Ok(LocalEntry::Folder(path));
    }
    let (Some(folder), Some(name)) = (path.parent(), path.name()) else {
        return Err(failed(Error::new(Kind::Local, "this is no folder any more")));
    };
    if !entry.file_type().is_file() {
        return Err(failed(Error::new(Kind::Local, "this is neither a file nor a folder")));
    }
    let size = entry.metadata().map_err(|e| failed(Error::new(Kind::Local, "it can't be read").with_cause(e)))?.len();
    Ok(LocalEntry::File(PutItem { origin: SourceSpec::File(entry.path().to_owned()), folder, name: name.to_owned(), size: Some(size) }))
}

fn unreadable_step(top: &Path, e: walkdir::Error) -> (String, Error) {
    let path = e.path().unwrap_or(top).to_owned();
    let error = match (e.loop_ancestor(), e.io_error().map(|io| io.kind())) {
        (Some(_), _) => Error::new(Kind::Local, "this link leads back to a folder above it").on_local(path.display().to_string()),
        (None, Some(kind)) => unreadable(&path, kind.into()),
        (None, None) => Error::new(Kind::Local, "it can't be read").on_local(path.display().to_string()),
    };
    (path.display().to_string(), error)
}

fn utf8(path: &Path, name: &std::ffi::OsStr) -> Result<String> {
    let text = name.to_str().ok_or_else(|| {
        Error::new(Kind::Refused, "the name is not UTF-8, and the providers take nothing else")
            .on_local(path.display().to_string())
            .with_hint("rename it first")
    })?;
    Ok(text.to_owned())
}

fn reject_duplicates(plan: &Plan) -> Result<()> {
    let mut taken = HashSet::new();
    for item in &plan.items {
        if !taken.insert((&item.folder, &item.name)) {
            let at = item.folder.join(&item.name)?;
            return Err(Error::new(Kind::Usage, format!("two sources would land on {at}"))
                .with_subject(item.shown())
                .with_source_path(item.shown())
                .with_hint("put them into different folders"));
        }
    }
    Ok(())
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

    fn landing(dir: &Path, sources: &[&str], target: &str, exists: bool) -> Vec<String> {
        let sources: Vec<String> = sources.iter().map(|s| format!("{}/{s}", dir.display())).collect();
        let named = inspect_sources(&sources).unwrap();
        let as_folder = target_is_folder(&named, target.ends_with('/') || exists);
        let plan = plan_uploads(&named, &RemotePath::parse(target).unwrap(), as_folder, None).unwrap();
        plan.items.iter().map(|i| i.folder.join(&i.name).unwrap().to_string()).collect()
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
    fn empty_folders_are_kept_in_mind() {
        let dir = tree();
        let named = inspect_sources(&[format!("{}/d", dir.path().display())]).unwrap();
        let plan = plan_uploads(&named, &RemotePath::root(), true, None).unwrap();
        assert_eq!(plan.empty_folders.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/d/sub/empty"]);
        assert_eq!(plan.bytes(), 3);
    }

    #[test]
    fn downloads_in_progress_are_left_out_of_a_folder() {
        let dir = tree();
        for name in ["d/.b.mov.haul-part", "d/.b.mov.haul-part.json", "d/b.haul-part"] {
            std::fs::write(dir.path().join(name), "half").unwrap();
        }
        let of = |name: &str| {
            let named = inspect_sources(&[format!("{}/{name}", dir.path().display())]).unwrap();
            plan_uploads(&named, &RemotePath::root(), true, None).unwrap()
        };
        let plan = of("d");
        assert_eq!(plan.items.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["b.haul-part", "b.txt", "a.txt"]);
        assert_eq!(plan.left_out.len(), 2);
        assert_eq!(of("d/.b.mov.haul-part").items.len(), 1, "named itself, it is wanted");
    }

    #[test]
    fn sources_that_are_unfit() {
        let dir = tree();
        let missing = inspect_sources(&[format!("{}/nope", dir.path().display())]).unwrap_err();
        assert_eq!(missing.kind(), Kind::NotFound);
        assert_eq!(inspect_sources(&["-".into(), "-".into()]).unwrap_err().kind(), Kind::Usage);
        assert_eq!(plan_uploads(&[SourceArg::Stdin], &RemotePath::root(), true, None).unwrap_err().kind(), Kind::Usage);
        let f = format!("{}/f", dir.path().display());
        let twice = plan_uploads(&inspect_sources(&[f.clone(), f]).unwrap(), &RemotePath::root(), true, None);
        assert_eq!(twice.unwrap_err().kind(), Kind::Usage);
    }

    #[cfg(unix)]
    #[test]
    fn links_loops_and_names_that_no_remote_holds() {
        let dir = tree();
        std::os::unix::fs::symlink(dir.path().join("d"), dir.path().join("d/sub/loop")).unwrap();
        std::os::unix::fs::symlink("/nowhere", dir.path().join("d/broken")).unwrap();
        std::fs::write(dir.path().join("d/evil\nname"), "x").unwrap();
        let named = inspect_sources(&[format!("{}/d", dir.path().display())]).unwrap();
        let plan = plan_uploads(&named, &RemotePath::root(), true, None).unwrap();
        let mut kinds: Vec<_> = plan.unfit.iter().map(|(_, e)| e.kind()).collect();
        kinds.sort_by_key(|k| k.name());
        assert_eq!(kinds, [Kind::Local, Kind::NotFound, Kind::Refused]);
        assert_eq!(plan.items.len(), 2);
    }
}
