//! The only place that repeats a call: it counts tries, waits between them and renews expired tokens. As in tus-js-client, only
//! progress earns further tries. As in object_store, a request that may have arrived is not repeated blindly.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::backoff::{RETRY_DELAY_MAX, RetryPolicy, delays, delays_from, display_wait};
use super::files_at_once::FilesAtOnce;
use super::learned_names::LearnedNames;
use super::rate_limit::RateLimiter;
use super::sleep::sleep;
use crate::contract::{Abilities, AnyProvider, Events, Provider, ProviderContext, ProviderInfo, TokenContention};
use crate::error::{Error, Kind, Result};
use crate::model::event::FileId;
use crate::model::{Address, Event, RemotePath};

/// The longest time that one piece of work waits at the server's request (`Retry-After`), all waits together.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// For a wait of this length or more the time of its end is reported, too.
const NOTICE_AFTER: Duration = Duration::from_secs(10);
/// The first wait between two looks for a finished file; each wait is twice the one before.
const POLL_INITIAL: Duration = Duration::from_millis(100);
/// The longest wait between two looks for a finished file.
const POLL_MAX: Duration = Duration::from_secs(5);
/// The largest number of token renewals for one piece of work without progress: another machine may have signed in meanwhile.
const RENEWALS: u32 = 3;
/// The first wait before a sign-in where two machines share an account; the wait grows with each lost token.
const CONTENTION_WAIT_INITIAL: Duration = Duration::from_millis(100);
/// The largest factor by which that wait grows.
const CONTENTION_WAIT_MAX_FACTOR: u32 = 50;
/// The smallest number of tries of a look at the server, even with a lower `--retries`.
const CHECK_TRIES_MIN: u32 = 3;

const FRESH_ONE_REJECTED: &str = "the server rejects even a fresh token; check the account, or whether something else signs it out";
const SIGNED_IN_ELSEWHERE: &str = "this account is signed in elsewhere again and again, and each sign-in there ends ours; \
                                   use it from one place at a time, or give each place an account of its own";

/// A remote's provider. Only [`RemoteClient`] and its [`Retries`] call it, so that no call is made past them.
#[derive(Clone)]
pub struct RemoteProvider(AnyProvider);

impl RemoteProvider {
    /// Opens a remote. Sends nothing.
    ///
    /// # Errors
    /// `Usage` when a setting makes no sense.
    pub fn open(info: &'static ProviderInfo, context: ProviderContext) -> Result<RemoteProvider> {
        (info.open)(context).map(RemoteProvider)
    }

    /// What is known of the provider.
    pub fn info(&self) -> &'static ProviderInfo {
        self.0.info()
    }

    /// Does the provider have an ability? `client.has(|can| can.moves.is_some())`
    pub fn has(&self, ask: impl FnOnce(Abilities<'_>) -> bool) -> bool {
        ask(self.0.abilities())
    }

    /// What the provider answers by itself: no call to the server can come out of the closure.
    pub fn inspect<T>(&self, ask: impl FnOnce(&dyn Provider) -> T) -> T {
        ask(self.0.as_ref())
    }
}

impl From<AnyProvider> for RemoteProvider {
    fn from(provider: AnyProvider) -> RemoteProvider {
        RemoteProvider(provider)
    }
}

/// A remote as transfers use it: its provider, retries, events and speed limit.
#[derive(Clone)]
pub struct RemoteClient {
    /// The remote's name, for messages.
    pub remote: String,
    provider: RemoteProvider,
    /// How often and how long a failing call is repeated.
    pub policy: RetryPolicy,
    /// Where progress and warnings go.
    pub events: Events,
    /// The speed limit of all transfers together.
    pub(crate) limit: Option<Arc<RateLimiter>>,
    pub(crate) at_once: FilesAtOnce,
    /// None where nothing is remembered.
    pub(crate) learned: Option<LearnedNames>,
}

impl RemoteClient {
    /// A client without a speed limit.
    pub fn new(remote: String, provider: RemoteProvider, policy: RetryPolicy, events: Events) -> RemoteClient {
        RemoteClient { remote, provider, policy, events, limit: None, at_once: FilesAtOnce::default(), learned: None }
    }

    pub(crate) fn with_learned(self, names: LearnedNames) -> RemoteClient {
        RemoteClient { learned: Some(names), ..self }
    }

    pub(crate) fn with_limit(self, limit: Option<Arc<RateLimiter>>) -> RemoteClient {
        RemoteClient { limit, ..self }
    }

    pub(crate) fn with_files_at_once(self, at_once: FilesAtOnce) -> RemoteClient {
        RemoteClient { at_once, ..self }
    }

    /// What is known of the provider.
    pub fn info(&self) -> &'static ProviderInfo {
        self.provider.info()
    }

    /// See [`RemoteProvider::has`].
    pub fn has(&self, ask: impl FnOnce(Abilities<'_>) -> bool) -> bool {
        self.provider.has(ask)
    }

    /// See [`RemoteProvider::inspect`].
    pub fn inspect<T>(&self, ask: impl FnOnce(&dyn Provider) -> T) -> T {
        self.provider.inspect(ask)
    }

    /// See [`Provider::check_name`].
    ///
    /// # Errors
    /// Those of [`Provider::check_name`].
    pub fn check_name(&self, name: &str) -> Result<()> {
        self.inspect(|provider| provider.check_name(name))
    }

    pub(crate) async fn invalidate_cache(&self) {
        if let Some(browse) = self.provider.0.abilities().browse {
            browse.invalidate_cache().await;
        }
    }

    /// The tries of one piece of work; `id` is the file that waits are reported for.
    pub(crate) fn retries(&self, id: Option<FileId>) -> Retries<'_> {
        Retries {
            client: self,
            id,
            tries: self.policy.tries,
            failures: 0,
            total: 0,
            waited: Duration::ZERO,
            repeated: false,
            renewals: 0,
            pages_pass: false,
            delays: delays(),
        }
    }

    /// `REMOTE:PATH`, for messages.
    pub fn address(&self, path: &RemotePath) -> String {
        Address::text(&self.remote, path)
    }

    /// Makes a call that may be repeated in any case, because it only reads, or because a repetition changes nothing.
    ///
    /// # Errors
    /// The last failure of the call, when no further try is due.
    pub async fn call<'a, T, F>(&'a self, call: impl Fn(&'a dyn Provider) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        self.call_with_retries(self.retries(None), call).await
    }

    /// As `call`, for a check of the server after a failure or a lost answer. The first try may meet the same broken
    /// connection, and a proxy's page in place of the answer proves nothing.
    pub(crate) async fn check<'a, T, F>(&'a self, call: impl Fn(&'a dyn Provider) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let patience = self.retries(None);
        let tries = patience.tries.max(CHECK_TRIES_MIN);
        self.call_with_retries(Retries { tries, pages_pass: true, ..patience }, call).await
    }

    async fn call_with_retries<'a, T, F>(&'a self, mut patience: Retries<'a>, call: impl Fn(&'a dyn Provider) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        loop {
            match patience.attempt(&call).await {
                Ok(value) => return Ok(value),
                Err(error) => patience.backoff(error).await?,
            }
        }
    }

    /// Makes a call that changes something. Repeats the call only if the server has not acted on the last try. A failure after
    /// which the change may have happened ([`Error::may_have_happened`]) is returned.
    ///
    /// # Errors
    /// The last failure of the call, when no further try is due; at once when the change may have happened.
    pub async fn mutate<'a, T, F>(&'a self, call: impl Fn(&'a dyn Provider) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut patience = self.retries(None);
        loop {
            match patience.attempt(&call).await {
                Ok(value) => return Ok(value),
                Err(error) if error.may_have_happened() => return Err(error.with_remote(&self.remote)),
                Err(error) => patience.backoff(error).await?,
            }
        }
    }

    /// Makes a call whose change must not happen twice. After a lost or unreadable answer `look` finds out what the call did,
    /// for as long as `late`, unless the server itself reported a failure. If the call did nothing, it is repeated after a lost
    /// answer, but not after an unreadable one. If nothing can be found out, fails with `Unknown`.
    ///
    /// # Errors
    /// The last failure of the call, when no further try is due; `Unknown` when haul can't know whether the change was made.
    pub async fn mutate_once<'a, T, F, L>(
        &'a self,
        late: Duration,
        call: impl Fn(&'a dyn Provider) -> F,
        look: impl Fn(&'a dyn Provider) -> L,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
        L: Future<Output = Result<Option<T>>>,
    {
        let mut patience = self.retries(None);
        let mut doubt = false;
        loop {
            let failure = match patience.attempt(&call).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            // After one uncertain try all later failures are uncertain: "not found" may be the late effect of an earlier try.
            doubt |= failure.may_have_happened();
            if doubt {
                let has_failed = failure.status_code().is_some() && !failure.is_unread_answer();
                match self.poll(if has_failed { Duration::ZERO } else { late }, &look).await {
                    Ok(Some(value)) => return Ok(value),
                    Ok(None) if failure.is_unread_answer() => return Err(failure.into_uncertain().with_remote(&self.remote)),
                    Ok(None) => {}
                    Err(look) => return Err(failure.with_failed_check(look).with_remote(&self.remote)),
                }
            }
            patience.backoff(failure).await?;
        }
    }

    /// Asks repeatedly, for at most `limit`, until there is a result: a server may need time to process a file.
    pub(crate) async fn poll<'a, T, F>(&'a self, limit: Duration, call: impl Fn(&'a dyn Provider) -> F) -> Result<Option<T>>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let begun = Instant::now();
        let (mut wait, mut told) = (POLL_INITIAL, false);
        loop {
            let found = self.check(&call).await?;
            if found.is_some() || begun.elapsed() >= limit {
                return Ok(found);
            }
            if wait >= POLL_MAX && !std::mem::replace(&mut told, true) {
                let left = display_wait(limit.saturating_sub(begun.elapsed()));
                self.events
                    .send(Event::Warning(format!("{}: the file is not there yet; haul looks for it for another {left}", self.remote)));
            }
            sleep(wait).await;
            wait = (wait * 2).min(POLL_MAX);
        }
    }
}

/// The tries that are left for one piece of work.
pub(crate) struct Retries<'a> {
    client: &'a RemoteClient,
    id: Option<FileId>,
    tries: u32,
    failures: u32,
    total: u32,
    /// The time waited at the server's request since the last progress.
    waited: Duration,
    /// A kept connection had died, and the request was sent again without counting as a try.
    repeated: bool,
    /// Failures since the last progress.
    renewals: u32,
    /// An unreadable answer was repeated once, as the next one may be readable.
    pages_pass: bool,
    delays: backon::ExponentialBackoff,
}

impl<'a> Retries<'a> {
    /// Makes one try. Its failure goes to [`Retries::backoff`] before the next try.
    pub(crate) async fn attempt<T, F>(&self, call: impl FnOnce(&'a dyn Provider) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        call(self.client.provider.0.as_ref()).await
    }
}

impl Retries<'_> {
    /// Notes that there was progress since the last failure.
    pub fn progress(&mut self) {
        self.failures = 0;
        self.renewals = 0;
        self.waited = Duration::ZERO;
        self.repeated = false;
        self.delays = delays();
    }

    /// The number of failures so far, for the report.
    pub fn retries(&self) -> u32 {
        self.total
    }

    /// Prepares another try, by a wait or a new token. Returns the error where there is no further try.
    pub(crate) async fn backoff(&mut self, error: Error) -> Result<()> {
        let error = error.with_credentials_hint().with_remote(&self.client.remote);
        if error.kind() == Kind::Expired {
            return self.renew(error).await;
        }
        if !(error.kind().is_transient() || self.pages_pass && error.kind() == Kind::Protocol) {
            return Err(error);
        }
        if matches!(error.kind(), Kind::Busy | Kind::Unreachable) {
            self.client.at_once.record_refusal();
        }
        // The caller may repeat the request. The HTTP client takes a new connection now.
        if error.is_on_kept_line() && !std::mem::replace(&mut self.repeated, true) {
            self.total += 1;
            self.client.events.send(Event::Note(format!("{}: trying again on a new connection", error.message())));
            return Ok(());
        }
        self.failures += 1;
        if self.failures >= self.tries {
            return Err(error);
        }
        self.total += 1;
        let wait = self.next_wait(&error);
        let mut why = error.message();
        if let Some(wish) = error.retry_after() {
            if wish > wait {
                why.push_str(&format!("; it asks for {}", display_wait(wish)));
            }
            if wait >= NOTICE_AFTER {
                why.push_str(&format!("; goes on at {}", (chrono::Local::now() + wait).format("%H:%M:%S")));
            }
        }
        let (attempt, is_no_answer) = (self.failures + 1, error.is_no_answer());
        self.client.events.send(Event::Waiting { id: self.id, attempt, of: self.tries, wait, why, is_no_answer });
        sleep(wait).await;
        Ok(())
    }

    /// Renews the token, once for all workers. Where somebody else signs in to the account again and again, each sign-in waits
    /// a little longer: the two take turns, and both make progress.
    async fn renew(&mut self, error: Error) -> Result<()> {
        let client = self.client;
        let contention = client.provider.0.abilities().token_contention;
        let rounds = contention.and_then(TokenContention::lost_tokens);
        self.renewals += 1;
        let most = if rounds.is_some() { self.tries } else { self.tries.min(RENEWALS) };
        if self.renewals > most {
            return Err(error.with_kind(Kind::Auth).with_hint(if rounds.is_some() { SIGNED_IN_ELSEWHERE } else { FRESH_ONE_REJECTED }));
        }
        if self.renewals > 1 || rounds.is_some() {
            let turn = delays_from(CONTENTION_WAIT_INITIAL).next().unwrap_or(CONTENTION_WAIT_INITIAL);
            let wait = turn * rounds.unwrap_or(1).min(CONTENTION_WAIT_MAX_FACTOR);
            let (attempt, why) = (self.renewals + 1, error.message());
            client.events.send(Event::Waiting { id: self.id, attempt, of: most + 1, wait, why, is_no_answer: error.is_no_answer() });
            sleep(wait).await;
        }
        loop {
            match client.provider.0.renew_token().await {
                Ok(()) => break,
                Err(e) if e.kind() == Kind::Unreachable || e.kind() == Kind::Busy => Box::pin(self.backoff(e)).await?,
                Err(e) => return Err(e),
            }
        }
        if contention.is_some_and(TokenContention::should_warn) {
            client.events.send(Event::Warning(format!("{}: {SIGNED_IN_ELSEWHERE}", client.provider.info().title)));
        }
        Ok(())
    }

    fn next_wait(&mut self, error: &Error) -> Duration {
        let own = self.delays.next().unwrap_or(RETRY_DELAY_MAX).min(RETRY_DELAY_MAX);
        let Some(wish) = error.retry_after() else { return own };
        let left = RETRY_AFTER_MAX - self.waited;
        if left.is_zero() && !wish.is_zero() {
            return own;
        }
        let wait = wish.min(left);
        self.waited += wait;
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Network;
    use crate::testing::MemoryTokens;
    use crate::testing::server::provider_context;

    fn client() -> (RemoteClient, tokio::sync::mpsc::UnboundedReceiver<Event>) {
        let (events, told) = Events::channel();
        let network = Network { timeout: Duration::from_secs(9), ca_file: None, insecure: false };
        let settings = [("url", "http://127.0.0.1:1"), ("username", "ann"), ("password", "swordfish-1")];
        let opening = crate::contract::ProviderContext { network, ..provider_context(&settings, &Arc::new(MemoryTokens::default())) };
        let provider = RemoteProvider::open(crate::providers::find("giga0").unwrap(), opening).unwrap();
        let policy = RetryPolicy { tries: 5, timeout: Duration::from_secs(9), min_rate: 0 };
        (RemoteClient::new("r".to_owned(), provider, policy, events), told)
    }

    /// The number of seconds of the next wait.
    async fn waits(patience: &mut Retries<'_>, error: Error) -> u64 {
        let begun = tokio::time::Instant::now();
        patience.backoff(error).await.unwrap();
        begun.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_server_asks_for_is_waited_for_an_hour_in_all() {
        let (client, mut told) = client();
        let mut patience = client.retries(None);
        let busy = |minutes: u64| Error::new(Kind::Busy, "busy").with_retry_after(Some(Duration::from_secs(minutes * 60)));
        assert_eq!(waits(&mut patience, busy(40)).await, 40 * 60);
        assert_eq!(waits(&mut patience, busy(40)).await, 20 * 60);
        assert!(waits(&mut patience, busy(40)).await <= RETRY_DELAY_MAX.as_secs());
        let Some(Event::Waiting { why, .. }) = told.recv().await else { panic!() };
        let (_, at) = why.split_once("; goes on at ").unwrap();
        assert!(chrono::NaiveTime::parse_from_str(at, "%H:%M:%S").is_ok(), "{why}");
        patience.progress();
        assert_eq!(waits(&mut patience, busy(70)).await, 60 * 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_was_kept_too_long_costs_no_try_but_once() {
        let (client, _told) = client();
        let mut patience = client.retries(None);
        let begun = tokio::time::Instant::now();
        let died = || Error::new(Kind::Interrupted, "the connection broke").on_kept_line();
        patience.backoff(died()).await.unwrap();
        assert_eq!((begun.elapsed(), patience.retries(), patience.failures), (Duration::ZERO, 1, 0));
        for _ in 1..5 {
            patience.backoff(died()).await.unwrap();
        }
        assert_eq!(patience.backoff(died()).await.unwrap_err().kind(), Kind::Interrupted);
    }
}
