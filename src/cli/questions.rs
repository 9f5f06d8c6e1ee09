//! Questions to a person: on standard error, answered by a line of standard input or, for a secret, without echo.

use std::io::IsTerminal;

use super::context::Context;
use crate::config::ask_on_terminal;
use crate::error::{Error, Kind, Result};
use crate::model::Secret;

/// Somebody sees the questions and can answer them.
pub fn is_somebody_there(context: &Context) -> bool {
    let style = context.renderer.style();
    !style.json && !style.quiet && is_terminal()
}

/// Standard input and standard error are a terminal.
pub fn is_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// The answer without blanks around it. Fails with `Usage` where the input ends.
pub async fn read_line(context: &Context, question: &str) -> Result<String> {
    let _asked = context.renderer.ask(question);
    let typed = blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|read| (read > 0).then(|| line.trim().to_owned())).map_err(Error::from)
    });
    typed.await?.ok_or_else(|| Error::new(Kind::Usage, "the input ended before the question was answered"))
}

/// As [`read_line`]; Enter means `usual`.
pub async fn line_or(context: &Context, question: &str, usual: &str) -> Result<String> {
    let typed = read_line(context, &format!("{question} [{usual}]: ")).await?;
    Ok(if typed.is_empty() { usual.to_owned() } else { typed })
}

/// True only if a person answers yes.
pub async fn is_yes(context: &Context, question: &str) -> Result<bool> {
    let answer = read_line(context, &format!("{question} [y/N] ")).await;
    Ok(matches!(answer.unwrap_or_default().to_lowercase().as_str(), "y" | "yes"))
}

/// None: nothing was typed.
pub async fn secret(context: &Context, question: String) -> Result<Option<Secret>> {
    let _asked = context.renderer.hold_still();
    blocking(move || ask_on_terminal(&question)).await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::new(Kind::Other, "the question broke off").with_cause(e))?
}
