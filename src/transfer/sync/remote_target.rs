//! A remote TO, compared with FROM while both are walked: what of FROM is there, and what FROM lacks. Of TO no more is kept than
//! the open folders and what FROM lacks.

use std::collections::HashSet;
use std::sync::Arc;

use super::may_go::{entry_may_go, folder_may_go};
use super::remote_levels::{RemoteLevel, RemoteLevels};
use super::remote_tree::{At, RemoteTree, text_of};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, RemotePath};
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::Filter;
use crate::transfer::walk::is_fatal;

/// What TO has and FROM lacks.
#[derive(Default)]
pub(super) struct Lacking {
    /// Only that, and the folders above it.
    pub tree: RemoteTree,
    pub files: Vec<At>,
    pub folders: Vec<usize>,
    /// Files, also where they are only counted.
    pub count: u64,
}

impl Lacking {
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.files.iter().filter_map(|at| self.tree.entry(*at)).map(|entry| entry.path.to_string()).collect();
        names.sort();
        names
    }
}

pub(super) struct RemoteTarget {
    /// None: TO is not there.
    levels: Option<RemoteLevels>,
    /// Of each open folder: its place among what FROM lacks, and whether FROM lacks it, too.
    open: Vec<OpenTargetFolder>,
    filter: Arc<Filter>,
    /// What FROM lacks is told by name, and not only counted.
    names: bool,
    pub lacking: Lacking,
    /// Files that the filter takes.
    pub files: u64,
    /// What can't be listed, or not all of it.
    pub unread: Vec<(Entry, Error)>,
    unlisted: HashSet<RemotePath>,
    /// FROM, where it is on the same server: neither may lie in the other.
    apart_from: Option<String>,
}

struct OpenTargetFolder {
    at: usize,
    is_lacking: bool,
    /// Folders before this position of it are done with, as it is left.
    passed: usize,
}

impl RemoteTarget {
    /// `names`: what FROM lacks is told by name. `apart_from`: the id of a folder that must not lie in it.
    pub async fn open(
        client: RemoteClient,
        top: Option<Entry>,
        jobs: usize,
        filter: Arc<Filter>,
        names: bool,
        apart_from: Option<String>,
    ) -> Result<RemoteTarget> {
        let (lacking, files, unread, unlisted) = (Lacking::default(), 0, Vec::new(), HashSet::new());
        let mut target = RemoteTarget { levels: None, open: Vec::new(), filter, names, lacking, files, unread, unlisted, apart_from };
        let Some(top) = top else { return Ok(target) };
        match RemoteLevels::open(client, top.clone(), jobs, target.filter.clone()).await {
            Ok((levels, left_out)) => {
                target.unread.extend(left_out.map(|error| (top, error)));
                target.levels = Some(levels);
                target.begin_folder(false);
            }
            Err(error) if is_fatal(error.kind()) => return Err(error),
            Err(error) => target.unread.push((top, error)),
        }
        Ok(target)
    }

    /// Comes to a folder of FROM, by its path at TO; true: TO has it. What is left by that is done with. Fails where every
    /// further listing would, and with `Exists` where TO has one folder for two of FROM.
    pub async fn advance_to(&mut self, folder: &RemotePath) -> Result<bool> {
        while self.innermost().is_some_and(|level| folder.below(&level.path).is_none()) {
            self.leave().await?;
        }
        while let Some(level) = self.innermost() {
            let Some(name) = folder.names().get(level.path.names().len()) else { return Ok(true) };
            let path = level.path.join(name)?;
            if self.unlisted.contains(&path) {
                return Ok(false);
            }
            let of_that_name = level.entries.sorted_positions(name).filter(|n| level.entries.is_folder(*n));
            let Some((n, is_met)) = of_that_name.map(|n| (n, level.met.get(n) == Some(&true))).next() else { return Ok(false) };
            if is_met {
                let why = "another folder of FROM is this one at TO, so nothing of this one was brought";
                return Err(Error::new(Kind::Exists, why).with_subject(folder.to_string()).with_hint("give one of them another name"));
            }
            if !self.enter(n, false).await? {
                self.unlisted.insert(path);
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// What has this name in a folder of TO: all entries of the name. They are not what FROM lacks. `learned`: the name under
    /// which the server is known to keep a file of that name.
    pub async fn find(
        &mut self,
        folder: &RemotePath,
        name: &str,
        learned: impl FnOnce(&Entry) -> Result<Option<String>>,
    ) -> Result<Vec<Entry>> {
        if !self.advance_to(folder).await? {
            return Ok(Vec::new());
        }
        let Some(level) = self.levels.as_mut().and_then(RemoteLevels::innermost_mut) else { return Ok(Vec::new()) };
        let mut named = level.entries.sorted_positions(name);
        if named.is_empty()
            && !level.entries.is_empty()
            && let Some(stored) = learned(&level.entry)?
        {
            named = level.entries.sorted_positions(&stored);
        }
        named.clone().for_each(|n| level.meet(n));
        Ok(named.filter_map(|n| level.entries.get(n)).collect())
    }

    /// All that FROM has has come.
    pub async fn finish(&mut self) -> Result<()> {
        while self.innermost().is_some() {
            self.leave().await?;
        }
        Ok(())
    }

    fn innermost(&self) -> Option<&RemoteLevel> {
        self.levels.as_ref().and_then(RemoteLevels::innermost)
    }

    /// False: it can't be listed.
    async fn enter(&mut self, n: usize, is_lacking: bool) -> Result<bool> {
        let Some(levels) = self.levels.as_mut() else { return Ok(false) };
        let folder = levels.innermost().and_then(|level| level.entries.get(n));
        if let (Some(folder), Some(apart)) = (&folder, &self.apart_from)
            && folder.id == *apart
        {
            return Err(one_in_the_other(&levels.client.address(&folder.path)));
        }
        match levels.enter(n).await {
            Ok(left_out) => {
                self.unread.extend(folder.into_iter().zip(left_out));
                self.begin_folder(is_lacking);
                Ok(true)
            }
            Err(error) if is_fatal(error.kind()) => Err(error),
            Err(error) => {
                levels.innermost_mut().into_iter().for_each(|level| level.meet(n));
                self.unread.extend(folder.map(|folder| (folder, error)));
                Ok(false)
            }
        }
    }

    fn begin_folder(&mut self, is_lacking: bool) {
        let at = self.lacking.tree.folders.len();
        self.open.push(OpenTargetFolder { at, is_lacking, passed: 0 });
        if let Some(level) = self.levels.as_ref().and_then(RemoteLevels::innermost).filter(|_| self.names) {
            let above = self.open.len().checked_sub(2).and_then(|above| self.open.get(above)).map(|above| above.at);
            self.lacking.tree.begin_folder(level.entry.clone(), level.path.clone(), above);
        }
    }

    /// Leaves the innermost folder, and all in it that FROM has not come to.
    async fn leave(&mut self) -> Result<()> {
        let depth = self.open.len();
        self.levels.iter_mut().for_each(RemoteLevels::turn_back);
        while self.open.len() >= depth && depth > 0 {
            let passed = self.open.last().map_or(0, |open| open.passed);
            match self.innermost().and_then(|level| level.unmet_folder(passed)) {
                Some(n) => {
                    self.open.last_mut().into_iter().for_each(|open| open.passed = n + 1);
                    self.enter_lacking(n).await?;
                }
                None => self.end_folder()?,
            }
        }
        Ok(())
    }

    async fn enter_lacking(&mut self, n: usize) -> Result<()> {
        let Some(level) = self.innermost() else { return Ok(()) };
        let Some(folder) = level.entries.get(n) else { return Ok(()) };
        if level.has_double(n) {
            let error = Error::new(Kind::Ambiguous, "another folder of its folder has this name").with_hint("give it another name first");
            self.unread.push((folder, error));
            return Ok(());
        }
        match level.path.join(&folder.name) {
            Ok(path) if self.filter.closes(&text_of(&path)).is_some() => {}
            Ok(path) => {
                let may_go = folder_may_go(&self.filter, &path);
                self.enter(n, may_go).await?;
            }
            Err(error) => self.unread.push((folder, error)),
        }
        Ok(())
    }

    /// The innermost folder is done with.
    fn end_folder(&mut self) -> Result<()> {
        let (Some(open), Some(level)) = (self.open.pop(), self.levels.as_mut().and_then(RemoteLevels::leave)) else { return Ok(()) };
        let mut lacking = Vec::new();
        for n in (0..level.entries.len()).filter(|n| !level.entries.is_folder(*n)) {
            let is_met = level.met.get(n) == Some(&true);
            if is_met && !self.names {
                continue;
            }
            let Some(entry) = level.entries.get(n).filter(|entry| !entry.incomplete) else { continue };
            let is_taken = level.path.join(&entry.name).map_or(is_met, |path| entry_may_go(&self.filter, &path, &entry));
            self.files += u64::from(is_taken);
            if is_taken && !is_met && !is_in_progress(&entry.name) {
                lacking.push(n);
            }
        }
        self.lacking.count += lacking.len() as u64;
        if !self.names {
            return Ok(());
        }
        if lacking.is_empty() && !open.is_lacking {
            self.lacking.tree.drop_last(open.at);
            return Ok(());
        }
        self.lacking.files.extend((0..lacking.len()).map(|n| (open.at, n)));
        self.lacking.folders.extend(open.is_lacking.then_some(open.at));
        self.lacking.tree.fill(open.at, level.entries.select(&lacking)?);
        Ok(())
    }
}

/// It would grow with each run, or be deleted.
pub(super) fn one_in_the_other(place: &str) -> Error {
    Error::new(Kind::Usage, "one side of the sync lies in the other")
        .with_subject(place)
        .with_hint("choose two places of which neither holds the other")
}

/// Another run may be busy with it.
fn is_in_progress(name: &str) -> bool {
    name.ends_with(".haul-part") || name.ends_with(".haul-old")
}
