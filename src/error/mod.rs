//! The one error type of the program. Adapters and protocols make it; its [`Kind`] alone decides whether `transfer/client.rs`
//! tries again, and which exit status `render/exit.rs` returns.

pub mod explained;
mod kind;

use std::fmt;
use std::time::Duration;

pub use kind::Kind;

use crate::model::escape::escape_control;
use crate::model::place_text::PlaceText;

/// The result of every function that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One failure: what failed, on what, why, and what to do next.
pub struct Error(Box<ErrorFields>);

struct ErrorFields {
    kind: Kind,
    message: String,
    on: Option<String>,
    /// `on` is a file of this machine or another source, and no place on the remote.
    local: bool,
    source: Option<String>,
    hint: Option<String>,
    status: Option<u16>,
    after: Option<Duration>,
    untried: bool,
    unsent: bool,
    on_kept_line: bool,
    closed_again: bool,
    reached: bool,
    unread: bool,
    check_unanswered: bool,
    cause: Option<anyhow::Error>,
}

impl Error {
    /// `message` is a clause in the user's words, lower case, without a full stop: `the server refused the sign-in`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(ErrorFields {
            kind,
            message: message.into(),
            on: None,
            local: false,
            source: None,
            hint: None,
            status: None,
            after: None,
            untried: false,
            unsent: false,
            on_kept_line: false,
            closed_again: false,
            reached: false,
            unread: false,
            check_unanswered: false,
            cause: None,
        }))
    }

    /// The server accepted the request, but its answer can't be read: a proxy's page, a warning, an empty body. The request may
    /// have been done.
    pub fn unread_answer(message: impl Into<String>) -> Self {
        let mut error = Error::new(Kind::Protocol, message);
        error.0.unread = true;
        error
    }

    /// Names the file, place or remote that the failure is about; a name that is set already stays.
    pub fn with_subject(mut self, what: impl Into<String>) -> Self {
        self.0.on.get_or_insert_with(|| what.into());
        self
    }

    /// As [`Error::with_subject`], for a file of this machine: its name is never read as a place on a remote.
    pub fn on_local(mut self, what: impl Into<String>) -> Self {
        if self.0.on.is_none() {
            (self.0.on, self.0.local) = (Some(what.into()), true);
        }
        self
    }

    /// Adds the remote's name to a place that the provider knows only by its path. `REMOTE` in a hint is replaced by the name.
    pub fn with_remote(mut self, remote: &str) -> Self {
        let ErrorFields { on, local, kind, hint, .. } = &mut *self.0;
        if let Some(text) = hint.as_mut().filter(|text| text.contains("REMOTE")) {
            *text = name_remote(text, remote);
        }
        let local = *local || *kind == Kind::Local;
        if let Some(on) = on.as_mut().filter(|on| !local && on.starts_with(['/', '@'])) {
            *on = PlaceText { remote, path: &*on }.to_string();
        }
        // A host alone does not tell which remote it belongs to.
        if let Some(on) = on.as_mut().filter(|on| *kind == Kind::Unreachable && !local && !on.contains(['/', '@', ' '])) {
            *on = format!("{remote} ({on})");
        }
        self
    }

    /// The place on a remote that the failure is about, in the form that is shown.
    pub fn place(&self) -> Option<&str> {
        self.0.on.as_deref().filter(|_| !self.0.local)
    }

    /// Names the source of the transfer, as the user named it.
    pub fn with_source_path(mut self, source: impl Into<String>) -> Self {
        self.0.source.get_or_insert_with(|| source.into());
        self
    }

    /// The source that [`Error::with_source_path`] has set.
    pub fn source_path(&self) -> Option<&str> {
        self.0.source.as_deref()
    }

    /// Adds what the user can do next: a clause that begins with a verb.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds a hint to a refused sign-in that has none.
    pub(crate) fn with_credentials_hint(self) -> Self {
        match self.0.kind == Kind::Auth && self.0.hint.is_none() {
            true => self.with_hint("check the credentials of the remote; `haul remote show REMOTE` shows which are set"),
            false => self,
        }
    }

    /// Adds the HTTP or FTP code of the server's answer.
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Adds the wait that the server asked for.
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.after = wait;
        self
    }

    /// Marks the failure of a file that was not attempted, because of an earlier failure that was reported.
    pub fn not_attempted(mut self) -> Self {
        self.0.untried = true;
        self
    }

    /// Marks a failure before the server was asked, because something is missing here.
    pub fn before_asking(mut self) -> Self {
        self.0.unsent = true;
        self
    }

    /// Marks a failure without a byte of an answer on a kept connection: usually the connection was closed before the request.
    pub fn on_kept_line(mut self) -> Self {
        self.0.on_kept_line = true;
        self
    }

    /// Marks a failure where the server accepted the connection and then closed it.
    pub fn of_closed_connection(mut self) -> Self {
        self.0.closed_again = true;
        self
    }

    /// Marks a failure of a server that was reached and answered, although no connection to it could be made.
    pub fn of_reached_server(mut self) -> Self {
        self.0.reached = true;
        self
    }

    /// Adds the failure that led to this one; its message is appended.
    pub fn with_cause(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Adds the check after this failure, which failed too.
    pub fn with_check(mut self, check: Error) -> Self {
        self.0.check_unanswered |= check.is_of_failing_server();
        self.with_cause(check)
    }

    /// The same failure with another kind, for code that knows more about it.
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The kind of the failure.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The HTTP or FTP code of the server, if there was an answer.
    pub fn status_code(&self) -> Option<u16> {
        self.0.status
    }

    /// The wait that the server asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.after
    }

    pub(crate) fn is_on_kept_line(&self) -> bool {
        self.0.on_kept_line
    }

    pub(crate) fn is_of_closed_connection(&self) -> bool {
        self.0.closed_again
    }

    /// True if the server can't be reached, or does not answer at all.
    pub(crate) fn is_no_answer(&self) -> bool {
        self.0.kind == Kind::Unreachable && !self.0.reached
    }

    /// True if every other request would fail now, too: the server is not reached, resets, times out or is busy. Also true for a
    /// change with an unknown result if the server did not answer the check.
    pub(crate) fn is_of_failing_server(&self) -> bool {
        self.0.kind.is_transient() || self.0.check_unanswered
    }

    pub(crate) fn is_unread_answer(&self) -> bool {
        self.0.unread
    }

    /// True if a change that failed in this way may have been made all the same: only a check can tell.
    pub fn may_have_happened(&self) -> bool {
        self.kind() == Kind::Interrupted || self.0.unread
    }

    /// The failure of a change after a check did not find it. The answer stays unread, so that steps which depend on the change
    /// can be undone.
    pub fn into_uncertain(self) -> Error {
        let status = self.0.status;
        let mut error = self
            .quoting(Kind::Unknown, |said| format!("the answer to this can't be read, and what was asked for does not show: {said}"))
            .with_hint("check before you try again");
        (error.0.unread, error.0.status) = (true, status);
        error
    }

    /// The failure of a change whose result is unknown, because the check failed too.
    pub fn with_failed_check(self, look: Error) -> Error {
        if matches!(look.kind(), Kind::Unknown | Kind::Ambiguous) {
            return look;
        }
        self.quoting(Kind::Unknown, |said| format!("whether this was done is not known: {said}; and looking failed"))
            .with_hint("check before you try again")
            .with_check(look)
    }

    /// A new failure whose message quotes this one. The place of this failure becomes the place of the new one and is not
    /// repeated in the quote; the name of a host is.
    pub fn quoting(self, kind: Kind, words: impl FnOnce(&str) -> String) -> Error {
        let Some(on) = self.0.on.clone().filter(|on| self.0.local || on.starts_with(['/', '@']) || on.contains(":/") || on.contains(":@"))
        else {
            return Error::new(kind, words(&self.message()));
        };
        let mut error = Error::new(kind, words(&self.why()));
        (error.0.on, error.0.local) = (Some(on), self.0.local);
        error
    }

    pub(crate) fn is_before_asking(&self) -> bool {
        self.0.unsent
    }

    pub(crate) fn is_not_attempted(&self) -> bool {
        self.0.untried
    }

    /// A copy of the failure for another caller. Its causes become part of the message.
    pub fn duplicate(&self) -> Error {
        let mut again = Error::new(self.kind(), self.why());
        again.0.on.clone_from(&self.0.on);
        again.0.local = self.0.local;
        again.0.source.clone_from(&self.0.source);
        again.0.hint.clone_from(&self.0.hint);
        (again.0.status, again.0.after) = (self.0.status, self.0.after);
        (again.0.on_kept_line, again.0.unsent, again.0.unread) = (self.0.on_kept_line, self.0.unsent, self.0.unread);
        (again.0.closed_again, again.0.reached) = (self.0.closed_again, self.0.reached);
        again.0.check_unanswered = self.0.check_unanswered;
        again
    }

    /// The failure of a read: our own error if `io` contains one (a remote source fails as its connection does), `Integrity` if
    /// there were fewer bytes than announced (`InvalidData`), else `Local`.
    pub fn reading(io: &std::io::Error) -> Error {
        let carried = io.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        match (carried, io.kind()) {
            (Some(ours), _) => ours.duplicate(),
            (None, std::io::ErrorKind::InvalidData) => {
                Error::new(Kind::Integrity, "the source changed while it was read").with_cause(anyhow::anyhow!("{io}"))
            }
            (None, _) => Error::new(Kind::Local, "it can't be read").with_cause(anyhow::anyhow!("{io}")),
        }
    }

    /// The failure in one line without the hint.
    pub fn message(&self) -> String {
        match &self.0.on {
            Some(on) => format!("{}: {}", escape_control(on), self.why()),
            None => self.why(),
        }
    }

    /// The message and its causes, without the subject.
    fn why(&self) -> String {
        let mut line = escape_control(&self.0.message).into_owned();
        if let Some(cause) = &self.0.cause {
            let mut said = self.0.message.clone();
            for step in cause.chain() {
                let step = match step.downcast_ref::<Error>() {
                    // The subject is named already, and the hint was for another situation.
                    Some(ours) if ours.0.on.as_ref().is_none_or(|on| said.contains(on) || self.0.on.as_ref() == Some(on)) => ours.why(),
                    Some(ours) => ours.message(),
                    None => step.to_string(),
                };
                if !step.is_empty() && !said.contains(&step) {
                    line.push_str(": ");
                    line.push_str(&escape_control(&step));
                    said.push_str(&step);
                }
            }
        }
        line
    }

    /// What the user can do next.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

/// Replaces `REMOTE` where it is a separate word, and not a part of a variable's name.
fn name_remote(hint: &str, remote: &str) -> String {
    let is_part = |c: char| c == '_' || c.is_alphanumeric();
    let mut text = String::with_capacity(hint.len());
    let mut rest = hint;
    while let Some((before, after)) = rest.split_once("REMOTE") {
        text += before;
        text += if text.ends_with(is_part) || after.starts_with(is_part) { "REMOTE" } else { remote };
        rest = after;
    }
    text + rest
}

/// One line: what failed, why, and after a semicolon what to do next. Control characters are made visible; secrets are masked
/// where the line is printed.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.hint {
            // A server's text may end in a full stop.
            Some(hint) => write!(f, "{}; {}", self.message().trim_end_matches('.'), escape_control(hint)),
            None => f.write_str(&self.message()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}({self})", self.0.kind)
    }
}

impl std::error::Error for Error {}

/// A failure of this machine's files: status 12, with the system's own message. Our own error inside `cause` is returned
/// unchanged.
impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        cause.downcast::<Error>().unwrap_or_else(|cause| Error::new(Kind::Local, cause.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_remote() {
        let told = |hint: &str| Error::new(Kind::Auth, "no").with_hint(hint).with_remote("studio").hint().unwrap().to_owned();
        for (hint, names) in [
            ("run `haul login REMOTE`", "run `haul login studio`"),
            ("name it as REMOTE:@ID, or REMOTE:/@ID", "name it as studio:@ID, or studio:/@ID"),
            ("set HAUL_REMOTE_STUDIO_TOKEN", "set HAUL_REMOTE_STUDIO_TOKEN"),
            ("look", "look"),
        ] {
            assert_eq!(told(hint), names);
        }
    }

    #[test]
    fn a_host_that_is_not_reached_is_told_with_its_remote() {
        let told = |on: &str, kind| Error::new(kind, "no").with_subject(on).with_remote("studio").with_remote("studio").to_string();
        assert_eq!(told("127.0.0.1:1", Kind::Unreachable), "studio (127.0.0.1:1): no");
        assert_eq!(told("127.0.0.1:1", Kind::Refused), "127.0.0.1:1: no");
        assert_eq!(told("/in/a", Kind::Unreachable), "studio:/in/a: no");
    }

    #[test]
    fn a_line_says_what_on_what_why_and_what_next() {
        let e = Error::new(Kind::Refused, "the account is full").with_subject("studio:/a\n").with_hint("delete something");
        assert_eq!(e.to_string(), "studio:/a\\n: the account is full; delete something");
    }

    #[test]
    fn a_cause_repeats_neither_name_nor_advice() {
        let look = |on: &str| Error::new(Kind::Busy, "later").with_subject(on).with_hint("wait");
        let told = |cause: Error| {
            let lost = Error::new(Kind::Unknown, "h: the line broke; looking failed").with_subject("r:/a").with_hint("look");
            lost.with_cause(cause).to_string()
        };
        assert_eq!(told(look("h")), "r:/a: h: the line broke; looking failed: later; look");
        assert_eq!(told(look("r:/a")), "r:/a: h: the line broke; looking failed: later; look");
        assert_eq!(told(look("r:/b")), "r:/a: h: the line broke; looking failed: r:/b: later; look");
    }

    #[test]
    fn a_quoted_failure_names_its_place_once() {
        let told = |on: &str| {
            let lost = Error::new(Kind::Interrupted, "cut").with_subject(on);
            lost.with_failed_check(Error::new(Kind::Busy, "later").with_subject("r:/a")).with_remote("r").with_subject("r:/a").to_string()
        };
        let known = "r:/a: whether this was done is not known: cut; and looking failed: later; check before you try again";
        assert_eq!((told("r:/a").as_str(), told("/a").as_str()), (known, known));
        assert_eq!(told("h:80"), known.replace("cut", "h:80: cut"));
    }

    #[test]
    fn a_file_of_this_machine_is_no_place_on_a_remote() {
        let told = |error: Error| error.with_remote("studio").duplicate().with_remote("studio").to_string();
        let error = |kind| Error::new(kind, "no");
        assert_eq!(told(error(Kind::Refused).with_subject("/in/a")), "studio:/in/a: no");
        assert_eq!(told(error(Kind::Integrity).on_local("/home/a")), "/home/a: no");
        assert_eq!(told(error(Kind::Local).with_subject("/home/a")), "/home/a: no");
        let file = error(Kind::Integrity).on_local("a:/b");
        assert_eq!((file.place(), error(Kind::Integrity).with_subject("a:/b").place()), (None, Some("a:/b")));
    }

    #[test]
    fn told_again_it_is_the_same() {
        let cause = std::io::Error::other("the root");
        let e = Error::new(Kind::Busy, "later")
            .with_subject("x")
            .with_hint("wait")
            .with_status(503)
            .with_retry_after(Some(Duration::from_secs(7)))
            .with_cause(cause);
        let again = e.duplicate().with_subject("y");
        assert_eq!((again.to_string(), again.kind()), ("x: later: the root; wait".to_owned(), Kind::Busy), "{e}");
        assert_eq!((again.status_code(), again.retry_after()), (Some(503), Some(Duration::from_secs(7))));
    }

    #[test]
    fn what_is_read_fails_as_it_says() {
        use std::io::{Error as Io, ErrorKind};
        let ours = || {
            Error::new(Kind::Busy, "later")
                .with_subject("x")
                .with_hint("wait")
                .with_status(503)
                .with_retry_after(Some(Duration::from_secs(7)))
        };
        let read = Error::reading(&Io::other(ours()));
        assert_eq!((read.to_string(), read.kind()), ("x: later; wait".to_owned(), Kind::Busy));
        assert_eq!((read.status_code(), read.retry_after()), (Some(503), Some(Duration::from_secs(7))));
        assert_eq!(Error::reading(&ErrorKind::InvalidData.into()).kind(), Kind::Integrity);
        let disk = Error::reading(&Io::other("the disk is bad")).with_subject("x");
        assert_eq!((disk.to_string(), disk.kind()), ("x: it can't be read: the disk is bad".to_owned(), Kind::Local));
        assert_eq!((Error::from(Io::other(ours())).kind(), Error::from(Io::other("disk")).kind()), (Kind::Busy, Kind::Local));
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let passing: Vec<_> = Kind::ALL.into_iter().filter(|k| k.is_transient()).collect();
        assert_eq!(passing, [Kind::Unreachable, Kind::Interrupted, Kind::Busy]);
    }
}
