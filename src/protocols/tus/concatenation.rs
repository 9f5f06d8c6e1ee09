//! Concatenation: spans of a file travel side by side as partial uploads, and a final upload joins them (protocol 1.0.0,
//! "Concatenation").
//!
//! The final upload's address comes with the answer that makes it. When that answer is lost, nobody can be asked about the upload,
//! and a server that keeps the parts would make a second file of them: what became of it is then unknown. So the final upload is
//! created first, while it is empty, where the server announces `concatenation-unfinished`; elsewhere it is asked for once.
//!
//! The parts are not deleted afterwards, though the protocol allows it: tus-java-server joins them only when the file is read,
//! and would lose it.

use std::ops::Range;

use chrono::{DateTime, Utc};
use futures_util::future::{join_all, try_join_all};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::capabilities::{Capabilities, Servers};
use super::requests::{Concat, create, delete, guard, head_of_final};
use super::target::{Endpoint, TusTarget};
use super::{TusSession, ask_once, check_size, session};
use crate::contract::{BoxFuture, Chunking, Error, Kind, Part, PartialUpload, Recovery, Result, UploadSession};
use crate::model::Protocol;
use crate::protocols::http::{Http, host_of};

/// A file in several partial uploads, and the final one that joins them.
pub struct ConcatenatedSession {
    line: Endpoint,
    /// Of the final upload.
    target: TusTarget,
    servers: Servers,
    /// In the order of the file.
    parts: Vec<TusSession>,
    join: Join,
}

/// How far the final upload is.
#[derive(Debug, PartialEq)]
enum Join {
    NotAsked,
    /// Asked for, and the answer did not come.
    Unanswered,
    /// The server does not do what it announces.
    Refused,
    Made(Url),
    /// The server holds every byte of the file in it.
    Whole(Url),
}

/// What a later run needs.
#[derive(Serialize, Deserialize)]
struct ConcatenationNote {
    /// Address and bytes of each, in the order of the file.
    parts: Vec<(String, u64)>,
    joined: Option<String>,
}

/// Creates a partial upload for each of the `spans`; `of_parts`: their metadata. None: the server offers no concatenation, and
/// the file goes in one stream.
pub async fn create_partials(
    servers: &Servers,
    http: &Http,
    target: &TusTarget,
    of_parts: &[(String, String)],
    spans: &[Range<u64>],
) -> Result<Option<ConcatenatedSession>> {
    let line = Endpoint::new(http, target);
    let announced = ask_once(servers, &line).await;
    if !announced.concatenation {
        return Ok(None);
    }
    check_size(target, &announced)?;
    let of_span = |span: &Range<u64>| TusTarget { metadata: of_parts.to_vec(), size: Some(span.end - span.start), ..target.clone() };
    let created = try_join_all(spans.iter().map(|span| create_partial(&line, of_span(span), &announced))).await;
    match created {
        Ok(parts) => {
            let join = Join::NotAsked;
            let mut session = ConcatenatedSession { line, target: target.clone(), servers: servers.clone(), parts, join };
            if announced.concatenation_unfinished {
                // When this fails, the next try makes new parts: what it may have made stays empty.
                session.join_parts().await?;
            }
            Ok(Some(session))
        }
        Err(refusal) if is_not_offered(&refusal) => {
            tracing::debug!(target: "haul::tus", "no partial upload is made: {refusal}");
            servers.forget_concatenation(&target.endpoint);
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

async fn create_partial(line: &Endpoint, target: TusTarget, announced: &Capabilities) -> Result<TusSession> {
    let (upload, expires) = create(line, &target, Concat::Partial).await?;
    Ok(TusSession { announced: Some(announced.clone()), expires, ..session(line.clone(), &target, Some(upload)) })
}

/// Takes up what an earlier run has created, by its note. None: this is no note of a concatenation. `check`: of each address.
pub async fn resume_partials(
    servers: &Servers,
    http: &Http,
    target: &TusTarget,
    note: &str,
    check: impl Fn(&str) -> Result<Url>,
) -> Result<Option<ConcatenatedSession>> {
    let Ok(noted) = serde_json::from_str::<ConcatenationNote>(note) else { return Ok(None) };
    let line = Endpoint::new(http, target);
    let announced = ask_once(servers, &line).await;
    let part = |(upload, size): &(String, u64)| {
        let upload = check(upload)?;
        guard(&upload);
        let target = TusTarget { size: Some(*size), ..target.clone() };
        Ok(TusSession { announced: Some(announced.clone()), ..session(line.clone(), &target, Some(upload)) })
    };
    let parts = noted.parts.iter().map(part).collect::<Result<Vec<_>>>()?;
    let join = match &noted.joined {
        Some(upload) => Join::Made(check(upload).inspect(guard)?),
        None => Join::NotAsked,
    };
    Ok(Some(ConcatenatedSession { line, target: target.clone(), servers: servers.clone(), parts, join }))
}

/// The request as such is refused, and nothing was made: a creation of the plain form may be taken.
fn is_not_offered(refusal: &Error) -> bool {
    matches!(refusal.status_code(), Some(400 | 404 | 405 | 410 | 415 | 501))
}

impl ConcatenatedSession {
    /// The final upload's URL, once the server has told it.
    pub fn url(&self) -> Option<&Url> {
        match &self.join {
            Join::Made(upload) | Join::Whole(upload) => Some(upload),
            Join::NotAsked | Join::Unanswered | Join::Refused => None,
        }
    }

    /// Does the server hold every byte in the final upload, by its latest word?
    pub fn is_complete(&self) -> bool {
        matches!(self.join, Join::Whole(_))
    }

    fn host(&self) -> String {
        host_of(&self.line.endpoint)
    }

    /// None where the file's size and that of the parts differ.
    fn size(&self) -> Option<u64> {
        self.target.size.filter(|size| self.parts.iter().filter_map(|part| part.size).sum::<u64>() == *size)
    }

    async fn look_at_parts(&mut self, failure: &Error) -> Result<Recovery> {
        let looks = join_all(self.parts.iter_mut().map(|part| part.recovery(failure))).await;
        let mut held = 0;
        for look in looks {
            match look? {
                Recovery::ResumeAt(at) => held += at,
                Recovery::StartOver => return Ok(Recovery::StartOver),
            }
        }
        Ok(if self.size().is_some() { Recovery::ResumeAt(held) } else { Recovery::StartOver })
    }

    async fn recovery(&mut self, failure: &Error) -> Result<Recovery> {
        match self.join {
            Join::NotAsked => self.look_at_parts(failure).await,
            Join::Refused => Ok(Recovery::StartOver),
            Join::Whole(_) => Ok(self.target.size.map_or(Recovery::StartOver, Recovery::ResumeAt)),
            Join::Made(ref upload) => {
                let upload = upload.clone();
                match self.look_at_parts(failure).await? {
                    // A server may remove the parts as soon as it has joined them.
                    Recovery::StartOver => self.look_at_final(&upload).await,
                    held => Ok(held),
                }
            }
            Join::Unanswered => {
                let look = self.look_at_parts(failure).await?;
                Err(self.lost_upload_error(failure, look))
            }
        }
    }

    async fn look_at_final(&self, upload: &Url) -> Result<Recovery> {
        match head_of_final(&self.line, upload).await {
            Ok(Some(held)) if self.target.size == Some(held) => Ok(Recovery::ResumeAt(held)),
            Ok(_) => Ok(Recovery::StartOver),
            Err(error) if error.kind() == Kind::NotFound => Ok(Recovery::StartOver),
            Err(error) => Err(error),
        }
    }

    /// Nobody can be asked about an upload without its address. What the parts say is told to the user.
    fn lost_upload_error(&self, failure: &Error, look: Recovery) -> Error {
        let (what, hint) = match look {
            Recovery::StartOver => (
                "the server has joined the parts of the file, and its answer with the address was lost",
                "look there whether the file is there before putting it again",
            ),
            Recovery::ResumeAt(_) => (
                "the answer to the request that joins the parts of the file was lost, and nobody can tell whether the server has joined them",
                "look there whether the file is there; the same command joins the parts once more",
            ),
        };
        Error::new(Kind::Unknown, what).with_subject(self.host()).with_hint(hint).with_cause(failure.duplicate())
    }

    async fn join_parts(&mut self) -> Result<Url> {
        if let Some(upload) = self.url() {
            return Ok(upload.clone());
        }
        let parts: Vec<Url> = self.parts.iter().filter_map(|part| part.url().cloned()).collect();
        self.join = Join::Unanswered;
        match create(&self.line, &self.target, Concat::Final(&parts)).await {
            Ok((upload, expires)) => {
                self.join = Join::Made(upload.clone());
                tracing::debug!(target: "haul::tus", "the parts are joined; kept until {}", display_expiry(expires));
                Ok(upload)
            }
            Err(refusal) if is_not_offered(&refusal) => {
                self.join = Join::Refused;
                self.servers.forget_concatenation(&self.target.endpoint);
                Err(refusal.with_kind(Kind::Interrupted))
            }
            Err(failure) => {
                if !failure.may_have_happened() {
                    self.join = Join::NotAsked;
                }
                Err(failure)
            }
        }
    }

    async fn confirm(&mut self) -> Result<()> {
        let upload = self.join_parts().await?;
        let held = match head_of_final(&self.line, &upload).await {
            Err(error) if error.kind() == Kind::NotFound => {
                let what = "the server has joined the parts of the file, and does not know the file that it made of them";
                return Err(error.quoting(Kind::Unknown, |said| format!("{what}: {said}")));
            }
            held => held?,
        };
        match held {
            Some(held) if self.target.size == Some(held) => {
                self.join = Join::Whole(upload);
                Ok(())
            }
            Some(held) if self.target.size.is_some_and(|size| held > size) => {
                let what = format!("the server holds {held} bytes, which are more than all parts have");
                Err(Error::new(Kind::Integrity, what).with_subject(self.host()))
            }
            // What a final upload's offset means before it is joined is not defined.
            _ => Err(Error::new(Kind::Busy, "the server still joins the parts of the file").with_subject(self.host())),
        }
    }

    /// A final upload that is not good goes, too. Of one that may be there the parts stay: it may consist of them.
    async fn terminate(&mut self) -> Option<String> {
        if self.join == Join::Unanswered {
            return Some(format!("{} partial uploads", self.parts.len()));
        }
        if let Join::Made(upload) = &self.join
            && delete(&self.line, upload, false).await.is_err()
        {
            return Some(upload.to_string());
        }
        let left = join_all(self.parts.iter_mut().map(TusSession::remove)).await;
        left.into_iter().flatten().next()
    }
}

fn display_expiry(expires: Option<DateTime<Utc>>) -> String {
    expires.map_or_else(|| "nobody says when".to_owned(), |at| at.to_rfc3339())
}

impl UploadSession for ConcatenatedSession {
    fn protocol(&self) -> Protocol {
        Protocol::Tus
    }

    fn note(&self) -> Option<String> {
        let part = |part: &TusSession| Some((part.url()?.to_string(), part.size?));
        let noted =
            ConcatenationNote { parts: self.parts.iter().map(part).collect::<Option<_>>()?, joined: self.url().map(Url::to_string) };
        serde_json::to_string(&noted).ok()
    }

    fn chunking(&self) -> Chunking {
        Chunking::Whole
    }

    fn takes_unknown_size(&self) -> bool {
        false
    }

    fn is_split(&self) -> bool {
        true
    }

    fn partials(&mut self) -> Vec<PartialUpload<'_>> {
        let mut start = 0;
        let mut partials = Vec::new();
        for session in &mut self.parts {
            let (len, held) = (session.size.unwrap_or(0), session.accepted.unwrap_or(0));
            partials.push(PartialUpload { session, span: start..start + len, held });
            start += len;
        }
        partials
    }

    fn send(&mut self, _: Part) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async { Err(Error::new(Kind::Other, "the parts of this file travel side by side")) })
    }

    fn recover<'a>(&'a mut self, failure: &'a Error) -> BoxFuture<'a, Result<Recovery>> {
        Box::pin(self.recovery(failure))
    }

    fn has_blind_last_step(&self) -> bool {
        matches!(self.join, Join::NotAsked | Join::Unanswered)
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.confirm())
    }

    fn is_spoilt(&self) -> bool {
        self.parts.iter().any(TusSession::is_spoilt)
    }

    fn is_gone(&self) -> bool {
        self.parts.iter().any(TusSession::is_gone)
    }

    fn abort(&mut self) -> BoxFuture<'_, Option<String>> {
        Box::pin(self.terminate())
    }
}
