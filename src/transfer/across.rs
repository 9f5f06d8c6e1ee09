//! `cp` and `mv` from one remote to another: each file streams through this machine, and the source of a `mv` goes only
//! when the copy is complete and verified.

use std::sync::Arc;

use super::between::{From, To, copy_file_between};
use super::conflict::{Decision, IfExists, Question, Stamp, decide};
use super::folders::Folders;
use super::retry::Desk;
use super::scan::{Scan, Step};
use super::upload::Uploaded;
use crate::contract::{Ledger, Metadata};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::report::{Failure, Transfer, Verified};
use crate::model::{Address, Entry, Event, Protocol, RemotePath, Report};

/// Folders listed ahead while a tree is walked.
const AHEAD: usize = 4;

/// One remote of the two.
#[derive(Clone)]
pub struct End {
    pub desk: Desk,
    pub ledger: Arc<dyn Ledger>,
    /// Origin and account, as in `Finished::remote`.
    pub key: String,
}

pub struct Across {
    pub to: End,
    pub target: Address,
    /// The target is a folder whatever it holds: it ends in `/`, or there are several sources.
    pub into_folder: bool,
    pub moves: bool,
    pub if_exists: IfExists,
    pub protocol: Option<Protocol>,
    /// Bytes.
    pub chunk_size: Option<u64>,
    pub dry_run: bool,
}

struct Job {
    file: Entry,
    folder: RemotePath,
    name: String,
}

/// What a source turned out to hold.
#[derive(Default)]
struct Laid {
    jobs: Vec<Job>,
    /// Folders there, the empty ones too.
    folders: Vec<RemotePath>,
}

impl Across {
    /// Brings what `source` names; each failure is an event.
    pub async fn bring(&self, from: &End, source: &Address, folders: &Folders, ids: &mut FileId) {
        if let Err(error) = self.bring_all_of(from, source, folders, ids).await {
            *ids += 1;
            self.failed(*ids, &source.to_string(), None, &error);
        }
    }

    async fn bring_all_of(&self, from: &End, source: &Address, folders: &Folders, ids: &mut FileId) -> Result<()> {
        let top = from.desk.ask(|| from.desk.provider.stat(&source.place)).await?;
        let target = &self.target.place.path;
        let into = self.into_folder || top.is_folder() || folders.find(target).await?.is_some();
        let (folder, name) = match (target.parent(), target.name()) {
            (Some(parent), Some(name)) if !into => (parent, name.to_owned()),
            _ => (target.clone(), top.name.clone()),
        };
        let laid = self.lay_out(from, source, top.clone(), folder, name).await?;
        for folder in laid.folders.iter().filter(|_| !self.dry_run) {
            folders.ensure(folder).await?;
        }
        let mut whole = true;
        for job in laid.jobs {
            *ids += 1;
            whole &= self.one(from, source, folders, *ids, job).await;
        }
        // Each file has gone by itself after its copy; the folder goes only when nothing else came into it meanwhile.
        if self.moves && whole && top.is_folder() && !self.dry_run && self.holds_no_file(from, &top).await? {
            self.remove(from, source, &top).await?;
        }
        Ok(())
    }

    async fn lay_out(&self, from: &End, source: &Address, top: Entry, folder: RemotePath, name: String) -> Result<Laid> {
        if !top.is_folder() {
            return Ok(Laid { jobs: vec![Job { file: top, folder, name }], ..Laid::default() });
        }
        let target = match source.place.path.is_root() {
            true => folder,
            false => folder.join(&name)?,
        };
        let mut laid = Laid { folders: vec![target.clone()], ..Laid::default() };
        let mut scan = Scan::new(from.desk.clone(), top.clone(), AHEAD, |_, _| true);
        while let Some(step) = scan.next().await? {
            match step {
                Step::Entry { entry, .. } => {
                    let below = entry.path.below(&top.path).unwrap_or_default();
                    if entry.is_folder() {
                        laid.folders.push(target.join_all(&below));
                        continue;
                    }
                    let folder = target.join_all(&below.parent().unwrap_or_default());
                    laid.jobs.push(Job { name: entry.name.clone(), file: entry, folder });
                }
                // What can't be listed can't be copied whole: nothing of it is begun.
                Step::Failed { error, .. } => return Err(error),
                Step::Left { .. } => {}
            }
        }
        Ok(laid)
    }

    async fn holds_no_file(&self, from: &End, top: &Entry) -> Result<bool> {
        from.desk.provider.look_afresh().await;
        let mut scan = Scan::new(from.desk.clone(), top.clone(), AHEAD, |_, _| true);
        while let Some(step) = scan.next().await? {
            match step {
                Step::Entry { entry, .. } if !entry.is_folder() => return Ok(false),
                Step::Failed { error, .. } => return Err(error),
                _ => {}
            }
        }
        Ok(true)
    }

    /// True when the file was copied: one that was skipped or failed is still wanted where it is.
    async fn one(&self, from: &End, source: &Address, folders: &Folders, id: FileId, job: Job) -> bool {
        let shown = format!("{}:{}", source.remote, job.file.path);
        match self.carry(from, source, folders, id, &job, &shown).await {
            Ok(report) => {
                let copied = matches!(report, Report::CopiedThrough(_));
                self.to.desk.events.tell(Event::Finished { id, report: Box::new(report) });
                copied
            }
            Err(error) => {
                self.failed(id, &shown, job.folder.join(&job.name).ok(), &error);
                false
            }
        }
    }

    fn failed(&self, id: FileId, source: &str, path: Option<RemotePath>, error: &Error) {
        let mut failure = Failure::new(error).of_source(source);
        failure.remote = Some(self.target.remote.clone());
        failure.path = path.map(|path| path.to_string());
        self.to.desk.events.tell(Event::Finished { id, report: Box::new(Report::Failed(failure)) });
    }

    async fn carry(&self, from: &End, source: &Address, folders: &Folders, id: FileId, job: &Job, shown: &str) -> Result<Report> {
        self.to.desk.provider.check_name(&job.name)?;
        let folder = folders.ensure(&job.folder).await?;
        let ask = Question { local: None, name: &job.name, folder: &folder, remote: &self.to.key };
        let (name, replaces) = match decide(self.if_exists, &ask, self.to.ledger.as_ref()).await? {
            Decision::Skip { there, reason } => {
                let (remote, path) = (self.target.remote.clone(), there.path.clone());
                return Ok(Report::Skipped { source: shown.to_owned(), remote, path, id: Some(there.id), size: job.file.size, reason });
            }
            Decision::Upload { name, replaces } => (name, replaces.map(|old| *old)),
        };
        if self.dry_run {
            let (action, source) = (if self.moves { "move" } else { "copy" }, Some(shown.to_owned()));
            return Ok(Report::Planned {
                action,
                source,
                remote: self.target.remote.clone(),
                path: folder.entry.path.join(&name)?,
                size: job.file.size,
            });
        }
        let read = From { desk: &from.desk, file: &job.file, name: shown.to_owned(), remote: &from.key, ledger: from.ledger.as_ref() };
        let to = To {
            desk: &self.to.desk,
            folder: folder.entry.clone(),
            siblings: folder.children.clone(),
            name: name.clone(),
            replaces: replaces.clone(),
            metadata: Arc::new(Metadata::default()),
            protocol: self.protocol,
            chunk_size: self.chunk_size,
        };
        let copied = copy_file_between(id, &read, &to).await?;
        let (entry, kept) = self.in_place(&copied, replaces, &name).await?;
        if self.moves {
            self.remove_copied(from, source, &job.file, copied.verified).await?;
        }
        Ok(Report::CopiedThrough(self.transfer(shown, copied, entry, kept)))
    }

    /// Gives the copy the old one's place, where that is a step of its own.
    async fn in_place(&self, copied: &Uploaded, replaces: Option<Entry>, name: &str) -> Result<(Entry, Option<String>)> {
        let Some(old) = replaces.filter(|old| old.id != copied.entry.id) else { return Ok((copied.entry.clone(), None)) };
        match self.to.desk.provider.swapping() {
            Some(swapping) => Ok((self.to.desk.ask(|| swapping.swap(&old, &copied.entry, name)).await?, None)),
            None => Ok((copied.entry.clone(), Some(old.id))),
        }
    }

    async fn remove_copied(&self, from: &End, source: &Address, file: &Entry, verified: Verified) -> Result<()> {
        if verified == Verified::None {
            return Err(Error::new(Kind::Unknown, "the copy is there, but nothing tells whether it is whole, so the source stays")
                .on(format!("{}:{}", source.remote, file.path))
                .hint("compare them, then remove the source"));
        }
        self.remove(from, source, file).await
    }

    async fn remove(&self, from: &End, source: &Address, entry: &Entry) -> Result<()> {
        let Some(removal) = from.desk.provider.removal() else {
            return Err(Error::new(Kind::Unsupported, "its provider removes nothing").on(format!("{}:{}", source.remote, entry.path)));
        };
        from.desk.change(|| removal.remove(entry)).await
    }

    fn transfer(&self, shown: &str, copied: Uploaded, entry: Entry, kept: Option<String>) -> Transfer {
        Transfer {
            source: shown.to_owned(),
            remote: self.target.remote.clone(),
            stamp: Some(Stamp::of(&entry).text()),
            path: entry.path,
            id: Some(entry.id),
            size: copied.size,
            md5: copied.md5,
            verified: copied.verified,
            protocol: copied.protocol,
            resumed_from: copied.resumed_from,
            retries: copied.retries,
            seconds: copied.time.as_secs_f64(),
            target: None,
            kept,
        }
    }
}
