//! One upload on its way: what is known of it, for the loop, for taking it up and for giving it up.

use std::sync::Arc;

use super::journal::Journal;
use crate::contract::UploadRequest;
use crate::error::Result;
use crate::model::Entry;
use crate::model::event::FileId;
use crate::transfer::client::{RemoteClient, Retries};
use crate::transfer::effort::Effort;
use crate::transfer::source::meter::{Activity, Meter};

pub(super) struct Uploader<'a> {
    pub client: &'a RemoteClient,
    pub id: FileId,
    pub meter: Arc<Meter>,
    pub pulse: Arc<Activity>,
    pub patience: Retries<'a>,
    /// None for what can't be read a second time.
    pub journal: Option<Journal>,
    pub resumed_from: u64,
    /// The whole file may have arrived by the session in hand.
    pub doubt: bool,
    pub effort: &'a mut Effort,
    /// The furthest byte that the server can hold in the session in hand.
    pub sent_to: u64,
    /// The server claims more of the session in hand than was ever sent: what it holds is no part of this file.
    pub worthless: bool,
    /// Every byte of the file has left, in this session or an earlier one.
    pub left: bool,
    /// By the last failure's own word the server goes on with what it got.
    pub still_worked_on: bool,
}

impl<'a> Uploader<'a> {
    pub fn new(client: &'a RemoteClient, id: FileId, meter: Arc<Meter>, journal: Option<Journal>, effort: &'a mut Effort) -> Self {
        let (patience, pulse) = (client.retries(Some(id)), meter.pulse());
        let (resumed_from, sent_to, doubt, worthless) = (0, 0, false, false);
        let (left, still_worked_on) = (false, false);
        Uploader { client, id, meter, pulse, patience, journal, resumed_from, doubt, effort, sent_to, worthless, left, still_worked_on }
    }

    pub(super) fn note(&self, step: impl FnOnce(&Journal) -> Result<()>) -> Result<()> {
        self.journal.as_ref().map_or(Ok(()), step)
    }

    /// What was noted is on the disk when this is done.
    pub(super) async fn commit(&self) -> Result<()> {
        match &self.journal {
            Some(journal) => journal.commit().await,
            None => Ok(()),
        }
    }
}

pub(super) fn size_of(item: &UploadRequest, entry: &Entry) -> u64 {
    item.source.size().or(entry.size).unwrap_or(0)
}
