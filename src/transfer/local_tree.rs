//! A walk over a local folder: what lies in it and where that lands on a remote, in a stable order. Links are followed, as
//! their content is what the user wants to have there, unless the filter skips them. In memory are the open folders, never the
//! whole tree.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::DateTime;
use walkdir::{DirEntry, WalkDir};

use super::download::part_file::is_reserved;
use super::filter::{Candidate, Filter, FilterDecision};
use super::source::file::unreadable;
use crate::error::{Error, Kind, Result};
use crate::model::RemotePath;

/// What a walk meets.
pub enum LocalFound {
    File {
        path: PathBuf,
        /// The folder it lands in.
        folder: RemotePath,
        name: String,
        /// Bytes.
        size: u64,
    },
    /// The walk comes into a folder; told only where somebody asked for it.
    Folder(RemotePath),
    /// A folder that no file makes.
    EmptyFolder(RemotePath),
    /// It can't be put; the others go on.
    Rejected { shown: String, error: Error },
    /// It is not wanted, which is no failure. What is to be told of it, and where it would land.
    LeftOut(String, Option<RemotePath>),
    /// It can't be put whoever wants it (a pipe, a socket, a device), which is no failure. What is to be told of it, and
    /// where it would land.
    Special(String, Option<RemotePath>),
}

/// All that lies in a folder.
pub struct LocalTree {
    top: PathBuf,
    target: RemotePath,
    steps: walkdir::IntoIter,
    /// From the top down to where the walk is.
    open: Vec<OpenFolder>,
    ready: VecDeque<LocalFound>,
    filter: Arc<Filter>,
    /// From the filter's source down to `top`.
    prefix: String,
    tells_folders: bool,
}

/// A folder that the walk is in.
struct OpenFolder {
    /// None: its name can't be stored, nor can what lies in it.
    place: Option<RemotePath>,
    /// Something in it makes it.
    is_filled: bool,
    /// It is put for its own sake, too.
    is_wanted: bool,
}

impl LocalTree {
    /// What is inside of `top` lands in `target`.
    pub fn new(top: &Path, target: &RemotePath) -> LocalTree {
        let filter = Arc::default();
        let (steps, target, top) = (walk(top, &filter), target.clone(), top.to_owned());
        LocalTree { top, target, steps, open: Vec::new(), ready: VecDeque::new(), filter, prefix: String::new(), tells_folders: false }
    }

    /// Only what fits. `prefix`: from the filter's source down to the top of this walk, names divided by `/`.
    pub(crate) fn with_filter(self, filter: Arc<Filter>, prefix: String) -> LocalTree {
        LocalTree { steps: walk(&self.top, &filter), filter, prefix, ..self }
    }

    /// Tells each folder that it comes into, whatever lies there.
    pub(crate) fn telling_folders(self) -> LocalTree {
        LocalTree { tells_folders: true, ..self }
    }

    /// As a filter wants it.
    fn path_of(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.top).unwrap_or(path).iter().map(OsStr::to_string_lossy);
        let prefix = (!self.prefix.is_empty()).then_some(Cow::Borrowed(self.prefix.as_str()));
        prefix.into_iter().chain(below).collect::<Vec<_>>().join("/")
    }

    /// Tells something that is left out, with all that lies in it; false: it is wanted. Asked for each file and folder before
    /// anything else is made of it.
    fn leaves_out(&mut self, met: &DirEntry) -> bool {
        let (shown, kind) = (met.path().display().to_string(), met.file_type());
        let found = if kind.is_dir() {
            let closed = self.filter.closes(&self.path_of(met.path()));
            closed
                .and_then(|why| self.filter.count_left_out(&shown, &FilterDecision::LeavesOut(why)))
                .map(|note| self.excluded_entry(note, met))
        } else if kind.is_file() && met.file_name().to_str().is_some_and(is_reserved) {
            Some(LocalFound::LeftOut(format!("{shown}: left out, as it belongs to a download of haul's in progress"), None))
        } else if kind.is_symlink() && self.filter.skips_links() {
            let note = self.filter.count_left_out(&shown, &FilterDecision::LeavesOut("--links skip".into()));
            note.map(|note| self.excluded_entry(note, met))
        } else {
            self.check_entry(met, &shown)
        };
        let is_out = found.is_some();
        self.ready.extend(found);
        let unreadable = self.filter.take_unreadable().into_iter();
        self.ready.extend(unreadable.map(|error| LocalFound::Rejected { shown: error.source_path().unwrap_or(&shown).to_owned(), error }));
        is_out
    }

    fn check_entry(&self, met: &DirEntry, shown: &str) -> Option<LocalFound> {
        let meta = (self.filter.needs_size() || self.filter.needs_time()).then(|| met.metadata().ok()).flatten();
        let (size, modified) = (meta.as_ref().map(Metadata::len), meta.and_then(|meta| meta.modified().ok()).map(DateTime::from));
        let path = self.path_of(met.path());
        let verdict = self.filter.decide(&Candidate { path: &path, size, modified, ..Candidate::default() });
        match verdict {
            // It is looked at again just before it is sent.
            FilterDecision::Takes | FilterDecision::Unsettled(_) | FilterDecision::Failed(_) if met.file_type().is_file() => None,
            FilterDecision::Takes | FilterDecision::Unsettled(_) | FilterDecision::Failed(_) if met.file_type().is_symlink() => None,
            FilterDecision::Takes | FilterDecision::Unsettled(_) | FilterDecision::Failed(_) => {
                let note = format!("{shown}: left out, as it is neither a file nor a folder");
                Some(LocalFound::Special(note, self.place_of(met).ok()))
            }
            verdict => self.filter.count_left_out(shown, &verdict).map(|note| self.excluded_entry(note, met)),
        }
    }

    fn excluded_entry(&self, note: String, met: &DirEntry) -> LocalFound {
        LocalFound::LeftOut(note, self.place_of(met).ok())
    }

    fn meet(&mut self, met: DirEntry) {
        self.close_down_to(met.depth());
        if self.leaves_out(&met) {
            if met.file_type().is_dir() {
                self.steps.skip_current_dir();
            }
            return;
        }
        let place = self.place_of(&met);
        if met.file_type().is_dir() {
            let (place, error) = match place {
                Ok(place) => (Some(place), None),
                Err(error) => (None, Some(error)),
            };
            let is_wanted = self.filter.takes_folder(&self.path_of(met.path()));
            self.ready.extend(place.clone().filter(|_| self.tells_folders).map(LocalFound::Folder));
            self.open.push(OpenFolder { place, is_filled: false, is_wanted });
            return self.ready.extend(error.map(|error| rejected_entry(&met, error)));
        }
        let found = place.and_then(|place| place_file(&met, &place));
        if let (Ok(_), Some(above)) = (&found, self.open.last_mut()) {
            above.is_filled = true;
            self.filter.count_taken();
        }
        self.ready.push_back(found.unwrap_or_else(|error| rejected_entry(&met, error)));
    }

    fn place_of(&self, met: &DirEntry) -> Result<RemotePath> {
        if met.depth() == 0 {
            return Ok(self.target.clone());
        }
        if let Some(OpenFolder { place: Some(folder), .. }) = self.open.last() {
            return folder.join(utf8(met.path(), met.file_name())?);
        }
        // Fails as the folder above it did, with the name that can't be stored.
        let below = met.path().strip_prefix(&self.top).unwrap_or(met.path());
        below.iter().try_fold(self.target.clone(), |folder, name| folder.join(utf8(met.path(), name)?))
    }

    /// Leaves the folders that are deeper. One that nothing has made is told.
    fn close_down_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some(OpenFolder { place, is_filled, is_wanted }) = self.open.pop() else { return };
            let is_put = place.is_some() && (is_filled || is_wanted);
            if let Some(above) = self.open.last_mut().filter(|_| is_put) {
                above.is_filled = true;
            }
            let empty = place.filter(|place| is_wanted && !is_filled && !place.is_root());
            self.ready.extend(empty.map(LocalFound::EmptyFolder));
        }
    }
}

impl LocalTree {
    /// A link that leads nowhere or back, a folder that can't be read. What is left out anyway fails nobody.
    fn unreadable_step(&self, e: walkdir::Error) -> LocalFound {
        let path = e.path().unwrap_or(&self.top).to_owned();
        let shown = path.display().to_string();
        if e.depth() > 0 {
            let verdict = self.filter.judge_place(&self.path_of(&path), path.is_dir());
            if let Some(note) = self.filter.count_left_out(&shown, &verdict) {
                return LocalFound::LeftOut(note, None);
            }
        }
        let error = match (e.loop_ancestor(), e.io_error().map(|io| io.kind())) {
            (Some(_), _) => Error::new(Kind::Local, "this link leads back to a folder above it").on_local(shown.clone()),
            (None, Some(kind)) => unreadable(&path, kind.into()),
            (None, None) => Error::new(Kind::Local, "it can't be read").on_local(shown.clone()),
        };
        LocalFound::Rejected { shown, error }
    }
}

fn walk(top: &Path, filter: &Filter) -> walkdir::IntoIter {
    WalkDir::new(top).follow_links(!filter.skips_links()).sort_by_file_name().into_iter()
}

impl Iterator for LocalTree {
    type Item = LocalFound;

    fn next(&mut self) -> Option<LocalFound> {
        loop {
            if let Some(found) = self.ready.pop_front() {
                return Some(found);
            }
            match self.steps.next() {
                Some(Ok(met)) => self.meet(met),
                Some(Err(e)) => return Some(self.unreadable_step(e)),
                None if self.open.is_empty() => return None,
                None => self.close_down_to(0),
            }
        }
    }
}

fn place_file(met: &DirEntry, place: &RemotePath) -> Result<LocalFound> {
    let (Some(folder), Some(name)) = (place.parent(), place.name()) else {
        return Err(Error::new(Kind::Local, "this is not a folder any more"));
    };
    let size = met.metadata().map_err(|e| Error::new(Kind::Local, "it can't be read").with_cause(e))?.len();
    Ok(LocalFound::File { path: met.path().to_owned(), folder, name: name.to_owned(), size })
}

fn rejected_entry(met: &DirEntry, error: Error) -> LocalFound {
    let shown = met.path().display().to_string();
    LocalFound::Rejected { error: error.on_local(shown.clone()), shown }
}

/// The name of a file as text. Fails with `Refused` for one that is not UTF-8.
pub(crate) fn utf8<'n>(path: &Path, name: &'n OsStr) -> Result<&'n str> {
    name.to_str().ok_or_else(|| {
        Error::new(Kind::Refused, "the name is not UTF-8, and the providers accept only UTF-8")
            .on_local(path.display().to_string())
            .with_hint("rename it first")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_all(top: &Path) -> Vec<String> {
        let target = RemotePath::parse("/x").unwrap();
        let told = |found| match found {
            LocalFound::File { folder, name, size, .. } => format!("{} {size}", folder.join(&name).unwrap()),
            LocalFound::EmptyFolder(folder) => format!("{folder}/"),
            LocalFound::Rejected { shown, error } => format!("{}: {}", shown.rsplit('/').next().unwrap(), error.kind().name()),
            LocalFound::Folder(folder) => format!("into {folder}"),
            LocalFound::LeftOut(note, _) | LocalFound::Special(note, _) => {
                format!("not {}", note.split(": left out").next().unwrap().rsplit('/').next().unwrap())
            }
        };
        LocalTree::new(top, &target).map(told).collect()
    }

    #[test]
    fn what_lies_where_and_which_folders_nothing_makes() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["a/full", "a/hollow/in/side", "parts", "z"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        for (name, content) in [("a/full/f", "1"), ("b", "22"), ("parts/.b.mov.haul-part", ""), ("parts/.b.mov.haul-part.json", "{}")] {
            std::fs::write(dir.path().join(name), content).unwrap();
        }
        let all =
            ["/x/a/full/f 1", "/x/a/hollow/in/side/", "/x/b 2", "not .b.mov.haul-part", "not .b.mov.haul-part.json", "/x/parts/", "/x/z/"];
        assert_eq!(list_all(dir.path()), all);
        assert_eq!(list_all(&dir.path().join("z")), ["/x/"], "an empty folder is put");
        assert_eq!(list_all(&dir.path().join("none")), ["none: not-found"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_what_cannot_be_stored_is_told() {
        use std::os::unix::ffi::OsStrExt;
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path();
        let foreign = top.join("d").join(OsStr::from_bytes(b"n\xff"));
        std::fs::create_dir_all(foreign.join("deep")).unwrap();
        std::fs::write(foreign.join("deep/f"), "1").unwrap();
        std::fs::write(top.join("e\nvil"), "1").unwrap();
        std::os::unix::fs::symlink(top.join("d"), top.join("d/loop")).unwrap();
        std::os::unix::fs::symlink("/nowhere", top.join("dangling")).unwrap();
        std::os::unix::fs::symlink(top.join("e\nvil"), top.join("good")).unwrap();
        let all = [
            "loop: local",
            "n\u{fffd}: refused",
            "deep: refused",
            "f: refused",
            "dangling: not-found",
            "/x/d/",
            "e\nvil: refused",
            "/x/good 1",
        ];
        assert_eq!(list_all(top), all);
    }
}
