//! The remote's folders in one run. Each is looked up once, made once and listed once, however many files go into it. giga0
//! makes a second folder when the same name is created twice (providers.md 2.9).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::client::RemoteClient;
use super::lock_wait::lock_place;
use crate::contract::entry_list::Faults;
use crate::contract::walk::one_named;
use crate::contract::{BoxFuture, Provider, Siblings, TransferStore};
use crate::error::{Error, Kind, Result};
use crate::model::{Entry, EntryKind, Place, RemotePath, Root};

/// A folder and what it held before this run.
pub struct ListedFolder {
    pub entry: Entry,
    pub children: Siblings,
    /// The time of that listing, in milliseconds since 1970.
    pub seen: i64,
    by_name: HashMap<String, Vec<usize>>,
    pub faults: Arc<Faults>,
    /// The names that files of this run get.
    given: Arc<Mutex<HashSet<String>>>,
}

impl ListedFolder {
    pub fn new(entry: Entry, children: Vec<Entry>, seen: i64) -> ListedFolder {
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, child) in children.iter().enumerate() {
            by_name.entry(child.name.clone()).or_default().push(at);
        }
        ListedFolder { entry, children: children.into(), seen, by_name, faults: Arc::default(), given: Arc::default() }
    }

    /// The folder, where it is known to hold this alone. Names that are given stay so.
    pub fn with_child(&self, child: Entry) -> ListedFolder {
        ListedFolder { given: self.given.clone(), ..ListedFolder::new(self.entry.clone(), vec![child], self.seen) }
    }

    pub fn find_by_name(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.by_name.get(name).into_iter().flatten().filter_map(|at| self.children.get(*at))
    }

    /// As `find_by_name`. Fails with `Protocol` where the server lists an unreadable row of this name, because the name is taken then.
    pub fn readable(&self, name: &str) -> Result<impl Iterator<Item = &Entry>> {
        if !self.by_name.contains_key(name) {
            self.faults
                .check(name)
                .map_err(|e| e.with_subject(self.entry.path.join(name).map_or_else(|_| name.to_owned(), |p| p.to_string())))?;
        }
        Ok(self.find_by_name(name))
    }

    /// Reserves a name for a file of this run; false if another file of the run has reserved it.
    pub fn reserve_name(&self, name: &str) -> bool {
        self.given.lock().insert(name.to_owned())
    }
}

type Cell = Arc<OnceCell<Option<Arc<ListedFolder>>>>;
/// A folder, or the definite refusal to make it.
type CreateCell = Arc<OnceCell<Result<Arc<ListedFolder>>>>;

/// The last listing of a folder that was busy, and when it was asked for.
type Again = Arc<tokio::sync::Mutex<Option<(Instant, Arc<ListedFolder>)>>>;

pub struct FolderCache {
    client: RemoteClient,
    root: Root,
    /// Dry run: a missing folder is imagined, not made.
    imagine: bool,
    /// Where this machine's runs take turns to make folders, and the name of the remote there.
    turns: Option<(Arc<dyn TransferStore>, String)>,
    /// Whether a folder was made is unknown, so earlier results may be out of date.
    doubt: AtomicBool,
    found: Mutex<HashMap<RemotePath, Cell>>,
    made: Mutex<HashMap<RemotePath, CreateCell>>,
    again: Mutex<HashMap<RemotePath, Again>>,
}

impl FolderCache {
    /// Paths are counted from `root`.
    pub fn new(client: RemoteClient, root: Root, imagine: bool) -> Self {
        FolderCache {
            client,
            root,
            imagine,
            turns: None,
            doubt: AtomicBool::new(false),
            found: Mutex::default(),
            made: Mutex::default(),
            again: Mutex::default(),
        }
    }

    /// Several runs at once make each folder once. `remote`: origin and account.
    pub fn with_locks(self, ledger: Arc<dyn TransferStore>, remote: String) -> Self {
        FolderCache { turns: Some((ledger, remote)), ..self }
    }

    /// The folder at `path` if it is there. Fails when a step of the path is ambiguous.
    pub fn find<'a>(&'a self, path: &'a RemotePath) -> BoxFuture<'a, Result<Option<Arc<ListedFolder>>>> {
        let cell = entry_of(&self.found, path);
        Box::pin(async move { cell.get_or_try_init(|| self.get(path)).await.cloned().map_err(|e| e.with_remote(&self.client.remote)) })
    }

    /// Is there a folder at `path`, found or made by now? Fails as [`FolderCache::find`].
    pub async fn is_there(&self, path: &RemotePath) -> Result<bool> {
        let is_made = entry_of(&self.made, path).get().is_some_and(Result::is_ok);
        Ok(is_made || self.find(path).await?.is_some())
    }

    /// Returns the folder at `path`, made with its parents if it is missing. A definite refusal is requested once and returned
    /// for every file that goes there.
    pub fn ensure<'a>(&'a self, path: &'a RemotePath) -> BoxFuture<'a, Result<Arc<ListedFolder>>> {
        let cell = entry_of(&self.made, path);
        let find = || async {
            match self.get_or_create(path).await {
                Err(error) if error.kind().is_transient() || error.kind() == Kind::Unknown => Err(error),
                verdict => Ok(verdict),
            }
        };
        Box::pin(async move {
            match cell.get_or_try_init(find).await? {
                Ok(folder) => Ok(folder.clone()),
                Err(error) => Err(error.duplicate()),
            }
        })
    }

    /// Lists the folder again, because another run changed it. The names that files of this run have reserved stay reserved.
    /// Callers that come while a listing runs share the next one.
    pub async fn refresh(&self, path: &RemotePath) -> Result<Arc<ListedFolder>> {
        let called = Instant::now();
        let last = self.again.lock().entry(path.clone()).or_default().clone();
        let mut last = last.lock().await;
        if let Some((asked, folder)) = &*last
            && *asked >= called
        {
            return Ok(folder.clone());
        }
        let asked = Instant::now();
        let folder = self.list_again(path).await?;
        *last = Some((asked, folder.clone()));
        Ok(folder)
    }

    fn can_browse(&self) -> bool {
        self.client.has(|can| can.browse.is_some())
    }

    /// The result of the last [`FolderCache::refresh`].
    pub async fn last_refresh(&self, path: &RemotePath) -> Option<Arc<ListedFolder>> {
        let last = self.again.lock().get(path).cloned()?;
        let last = last.lock().await;
        last.as_ref().map(|(_, folder)| folder.clone())
    }

    async fn list_again(&self, path: &RemotePath) -> Result<Arc<ListedFolder>> {
        if !self.can_browse() {
            return self.ensure(path).await;
        }
        self.client.invalidate_cache().await;
        let place = Place { root: self.root.clone(), path: path.clone() };
        let entry = match self.client.call(|p| p.stat(&place)).await {
            Ok(entry) => entry,
            // A folder that the first file in it will make.
            Err(e) if e.kind() == Kind::NotFound => return self.ensure(path).await,
            Err(e) => return Err(e),
        };
        let before = entry_of(&self.made, path).get().and_then(|made| made.as_ref().ok().cloned());
        let given = before.map(|folder| folder.given.clone()).unwrap_or_default();
        Ok(Arc::new(ListedFolder { given, ..self.list_now(entry).await? }))
    }

    async fn list_folder(&self, entry: Entry) -> Result<Arc<ListedFolder>> {
        self.list_now(entry).await.map(Arc::new)
    }

    async fn list_now(&self, entry: Entry) -> Result<ListedFolder> {
        let seen = now_in_ms();
        let children = self.client.list(&entry).await?;
        let faults = children.faults.clone();
        Ok(ListedFolder { faults, ..ListedFolder::new(entry, children.collect(), seen) })
    }

    async fn get(&self, path: &RemotePath) -> Result<Option<Arc<ListedFolder>>> {
        if path.is_root() && self.root == Root::Top && !self.can_browse() {
            // A remote that lists nothing: all that is known is that files can be put there.
            return Ok(Some(Arc::new(ListedFolder::new(Entry::new(EntryKind::Folder, "", path.clone()), Vec::new(), now_in_ms()))));
        }
        let entry = match (path.parent(), path.name()) {
            (Some(parent), Some(name)) => match self.find(&parent).await? {
                Some(parent) => one_named(parent.readable(name)?.cloned().collect(), name, true, &parent.entry.path)?,
                None => None,
            },
            _ => Some(self.top().await?),
        };
        match entry {
            Some(entry) => self.list_folder(entry).await.map(Some),
            None => Ok(None),
        }
    }

    async fn top(&self) -> Result<Entry> {
        let place = Place { root: self.root.clone(), path: RemotePath::root() };
        let entry = self.client.stat(&place).await?;
        match entry.kind {
            EntryKind::Folder => Ok(entry),
            EntryKind::File => Err(Error::new(Kind::Usage, "this id names a file, not a folder")
                .with_subject(self.client.address(&place.display_path(&place.path)))),
        }
    }

    async fn get_or_create(&self, path: &RemotePath) -> Result<Arc<ListedFolder>> {
        if let Some(folder) = self.find(path).await? {
            return Ok(folder);
        }
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else {
            return Err(Error::new(Kind::NotFound, "the remote has no top folder"));
        };
        let parent = self.ensure(&parent).await?;
        if parent.find_by_name(name).any(|e| !e.is_folder()) {
            return Err(Error::new(Kind::Exists, "a file of this name is in the way of the folder")
                .with_subject(self.client.address(&parent.entry.path.join(name)?)));
        }
        let turn = match &self.turns {
            Some((ledger, remote)) if !self.imagine && self.client.has(|can| can.folders.is_some()) => {
                let key = format!("folder|{remote}|{}|{path}", self.root_name());
                Some(lock_place(&self.client, ledger.as_ref(), &key, &path.to_string()).await?)
            }
            _ => None,
        };
        // The run that held the lock before may have made the folder since we looked, or another task of this run.
        if (turn.is_some() || self.doubt.load(Ordering::Relaxed))
            && let Some(entry) = self.client.check(|p| self.find_created_by_other(p, &parent.entry, name)).await?
        {
            return self.list_folder(entry).await;
        }
        self.make(&parent.entry, name).await.map(Arc::new)
    }

    fn root_name(&self) -> &str {
        match &self.root {
            Root::Top => "",
            Root::Id(id) => id,
        }
    }

    async fn make<'a>(&'a self, parent: &'a Entry, name: &'a str) -> Result<ListedFolder> {
        let to_be = || Ok(ListedFolder::new(Entry::new(EntryKind::Folder, "", parent.path.join(name)?), Vec::new(), now_in_ms()));
        self.client.check_name(name)?;
        if self.imagine || !self.client.has(|can| can.folders.is_some()) {
            return to_be();
        }
        // The folder may be there all the same, because another run was faster. Somebody else's folder may have entries
        // already.
        let there = |p| async move { Ok(self.find_created_by_other(p, parent, name).await?.map(|entry| (entry, false))) };
        let call = |p: &'a dyn Provider| async move {
            match p.abilities().folders()?.create(parent, name).await {
                Ok(entry) => Ok((entry, true)),
                Err(e) if matches!(e.kind(), Kind::Exists | Kind::Refused) => self.client.check(there).await?.ok_or(e),
                Err(e) => Err(e),
            }
        };
        match self.client.mutate_once(Duration::ZERO, call, there).await {
            Ok((entry, true)) => Ok(ListedFolder::new(entry, Vec::new(), now_in_ms())),
            Ok((entry, false)) => self.list_now(entry).await,
            Err(error) if error.kind() == Kind::Unknown => {
                self.doubt.store(true, Ordering::Relaxed);
                Err(error.with_subject(parent.path.join(name).map_or_else(|_| name.to_owned(), |path| self.client.address(&path))))
            }
            Err(error) => Err(error),
        }
    }

    async fn find_created_by_other(&self, provider: &dyn Provider, parent: &Entry, name: &str) -> Result<Option<Entry>> {
        self.client.invalidate_cache().await;
        let children = provider.list(parent).await?;
        one_named(children.find_by_name(name)?, name, true, &parent.path)
    }
}

/// Seconds since 1970.
pub fn now() -> i64 {
    now_in_ms() / 1000
}

pub fn now_in_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn entry_of<T>(map: &Mutex<HashMap<RemotePath, Arc<OnceCell<T>>>>, path: &RemotePath) -> Arc<OnceCell<T>> {
    map.lock().entry(path.clone()).or_default().clone()
}
