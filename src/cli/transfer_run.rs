//! What each command that carries files has around its work: the note of the command, its receipts, and the way of the events
//! from the work to whoever shows them.

use std::path::Path;

use futures_util::future::LocalBoxFuture;
use tokio::sync::mpsc::UnboundedReceiver;

use super::context::Context;
use super::receipt::{ReceiptArgs, Receipts};
use super::runs;
use super::runs::Noted;
use crate::contract::Events;
use crate::error::Result;
use crate::model::Event;
use crate::render::Tally;
use crate::transfer::filter::Filter;

pub(crate) struct TransferRun {
    receipts: Receipts,
    /// From the work to the receipts.
    told: UnboundedReceiver<Event>,
    /// From the receipts to the screen.
    shown: (Events, UnboundedReceiver<Event>),
}

impl TransferRun {
    /// Notes the command and opens its receipts. The work tells what it does by the `Events` that come with it.
    pub async fn begin(
        context: &Context,
        noted: Option<Noted>,
        remote: &str,
        (receipts, dry_run): (&ReceiptArgs, bool),
    ) -> Result<(TransferRun, Events)> {
        let run = runs::begin(context, noted, remote).await?;
        let receipts = Receipts::open(receipts, dry_run, &context.renderer)?.of_run(run);
        let (events, told) = Events::channel();
        Ok((TransferRun { receipts, told, shown: Events::channel() }, events))
    }

    /// See [`Receipts::with_list`].
    pub fn with_list(self, base: Option<&Path>, by_nul: bool) -> TransferRun {
        TransferRun { receipts: self.receipts.with_list(base, by_nul), ..self }
    }

    /// Waits for the work and shows its events. `work` holds the last sender of them; it is boxed, because a future that is handed on
    /// by value lies on the stack once more each time.
    pub async fn follow<T>(self, context: &Context, work: LocalBoxFuture<'_, Result<T>>) -> Result<(T, Tally)> {
        let (shown, receiver) = self.shown;
        let (outcome, noted, tally) = tokio::join!(work, self.receipts.tee(self.told, shown), context.renderer.follow(receiver));
        let outcome = outcome?;
        noted?;
        Ok((outcome, tally))
    }
}

/// Reports what a filter left out, once the work is over.
pub(crate) fn conclude(context: &Context, filter: &Filter, is_listed: bool, tally: &Tally) -> Result<()> {
    filter.conclude(is_listed, tally.failed > 0)?.iter().for_each(|warning| context.renderer.warning(warning));
    Ok(())
}
