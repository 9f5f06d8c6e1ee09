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

impl Across {
    /// Brings what `source` names. Failures of single files are events; an error means that nothing of it was done.
    pub async fn bring(&self, from: &End, source: &Address, folders: &Folders, ids: &mut FileId) -> Result<()> {
        let top = from.desk.ask(|| from.desk.provider.stat(&source.place)).await?;
        let target = &self.target.place.path;
        let into = self.into_folder || top.is_folder() || folders.find(target).await?.is_some();
        let (folder, name) = match (target.parent(), target.name()) {
            (Some(parent), Some(name)) if !into => (parent, name.to_owned()),
            _ => (target.clone(), top.name.clone()),
        };
        let jobs = self.lay_out(from, source, top.clone(), folder, name).await?;
        let mut whole = true;
        for job in jobs {
            *ids += 1;
            whole &= self.one(from, source, folders, *ids, job).await;
        }
        if self.moves && whole && top.is_folder() && !self.dry_run {
            self.remove(from, source, &top).await?;
        }
        Ok(())
    }

    async fn lay_out(&self, from: &End, source: &Address, top: Entry, folder: RemotePath, name: String) -> Result<Vec<Job>> {
        if !top.is_folder() {
            return Ok(vec![Job { file: top, folder, name }]);
        }
        let target = match source.place.path.is_root() {
            true => folder,
            false => folder.join(&name)?,
        };
        let mut jobs = Vec::new();
        let mut scan = Scan::new(from.desk.clone(), top.clone(), AHEAD, |_, _| true);
        while let Some(step) = scan.next().await? {
            match step {
                Step::Entry { entry, .. } if !entry.is_folder() => {
                    let below = entry.path.below(&top.path).unwrap_or_default();
                    let folder = target.join_all(&below.parent().unwrap_or_default());
                    jobs.push(Job { name: entry.name.clone(), file: entry, folder });
                }
                // What can't be listed can't be copied whole: nothing of it is begun.
                Step::Failed { error, .. } => return Err(error),
                _ => {}
            }
        }
        Ok(jobs)
    }

    /// True when the file is there now, or was there already.
    async fn one(&self, from: &End, source: &Address, folders: &Folders, id: FileId, job: Job) -> bool {
        let shown = format!("{}:{}", source.remote, job.file.path);
        let outcome = self.carry(from, source, folders, id, &job, &shown).await;
        let (report, done) = match outcome {
            Ok(report) => (report, true),
            Err(error) => {
                let mut failure = Failure::new(&error).of_source(shown);
                failure.remote = Some(self.target.remote.clone());
                failure.path = job.folder.join(&job.name).ok().map(|path| path.to_string());
                (Report::Failed(failure), false)
            }
        };
        self.to.desk.events.tell(Event::Finished { id, report: Box::new(report) });
        done
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
            Some(swapping) => Ok((self.to.desk.change(|| swapping.swap(&old, &copied.entry, name)).await?, None)),
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
