//! Tokens between runs, and the lock for signing in: servers forget the old token when they issue a new one, so all running
//! `haul` processes share one token.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::OptionalExtension;

use super::State;
use super::private_files::{open_private, private_folder};
use super::process_file::{process_in, sign};
use crate::contract::tokens::Refusals;
use crate::contract::{BoxFuture, Result, StoredToken, TokenStore};
use crate::model::Secret;
use crate::ownership::another;

impl TokenStore for State {
    fn load(&self, account: &str) -> Result<Option<StoredToken>> {
        if let Some(token) = self.memory.lock().get(account) {
            return Ok(Some(token.clone()));
        }
        if let Some(noted) = self.writer.find_pending(|changes| changes.tokens.get(account).cloned()) {
            return Ok(noted);
        }
        let row = self.read(|db| {
            let mut query = db.prepare_cached("SELECT token, fields FROM tokens WHERE account = ?1")?;
            query.query_row([account], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        });
        Ok(row.flatten().and_then(|(token, fields)| parse_row(token, fields)))
    }

    fn save(&self, account: &str, token: &StoredToken) -> Result<()> {
        self.writer.note(|changes| drop(changes.tokens.insert(account.to_owned(), Some(token.clone()))));
        // Other processes find the token there as soon as they hold the lock.
        let kept = self.writer.settle();
        let mut memory = self.memory.lock();
        match kept {
            true => memory.remove(account),
            false => memory.insert(account.to_owned(), token.clone()),
        };
        Ok(())
    }

    fn forget(&self, account: &str) -> Result<()> {
        self.memory.lock().remove(account);
        self.writer.note(|changes| drop(changes.tokens.insert(account.to_owned(), None)));
        self.writer.settle();
        Ok(())
    }

    /// Waits for another process that signs in, for at most [`State::wait_at_most`]; the wait is reported after a second. A
    /// process that hangs must not delay this process, which then signs in as well. Without a usable folder nothing is shared,
    /// and there is no process to wait for.
    fn lock<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>>> {
        Box::pin(async move {
            let Some(path) = self.lock_path(account) else { return Ok(Box::new(()) as Box<dyn Send>) };
            match self.lock_file(&path).await {
                Ok(file) => Ok(Box::new(file) as Box<dyn Send>),
                // One warning is enough when nothing there can be used.
                Err(_) if self.folder.is_unusable() => Ok(Box::new(())),
                Err(e) => {
                    self.folder.warn(format!("the turn to sign in can't be taken: {e}"));
                    Ok(Box::new(()))
                }
            }
        })
    }

    fn refusals(&self) -> Arc<Refusals> {
        self.refusals.clone()
    }
}

/// A shorter wait is not reported.
const TOLD_AFTER: Duration = Duration::from_secs(1);

fn with_signature(file: File) -> File {
    sign(&file);
    file
}

impl State {
    /// Accounts hold characters that no file name may have.
    fn lock_path(&self, account: &str) -> Option<PathBuf> {
        Some(self.locks_folder()?.join(format!("{:x}", md5::compute(account))))
    }

    /// None: another process holds the lock for longer than [`State::wait_at_most`].
    async fn lock_file(&self, path: &Path) -> std::io::Result<Option<File>> {
        path.parent().map_or(Ok(()), |folder| private_folder(folder).map(drop))?;
        let file = open_private(path)?;
        match file.try_lock() {
            Ok(()) => return Ok(Some(with_signature(file))),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(e)) => return Err(e),
        }
        let (tell, mut told) = tokio::sync::oneshot::channel();
        // The wait has a thread of its own, because it must not occupy a thread of the work. A caller that stops earlier drops
        // the future, and the lock is released as soon as the thread gets it.
        std::thread::Builder::new().spawn(move || tell.send(file.lock().map(|()| file)))?;
        let limit = self.folder.wait_limit();
        for (wait, is_last) in [(limit.min(TOLD_AFTER), false), (limit.saturating_sub(TOLD_AFTER), true)] {
            match tokio::time::timeout(wait, &mut told).await {
                Ok(Ok(locked)) => return Ok(Some(with_signature(locked?))),
                Ok(Err(_)) => return Ok(None),
                Err(_) => {
                    let who = another(process_in(path));
                    let seconds = limit.as_secs_f64().ceil();
                    self.folder.report_wait(&match is_last {
                        false => format!("{who} signs in to the same account, so this one waits"),
                        true => format!("{who} has been signing in for {seconds}s, so this one signs in beside it"),
                    });
                }
            }
        }
        Ok(None)
    }
}

/// None for a row that makes no sense: a new token is fetched then.
fn parse_row(token: String, fields: String) -> Option<StoredToken> {
    let pairs: Vec<(String, String)> = serde_json::from_str(&fields).ok()?;
    let fields = pairs.into_iter().map(|(name, text)| (name, Secret::new(text))).collect();
    Some(StoredToken { token: Secret::new(token), fields })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::providers::adapter::token_cache::TokenCache;

    fn token(text: &str) -> StoredToken {
        StoredToken { token: Secret::new(text), fields: vec![("account_id".into(), Secret::new("7\"7")), ("b".into(), Secret::new(""))] }
    }

    fn open(dir: &tempfile::TempDir) -> State {
        State::new(Some(dir.path().to_owned()))
    }

    #[test]
    fn a_token_outlives_its_run() {
        let dir = tempfile::tempdir().unwrap();
        let state = open(&dir);
        assert_eq!(state.load("a").unwrap(), None);
        state.save("a", &token("first")).unwrap();
        state.save("a", &token("second")).unwrap();
        state.save("b", &token("other")).unwrap();
        drop(state);
        let state = open(&dir);
        assert_eq!(state.load("a").unwrap(), Some(token("second")));
        state.forget("a").unwrap();
        drop(state);
        let state = open(&dir);
        assert_eq!(state.load("a").unwrap(), None);
        assert_eq!(state.load("b").unwrap(), Some(token("other")));
        assert!(state.take_warnings().is_empty());
    }

    #[test]
    fn another_process_sees_it_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (open(&dir), open(&dir));
        assert_eq!(two.load("a").unwrap(), None);
        one.save("a", &token("tttt")).unwrap();
        assert_eq!(two.load("a").unwrap(), Some(token("tttt")));
    }

    #[test]
    fn a_row_that_makes_no_sense_is_no_token() {
        let dir = tempfile::tempdir().unwrap();
        let state = open(&dir);
        state.read(|db| db.execute("INSERT INTO tokens VALUES ('a', 't', '{}')", [])).unwrap();
        assert_eq!(state.load("a").unwrap(), None);
    }

    #[tokio::test]
    async fn the_lock_is_one_for_each_account_and_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (open(&dir), open(&dir));
        let held = one.lock("a/b?").await.unwrap();
        drop(two.lock("other").await.unwrap());
        let mut second = two.lock("a/b?");
        let early = std::future::poll_fn(|cx| std::task::Poll::Ready(second.as_mut().poll(cx).is_ready())).await;
        assert!(!early, "the lock is held");
        drop(held);
        drop(second.await.unwrap());
        drop(one.lock("a/b?").await.unwrap());
        assert!(one.take_warnings().is_empty() && two.take_warnings().is_empty());
    }

    /// Each task stands for a process: a store and a lease of its own. The sign-in would end the others' tokens.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn all_processes_with_one_stale_token_sign_in_once() {
        let dir = tempfile::tempdir().unwrap();
        open(&dir).save("a", &token("stale")).unwrap();
        let (count, inside) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let processes: Vec<_> = (0..6)
            .map(|_| {
                let (lease, count, inside) = (TokenCache::new("a", Arc::new(open(&dir))), count.clone(), inside.clone());
                tokio::spawn(async move {
                    let sign_in = async || {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two sign in at once");
                        tokio::task::yield_now().await;
                        inside.fetch_sub(1, Ordering::SeqCst);
                        count.fetch_add(1, Ordering::SeqCst);
                        Ok(token("fresh"))
                    };
                    let first = lease.token(sign_in()).await.unwrap();
                    if first == token("stale") {
                        lease.invalidate(&first).await;
                        lease.renew(sign_in()).await.unwrap();
                    }
                    assert_eq!(lease.token(sign_in()).await.unwrap(), token("fresh"));
                })
            })
            .collect();
        for process in processes {
            process.await.unwrap();
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}
