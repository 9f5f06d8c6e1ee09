//! Passes the events of the transfers on to the code that shows them, and counts the outcomes of the files. The outcomes decide
//! whether the deletions begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::UnboundedReceiver;

use super::guard::{check_complete, display_names};
use super::options::{SyncOptions, SyncOutcome};
use crate::contract::Events;
use crate::error::{Error, Result};
use crate::model::{Event, RemotePath, Report};
use crate::transfer::client::RemoteClient;

/// The outcomes of the files so far.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    pub failed: u64,
    pub equal: u64,
    /// Of a dry run: the files that would be transferred, by their paths on the remote.
    pub planned: Vec<RemotePath>,
}

/// Passes events on until the last sender is gone, and returns the outcomes. `equal_before`: the number of files that the comparison
/// has found equal so far. The transfers do not know these files, so their number is added to the planned files.
pub(super) async fn watch(mut told: UnboundedReceiver<Event>, to: Events, equal_before: Arc<AtomicU64>) -> Outcomes {
    let mut outcomes = Outcomes::default();
    while let Some(mut event) = told.recv().await {
        match &mut event {
            Event::Planned { files, .. } => *files = files.saturating_add(equal_before.load(Ordering::Relaxed)),
            Event::Finished { report, .. } => match **report {
                Report::Failed(_) => outcomes.failed += 1,
                Report::Skipped { .. } => outcomes.equal += 1,
                Report::Planned { action, ref path, .. } if action != "move" => outcomes.planned.push(path.clone()),
                _ => {}
            },
            _ => {}
        }
        to.send(event);
    }
    outcomes
}

/// Warns that the deletions did not begin, because files have failed. `names`: what stays at TO.
pub(super) fn report_kept(client: &RemoteClient, outcomes: &Outcomes, names: &[String]) {
    if !names.is_empty() {
        let failed = if outcomes.failed == 1 { "1 file has failed".to_owned() } else { format!("{} files have failed", outcomes.failed) };
        let text = format!("{failed}, so nothing was deleted: {} stay ({})", names.len(), display_names(names));
        client.events.send(Event::Warning(text));
    }
}

/// Decides after the transfers whether the deletions may begin. Where they may not, the reason is a warning or is put into `outcome`.
pub(super) fn may_delete(
    client: &RemoteClient,
    options: &SyncOptions,
    sent: (&Outcomes, &Result<(), Error>, &[String]),
    names: &[String],
    outcome: &mut SyncOutcome,
) -> bool {
    let (outcomes, guarded, unread) = sent;
    if !options.delete {
        return false;
    }
    if let Err(refused) = check_complete(&options.from, unread, names) {
        outcome.only_unread = outcomes.failed == unread.len() as u64;
        outcome.refused = Some(refused);
        return false;
    }
    if outcomes.failed > 0 {
        report_kept(client, outcomes, names);
        return false;
    }
    if let Err(refused) = guarded {
        outcome.refused = Some(refused.duplicate());
        return false;
    }
    true
}
