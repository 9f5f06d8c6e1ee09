//! What FROM holds, laid out as it is to be at TO: known as a whole before anything is sent, as deletions depend on it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::DateTime;

use super::choose::choose;
use super::remote_tree::{RemoteTree, select, text_of};
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, Event, RemotePath};
use crate::transfer::filter::{Candidate, Filter, RemoteFilter, Verdict};
use crate::transfer::local_tree::LocalTree;
use crate::transfer::put::cross_remote::{CopySource, empty_ones, is_same_server};
use crate::transfer::put::plan::{PlanStep, PutItem};
use crate::transfer::put::plan_stream::PlanStream;
use crate::transfer::put::run::PutRun;
use crate::transfer::resolve::Resolver;
use crate::transfer::source::SourceSpec;
use crate::transfer::source::file::unreadable;

/// Where the files come from.
pub enum SyncFrom {
    /// What is in this local folder.
    Local(PathBuf),
    /// What is in this folder of a remote.
    Remote(Box<CopySource>),
}

#[derive(Default)]
pub(super) struct SourcePlan {
    pub items: Vec<PutItem>,
    /// Folders that no file makes.
    pub empty_folders: Vec<RemotePath>,
    /// What can't be brought, each with its reason.
    pub unfit: Vec<(String, Error)>,
    /// What is not wanted, which is no failure.
    pub left_out: Vec<String>,
    /// What nobody can bring (a pipe, a socket, a device), which is no failure.
    pub special: Vec<String>,
    /// Where files would land that the filter leaves out: FROM has them, so they are not what it lacks.
    pub left_out_places: Vec<RemotePath>,
    /// Of these the ones that changed a moment ago: how a person calls each, its size, and the reason.
    pub unsettled: Vec<(String, Option<u64>, String)>,
}

impl SourcePlan {
    /// What is inside of a local folder, as far as the filter takes it.
    pub fn of(top: &Path, target: &RemotePath, filter: &Filter, events: &Events) -> SourcePlan {
        let mut plan = SourcePlan::default();
        for step in LocalTree::new(top, target).map(PlanStep::from) {
            match step {
                PlanStep::Put(item) if filter.skips_links() && is_behind_a_link(&item, top) => {
                    plan.left_out_places.extend(item.folder.join(&item.name));
                }
                PlanStep::Put(item) => plan.judge(item, target, filter, events),
                PlanStep::EmptyFolder(folder) => {
                    let below = folder.below(target).unwrap_or_default();
                    plan.empty_folders.extend(filter.takes_folder(&text_of(&below)).then_some(folder));
                }
                PlanStep::Unfit(shown, error) => plan.unfit.push((shown, error)),
                PlanStep::LeftOut(note) => plan.left_out.push(note),
                PlanStep::Special(note) => plan.special.push(note),
            }
        }
        plan
    }

    fn judge(&mut self, item: PutItem, target: &RemotePath, filter: &Filter, events: &Events) {
        let Ok(place) = item.folder.join(&item.name) else { return self.items.push(item) };
        let path = text_of(&place.below(target).unwrap_or_default());
        let modified = match &item.origin {
            SourceSpec::File(file) if filter.needs_time() => {
                std::fs::metadata(file).and_then(|meta| meta.modified()).ok().map(DateTime::from)
            }
            _ => None,
        };
        match filter.judge(&Candidate { path: &path, is_source: false, is_folder: false, size: item.size, modified }) {
            Verdict::Takes => {
                filter.count_taken();
                self.items.push(item);
            }
            Verdict::Failed(error) => self.unfit.push((item.shown(), error)),
            Verdict::Unsettled(reason) => {
                filter.count_left_out(&item.name, &Verdict::Unsettled(String::new()));
                self.unsettled.push((item.shown(), item.size, reason));
                self.left_out_places.push(place);
            }
            verdict => {
                let note = filter.count_left_out(&item.shown(), &verdict);
                note.into_iter().for_each(|note| events.tell(Event::Note(note)));
                self.left_out_places.push(place);
            }
        }
    }

    /// For the engine.
    pub fn into_stream(self) -> PlanStream {
        let SourcePlan { items, empty_folders, unfit, left_out, special, .. } = self;
        let steps = unfit.into_iter().map(|(shown, error)| PlanStep::Unfit(shown, error));
        let steps = steps.chain(left_out.into_iter().map(PlanStep::LeftOut)).chain(special.into_iter().map(PlanStep::Special));
        PlanStream::whole(steps.chain(items.into_iter().map(PlanStep::Put)).chain(empty_folders.into_iter().map(PlanStep::EmptyFolder)))
    }
}

/// FROM, read.
pub(super) struct Source {
    pub plan: SourcePlan,
    /// Folders that can't be read.
    pub unread: Vec<String>,
    /// Of a remote.
    pub tree: Option<RemoteTree>,
}

/// Fails with `Usage` for what is no folder.
pub(super) fn check_local(path: &Path) -> Result<()> {
    let meta = std::fs::metadata(path).map_err(|e| unreadable(path, e))?;
    let shown = path.display().to_string();
    if !meta.is_dir() {
        let hint = format!("`haul put` carries single files: haul put {shown} …");
        return Err(Error::new(Kind::Usage, "sync takes a folder, and this is none").on_local(shown).with_hint(hint));
    }
    match std::fs::read_dir(path) {
        Ok(_) => Ok(()),
        Err(e) => Err(Error::new(Kind::Refused, "the source can't be read, so nothing was done").on_local(shown).with_cause(e)),
    }
}

/// `filter`: with the files of patterns in the folder.
pub(super) async fn lay_out_local(path: PathBuf, target: RemotePath, filter: Arc<Filter>, events: Events) -> Result<Source> {
    let rules = filter.clone();
    let plan = tokio::task::spawn_blocking(move || SourcePlan::of(&path, &target, &rules, &events)).await;
    let plan = plan.map_err(|e| Error::new(Kind::Other, "the source could not be read").with_cause(e))?;
    let mut plan = plan;
    plan.unfit.extend(filter.take_unreadable().into_iter().map(|error| (error.source_path().unwrap_or_default().to_owned(), error)));
    let unread = plan.unfit.iter().filter(|(shown, _)| Path::new(shown).is_dir()).map(|(shown, _)| shown.clone()).collect();
    Ok(Source { plan, unread, tree: None })
}

/// What FROM holds, and whether it is on the very server that TO is on.
pub(super) async fn find_from(source: &CopySource, run: &PutRun) -> Result<(RemoteTree, bool)> {
    let top = Resolver::new(source.client.clone()).find(&source.from.address).await?.entry;
    if !top.is_folder() {
        return Err(Error::new(Kind::Usage, "sync takes a folder, and this is a file")
            .with_subject(source.from.address.to_string())
            .with_hint("`haul cp` carries single files between remotes"));
    }
    let tree = RemoteTree::list(&source.client, top, run.job.options.jobs, &run.job.options.filter).await?;
    if !tree.is_listed() {
        let error =
            Error::new(Kind::Refused, "the source can't be read, so nothing was done").with_subject(source.from.address.to_string());
        return Err(match tree.unread.into_iter().next() {
            Some((_, why)) => error.with_cause(why),
            None => error,
        });
    }
    Ok((tree, is_same_server(&source.client, &run.job.client).await?))
}

pub(super) async fn lay_out_remote(source: &CopySource, run: &PutRun, target: &RemoteTree) -> Result<Source> {
    let (mut from, same_server) = find_from(source, run).await?;
    if same_server {
        check_apart(&from, target, run).await?;
    }
    let to = &run.job.target.place.path;
    let mut selection = select(&from, &source.client, |_| Ok(()));
    let CopySource { client, ledger, key, .. } = source;
    let filter = RemoteFilter { filter: run.job.options.filter.clone(), client: client.clone(), ledger: ledger.clone(), key: key.clone() };
    choose(&mut selection, &from, &filter, run.job.options.jobs).await;
    let mut plan = SourcePlan::default();
    for at in &selection.left_out {
        let (Some(entry), Some(folder)) = (from.entry(*at), from.folders.get(at.0)) else { continue };
        plan.left_out_places.extend(to.join_path(&folder.path).join(&entry.name));
    }
    for (entry, reason) in std::mem::take(&mut selection.unsettled) {
        plan.unsettled.push((source.client.address(&entry.path), entry.size, reason));
    }
    let (mut folders, mut filled) = (vec![to.clone()], HashSet::new());
    folders.extend(selection.folders.iter().filter_map(|at| from.folders.get(*at)).map(|folder| to.join_path(&folder.path)));
    for at in &selection.files {
        let (Some(entry), Some(folder)) = (from.entry(*at), from.folders.get(at.0)) else { continue };
        let place = to.join_path(&folder.path);
        let original = source.file(&run.job, same_server, &entry, Some(&folder.entry), source.client.address(&entry.path))?;
        filled.insert(place.clone());
        plan.items.push(PutItem { size: entry.size, origin: SourceSpec::Remote(Arc::new(original)), folder: place, name: entry.name });
    }
    plan.empty_folders.extend(empty_ones(folders, &filled));
    let shown = |entry: &Entry| source.client.address(&entry.path);
    let unread: Vec<String> = from.unread.iter().map(|(folder, _)| shown(folder)).collect();
    let failed = std::mem::take(&mut from.unread).into_iter().chain(selection.unfit);
    plan.unfit.extend(failed.map(|(entry, error)| (shown(&entry), error)));
    Ok(Source { plan, unread, tree: Some(from) })
}

/// Fails with `Usage` where one side lies in the other: it would grow with each run, or be deleted.
async fn check_apart(from: &RemoteTree, to: &RemoteTree, run: &PutRun) -> Result<()> {
    let Some(from_top) = from.folders.first() else { return Ok(()) };
    // TO, or what is there of the folders above it.
    let mut place = Some(run.job.target.place.path.clone());
    let mut above = None;
    while let (None, Some(path)) = (&above, place) {
        above = run.folders().find(&path).await?.map(|folder| folder.entry.id.clone());
        place = path.parent();
    }
    let is_inside = above.is_some_and(|id| from.has_folder(&id)) || to.has_folder(&from_top.entry.id);
    match is_inside {
        false => Ok(()),
        true => Err(Error::new(Kind::Usage, "one side of the sync lies in the other")
            .with_subject(run.job.target.to_string())
            .with_hint("choose two places of which neither holds the other")),
    }
}

/// Is the file a link, or in a folder below `top` that is one?
fn is_behind_a_link(item: &PutItem, top: &Path) -> bool {
    let SourceSpec::File(path) = &item.origin else { return false };
    path.ancestors().take_while(|at| *at != top).any(Path::is_symlink)
}
