//! `--track-renames` with a remote TO: a file that moved at FROM is moved at TO, so that it is not sent again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::remote_target::Lacking;
use super::remote_tree::{At, RemoteTree};
use super::renames::{RenameCandidate, proven};
use crate::error::{Error, Kind, Result};
use crate::model::report::{Failure, Placed};
use crate::model::{Entry, Event, RemotePath, Report};
use crate::transfer::IfExists;
use crate::transfer::put::PutJob;
use crate::transfer::put::conflict::known_md5;
use crate::transfer::put::plan::PutItem;
use crate::transfer::put::run::PutRun;
use crate::transfer::remote_ops::{FileMoves, Op, ServerSideJob};
use crate::transfer::walk::is_fatal;

/// A move at TO of a file that only moved at FROM.
pub(super) struct FileMove {
    pub item: PutItem,
    /// The position of the old file in the tree of TO.
    pub at: At,
    pub md5: Option<String>,
}

/// A remote TO.
pub(super) struct ToRemote {
    pub run: Arc<PutRun>,
    /// The path of TO on the remote.
    pub target: RemotePath,
}

impl ToRemote {
    /// Returns the path that an item lands at, as reports show it.
    pub fn place(&self, item: &PutItem) -> RemotePath {
        item.folder.join(&item.name).unwrap_or_else(|_| item.folder.clone())
    }

    pub fn send_report(&self, report: Report) {
        self.run.job.client.events.send(Event::Finished { id: u64::MAX, report: Box::new(report) });
    }

    /// Divides the new files: returns the moves of the files that only moved, and the other files. The old files of the moves are
    /// taken out of `lacking`, so that they are not deleted.
    pub(super) async fn take_moved(&self, new: Vec<PutItem>, lacking: &mut Lacking) -> Result<(Vec<FileMove>, Vec<PutItem>)> {
        let PutJob { ledger, remote_key, .. } = &self.run.job;
        let candidate = |size: Option<u64>, name: &str| RenameCandidate { size: size.unwrap_or(0), name: name.to_owned() };
        let there: Vec<Entry> = match new.is_empty() {
            true => Vec::new(),
            false => lacking.files.iter().filter_map(|at| lacking.tree.entry(*at)).collect(),
        };
        let ours: Vec<RenameCandidate> = new.iter().map(|item| candidate(item.size, &item.name)).collect();
        let theirs: Vec<RenameCandidate> = there.iter().map(|entry| candidate(entry.size, &entry.name)).collect();
        let of_new = async |n: usize| match new.get(n) {
            Some(item) => item.origin.md5().await,
            None => Ok(None),
        };
        let of_theirs = async |n: usize| there.get(n).map_or(Ok(None), |entry| known_md5(entry, ledger.as_ref(), remote_key));
        let moved: HashMap<usize, usize> = proven(&ours, &theirs, of_new, of_theirs).await.into_iter().collect();
        let (mut moves, mut rest, mut gone) = (Vec::new(), Vec::new(), HashSet::new());
        for (n, mut item) in new.into_iter().enumerate() {
            let old = moved.get(&n).and_then(|old| Some((*lacking.files.get(*old)?, there.get(*old)?)));
            let Some((at, entry)) = old else {
                rest.push(item);
                continue;
            };
            item.folder = self.run.stored.path(&item.folder)?;
            item.name = self.run.stored.name(&item.name);
            gone.insert(at);
            moves.push(FileMove { item, at, md5: known_md5(entry, ledger.as_ref(), remote_key)? });
        }
        lacking.files.retain(|at| !gone.contains(at));
        lacking.count = lacking.count.saturating_sub(gone.len() as u64);
        Ok((moves, rest))
    }

    /// Carries out the moves, and returns the moves that failed: their files are sent. A move whose outcome both folders do not tell, or whose
    /// failure is fatal, is reported as failed and is not returned. Each outcome is an event.
    pub(super) async fn carry_out_moves(&self, moves: Vec<FileMove>, tree: &RemoteTree) -> Vec<FileMove> {
        if moves.is_empty() {
            return Vec::new();
        }
        let mut unmoved = Vec::new();
        let PutJob { client, ledger, remote_key, target, options } = &self.run.job;
        let mut server = FileMoves::new(ServerSideJob {
            client: client.clone(),
            ledger: ledger.clone(),
            remote_key: remote_key.clone(),
            way: Op::Move,
            to: target.clone(),
            if_exists: IfExists::Fail,
            jobs: 1,
            dry_run: options.dry_run,
            fail_fast: options.fail_fast,
            filter: options.filter.clone(),
        });
        for moved in moves {
            let (Some(entry), Some(folder)) = (tree.entry(moved.at), tree.folders.get(moved.at.0)) else { continue };
            let source = client.address(&entry.path);
            let FileMove { item, at, md5 } = moved;
            let path = self.place(&item);
            if options.dry_run {
                let (source, remote) = (Some(source), target.remote.clone());
                self.send_report(Report::Planned { action: "move", source, remote, path, target: None, size: entry.size });
                continue;
            }
            let relocated = match server.relocate(&entry, &folder.entry, &item.folder, &item.name).await {
                Err(error) if error.kind() == Kind::Unknown => {
                    server.find_moved(&entry, &folder.entry, &item.folder, &item.name, error).await
                }
                relocated => relocated,
            };
            match relocated {
                Ok(now) => {
                    self.remember_moved(&item, &now, md5.clone()).await;
                    let (id, kind, size) = (Some(now.id), now.kind, entry.size);
                    self.send_report(Report::Moved(Placed { source, remote: target.remote.clone(), path, id, kind, size }));
                }
                // Nobody knows where the file is now, or no request can succeed: sending the file would not help.
                Err(error) if error.kind() == Kind::Unknown || is_fatal(error.kind()) => {
                    self.send_report(Report::Failed(Failure::new(&error).of_source(item.display_source()).at(target.remote.clone(), path)));
                }
                Err(error) => {
                    client.events.send(Event::Note(format!("{source}: it can't be moved, so it is sent again: {error}")));
                    unmoved.push(FileMove { item, at, md5 });
                }
            }
        }
        unmoved
    }

    /// Notes the moved file as sent, so that the next run recognises the file at its new path.
    async fn remember_moved(&self, item: &PutItem, now: &Entry, md5: Option<String>) {
        let looked: Result<_, Error> = item.origin.inspect(&self.run.real_folders).await;
        if let Ok(Some(identity)) = looked.map(|look| look.identity) {
            self.run.remember(now, md5, identity);
        }
    }
}
