//! Decides what FTP replies mean: the code, and its meaning for the file. Codes are as in RFC 959, RFC 4217 and providers.md 6;
//! the text of a reply is read only if the code alone is not enough.

use std::time::Duration;

use suppaftp::FtpError;
use suppaftp::types::{ReplyTooLarge, Response};

use crate::error::{Error, Kind};
use crate::model::escape::shorten;

const WORDS_SHOWN: usize = 200;

/// One reply of the control connection, with all its lines.
#[derive(Clone, Debug)]
pub struct Reply {
    pub code: u16,
    pub text: String,
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        // suppaftp's list of codes lacks 522 and others: it reports them as 0.
        let code = match response.status.code() {
            0 => response.body.get(..3).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).unwrap_or(0),
            known => u16::try_from(known).unwrap_or(0),
        };
        Reply { code, text: String::from_utf8_lossy(&response.body).into_owned() }
    }
}

impl Reply {
    /// 2xx. Servers differ within the class (200 for 250, 202 for 230), so no single code is required.
    pub fn is_done(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// 3xx: the next command completes this one.
    pub fn wants_more(&self) -> bool {
        (300..400).contains(&self.code)
    }

    /// True for an answer to EPSV or PASV; no other command has these codes.
    pub fn is_passive(&self) -> bool {
        matches!(self.code, 227 | 229)
    }

    /// 1xx: the data connection can be used.
    pub fn is_starting(&self) -> bool {
        (100..200).contains(&self.code)
    }

    /// 421 ends the control connection whenever it comes.
    pub fn is_closing(&self) -> bool {
        self.code == 421
    }

    fn mentions(&self, words: &[&str]) -> bool {
        let text = self.text.to_ascii_lowercase();
        words.iter().any(|word| text.contains(word))
    }

    /// Some servers report too many connections by 421, ProFTPD by 530: neither is a wrong password.
    fn is_too_many(&self) -> bool {
        self.mentions(&["too many", "maximum"])
    }

    /// The error if `what` (the upload, the rename, ...) was refused.
    pub fn refusal(&self, what: &str) -> Error {
        let (kind, message) = match self.code {
            421 | 530 if self.is_too_many() => (Kind::Busy, "the server takes no more connections".to_owned()),
            421 => (Kind::Interrupted, "the server closed the connection".to_owned()),
            430 | 530 if self.wants_tls() => (Kind::Refused, "the server takes no sign-in without TLS".to_owned()),
            430 | 530 => (Kind::Auth, "the server refused the sign-in".to_owned()),
            332 | 532 => (Kind::Auth, "the server asks for an account besides user and password".to_owned()),
            452 | 552 => (Kind::Refused, "there is no space left on the server".to_owned()),
            // No byte was sent: the same may be tried again, and another protocol may work.
            425 => (Kind::Unreachable, "the server could not open the data connection".to_owned()),
            450 => (Kind::Busy, format!("the server can't do {what} now")),
            400..=499 => (Kind::Interrupted, format!("the server gave up {what}")),
            500 | 502 | 504 => (Kind::Unsupported, format!("the server does not know {what}")),
            500..=599 => (Kind::Refused, format!("the server refused {what}")),
            _ => (Kind::Protocol, format!("the server's answer to {what} makes no sense")),
        };
        let error = Error::new(kind, message).with_status(self.code).with_cause(self.to_anyhow());
        if self.wants_tls() { error.with_hint("use FTPS") } else { error }
    }

    /// The reply's text, as the cause of an error.
    pub fn to_anyhow(&self) -> anyhow::Error {
        anyhow::anyhow!("FTP {}", shorten(&self.text, WORDS_SHOWN))
    }

    fn wants_tls(&self) -> bool {
        self.code >= 500 && self.mentions(&["must use encryption", "tls required", "use auth"])
    }
}

/// True if the server may have refused the TLS session of the data connection: vsftpd answers 522, ProFTPD and FileZilla 425,
/// some servers 450 with a text about TLS. Used only if the data connection has TLS, and worth one try with another TLS
/// version: a 425 with another text (Serv-U) may mean the same.
pub fn may_blame_session(error: &Error) -> bool {
    blames_session(error) || error.status_code() == Some(425)
}

/// True if the reply says that the TLS session is refused. A 425 without such a text is any data connection that could not be
/// made.
pub fn blames_session(error: &Error) -> bool {
    let words = error.message().to_ascii_lowercase();
    match error.status_code() {
        Some(522) => true,
        // ProFTPD says only "Operation not permitted".
        Some(425 | 450) => ["tls", "ssl", "session", "operation not permitted"].iter().any(|word| words.contains(word)),
        _ => false,
    }
}

/// The error for a failure of the control connection that is no reply.
pub fn from_suppaftp(error: FtpError) -> Error {
    match error {
        FtpError::UnexpectedResponse(response) => Reply::from(response).refusal("the command"),
        FtpError::ConnectionError(e) if e.kind() == std::io::ErrorKind::InvalidInput => {
            Error::new(Kind::Refused, "a name with a line end in it can't be sent by FTP")
        }
        FtpError::ConnectionError(e) if e.get_ref().is_some_and(|inner| inner.is::<ReplyTooLarge>()) => {
            Error::new(Kind::Protocol, "the server's answer never ends").with_cause(e)
        }
        FtpError::ConnectionError(e) => connection_lost_error(e),
        FtpError::BadResponse => Error::new(Kind::Protocol, "the server's answer is not FTP"),
        other => Error::new(Kind::Protocol, "the FTP connection failed").with_cause(other),
    }
}

/// The error for a server that does not answer.
pub fn timeout_error(waited: Duration) -> Error {
    Error::new(Kind::Interrupted, format!("no answer from the server within {}", humantime::format_duration(waited)))
}

/// The error for a connection that ended in the middle of a transfer.
pub fn connection_lost_error(cause: std::io::Error) -> Error {
    Error::new(Kind::Interrupted, "the connection to the server was lost").with_cause(cause).of_closed_connection()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(text: &str) -> Reply {
        let code = text[..3].parse::<u32>().unwrap();
        Reply::from(Response::new(code.into(), text.as_bytes().to_vec()))
    }

    #[test]
    fn a_code_that_suppaftp_does_not_know_is_read_from_the_text() {
        assert_eq!(reply("522 SSL connection failed: session reuse required").code, 522);
        assert_eq!(reply("226 ok").code, 226);
        assert_eq!(Reply::from(Response::new(suppaftp::Status::Unknown, b"5".to_vec())).code, 0);
    }

    #[test]
    fn each_code_has_its_kind() {
        let kinds = [
            ("421 There are too many connections from your internet address.", Kind::Busy),
            ("421 Timeout.", Kind::Interrupted),
            ("530 Sorry, the maximum number of clients (1) for this user are already connected.", Kind::Busy),
            ("530 Login incorrect.", Kind::Auth),
            ("530 Non-anonymous sessions must use encryption.", Kind::Refused),
            ("332 Need account for login", Kind::Auth),
            ("452 Insufficient storage", Kind::Refused),
            ("552 Quota exceeded", Kind::Refused),
            ("550 Permission denied", Kind::Refused),
            ("553 Could not create file.", Kind::Refused),
            ("450 File busy", Kind::Busy),
            ("425 Can't open data connection.", Kind::Unreachable),
            ("426 Failure reading network stream.", Kind::Interrupted),
            ("451 Local error", Kind::Interrupted),
            ("502 Command not implemented", Kind::Unsupported),
            ("150 Here it comes", Kind::Protocol),
        ];
        for (text, kind) in kinds {
            let error = reply(text).refusal("the upload");
            assert_eq!(error.kind(), kind, "{text}");
            assert!(error.message().contains(text), "{error}");
        }
    }

    #[test]
    fn only_words_about_tls_make_425_and_450_a_matter_of_sessions() {
        let firewalled = reply("425 Failed to establish connection.").refusal("the upload");
        assert!(may_blame_session(&firewalled) && !blames_session(&firewalled));
        assert!(blames_session(&reply("522 SSL connection failed: session reuse required").refusal("the upload")));
        assert!(blames_session(&reply("425 Unable to build data connection: Operation not permitted").refusal("the upload")));
        assert!(blames_session(&reply("450 TLS session of data connection not resumed.").refusal("the upload")));
        assert!(!blames_session(&reply("450 file busy").refusal("the upload")));
        assert!(!blames_session(&reply("552 full").refusal("the upload")));
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn any_reply_is_told_in_harmless_words(status in any::<u32>(), body in prop::collection::vec(any::<u8>(), 0..60), text in arbitrary::text()) {
            for body in [body, text.into_bytes()] {
                let reply = Reply::from(Response::new(suppaftp::Status::from(status % 700), body));
                let error = reply.refusal("the upload");
                arbitrary::assert_error_is_safe(&error);
                let _ = blames_session(&error);
                arbitrary::assert_error_is_safe(&from_suppaftp(FtpError::UnexpectedResponse(Response::new(suppaftp::Status::Unknown, Vec::new()))));
            }
        }
    }
}
