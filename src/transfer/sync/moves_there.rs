//! `--track-renames` towards a remote: what moved at FROM is moved at TO, before anything is sent.

use super::remote_side::{Extra, Named, ToRemote};
use super::remote_tree::At;
use super::renames::{Candidate, proven};
use super::source_plan::SourcePlan;
use crate::error::{Error, Kind, Result};
use crate::model::report::{Failure, Placed};
use crate::model::{Entry, Event, Report};
use crate::transfer::IfExists;
use crate::transfer::put::PutJob;
use crate::transfer::put::conflict::known_md5;
use crate::transfer::put::plan::PutItem;
use crate::transfer::remote_ops::{FileMoves, Op, ServerSideJob};
use crate::transfer::walk::is_fatal;

/// A file that only moved.
pub(super) struct FileMove {
    pub item: PutItem,
    /// What it is at TO now.
    pub at: At,
    pub md5: Option<String>,
}

impl ToRemote {
    /// Takes what only moved out of the plan and out of what would be deleted.
    pub(super) async fn take_moved(
        &self,
        plan: &mut SourcePlan,
        matched: &mut Vec<Option<Named>>,
        extra: &mut Extra,
    ) -> Result<Vec<FileMove>> {
        let PutJob { client, ledger, remote_key, .. } = &self.run.job;
        if !client.has(|can| can.moves.is_some()) {
            client.events.tell(Event::Note(format!("{} can't move files, so what moved is sent again", client.info().title)));
            return Ok(Vec::new());
        }
        let is_new: Vec<usize> = matched.iter().enumerate().filter(|(_, there)| there.is_none()).map(|(n, _)| n).collect();
        let candidate = |size: Option<u64>, name: &str| Candidate { size: size.unwrap_or(0), name: name.to_owned() };
        let item = |n: usize| is_new.get(n).and_then(|at| plan.items.get(*at));
        let new: Vec<Candidate> = is_new.iter().filter_map(|n| plan.items.get(*n)).map(|item| candidate(item.size, &item.name)).collect();
        let there: Vec<Entry> = extra.files.iter().filter_map(|at| self.tree.entry(*at)).collect();
        let extras: Vec<Candidate> = there.iter().map(|entry| candidate(entry.size, &entry.name)).collect();
        let of_new = async |n: usize| match item(n) {
            Some(item) => item.origin.md5().await,
            None => Ok(None),
        };
        let of_extra = async |n: usize| there.get(n).map_or(Ok(None), |entry| known_md5(entry, ledger.as_ref(), remote_key));
        let pairs = proven(&new, &extras, of_new, of_extra).await;
        let mut moves = Vec::new();
        let mut gone = std::collections::HashSet::new();
        for (file, old) in pairs {
            let (Some(place), Some(at), Some(entry)) = (is_new.get(file), extra.files.get(old), there.get(old)) else { continue };
            let Some(mut item) = plan.items.get(*place).cloned() else { continue };
            item.folder = self.run.stored.path(&item.folder)?;
            item.name = self.run.stored.name(&item.name);
            gone.insert(*place);
            moves.push(FileMove { item, at: *at, md5: known_md5(entry, ledger.as_ref(), remote_key)? });
        }
        let mut n = 0..;
        plan.items.retain(|_| n.next().is_none_or(|n| !gone.contains(&n)));
        let mut n = 0..;
        matched.retain(|_| n.next().is_none_or(|n| !gone.contains(&n)));
        extra.files.retain(|at| moves.iter().all(|moved| moved.at != *at));
        Ok(moves)
    }

    /// Each outcome is an event. What could not be moved is sent as any other file, and its old place is one that FROM lacks.
    pub(super) async fn carry_out_moves(&self, moves: Vec<FileMove>, plan: &mut SourcePlan, extra: &mut Extra) {
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
            let (Some(entry), Some(folder)) = (self.tree.entry(moved.at), self.tree.folders.get(moved.at.0)) else { continue };
            let source = client.address(&entry.path);
            let FileMove { item, at, md5 } = moved;
            let path = self.place(&item);
            if options.dry_run {
                let (source, remote) = (Some(source), target.remote.clone());
                self.tell(Report::Planned { action: "move", source, remote, path, size: entry.size });
                continue;
            }
            let relocated = server.relocate(&entry, &folder.entry, &item.folder, &item.name).await;
            match relocated {
                Ok(now) => {
                    self.remember_moved(&item, &now, md5).await;
                    let (id, kind, size) = (Some(now.id), now.kind, entry.size);
                    self.tell(Report::Moved(Placed { source, remote: target.remote.clone(), path, id, kind, size }));
                }
                // Where it is now is not known, and a second copy would not help.
                Err(error) if error.kind() == Kind::Unknown || is_fatal(error.kind()) => {
                    self.tell(Report::Failed(Failure::new(&error).of_source(item.shown()).at(target.remote.clone(), path)));
                }
                Err(error) => {
                    client.events.tell(Event::Note(format!("{source}: it can't be moved, so it is sent again: {error}")));
                    plan.items.push(item);
                    extra.files.push(at);
                }
            }
        }
    }

    /// The next run finds it where it is now.
    async fn remember_moved(&self, item: &PutItem, now: &Entry, md5: Option<String>) {
        let looked: Result<_, Error> = item.origin.look(&self.run.real_folders).await;
        if let Ok(Some(identity)) = looked.map(|look| look.identity) {
            self.run.remember(now, md5, identity);
        }
    }
}
