//! Walks over a remote TO beside the walk over FROM: says what TO has of FROM, and what FROM lacks. Only the open folders of TO and
//! the entries that FROM lacks are kept in memory.

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

/// The entries that TO has and FROM lacks.
#[derive(Default)]
pub(super) struct Lacking {
    /// The entries that FROM lacks, and the folders above them.
    pub tree: RemoteTree,
    pub files: Vec<At>,
    pub folders: Vec<usize>,
    /// The number of files, also where their names are not kept.
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
    /// None: there is no folder TO, or TO can't be listed.
    levels: Option<RemoteLevels>,
    /// The open folders; the innermost folder is the last.
    open: Vec<OpenTargetFolder>,
    filter: Arc<Filter>,
    /// Keeps the entries that FROM lacks, and does not only count these entries.
    names: bool,
    pub lacking: Lacking,
    /// The number of files of TO that the filter takes; complete only with `names`.
    pub files: u64,
    /// The folders that can't be listed, or not whole, and the entries whose name can't be used.
    pub unread: Vec<(Entry, Error)>,
    unlisted: HashSet<RemotePath>,
    /// The id of FROM, where FROM is on the same server: FROM must not lie in TO.
    apart_from: Option<String>,
}

/// An open folder of TO.
struct OpenTargetFolder {
    /// The position of the folder in the tree of `lacking`.
    at: usize,
    /// FROM lacks this folder.
    is_lacking: bool,
    /// While the folder is left: the position behind the last inner folder that was looked at.
    passed: usize,
}

impl RemoteTarget {
    /// Lists the top of TO. `names`: the entries that FROM lacks are kept. `apart_from`: the id of a folder that must not lie in TO.
    /// Fails where all further listings would fail alike.
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

    /// Comes to a folder of FROM, given by its path at TO, and finishes the folders that are left on the way. True: TO has the
    /// folder. Fails where all further listings would fail alike, with `Exists` where two folders of FROM would be one folder at TO,
    /// and with `Usage` where FROM lies in TO.
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

    /// Returns all entries of a name in a folder of TO, and marks the entries as those that FROM has. `learned`: returns the name
    /// under which the server stores a file of that name, as an earlier run learned. Fails as `advance_to` and `learned`.
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

    /// Finishes TO, once the walk over FROM is over. Fails where all further listings would fail alike.
    pub async fn finish(&mut self) -> Result<()> {
        while self.innermost().is_some() {
            self.leave().await?;
        }
        Ok(())
    }

    fn innermost(&self) -> Option<&RemoteLevel> {
        self.levels.as_ref().and_then(RemoteLevels::innermost)
    }

    /// Enters a folder of the innermost folder. False: the folder can't be listed. Fails where all further listings would fail
    /// alike, and with `Usage` where the folder is FROM.
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

    /// Leaves the innermost folder, after a walk over its folders that FROM lacks. Fails where all further listings would fail alike.
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

    /// Closes the innermost folder, and notes or counts its files that FROM lacks.
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

/// Makes the error for a sync whose one side lies in the other: the inner side would be copied into itself, or deleted.
pub(super) fn one_in_the_other(place: &str) -> Error {
    Error::new(Kind::Usage, "one side of the sync lies in the other")
        .with_subject(place)
        .with_hint("choose two places of which neither holds the other")
}

/// Is this the name of a file that another run of haul may be working on? Such a file is not deleted.
fn is_in_progress(name: &str) -> bool {
    name.ends_with(".haul-part") || name.ends_with(".haul-old")
}
