//! What several puts of one process share (`haul batch`): the account, the folders that were listed, and the files that wait to be
//! confirmed. A thousand puts of one file then ask as often as one put of a thousand files.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{Notify, OnceCell};

use super::confirmation_queue::ConfirmationQueue;
use super::options::PutJob;
use crate::contract::Events;
use crate::error::{Error, Kind, Result};
use crate::model::{Account, Event, Limits, Root};
use crate::transfer::client::RemoteClient;
use crate::transfer::folder_cache::FolderCache;

/// A listing is requested again after this time: others put files there, too.
const KEPT: Duration = Duration::from_secs(60);

/// The account and the folders of a remote as one or several puts see them.
pub(crate) struct PutSession {
    pub(super) account: Account,
    pub(super) folders: FolderCache,
    begun: Instant,
}

impl PutSession {
    /// Signs in. Fails with what the account says against any upload.
    pub(super) async fn open(client: RemoteClient, job: &PutJob) -> Result<PutSession> {
        let account = client.call(|p| p.sign_in()).await?;
        for warning in &account.warnings {
            client.events.send(Event::Warning(warning.clone()));
        }
        admit(&account.limits).map_err(|e| e.with_subject(job.target.remote.clone()))?;
        let folders = FolderCache::new(client, job.target.place.root.clone(), job.options.dry_run)
            .with_locks(job.ledger.clone(), job.remote_key.clone());
        Ok(PutSession { account, folders, begun: Instant::now() })
    }
}

/// What an account says of itself, before anything is sent in vain.
fn admit(limits: &Limits) -> Result<()> {
    if limits.expired == Some(true) {
        return Err(Error::new(Kind::Refused, "the share or account has expired").with_hint("ask its owner for a new one"));
    }
    match limits.may_upload {
        Some(false) => Err(Error::new(Kind::Refused, "this account may not upload").with_hint("ask its owner for the permission")),
        _ => Ok(()),
    }
}

type SessionCell = Arc<OnceCell<Arc<PutSession>>>;

/// The sessions of all remotes that a batch puts to.
pub struct PutSessions {
    events: Events,
    /// By remote, the root that paths are counted from, and whether it is a dry run.
    open: Mutex<HashMap<(String, Root, bool), SessionCell>>,
    queues: Mutex<HashMap<String, ConfirmationQueue>>,
    changed: Arc<Notify>,
    jobs: usize,
    /// Places that one of the puts has sent something to.
    sent_to: Mutex<HashSet<String>>,
}

impl PutSessions {
    /// `jobs` puts at once; what is told of no single one of them goes to `events`.
    pub fn new(jobs: usize, events: Events) -> PutSessions {
        PutSessions { events, open: Mutex::default(), queues: Mutex::default(), changed: Arc::default(), jobs, sent_to: Mutex::default() }
    }

    pub(super) async fn session(&self, job: &PutJob) -> Result<Arc<PutSession>> {
        let key = (job.remote_key.clone(), job.target.place.root.clone(), job.options.dry_run);
        let cell = {
            let mut open = self.open.lock();
            if open.get(&key).and_then(|cell| cell.get()).is_some_and(|session| session.begun.elapsed() > KEPT) {
                open.remove(&key);
            }
            open.entry(key).or_default().clone()
        };
        let mut client = job.client.clone();
        (client.events, client.limit) = (self.events.clone(), None);
        let client = client;
        let open = || async {
            // What the provider remembers may be older.
            client.invalidate_cache().await;
            PutSession::open(client.clone(), job).await.map(Arc::new)
        };
        cell.get_or_try_init(open).await.cloned()
    }

    pub(super) fn queue(&self, remote: &str) -> ConfirmationQueue {
        let new = || ConfirmationQueue::new(self.jobs).that_tells(self.changed.clone());
        self.queues.lock().entry(remote.to_owned()).or_insert_with(new).clone()
    }

    /// True: an earlier put was to this place, so what was listed before is no longer true.
    pub(super) fn is_sent_to_again(&self, place: &str) -> bool {
        !self.sent_to.lock().insert(place.to_owned())
    }

    /// Something else than a put has changed, or may have changed, a remote.
    pub fn forget_listings(&self) {
        self.open.lock().clear();
    }

    /// Is there room for one more put, when so many are under way?
    pub fn has_room(&self, under_way: usize) -> bool {
        under_way.saturating_sub(self.waiting()) < self.jobs
    }

    /// No other put begins now: if all that are under way only wait to be confirmed, nobody waits for company.
    pub fn full(&self, under_way: usize) {
        let all_wait = self.waiting() >= under_way;
        self.queues.lock().values().for_each(|queue| queue.hurry(all_wait));
    }

    /// Another put begins.
    pub fn has_more(&self) {
        self.queues.lock().values().for_each(ConfirmationQueue::has_more);
    }

    /// Waits until some file waits to be confirmed, or no longer does.
    pub async fn wait_for_change(&self) {
        self.changed.notified().await;
    }

    fn waiting(&self) -> usize {
        self.queues.lock().values().map(ConfirmationQueue::waiting).sum()
    }
}
