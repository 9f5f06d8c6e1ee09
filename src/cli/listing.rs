//! What `ls`, `tree`, `du`, `stat` and `find` share: the places they are given, the walk below each, and how failures of
//! single folders become one status.

use std::sync::Arc;

use clap::Args;

use super::abilities::{Ability, require};
use super::connection::ConnectArgs;
use super::context::{Context, Hit, OpenRemote};
use super::file_times::WithTimes;
use super::transfer_args::LiteralArgs;
use super::{glob, value_parsers};
use crate::contract::EntryOrder;
use crate::error::{Error, Kind, Result};
use crate::model::report::Failure;
use crate::model::{Address, Entry, RemotePath, Report};
use crate::render::exit;
use crate::transfer::walk::{TreeWalk, is_fatal};

#[derive(Args)]
pub struct LookArgs {
    #[command(flatten)]
    pub literal: LiteralArgs,
    /// Requests at the same time
    #[arg(short, long, value_name = "N", default_value = "4", env = "HAUL_JOBS", value_parser = value_parsers::jobs)]
    pub jobs: u32,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

pub struct Lister {
    args: LookArgs,
    needs: &'static Ability,
    /// What was found or shown.
    done: u64,
    failed: Vec<Kind>,
    order: EntryOrder,
}

impl Lister {
    /// `needs`: what each remote must be able to do.
    pub fn new(args: LookArgs, needs: &'static Ability) -> Lister {
        Lister { args, needs, done: 0, failed: Vec::new(), order: EntryOrder::default() }
    }

    /// What comes first; names in the order of people unless said.
    pub fn with_order(self, order: EntryOrder) -> Lister {
        Lister { order, ..self }
    }

    /// `--jobs`
    pub fn jobs(&self) -> u32 {
        self.args.jobs
    }

    /// Finds all `places`. A place that is not there is reported, and the others are found. Fails before anything is sent where
    /// an address itself is wrong. A single place that can't be found is a failure of the command.
    pub async fn find(&mut self, context: &Context, places: &[String]) -> Result<Vec<Hit>> {
        let mut asked = Vec::new();
        for place in places {
            let address = Address::parse_remote(place)?;
            let remote = Arc::new(context.open(&address.remote, self.args.connection)?);
            require(&remote, self.needs)?;
            asked.push((remote, address));
        }
        let (mut found, mut lost) = (Vec::new(), glob::FailedRemotes::of(places.len()));
        for (remote, address) in asked {
            let literal = self.args.literal.literal;
            match lost.ask(&address, async || glob::expand(context, &remote, &address, literal).await).await? {
                Ok(entries) => found.extend(entries.into_iter().map(|entry| Hit { remote: remote.clone(), entry })),
                Err(error) => self.record_failure(context, &remote, address.place.display_path(&address.place.path), &error),
            }
        }
        Ok(found)
    }

    /// A walk below a folder; `into` says which folders it lists, by their depth (1 = directly in `top`).
    pub fn scan(
        &self,
        context: &Context,
        remote: &OpenRemote,
        top: Entry,
        into: impl Fn(&Entry, usize) -> bool + Send + Sync + 'static,
    ) -> TreeWalk {
        TreeWalk::new(context.client(remote), top, self.args.jobs as usize, into).with_order(self.order)
    }

    pub fn show(&mut self, context: &Context, remote: &OpenRemote, entry: Entry) {
        self.done += 1;
        context.renderer.report(&Report::Entry { remote: remote.name.clone(), entry });
    }

    /// Shows an entry with the times that were asked for. Fails where no further request can succeed.
    pub fn on_stat(&mut self, context: &Context, dated: WithTimes) -> Result<()> {
        match dated.entry {
            Ok(entry) => self.show(context, &dated.remote, entry),
            Err(error) if is_fatal(error.kind()) => return Err(error),
            Err(error) => self.record_failure(context, &dated.remote, dated.path, &error),
        }
        Ok(())
    }

    /// Shows an entry: people see it drawn, scripts get an event.
    pub fn event(&mut self, context: &Context, remote: &OpenRemote, entry: Entry) {
        match context.renderer.style().json {
            true => self.show(context, remote, entry),
            false => self.done += 1,
        }
    }

    pub fn has_entries(&self) -> bool {
        self.done > 0
    }

    /// Notes that something was found which has no line of its own in the output.
    pub fn count(&mut self) {
        self.done += 1;
    }

    pub fn record_failure(&mut self, context: &Context, remote: &OpenRemote, path: RemotePath, error: &Error) {
        self.failed.push(error.kind());
        context.renderer.report(&Report::Failed(Failure::new(error).at(remote.name.clone(), path)));
    }

    pub fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    pub fn status(&self) -> u8 {
        exit::merge(self.done, &self.failed)
    }
}
