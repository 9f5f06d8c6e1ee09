//! Which files a sync has to do with: those of FROM that the filter takes; and of TO only what the filter would take there,
//! too. What is left out on either side is neither brought nor deleted.

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};

use super::remote_tree::{RemoteTree, Selection, text_of};
use crate::model::{Entry, Event, RemotePath};
use crate::transfer::filter::{Candidate, Filter, RemoteFilter, Verdict};

/// Takes out of what FROM has on a remote what the filter leaves out. `at_once`: files that are asked for their times.
pub(super) async fn choose(selection: &mut Selection, tree: &RemoteTree, filter: &RemoteFilter, at_once: usize) {
    if !filter.filter.is_active() {
        selection.files.iter().for_each(|_| filter.filter.count_taken());
        return;
    }
    selection.folders.retain(|at| tree.folders.get(*at).is_some_and(|folder| filter.filter.takes_folder(&text_of(&folder.path))));
    let judged = std::mem::take(&mut selection.files).into_iter().map(async |at| {
        let entry = tree.entry(at)?;
        let path = tree.folders.get(at.0)?.path.join(&entry.name).ok()?;
        let verdict = filter.judge(&entry, &text_of(&path), false).await;
        Some((at, entry, verdict))
    });
    let mut judged = std::pin::pin!(stream::iter(judged).buffered(at_once.max(1)));
    selection.bytes = 0;
    while let Some(judged) = judged.next().await {
        let Some((at, entry, verdict)) = judged else { continue };
        match verdict {
            Verdict::Takes => {
                filter.filter.count_taken();
                selection.bytes = selection.bytes.saturating_add(entry.size.unwrap_or(0));
                selection.files.push(at);
                continue;
            }
            Verdict::Failed(error) => {
                selection.unfit.push((entry, error));
                continue;
            }
            Verdict::Unsettled(reason) => {
                filter.filter.count_left_out(&entry.name, &Verdict::Unsettled(String::new()));
                selection.unsettled.push((entry, reason));
            }
            verdict => {
                let note = filter.filter.count_left_out(&filter.client.address(&entry.path), &verdict);
                note.into_iter().for_each(|note| filter.client.events.tell(Event::Note(note)));
            }
        }
        selection.left_out.push(at);
    }
}

/// May a file that TO has at this path be deleted, as far as the filter goes? Not where the filter leaves the path out, nor
/// where nobody can tell.
pub(super) fn may_go(filter: &Filter, path: &RemotePath, size: Option<u64>, modified: Option<DateTime<Utc>>) -> bool {
    let path = text_of(path);
    filter.judge(&Candidate { path: &path, is_source: false, is_folder: false, size, modified }).takes()
}

/// As `may_go`, of an entry of a remote.
pub(super) fn entry_may_go(filter: &Filter, path: &RemotePath, entry: &Entry) -> bool {
    may_go(filter, path, entry.size, entry.modified)
}

/// As `may_go`, of a folder that is empty by then.
pub(super) fn folder_may_go(filter: &Filter, path: &RemotePath) -> bool {
    filter.takes_emptied_folder(&text_of(path))
}
