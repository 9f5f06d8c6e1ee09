//! `cp` and `mv` from one remote to another: a `put` whose files lie on other remotes. Each file streams through this machine.
//! The source of a `mv` is removed only when its copy is complete and verified.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::conflict::known_md5;
use super::options::PutJob;
use super::plan::{PlanStep, PutItem};
use super::plan_stream::PlanStream;
use super::run::PutRun;
use crate::contract::TransferStore;
use crate::contract::walk::newest_filled;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{Entry, Event, RemotePath, Report};
use crate::transfer::client::RemoteClient;
use crate::transfer::filter::{FilterDecision, FilteredStep, FilteredWalk, RemoteFilter};
use crate::transfer::remote_ops::emptied::{Emptied, OpenFolders};
use crate::transfer::remote_ops::{ConfirmedChanges, CopyFrom, Resolved, Resolver, top_stays};
use crate::transfer::source::{RemoteFile, SourceSpec};
use crate::transfer::walk::{TreeWalk, WalkEvent};

/// The number of folders that are listed ahead while a tree is walked.
const LIST_AHEAD: usize = 4;

/// A source of the copy, and its remote.
pub struct CopySource {
    pub client: RemoteClient,
    pub ledger: Arc<dyn TransferStore>,
    /// Origin and account, as in `CompletedTransfer::remote`.
    pub key: String,
    pub from: CopyFrom,
}

impl CopySource {
    /// A file of it, to be put by `job`. `parent`: the folder it lies in.
    pub(in crate::transfer) fn file(
        &self,
        job: &PutJob,
        same_server: bool,
        entry: &Entry,
        parent: Option<&Entry>,
        shown: String,
    ) -> Result<RemoteFile> {
        let CopySource { client, ledger, key, .. } = self;
        let mut original = RemoteFile::new(client.clone(), entry.clone(), parent.cloned(), shown, key.clone());
        original.md5 = known_md5(entry, ledger.as_ref(), key)?;
        original.same_server = same_server;
        if client.info().id == job.client.info().id
            && let Some(metadata) = client.inspect(|p| p.abilities().metadata.map(|kept| kept.metadata_of(entry)))
        {
            original.metadata = Arc::new(metadata);
        }
        Ok(original)
    }
}

/// Copies `sources` to the target of `job`. An error means that nothing was sent; failures of single files and sources are
/// events.
pub async fn copy_between(job: PutJob, sources: Vec<CopySource>, moves: bool) -> Result<()> {
    let mut plan = Plan::default();
    let mut found = Vec::new();
    let mut places: HashMap<String, Resolver> = HashMap::new();
    let several = sources.len() > 1;
    for source in sources {
        let known = places.entry(source.key.clone()).or_insert_with(|| Resolver::new(source.client.clone()));
        match known.find(&source.from.address).await {
            Ok(top) if top.top && moves => return Err(top_stays(&source.from.address)),
            Ok(top) => found.push((source, top)),
            Err(e) if e.kind() == Kind::Auth => return Err(e),
            Err(e) => plan.unfit.push((source.from.address.to_string(), e)),
        }
    }
    let (run, exists) = PutRun::begin(job).await?;
    let into = exists || several || run.job.target.folder || found.iter().any(|(_, top)| top.entry.is_folder());
    let mut trees = Vec::new();
    let mut laid = CombinedPlan { plan, whose: Vec::new() };
    for (at, (source, top)) in found.into_iter().enumerate() {
        let brought = SourceTree { same_server: is_same_server(&source.client, &run.job.client).await?, moves, source, top };
        let before = laid.plan.items.len();
        let laid_out = brought.plan_tree(&run.job, into, &mut laid.plan).await?;
        laid.whose.resize(laid.plan.items.len(), at);
        let files = laid.plan.items.iter().skip(before);
        let originals = files.filter_map(|item| match &item.origin {
            SourceSpec::Remote(original) => Some(original.clone()),
            _ => None,
        });
        trees.push((brought, originals.collect::<Vec<_>>(), laid_out));
    }
    laid.reject_duplicates()?;
    let folders_made = run.execute(PlanStream::whole(laid.plan.into_steps())).await;
    if !moves || run.job.options.dry_run || !folders_made {
        return Ok(());
    }
    for (brought, originals, LaidOut { whole, emptied }) in trees {
        if !whole {
            brought.remove_emptied(&run.job, emptied).await;
        } else if brought.top.entry.is_folder() && originals.iter().all(|original| original.is_deleted()) {
            brought.leave_folder(&run.job).await;
        }
    }
    Ok(())
}

/// Do both sides number their entries alike? Two remotes may be one account, which their secrets hide.
pub(in crate::transfer) async fn is_same_server(from: &RemoteClient, to: &RemoteClient) -> Result<bool> {
    Ok(from.info().id == to.info().id && from.call(|p| p.origin()).await? == to.call(|p| p.origin()).await?)
}

#[derive(Debug, Default)]
struct Plan {
    items: Vec<PutItem>,
    /// Folders that no file makes.
    empty_folders: Vec<RemotePath>,
    /// Sources that can't be brought, each with its reason; the others go on.
    unfit: Vec<(String, Error)>,
}

impl Plan {
    fn into_steps(self) -> impl Iterator<Item = PlanStep> {
        let unfit = self.unfit.into_iter().map(|(shown, error)| PlanStep::Rejected(shown, error));
        unfit.chain(self.items.into_iter().map(PlanStep::Put)).chain(self.empty_folders.into_iter().map(PlanStep::EmptyFolder))
    }
}

/// Of these folders the ones that no file (`filled`) and no other folder makes.
pub(in crate::transfer) fn empty_ones(folders: Vec<RemotePath>, filled: &HashSet<RemotePath>) -> impl Iterator<Item = RemotePath> {
    let has_child: HashSet<RemotePath> = folders.iter().filter_map(RemotePath::parent).collect();
    folders.into_iter().filter(move |f| !filled.contains(f) && !has_child.contains(f) && !f.is_root())
}

/// A plan, and for each of its items the number of its source.
struct CombinedPlan {
    plan: Plan,
    whose: Vec<usize>,
}

impl CombinedPlan {
    /// Refuses two sources with one target. Inside of one source (giga0 and ioGates allow two files of one name in a folder)
    /// all files of that name are left out and reported, because one of them would replace the other unnoticed. Where nothing
    /// can be removed, the newest one is meant.
    fn reject_duplicates(&mut self) -> Result<()> {
        let mut by_place: HashMap<(RemotePath, String), Vec<usize>> = HashMap::new();
        for (at, item) in self.plan.items.iter().enumerate() {
            by_place.entry((item.folder.clone(), item.name.clone())).or_default().push(at);
        }
        // A folder blocks the name of a file as another file does.
        let folders: HashSet<RemotePath> = self.plan.items.iter().map(|item| item.folder.clone()).collect();
        let (mut doubles, mut older) = (HashSet::new(), HashSet::new());
        for ((folder, name), mut items) in by_place {
            let path = folder.join(&name)?;
            let whose: HashSet<_> = items.iter().map(|at| self.whose.get(*at)).collect();
            if whose.len() > 1 {
                return Err(Error::new(Kind::Usage, format!("two sources have the same target: {path}"))
                    .with_hint("copy them into different folders"));
            }
            if let Some(newest) = self.newest_version(&items) {
                older.extend(items.iter().copied().filter(|at| *at != newest));
                items = vec![newest];
            }
            if items.len() > 1 || folders.contains(&path) || self.plan.empty_folders.contains(&path) {
                doubles.extend(items);
            }
        }
        let items = std::mem::take(&mut self.plan.items);
        for (at, item) in items.into_iter().enumerate() {
            if older.contains(&at) {
                continue;
            }
            if !doubles.contains(&at) {
                self.plan.items.push(item);
                continue;
            }
            let id = item.origin.original().map(|original| original.entry.id.clone()).unwrap_or_default();
            let error = Error::new(Kind::Ambiguous, "several entries of its folder have this name")
                .with_subject(item.display_source())
                .with_hint(format!("copy this one under another name, as @{id}"));
            self.plan.unfit.push((item.display_source(), error));
        }
        Ok(())
    }
}

impl CombinedPlan {
    /// Which of several items of one name is meant, where their provider can remove nothing (ioGates).
    fn newest_version(&self, items: &[usize]) -> Option<usize> {
        let original = |at: &usize| self.plan.items.get(*at).and_then(|item| item.origin.original());
        let versions: Vec<_> = items.iter().filter_map(original).filter(|file| file.client.has(|can| can.keeps_every_version())).collect();
        if versions.len() != items.len() {
            return None;
        }
        let chosen = newest_filled(versions.iter().map(|file| file.entry.clone()).collect()).pop()?;
        items.iter().copied().find(|at| original(at).is_some_and(|file| file.entry.id == chosen.id))
    }
}

/// How much of a source is in a plan.
#[derive(Default)]
struct LaidOut {
    /// All of it.
    whole: bool,
    /// Folders of which all is.
    emptied: Vec<Emptied>,
}

/// A source that was found.
struct SourceTree {
    source: CopySource,
    top: Resolved,
    same_server: bool,
    moves: bool,
}

impl SourceTree {
    /// What of it is in the plan.
    async fn plan_tree(&self, job: &PutJob, into: bool, plan: &mut Plan) -> Result<LaidOut> {
        let CopySource { client, ledger, key, from } = &self.source;
        let (target, top) = (&job.target.place.path.join_path(&from.below), &self.top.entry);
        let filter = RemoteFilter { filter: job.options.filter.clone(), client: client.clone(), ledger: ledger.clone(), key: key.clone() };
        if !top.is_folder() {
            let verdict = filter.decide(top, &from.path(top), from.within.is_none()).await;
            if !self.admits(job, top, verdict, plan) {
                return Ok(LaidOut::default());
            }
            let (folder, name) = match (target.parent(), target.name()) {
                (Some(parent), Some(name)) if !into => (parent, name.to_owned()),
                _ => (target.clone(), top.name.clone()),
            };
            plan.items.push(self.item(job, top, self.top.parent.as_ref(), self.top.shown.clone(), folder, name)?);
            return Ok(LaidOut { whole: true, emptied: Vec::new() });
        }
        // A top folder has no name for the target.
        let target = if self.top.top { target.clone() } else { target.join(&top.name)? };
        let rules = filter.filter.clone();
        let mut scan = FilteredWalk::below(filter, top.clone(), LIST_AHEAD, from.path(top)).all();
        let (mut folders, mut filled, mut whole) = (Vec::new(), HashSet::new(), true);
        folders.extend(rules.takes_folder(&from.path(top)).then(|| target.clone()));
        let mut open = OpenFolders::new(top.clone(), self.top.parent.clone());
        let mut emptied = Vec::new();
        while let Some(FilteredStep { event, verdict, path: below }) = scan.next().await? {
            match event {
                WalkEvent::Entry { entry, depth, .. } => {
                    let shown = self.display_source(&entry);
                    let parent = open.at(depth).cloned();
                    if !self.admits(job, &entry, verdict, plan) {
                        whole = false;
                        open.mark_kept();
                        continue;
                    }
                    let Some(path) = self.path_there(&entry, &target) else {
                        plan.unfit.push((shown, Error::new(Kind::Refused, "this name leads out of its folder")));
                        whole = false;
                        open.mark_kept();
                        continue;
                    };
                    if entry.is_folder() {
                        folders.extend(rules.takes_folder(&below).then_some(path));
                        open.enter(entry, below);
                        continue;
                    }
                    let (folder, name) = (path.parent().unwrap_or_default(), entry.name.clone());
                    filled.insert(folder.clone());
                    plan.items.push(self.item(job, &entry, parent.as_ref(), shown, folder, name)?);
                }
                WalkEvent::Failed { folder, depth, error } => {
                    whole = false;
                    open.at(depth + 1);
                    open.mark_kept();
                    plan.unfit.push((self.display_source(&folder), error));
                }
                WalkEvent::Left { depth, .. } => emptied.extend(open.leave(depth, &rules)),
            }
        }
        plan.empty_folders.extend(empty_ones(folders, &filled));
        Ok(LaidOut { whole, emptied })
    }

    /// Tells what becomes of what does not fit; true: it fits.
    fn admits(&self, job: &PutJob, entry: &Entry, verdict: FilterDecision, plan: &mut Plan) -> bool {
        let (filter, events, shown) = (&job.options.filter, &job.client.events, self.display_source(entry));
        match verdict {
            FilterDecision::Takes => {
                if !entry.is_folder() {
                    filter.count_taken();
                }
                return true;
            }
            FilterDecision::Failed(error) => plan.unfit.push((shown, error)),
            FilterDecision::Unsettled(reason) => {
                filter.count_left_out(&shown, &FilterDecision::Unsettled(String::new()));
                let (remote, path) = (job.target.remote.clone(), job.target.place.display_path(&job.target.place.path));
                let report = Report::Skipped { source: shown, remote, path, target: None, id: None, size: entry.size, reason };
                events.send(Event::Finished { id: u64::MAX, report: Box::new(report) });
            }
            verdict => {
                if let Some(note) = filter.count_left_out(&shown, &verdict) {
                    events.send(Event::Note(note));
                }
            }
        }
        false
    }

    fn path_there(&self, entry: &Entry, target: &RemotePath) -> Option<RemotePath> {
        let below = entry.path.below(&self.top.entry.path).filter(|below| below.name() == Some(&entry.name))?;
        Some(target.join_path(&below))
    }

    fn display_source(&self, entry: &Entry) -> String {
        match entry.path.below(&self.top.entry.path) {
            Some(below) if !below.is_root() => format!("{}{below}", self.top.shown.trim_end_matches('/')),
            _ => self.top.shown.clone(),
        }
    }

    fn item(
        &self,
        job: &PutJob,
        entry: &Entry,
        parent: Option<&Entry>,
        shown: String,
        folder: RemotePath,
        name: String,
    ) -> Result<PutItem> {
        let mut original = self.source.file(job, self.same_server, entry, parent, shown)?;
        original.moves = self.moves;
        Ok(PutItem { size: entry.size, origin: SourceSpec::Remote(Arc::new(original)), folder, name })
    }

    /// Each file was removed after its copy. The folder is removed only if nothing else came into it meanwhile.
    async fn leave_folder(&self, job: &PutJob) {
        let hands = ConfirmedChanges::new(self.source.client.clone());
        let left = match self.holds_no_file().await {
            Ok(false) => return,
            Ok(true) => hands.remove(&self.top.entry, self.top.parent.as_ref()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = left {
            let error = error.with_hint("the files that were found are moved; only the folder stays");
            let report = Box::new(Report::Failed(Failure::new(&error).of_source(self.top.shown.clone())));
            job.client.events.send(Event::Finished { id: u64::MAX, report });
        }
    }

    /// Of a folder that stays, the folders in it of which all was moved.
    async fn remove_emptied(&self, job: &PutJob, emptied: Vec<Emptied>) {
        let hands = ConfirmedChanges::new(self.source.client.clone());
        for folder in emptied {
            if let Err(error) = folder.remove(&self.source.client, &hands).await {
                let error = error.with_hint("the matching files are moved; only this folder stays");
                let report = Report::Failed(Failure::new(&error).of_source(self.display_source(&folder.folder)));
                job.client.events.send(Event::Finished { id: u64::MAX, report: Box::new(report) });
            }
        }
    }

    async fn holds_no_file(&self) -> Result<bool> {
        let client = &self.source.client;
        client.invalidate_cache().await;
        let mut scan = TreeWalk::new(client.clone(), self.top.entry.clone(), LIST_AHEAD, |_, _| true).all();
        while let Some(step) = scan.next().await? {
            match step {
                WalkEvent::Entry { entry, .. } if !entry.is_folder() => return Ok(false),
                WalkEvent::Failed { error, .. } => return Err(error),
                _ => {}
            }
        }
        Ok(true)
    }
}
