//! `haul login` and `haul logout`: a token obtained and kept, or revoked there and forgotten here.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::desk::Desk;
use super::{DONE, values};
use crate::contract::{BoxFuture, StoredToken, TokenStore};
use crate::error::{Error, Kind, Result};
use crate::model::{Address, Report, Secret};

/// Obtain a token and keep it
///
/// Examples:
///   haul login studio
///   pass show studio | haul login studio --password-stdin
///
/// Asks for the password if it is set nowhere, and keeps that too.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct LoginArgs {
    /// Its name
    #[arg(value_name = "REMOTE")]
    pub remote: String,
    /// Read the password from standard input, up to the first line end
    #[arg(long)]
    pub password_stdin: bool,
    /// Time without a byte before a connection counts as lost
    #[arg(long, value_name = "D", default_value = "60s", env = "HAUL_TIMEOUT", value_parser = values::time)]
    pub timeout: Duration,
}

/// Revoke the token there and forget it here, and the kept secrets too
///
/// Examples:
///   haul logout studio
///   haul logout --json cloud
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct LogoutArgs {
    /// Its name
    #[arg(value_name = "REMOTE")]
    pub remote: String,
    /// Time without a byte before a connection counts as lost
    #[arg(long, value_name = "D", default_value = "60s", env = "HAUL_TIMEOUT", value_parser = values::time)]
    pub timeout: Duration,
}

pub async fn run(desk: &mut Desk, args: LoginArgs) -> Result<u8> {
    let config = desk.config.remote(&Address::parse_remote(&args.remote)?.remote)?;
    if args.password_stdin {
        config.give("password", password_from(std::io::stdin())?);
    }
    let remote = desk.open_with(config.clone(), Arc::new(Fresh(desk.state())), args.timeout)?;
    // Not repeated on any failure: a refused sign-in that is tried again locks accounts.
    let account = remote.provider.sign_in().await.map_err(|e| e.on(remote.name.clone()))?;
    for setting in config.provider.settings.iter().filter(|s| s.secret) {
        if let Some(secret) = config.typed(setting.key) {
            desk.config.save_credentials(&remote.name, setting.key, &secret)?;
        }
    }
    for warning in &account.warnings {
        desk.renderer.warning(warning);
    }
    desk.renderer.report(&Report::Login { remote: remote.name, account: account.account });
    Ok(DONE)
}

pub async fn run_logout(desk: &mut Desk, args: LogoutArgs) -> Result<u8> {
    let remote = desk.open(&Address::parse_remote(&args.remote)?.remote, args.timeout)?;
    let revoked = remote.provider.sign_out().await;
    desk.config.forget_credentials(&remote.name)?;
    desk.renderer.report(&Report::Logout { remote: remote.name.clone(), revoked: revoked.map_err(|e| e.on(remote.name))? });
    Ok(DONE)
}

fn password_from(input: impl Read) -> Result<Secret> {
    match first_line(input)? {
        password if password.is_empty() => Err(Error::new(Kind::Usage, "standard input holds no password").on("-")),
        password => Ok(password),
    }
}

/// A password is a line; what follows it is not part of it.
pub(super) fn first_line(mut input: impl Read) -> Result<Secret> {
    const LONGEST: u64 = 64 * 1024;
    let mut text = String::new();
    input
        .by_ref()
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|e| Error::new(Kind::Local, "the password could not be read").on("-").cause(e))?;
    Ok(Secret::new(text.split(['\r', '\n']).next().unwrap_or_default()))
}

/// Tokens that look as if none were kept: `login` is to prove the credentials, not an old token.
struct Fresh<T>(Arc<T>);

impl<T: TokenStore> TokenStore for Fresh<T> {
    fn load(&self, _: &str) -> Result<Option<StoredToken>> {
        Ok(None)
    }
    fn save(&self, account: &str, token: &StoredToken) -> Result<()> {
        self.0.save(account, token)
    }
    fn forget(&self, account: &str) -> Result<()> {
        self.0.forget(account)
    }
    fn lock<'a>(&'a self, account: &'a str) -> BoxFuture<'a, Result<Box<dyn Send>>> {
        self.0.lock(account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line() {
        assert_eq!(password_from(&b"s3cret\r\nmore"[..]).unwrap().expose(), "s3cret");
        assert_eq!(password_from(&b" with blanks \n"[..]).unwrap().expose(), " with blanks ");
        assert_eq!(password_from(&b"\n"[..]).unwrap_err().kind(), Kind::Usage);
    }
}
