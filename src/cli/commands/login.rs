//! `haul login` and `haul logout`: a token obtained and kept, or revoked there and forgotten here.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::sync::Arc;

use clap::Args;
use parking_lot::Mutex;

use crate::cli::connection::ConnectArgs;
use crate::cli::context::Context;
use crate::cli::questions;
use crate::config::{KEPT, Remote, ask_on_terminal, line_of_input};
use crate::contract::tokens::{DEVICE, Refusals};
use crate::contract::{BoxFuture, StoredToken, TokenStore};
use crate::error::{Error, Kind, Result};
use crate::model::escape::shorten;
use crate::model::{Account, Address, Report, Secret};
use crate::render::exit::DONE;
use crate::state::State;
use crate::transfer::{RemoteClient, RemoteProvider};

/// Sign in, and save the token
///
/// Examples:
///   haul login studio
///   pass show studio | haul login studio --password-stdin
///   wait-for-sms | haul login shared --code-stdin
///
/// In a terminal haul asks for the user name and for each secret that it saves;
/// secrets from a variable, a file or a command are used from there. If the server
/// wants a code by SMS (ioGates shares), haul asks the server to send a code; after
/// that the server remembers this machine.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct LoginArgs {
    /// The remote's name
    #[arg(value_name = "REMOTE")]
    pub remote: String,
    /// Read the password from standard input, up to the first line end
    #[arg(long)]
    pub password_stdin: bool,
    /// Read the code from the SMS from standard input; the server sends the SMS when haul begins to read
    #[arg(long, conflicts_with = "password_stdin")]
    pub code_stdin: bool,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

/// Revoke the token on the server, and remove it and saved secrets here
///
/// Examples:
///   haul logout studio
///   haul logout --json cloud
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct LogoutArgs {
    /// The remote's name
    #[arg(value_name = "REMOTE")]
    pub remote: String,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

pub async fn run(context: &mut Context, args: LoginArgs) -> Result<u8> {
    let config = context.config.configured_remote(&Address::parse_remote(&args.remote)?.remote)?;
    let mut typed_name = None;
    if args.password_stdin {
        config.give("password", line_from(std::io::stdin(), "password")?);
    } else if !args.code_stdin && questions::is_somebody_there(context) {
        typed_name = ask(context, &config).await?;
    }
    let account = sign_in(context, &config, args.connection, args.code_stdin).await?;
    if let Some(username) = typed_name {
        context.config.save_username(&config.name, &username)?;
    }
    for setting in config.provider.settings.iter().filter(|s| s.secret) {
        if let Some(secret) = config.prompted_secret(setting.key) {
            context.config.save_credentials(&config.name, setting.key, &secret)?;
        }
    }
    context.renderer.report(&Report::Login { remote: config.name, account: account.account });
    Ok(DONE)
}

/// Proves the credentials, whatever token is kept, and keeps the new one. `by_code`: the code of a second factor comes by
/// standard input.
pub(super) async fn sign_in(context: &Context, config: &Remote, connection: ConnectArgs, by_code: bool) -> Result<Account> {
    let remote =
        context.open_with(config.clone(), Arc::new(WithoutStoredToken { store: context.state(), refusals: Arc::default() }), connection)?;
    let calls = context.client(&remote);
    // A failed connection is tried again. A refused sign-in is not, because repeated refusals lock the account.
    let sign_in = calls.call(|p| async move {
        match p.sign_in().await {
            // This token is new. Whoever brings a code knows that the token lacks the code's check; another token would lack
            // it, too.
            Err(e) if by_code && e.kind() == Kind::Expired => Err(e.with_kind(Kind::Auth)),
            outcome => outcome,
        }
    });
    let outcome = match sign_in.await {
        Err(refusal) if is_for_a_code(&refusal, &remote.provider, by_code) => {
            enter_code(context, &calls, by_code, refusal).await.map_err(|e| e.with_subject(remote.name.clone()))?;
            calls.call(|p| p.sign_in()).await
        }
        outcome => outcome,
    };
    let account = outcome.map_err(|e| inside_login(e, config, questions::is_somebody_there(context)).with_subject(remote.name.clone()))?;
    for warning in &account.warnings {
        context.renderer.warning(warning);
    }
    Ok(account)
}

pub async fn run_logout(context: &mut Context, args: LogoutArgs) -> Result<u8> {
    let config = context.config.configured_remote(&Address::parse_remote(&args.remote)?.remote)?;
    let tokens = Arc::new(WatchedTokens { state: context.state(), asked_for: Mutex::default() });
    let remote = context.open_with(config, tokens.clone(), args.connection)?;
    // Asked again after an answer that was lost or can't be read: the server does not know a token that it has ended.
    let revoked = context.client(&remote).check(|p| p.sign_out()).await;
    context.config.forget_credentials(&remote.name)?;
    let revoked = match revoked {
        Ok(revoked) => revoked,
        Err(error) => {
            let had_one = tokens.forget_all()?;
            return Err(if had_one { not_revoked_error(error) } else { error }.with_subject(remote.name));
        }
    };
    context.renderer.report(&Report::Logout { remote: remote.name, revoked });
    Ok(DONE)
}

/// The token was removed here. `error` says what happened to it on the server; after an answer that can't be read this is not
/// known.
fn not_revoked_error(error: Error) -> Error {
    let error = match error.may_have_happened() {
        true => error.quoting(Kind::Unknown, |said| format!("whether the server has ended the token is not known: {said}")),
        false => error,
    };
    error.with_hint("the token is forgotten here, but the server may accept it until it runs out")
}

/// Tokens of a remote that is signed out of: what was found here is forgotten, whatever the server says.
struct WatchedTokens {
    state: Arc<State>,
    asked_for: Mutex<BTreeSet<String>>,
}

impl WatchedTokens {
    /// False: there was none.
    fn forget_all(&self) -> Result<bool> {
        let mut had_one = false;
        for account in self.asked_for.lock().iter() {
            had_one |= self.state.load(account)?.is_some();
            self.state.forget(account)?;
        }
        Ok(had_one)
    }
}

impl TokenStore for WatchedTokens {
    fn load(&self, account: &str) -> Result<Option<StoredToken>> {
        // Which device this is stays known: a server that has seen a code from it does not ask again.
        if account != DEVICE {
            self.asked_for.lock().insert(account.to_owned());
        }
        self.state.load(account)
    }
    fn save(&self, account: &str, token: &StoredToken) -> Result<()> {
        self.state.save(account, token)
    }
    fn forget(&self, account: &str) -> Result<()> {
        self.state.forget(account)
    }
    fn lock<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>>> {
        self.state.lock(account)
    }
    fn refusals(&self) -> Arc<Refusals> {
        self.state.refusals()
    }
}

/// Asks for the user name (an empty answer keeps the one that is set) and for each secret that `login` keeps, also for a kept
/// one, as it may have been refused. Returns the user name if it is not the one that is set.
async fn ask(context: &Context, config: &Remote) -> Result<Option<String>> {
    let mut another_name = None;
    if config.asks_for_username() {
        let known = config.username();
        let shown = known.as_ref().map(|name| format!(" [{name}]")).unwrap_or_default();
        let typed = questions::read_line(context, &format!("username of {}{shown}: ", config.name)).await?;
        match (typed, known) {
            (typed, known) if !typed.is_empty() => {
                config.give_username(typed.clone());
                another_name = Some(typed).filter(|name| known.as_ref() != Some(name));
            }
            (_, Some(_)) => {}
            (_, None) => return Err(Error::new(Kind::Auth, "no user name was entered").with_subject(config.name.clone())),
        }
    }
    for key in config.prompted_keys() {
        match questions::secret(context, format!("{key} of {}: ", config.name)).await? {
            Some(secret) => config.give(key, secret),
            None => return Err(Error::new(Kind::Auth, format!("no {key} was entered")).with_subject(config.name.clone())),
        }
    }
    Ok(another_name)
}

/// The refusal in the words of `login`: it names the secret that was refused where nobody typed one, and does not advise to run
/// `haul login`.
fn inside_login(error: Error, config: &Remote, is_asked: bool) -> Error {
    if error.kind() != Kind::Auth {
        return error;
    }
    let advice = error.hint().map(str::to_owned).unwrap_or_default();
    let is_login = advice.contains("run `haul login") && !advice.contains("again");
    let used = config.used_secrets();
    let refused: Vec<String> = used.iter().map(|(key, origin)| format!("the {key} from {origin} was refused")).collect();
    let way = if is_asked { ways_in(config) } else { "run it in a terminal, or give the password by --password-stdin".to_owned() };
    match (refused.is_empty(), is_login || used.iter().any(|(_, origin)| origin == KEPT)) {
        (true, false) => error,
        (true, true) => error.with_hint(way),
        (false, true) => error.with_hint(format!("{}: {way}", refused.join(", "))),
        (false, false) => {
            let more = if advice.is_empty() { String::new() } else { format!("; {advice}") };
            error.with_hint(format!("{}{more}", refused.join(", ")))
        }
    }
}

/// For a person who has answered the questions: what the provider can be answered with.
fn ways_in(config: &Remote) -> String {
    let takes = |key: &str| config.provider.settings.iter().any(|s| s.key == key);
    let ways: Vec<&str> = [
        ("username", "a user name and its password"),
        ("key1", "both API keys"),
        ("share_url", "the link of a share"),
        ("token", "a token"),
    ]
    .into_iter()
    .filter_map(|(key, way)| takes(key).then_some(way))
    .collect();
    match ways.split_last() {
        Some((last, [])) => format!("enter {last}"),
        Some((last, ways)) => format!("enter {}, or {last}", ways.join(", ")),
        None => "check the address".to_owned(),
    }
}

/// No document says how a server refuses a sign-in without a code. So when the user gives a code, the refusal counts as one for
/// want of a code.
fn is_for_a_code(refusal: &Error, provider: &RemoteProvider, brings_one: bool) -> bool {
    let may_be = brings_one && matches!(refusal.kind(), Kind::Auth | Kind::Expired | Kind::Refused);
    provider.has(|can| can.second_factor.is_some_and(|factor| factor.is_code_wanted() || may_be))
}

/// Asks the server for no code unless a person can read and enter it. After a wrong code haul does not ask again.
async fn enter_code(context: &Context, calls: &RemoteClient, from_stdin: bool, refusal: Error) -> Result<()> {
    let style = context.renderer.style();
    let somebody_reads = !style.json && !style.quiet && std::io::stderr().is_terminal();
    if !from_stdin && !somebody_reads {
        return Err(refusal.with_hint("run `haul login REMOTE` in a terminal, or with --code-stdin").with_remote(&calls.remote));
    }
    // Both calls are made once: a second message would make the first code invalid, and a code can be used once.
    let once = calls.retries(None);
    let said = once.attempt(|p| async move { p.abilities().second_factor()?.send_code().await }).await?;
    let said = shorten(&said, WORDS_SHOWN);
    context.renderer.note(&said);
    let read = move || match from_stdin {
        true => line_from(std::io::stdin(), "code").map(Some),
        false => ask_on_terminal(&format!("{said}; the code: ")),
    };
    let asked = context.renderer.hold_still();
    let code =
        tokio::task::spawn_blocking(read).await.map_err(|e| Error::new(Kind::Other, "the code could not be asked for").with_cause(e))??;
    drop(asked);
    let code = code.ok_or_else(|| Error::new(Kind::Auth, "no code was entered"))?;
    let code = &code;
    let entered = once.attempt(|p| async move { p.abilities().second_factor()?.enter_code(code).await }).await;
    entered.map_err(|e| e.with_remote(&calls.remote))
}

const WORDS_SHOWN: usize = 80;

/// Reads one line, which must not be empty; what follows it is not read.
fn line_from(input: impl Read, what: &str) -> Result<Secret> {
    match first_line(input)? {
        line if line.is_empty() => Err(Error::new(Kind::Usage, format!("standard input holds no {what}")).with_subject("-")),
        line => Ok(line),
    }
}

/// Reads one line, which may be empty.
pub(crate) fn first_line(input: impl Read) -> Result<Secret> {
    const MAX_INPUT: u64 = 64 * 1024;
    let mut text = String::new();
    BufReader::new(input.take(MAX_INPUT))
        .read_line(&mut text)
        .map_err(|e| Error::new(Kind::Local, "standard input could not be read").with_subject("-").with_cause(e))?;
    drop(Secret::new(text.trim_end()));
    line_of_input(&text, "standard input").map(Secret::new)
}

/// A token store that looks empty, because `login` must prove the credentials and not an old token. The id of the device stays,
/// as a server that has seen a code from the device does not ask again.
struct WithoutStoredToken<T> {
    store: Arc<T>,
    /// A refusal of this run was of another password.
    refusals: Arc<Refusals>,
}

impl<T: TokenStore> TokenStore for WithoutStoredToken<T> {
    fn load(&self, account: &str) -> Result<Option<StoredToken>> {
        if account == DEVICE { self.store.load(account) } else { Ok(None) }
    }
    fn save(&self, account: &str, token: &StoredToken) -> Result<()> {
        self.store.save(account, token)
    }
    fn forget(&self, account: &str) -> Result<()> {
        self.store.forget(account)
    }
    fn lock<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>>> {
        self.store.lock(account)
    }
    fn refusals(&self) -> Arc<Refusals> {
        self.refusals.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line() {
        assert_eq!(line_from(&b"s3cret\r\nmore"[..], "password").unwrap().expose(), "s3cret");
        assert_eq!(line_from(&b" with blanks \n"[..], "password").unwrap().expose(), " with blanks ");
        assert_eq!(line_from(&b"\xef\xbb\xbfs3cret\r"[..], "password").unwrap().expose(), "s3cret");
        let refused = line_from(&b"s3cret\x7f\n"[..], "password").unwrap_err();
        let told = "standard input: it holds a control character (U+007F); write the value as one line of plain text";
        assert_eq!((refused.kind(), refused.to_string().as_str()), (Kind::Usage, told));
        assert_eq!(line_from(&b"\n"[..], "password").unwrap_err().kind(), Kind::Usage);
    }
}
