//! What a verb is handed: configuration, the voice, and remotes opened by name.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::connection::ConnectArgs;
use super::global::{CurrentRenderer, Global};
use crate::config::{Config, Env, Remote};
use crate::contract::{Events, ProviderContext, TokenStore, TransferStore};
use crate::error::{Error, Result};
use crate::model::{Entry, Event, Protocol};
use crate::render::{Ci, LogFile, Progress, Renderer, Style, Terminal, View, exit, style};
use crate::state::{State, Tell};
use crate::transfer::learned_names::LearnedNames;
use crate::transfer::put::session::PutSessions;
use crate::transfer::{RemoteClient, RemoteProvider, RetryPolicy};

/// A wait of this length is reported without `-v`, too.
const NOTICE_AFTER: Duration = Duration::from_secs(3);

pub struct Context {
    pub config: Arc<Config>,
    pub renderer: Renderer,
    style: Style,
    state: Arc<State>,
    /// The time-out of single calls.
    events: Events,
    told: Arc<Mutex<mpsc::UnboundedReceiver<Event>>>,
    telling: AtomicBool,
    stage: CurrentRenderer,
    state_folder: Option<PathBuf>,
    remotes: Arc<OpenRemotes>,
    /// Of a line of a batch: what all its lines share.
    shared: Option<Arc<BatchShared>>,
}

/// Each remote is opened once, and so signed in to once.
type OpenRemotes = Mutex<Vec<(ConnectArgs, OpenRemote)>>;

/// What the lines of a batch share beside the state.
pub struct BatchShared {
    events: Events,
    remotes: Arc<OpenRemotes>,
    pub puts: Arc<PutSessions>,
}

/// An opened remote. Clones share its provider.
#[derive(Clone)]
pub struct OpenRemote {
    pub name: String,
    pub provider: RemoteProvider,
    pub ledger: Arc<dyn TransferStore>,
    /// Origin and account: stays the same when the user renames the remote.
    pub key: String,
    config: Remote,
    connection: ConnectArgs,
}

/// An entry that was named, or that wildcards fit.
pub struct Hit {
    pub remote: Arc<OpenRemote>,
    pub entry: Entry,
}

impl OpenRemote {
    /// What is known of how the remote's server stores names.
    pub fn learned_names(&self) -> LearnedNames {
        LearnedNames { ledger: self.ledger.clone(), remote: self.key.clone() }
    }
}

impl Context {
    pub fn new(config: Config, env: Env, global: &Global, stage: CurrentRenderer) -> Context {
        let style = style_of(global);
        let renderer = Renderer::new(style.clone());
        let state_folder = env.state_dir().map(Path::to_owned);
        let state = Arc::new(State::new(state_folder.clone()));
        let (events, told) = Events::channel();
        state.tell_waits(teller(&renderer));
        stage.is_of(&renderer);
        let (told, telling, config) = (Arc::new(Mutex::new(told)), AtomicBool::new(false), Arc::new(config));
        let (remotes, shared) = (Arc::default(), None);
        Context { config, renderer, style, state, events, told, telling, stage, state_folder, remotes, shared }
    }

    /// What the lines of a batch will share, `jobs` of them at once.
    pub fn share_between_jobs(&self, jobs: usize) -> Arc<BatchShared> {
        self.tell_while_they_last();
        Arc::new(BatchShared {
            events: self.events.clone(),
            remotes: self.remotes.clone(),
            puts: Arc::new(PutSessions::new(jobs, self.events.clone())),
        })
    }

    /// For line `number` of a batch.
    pub fn of_line(&self, number: u64, shared: &Arc<BatchShared>) -> Context {
        // One bar beside another, each with a total of its own, tells nothing; a script sees which line an event is of.
        let progress = if self.style.json { self.style.progress } else { Progress::None };
        let style = Style { progress, ..self.style.clone() };
        let renderer = self.renderer.of_line(number, style.clone());
        let (events, told) = Events::channel();
        let (told, telling) = (Arc::new(Mutex::new(told)), AtomicBool::new(false));
        let (config, state, stage, state_folder) = (self.config.clone(), self.state.clone(), self.stage.clone(), self.state_folder.clone());
        let (remotes, shared) = (shared.remotes.clone(), Some(shared.clone()));
        Context { config, renderer, style, state, events, told, telling, stage, state_folder, remotes, shared }
    }

    /// Among the lines of a batch: what its puts share.
    pub fn puts(&self) -> Option<Arc<PutSessions>> {
        self.shared.as_ref().map(|shared| shared.puts.clone())
    }

    /// Nobody is asked anything by a line of a batch: its lines run side by side.
    pub fn may_ask(&self) -> bool {
        self.shared.is_none()
    }

    /// Sets how entries are shown; called before the first entry is shown.
    pub fn show_as(&mut self, view: View, paths: bool, exact: bool) {
        self.show_in(|style| Style { view, paths, exact, ..style });
    }

    /// As [`Context::show_as`], with more to say of it.
    pub fn show_in(&mut self, change: impl FnOnce(Style) -> Style) {
        self.style = change(self.style.clone());
        self.renderer = self.renderer.in_style(self.style.clone());
        if self.shared.is_none() {
            self.state.tell_waits(teller(&self.renderer));
            self.stage.is_of(&self.renderer);
        }
    }

    /// The command changes nothing: that it finds nothing may be what it is run for, and is no annotation of a job.
    pub fn only_looks(&mut self) {
        self.style.ci.iter_mut().for_each(|ci| ci.annotates = false);
        self.show_as(self.style.view, self.style.paths, self.style.exact);
    }

    pub fn knows(&self, remote: &str) -> bool {
        self.config.remote(remote).is_ok()
    }

    /// A remote that was opened before is the same one, with its token and its listings. Fails with `NotFound` for an unknown
    /// remote and `Usage` for an incomplete one. Sends nothing.
    pub fn open(&self, name: &str, connection: ConnectArgs) -> Result<OpenRemote> {
        let config = self.config.remote(name)?;
        let mut remotes = self.remotes.lock();
        if let Some((_, open)) = remotes.iter().find(|(by, open)| open.name == config.name && *by == connection) {
            return Ok(open.clone());
        }
        let open = self.open_with(config, self.state.clone(), connection)?;
        remotes.push((connection, open.clone()));
        Ok(open)
    }

    /// The next command of this process opens its remotes anew, because what they remember of listings may no longer be true. The
    /// lines of a batch keep the remotes that they share.
    pub fn close_remotes(&self) {
        if self.shared.is_none() {
            self.remotes.lock().clear();
        }
    }

    /// As `open`, with tokens kept elsewhere.
    pub fn open_with(&self, config: Remote, tokens: Arc<dyn TokenStore>, connection: ConnectArgs) -> Result<OpenRemote> {
        config.check_complete()?;
        self.state.wait_at_most(connection.timeout);
        let opening =
            ProviderContext { remote: config.name.clone(), secrets: config.secrets(), tokens, network: config.network(connection.timeout) };
        let provider = RemoteProvider::open(config.provider, opening).map_err(|e| naming_remote(e, &config.name))?;
        Ok(OpenRemote { name: config.name.clone(), key: key_of(&config), provider, ledger: self.state.clone(), config, connection })
    }

    /// Where tokens and notes lie; none where this machine has no place for them.
    pub fn state_folder(&self) -> Option<&Path> {
        self.state_folder.as_deref()
    }

    pub fn state(&self) -> Arc<State> {
        self.state.clone()
    }

    /// Single calls to `remote`, with the retries that a transfer has.
    pub fn client(&self, remote: &OpenRemote) -> RemoteClient {
        self.tell_while_they_last();
        let ConnectArgs { retries: tries, timeout } = remote.connection;
        let policy = RetryPolicy { tries, timeout, min_rate: 0 };
        RemoteClient::new(remote.name.clone(), remote.provider.clone(), policy, self.events.clone()).with_learned(remote.learned_names())
    }

    /// Reports a wait when it begins, so that a person in front of a silent `ls` knows the reason.
    fn tell_while_they_last(&self) {
        if self.telling.swap(true, Ordering::Relaxed) {
            return;
        }
        if self.renderer.has_spinner() {
            tokio::spawn(self.renderer.clone().spin());
        }
        let (told, renderer) = (self.told.clone(), self.renderer.clone());
        let next = move |context: &mut std::task::Context<'_>| told.lock().poll_recv(context);
        tokio::spawn(async move {
            // A server that can't be reached is told at the first try, and then only where the wait is long.
            let mut is_silent = true;
            while let Some(event) = poll_fn(&next).await {
                let is_first = event.is_no_answer() && std::mem::take(&mut is_silent);
                print_event(&renderer, event, is_first);
            }
        });
    }

    /// Reports the notes that were not reported yet.
    fn tell_the_rest(&self) {
        while let Ok(event) = self.told.lock().try_recv() {
            print_event(&self.renderer, event, false);
        }
    }

    /// As [`Context::finish`], for a line of a batch.
    pub fn end_of_line(&self, outcome: Result<u8>) -> u8 {
        self.tell_the_rest();
        let status = self.report_outcome(outcome);
        self.renderer.end_of_line();
        status
    }

    /// Reports how the command ended, and returns its status.
    pub fn finish(&mut self, outcome: Result<u8>) -> u8 {
        self.tell_the_rest();
        for warning in self.state.take_warnings() {
            self.renderer.warning(&warning);
        }
        let status = self.report_outcome(outcome);
        match self.renderer.finish() {
            Ok(()) => status,
            // All is done, but the reader of the results has not received all of them.
            Err(error) if status == exit::DONE => self.report_outcome(Err(error)),
            Err(_) => status,
        }
    }

    fn report_outcome(&self, outcome: Result<u8>) -> u8 {
        outcome.unwrap_or_else(|error| {
            self.renderer.error(&error);
            exit::status(error.kind())
        })
    }
}

impl BatchShared {
    /// What was listed, and what the providers remember of it, may no longer be true.
    pub async fn forget_listings(&self) {
        self.puts.forget_listings();
        let open: Vec<OpenRemote> = self.remotes.lock().iter().map(|(_, remote)| remote.clone()).collect();
        for remote in open {
            let policy = RetryPolicy { tries: 1, timeout: remote.connection.timeout, min_rate: 0 };
            RemoteClient::new(remote.name, remote.provider, policy, self.events.clone()).invalidate_cache().await;
        }
    }
}

/// `is_urgent`: a wait is a warning, however short.
fn print_event(renderer: &Renderer, event: Event, is_urgent: bool) {
    match event {
        Event::Waiting { wait, why, attempt, of, .. } => {
            let line = format!("waiting {}s: {why} (try {attempt} of {of})", wait.as_secs_f64().ceil());
            if is_urgent || wait >= NOTICE_AFTER { renderer.warning(&line) } else { renderer.note(&line) }
        }
        Event::Note(text) => renderer.note(&text),
        Event::Warning(text) => renderer.warning(&text),
        _ => {}
    }
}

impl OpenRemote {
    /// The flag's protocol, else the remote's own setting.
    pub fn protocol(&self, flag: Option<Protocol>) -> Result<Option<Protocol>> {
        match (flag, self.config.secrets().get("protocol")) {
            (Some(protocol), _) => Ok(Some(protocol)),
            (None, Some(text)) if text != "auto" => text.parse().map(Some).map_err(|e: Error| e.with_subject(self.name.clone())),
            _ => Ok(None),
        }
    }

    pub fn config(&self) -> &Remote {
        &self.config
    }
}

/// Names the remote in the hint's command that changes a setting.
fn naming_remote(error: Error, name: &str) -> Error {
    let hint = error.hint().map(|hint| hint.replace("haul remote set REMOTE", &format!("haul remote set {name}")));
    let error = error.with_subject(name);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Reports each wait for another process when the wait begins.
fn teller(renderer: &Renderer) -> Tell {
    let renderer = renderer.clone();
    Arc::new(move |text| renderer.warning(text))
}

fn style_of(global: &Global) -> Style {
    let env = |name: &str| std::env::var(name).ok();
    let terminal = Terminal::detect(env);
    Style {
        json: global.json,
        quiet: global.quiet,
        verbose: global.verbose,
        clock: global.verbose > 0,
        log_file: global.log_file.as_deref().and_then(|path| LogFile::open(path).ok()),
        progress: global.progress,
        terminal,
        colour: style::colour(terminal.err, env),
        colours_results: style::colour(terminal.out, env),
        ci: Ci::from_env(env),
        folds: style::is_gitlab(env),
        ..Style::default()
    }
}

/// The account that a remote's entries belong to. Where a secret names the account (a share URL, a token, a key pair), the
/// remote's name takes its place, because reading the secret might run a command.
pub(super) fn key_of(config: &Remote) -> String {
    let secrets = config.secrets();
    let url = secrets.get("url").or_else(|| config.provider.default_url.map(str::to_owned)).unwrap_or_default();
    let who = match secrets
        .get("username")
        .filter(|_| !config.provider.settings.iter().any(|setting| setting.identifies && secrets.is_set(setting.key)))
    {
        Some(user) => format!("user {user}"),
        None => format!("remote {}", config.name.to_lowercase()),
    };
    format!("{}|{}|{who}", config.provider.id, url.trim_end_matches('/'))
}
