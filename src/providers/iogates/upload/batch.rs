//! Makes the entries of many files by one request (`POST /api/files`, providers.md 1.9). Answers are matched by name alone: a
//! request never holds two files of one name, so the order of the answers can't mix up their bytes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::choose::{Preference, choose};
use super::entry_pool::EntrySlot;
use super::make_entry::{empty_entry_for, listing_before, new_file, resolve_uncertain, spot_for};
use crate::contract::{BatchCreation, BoxFuture, Kind, Result, UploadRequest};
use crate::providers::iogates::remote::IoGates;
use crate::providers::iogates::tree::Tree;
use crate::providers::iogates::wire::File;

impl BatchCreation for IoGates {
    fn most(&self) -> usize {
        usize::MAX
    }
    fn create_batch<'a>(&'a self, items: &'a [UploadRequest]) -> BoxFuture<'a, Result<()>> {
        Box::pin(prepare(self, items))
    }
    fn orphans(&self) -> Vec<String> {
        self.making.orphans().into_iter().map(|id| format!("@{id}")).collect()
    }
}

type WantedEntry<'a> = (EntrySlot, &'a UploadRequest);

/// An item that can't be uploaded gets no entry here, as in `upload::open`, which then reports the reason.
async fn prepare(host: &IoGates, items: &[UploadRequest]) -> Result<()> {
    if host.making.one_by_one.load(Ordering::Relaxed) {
        return Ok(());
    }
    // Without the right to list, a lost answer would leave all items uncertain instead of one.
    let Some(before) = listing_before(host).await? else { return Ok(()) };
    let offers = host.api.offers().await?;
    let mut wanted: Vec<WantedEntry<'_>> = Vec::new();
    for item in items {
        let wish = Preference { forced: item.protocol.or(host.settings.protocol), avoid: &item.avoid, size: item.source.size() };
        let (Ok(path), Ok(_)) = (item.path(), choose(&offers, &wish)) else { continue };
        let Ok(spot) = spot_for(item, &path, Some(&before)) else { continue };
        match resolve_uncertain(host, &spot).await? {
            Some(made) => host.making.release(spot, made),
            None if !host.making.has_free(&spot) => wanted.push((spot, item)),
            None => {}
        }
    }
    for round in rounds(wanted) {
        make_together(host, round, &before).await?;
    }
    Ok(())
}

/// Files of one name go into different rounds. A file that is alone in its round saves nothing and is left out.
fn rounds(wanted: Vec<WantedEntry<'_>>) -> Vec<Vec<WantedEntry<'_>>> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut rounds: Vec<Vec<WantedEntry<'_>>> = Vec::new();
    for (spot, item) in wanted {
        let round = seen.entry(item.name.as_str()).and_modify(|n| *n += 1).or_default();
        match rounds.get_mut(*round) {
            Some(others) => others.push((spot, item)),
            None => rounds.push(vec![(spot, item)]),
        }
    }
    rounds.retain(|round| round.len() > 1);
    rounds
}

async fn make_together(host: &IoGates, round: Vec<WantedEntry<'_>>, before: &Arc<Tree>) -> Result<()> {
    let answer = host.api.create_many(round.iter().map(|(spot, item)| new_file(item, spot)).collect()).await;
    host.listing.forget().await;
    let doubt = |spot: EntrySlot| host.making.record_uncertain(spot, Some(before.clone()));
    match answer {
        Ok(files) => take(host, round, files, doubt),
        Err(error) => {
            match error.kind() {
                _ if error.may_have_happened() => round.into_iter().for_each(|(spot, _)| doubt(spot)),
                Kind::Refused | Kind::NotFound | Kind::Exists => host.making.one_by_one.store(true, Ordering::Relaxed),
                _ => {}
            }
            return Err(error);
        }
    }
    Ok(())
}

/// A file without an answer may have been made all the same. An answer that fits no file is kept, to be reported.
fn take(host: &IoGates, round: Vec<WantedEntry<'_>>, mut files: Vec<File>, doubt: impl Fn(EntrySlot)) {
    for (spot, item) in round {
        let is_its = |file: &File| file.name.as_ref().is_some_and(|name| *name == item.name || *name == spot.name);
        let Some(at) = files.iter().position(is_its) else {
            doubt(spot);
            continue;
        };
        let file = files.remove(at);
        let id = file.id.clone();
        match empty_entry_for(host, file, item) {
            Ok(made) => host.making.release(spot, made),
            Err(_) => {
                host.making.strays.lock().extend(id);
                doubt(spot);
            }
        }
    }
    host.making.strays.lock().extend(files.into_iter().filter_map(|file| file.id));
}
