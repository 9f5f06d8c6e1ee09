//! Finds what an earlier run left of a file, before anything is decided about the file.

use std::sync::Arc;

use super::options::ChecksumMode;
use super::plan::PutItem;
use super::run::PutRun;
use crate::contract::{UploadHandle, place_key};
use crate::error::Result;
use crate::model::{Entry, Event, Place, RemotePath};
use crate::transfer::fingerprint::FileFingerprint;
use crate::transfer::folder_cache::ListedFolder;
use crate::transfer::source::SourceSpec;
use crate::transfer::upload::journal::{Journal, JournalRecord, SourceMatch, Stage};
use crate::transfer::upload::resume::{cleanup_request, discard_partial};

/// An upload that is resumed as the earlier run decided.
pub(crate) struct PreviousUpload {
    pub(crate) name: String,
    pub(crate) replaces: Option<Entry>,
    /// An entry that was made for the file and has no bytes.
    pub(crate) unused: Option<UploadHandle>,
    /// Set if the server may hold some bytes already.
    pub(crate) sent: Option<SentContent>,
}

/// What is known of a file whose upload has begun.
pub(crate) struct SentContent {
    /// The MD5 of the whole file, if the earlier run computed it before its first byte.
    pub(crate) md5: Option<String>,
}

impl PutRun {
    /// Returns `folder`, which has the path `path`, listed anew if another run has put this very source there since. A newer
    /// listing that was made for another file is used, too.
    pub(crate) async fn current(
        &self,
        folder: Arc<ListedFolder>,
        path: &RemotePath,
        waited: bool,
        journal: Option<&Journal>,
    ) -> Result<Arc<ListedFolder>> {
        if !self.is_stale(&folder, waited, journal)? {
            return Ok(folder);
        }
        match self.folders().last_refresh(path).await {
            Some(newer) if !self.is_stale(&newer, waited, journal)? => Ok(newer),
            _ => self.folders().refresh(path).await,
        }
    }

    /// Whether another run has put this very source since the folder was listed, or was uploading it.
    fn is_stale(&self, folder: &ListedFolder, waited: bool, journal: Option<&Journal>) -> Result<bool> {
        let Some(journal) = journal.filter(|_| !waited) else { return Ok(waited) };
        self.job.ledger.has_completed_since(&self.job.remote_key, &journal.source().path, folder.seen)
    }

    /// The key of the place in locks and records: the folder's id and the name, so that `r:/films/x` and `r:@125/x` are one
    /// place. The path, if folders are made only with the files in them (ioGates): there only later runs know the id.
    pub(crate) fn place_key(&self, folder: &ListedFolder, path: &RemotePath) -> String {
        let has_id = !folder.entry.id.is_empty() && self.job.client.has(|can| can.folders.is_some());
        match path.name() {
            Some(name) if has_id => format!("{}|@{}/{name}", self.job.remote_key, folder.entry.id),
            _ => place_key(&self.job.remote_key, path),
        }
    }

    /// None for a source that can't be resumed.
    pub(crate) fn journal(&self, key: String, item: &PutItem, path: &RemotePath, identity: Option<FileFingerprint>) -> Option<Journal> {
        let place = Place { root: self.job.target.place.root.clone(), path: path.clone() };
        let identity = identity?;
        // The local path in it is absolute; a relative one would be useless to a later run.
        let shown = item.origin.original().map_or_else(|| identity.path.clone(), |original| original.shown.clone());
        let place = (self.job.target.remote.clone(), place.to_string());
        Some(Journal::new(self.job.ledger.clone(), key, place, identity, shown))
    }

    /// Returns what an earlier run began with this very file. What it began with another content is removed, and a message says
    /// so.
    pub(crate) async fn find_previous(
        &self,
        journal: Option<&Journal>,
        origin: &SourceSpec,
        folder: &ListedFolder,
    ) -> Result<Option<PreviousUpload>> {
        let Some(journal) = journal else { return Ok(None) };
        let Some((begun, freshness)) = journal.load()? else { return Ok(None) };
        // A file that was sent by one request has left nothing there: the decision is made anew, from what is there now.
        let left_nothing = begun.stage == Stage::Sending && !begun.may_have_arrived();
        if freshness == SourceMatch::Same && left_nothing && !begun.spoils_name {
            return Ok(None);
        }
        if let Some(why) = self.why_not(freshness, &begun, journal, origin).await? {
            return self.discard_changed(journal, &begun, &folder.entry, why).await.map(|()| None);
        }
        match begun.stage {
            Stage::Planned => self.find_unconfirmed(begun, folder).await,
            Stage::Made => Ok(Some(PreviousUpload { unused: Some(begun.ticket), name: begun.name, replaces: begun.replaces, sent: None })),
            Stage::Sending | Stage::Leaving | Stage::Finishing | Stage::Missing => {
                let sent = Some(SentContent { md5: begun.md5 });
                Ok(Some(PreviousUpload { unused: None, name: begun.name, replaces: begun.replaces, sent }))
            }
        }
    }

    /// The reason why the earlier upload can't be resumed. If the source may have changed, its content decides.
    async fn why_not(
        &self,
        freshness: SourceMatch,
        begun: &JournalRecord,
        journal: &Journal,
        origin: &SourceSpec,
    ) -> Result<Option<&'static str>> {
        const CHANGED: &str = "the file has changed since an earlier run began to put it";
        const UNPROVEN: &str = "nothing proves that the file is as it was when an earlier run began to put it";
        match freshness {
            SourceMatch::Same => return Ok(None),
            SourceMatch::Changed => return Ok(Some(CHANGED)),
            // The server has none of the bytes.
            SourceMatch::Unproven | SourceMatch::Touched if begun.stage < Stage::Sending => return Ok(None),
            SourceMatch::Unproven | SourceMatch::Touched => {}
        }
        if let Some(then) = &begun.md5 {
            let now = origin.md5().await?;
            if !now.is_some_and(|now| now.eq_ignore_ascii_case(then)) {
                return Ok(Some(CHANGED));
            }
            journal.judge_same();
            return Ok(None);
        }
        // A provider that accepts an MD5 also reports the MD5 of the stored file, and the whole file is compared with it at the
        // end.
        let told_at_the_end = self.job.client.has(|can| can.takes_md5) && self.job.options.checksum != ChecksumMode::None;
        Ok((freshness == SourceMatch::Touched || !told_at_the_end).then_some(UNPROVEN))
    }

    /// If something can't be removed, the message names it: the upload of the newer content does not fail because of an older
    /// one.
    async fn discard_changed(&self, journal: &Journal, begun: &JournalRecord, folder: &Entry, why: &str) -> Result<()> {
        let stays = match discard_partial(&self.job.client, begun, &cleanup_request(begun, folder.clone())).await {
            Ok(left) => left.stays.map_or_else(String::new, |left| format!("; {left} stays on the server")),
            Err(error) => format!("; what it had sent may stay on the server: {error}"),
        };
        journal.close()?;
        if begun.stage < Stage::Sending {
            return Ok(());
        }
        let path = &begun.ticket.path;
        let text = format!("{path}: {why}, so it starts from its first byte{stays}");
        self.job.client.events.send(Event::Warning(text));
        Ok(())
    }

    /// The earlier run may have died after its request to make the entry and before the answer: looks for an empty entry that
    /// was not there before.
    async fn find_unconfirmed(&self, begun: JournalRecord, folder: &ListedFolder) -> Result<Option<PreviousUpload>> {
        let new: Vec<&Entry> = folder.find_by_name(&begun.name).filter(|entry| !begun.ticket.known_ids.contains(&entry.id)).collect();
        for entry in new {
            let adopted = self.job.client.call(|p| p.adopt_empty_entry(entry)).await?;
            if adopted.is_some() {
                return Ok(Some(PreviousUpload { unused: adopted, name: begun.name, replaces: begun.replaces, sent: None }));
            }
        }
        Ok(None)
    }
}
