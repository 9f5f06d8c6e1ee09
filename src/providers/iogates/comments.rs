//! Comments of a file and their timecodes (providers.md 1.8 and 1.13).

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api::step;
use super::php_json;
use super::remote::IoGates;
use crate::contract::{BoxFuture, Comment, CommentThread, Comments, Error, Kind, NewComment, Result};
use crate::model::Entry;
use crate::model::timecode::{Clock, TimeSpan};
use crate::protocols::http::row_stream::{Path, RawRow, object};

/// `GET /api/file/{id}/comments`. Its `map` only holds the position of each comment in the list.
#[derive(Default, Deserialize)]
pub(super) struct WireThread {
    /// None for a file that is no film.
    #[serde(default, deserialize_with = "php_json::object")]
    timecode: Option<Timecode>,
    /// The list without its rows.
    #[serde(default, deserialize_with = "php_json::objects")]
    comments: Option<Vec<IgnoredAny>>,
}

/// The keys that hold the rows.
const COMMENTS: &[Path] = &[&["comments"], &["map"]];

#[derive(Default, Deserialize)]
struct Timecode {
    /// The timecode of the source's first frame.
    #[serde(default, deserialize_with = "php_json::text")]
    source: Option<String>,
    #[serde(default, deserialize_with = "php_json::decimal")]
    fps: Option<f64>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "php_json::decimal")]
    offset: Option<f64>,
}

impl Timecode {
    fn clock(self) -> Option<Clock> {
        Clock::new(self.fps?, self.source.as_deref(), self.offset.unwrap_or_default().round() as i64)
    }
}

#[derive(Default, Deserialize)]
struct WireComment {
    #[serde(default, deserialize_with = "php_json::id")]
    id: Option<String>,
    #[serde(default, deserialize_with = "php_json::id")]
    parent: Option<String>,
    /// A profile, or only its name.
    #[serde(default)]
    owner: Value,
    #[serde(default, deserialize_with = "php_json::text")]
    text: Option<String>,
    #[serde(default, deserialize_with = "php_json::date")]
    created: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "php_json::flag")]
    removed: Option<bool>,
    #[serde(default, deserialize_with = "php_json::objects")]
    tc: Option<Vec<InOut>>,
}

/// In milliseconds. A comment at a single frame has no end, or an end that equals its begin.
#[derive(Default, Deserialize, Serialize)]
struct InOut {
    #[serde(rename = "in", default, deserialize_with = "php_json::decimal")]
    begin: Option<f64>,
    #[serde(rename = "out", default, deserialize_with = "php_json::decimal")]
    end: Option<f64>,
}

impl InOut {
    fn span(self) -> Option<TimeSpan> {
        let start_ms = self.begin?.round() as i64;
        let end_ms = self.end.map(|ms| ms.round() as i64).filter(|end| *end > start_ms);
        Some(TimeSpan { start_ms, end_ms })
    }
}

impl WireComment {
    /// None for a comment without an id, which no later command could name.
    fn comment(self) -> Option<Comment> {
        let named = |key: &str| self.owner.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
        let owner = self.owner.as_str().or_else(|| ["realname", "username", "name", "email"].into_iter().find_map(named));
        Some(Comment {
            id: self.id?,
            parent: self.parent.filter(|id| id != "0"),
            owner: owner.map(str::to_owned),
            text: self.text.unwrap_or_default(),
            created: self.created,
            removed: self.removed.unwrap_or(false),
            times: self.tc.into_iter().flatten().filter_map(InOut::span).collect(),
        })
    }
}

/// The body of POST and PUT. `tc` is always sent: after a PUT without it the server might keep or drop the old one.
#[derive(Serialize)]
struct NewWireComment<'a> {
    file_id: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<&'a str>,
    tc: Vec<InOutPoint>,
}

#[derive(Serialize)]
struct InOutPoint {
    #[serde(rename = "in")]
    begin: i64,
    #[serde(rename = "out")]
    end: i64,
}

fn places(times: &[TimeSpan]) -> Vec<InOutPoint> {
    times.iter().map(|span| InOutPoint { begin: span.start_ms, end: span.end_ms.unwrap_or(span.start_ms) }).collect()
}

impl Comments for IoGates {
    fn list<'a>(&'a self, file: &'a Entry) -> BoxFuture<'a, Result<CommentThread>> {
        Box::pin(list(self, file))
    }
    fn add<'a>(&'a self, file: &'a Entry, new: &'a NewComment) -> BoxFuture<'a, Result<Comment>> {
        let saying = NewWireComment { file_id: &file.id, text: &new.text, parent: new.parent.as_deref(), tc: places(&new.times) };
        Box::pin(async move { parse_comment(self.api.send_json(Method::POST, "api/comment", &saying).await?) })
    }
    fn edit<'a>(&'a self, file: &'a Entry, comment: &'a Comment) -> BoxFuture<'a, Result<Comment>> {
        let saying =
            NewWireComment { file_id: &file.id, text: &comment.text, parent: comment.parent.as_deref(), tc: places(&comment.times) };
        Box::pin(
            async move { parse_comment(self.api.send_json(Method::PUT, &format!("api/comment/{}", step(&comment.id)), &saying).await?) },
        )
    }
    fn remove<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.api.delete(&format!("api/comment/{}", step(id))).await })
    }
}

async fn list(host: &IoGates, file: &Entry) -> Result<CommentThread> {
    let mut comments = Vec::new();
    let path = format!("api/file/{}/comments", step(&file.id));
    let around: WireThread = host.api.read_rows(&path, COMMENTS, |row| comments.extend(comment(row))).await?;
    let clock = around.clock().ok_or_else(|| Error::new(Kind::Protocol, "the server answered a question for comments without comments"))?;
    Ok(CommentThread { comments, clock })
}

/// None for a row that can't be read or has no id: no later command could name that comment.
pub(super) fn comment(row: RawRow<'_>) -> Option<Comment> {
    object::<WireComment>(row).ok()?.comment()
}

impl WireThread {
    /// None for an answer of another kind. The inner option is none for a file without a timecode.
    pub(super) fn clock(self) -> Option<Option<Clock>> {
        self.comments.filter(Vec::is_empty)?;
        Some(self.timecode.and_then(Timecode::clock))
    }
}

fn parse_comment(told: WireComment) -> Result<Comment> {
    told.comment().ok_or_else(|| Error::unread_answer("the server answered a comment without an id"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{EntryKind, RemotePath};
    use crate::testing::server::{TestServer, provider_context};

    fn host(server: &TestServer) -> IoGates {
        IoGates::new(provider_context(&[("url", &server.url), ("token", "33c666119")], &Arc::default())).unwrap()
    }

    fn film() -> Entry {
        Entry::new(EntryKind::File, "61463", RemotePath::parse("/a.mov").unwrap())
    }

    async fn list_comments(body: &str) -> Result<CommentThread> {
        let server = TestServer::in_order(&[(200, body)]).await;
        let host = host(&server);
        let outcome = host.list(&film()).await;
        assert_eq!(server.lines(), ["GET /api/file/61463/comments"]);
        outcome
    }

    #[tokio::test]
    async fn comments_in_every_dress() {
        let talk = list_comments(
            r#"{"timecode": {"source": "01:00:00:00", "fps": "25", "offset": 0}, "map": [], "comments": {
                "0": {"id": 12, "file_id": 61463, "owner": {"realname": "", "username": "ann"}, "removed": false, "parent": 0,
                      "created": "2020-07-07T10:14:21+0200", "text": "a\nb", "tc": [{"in": 12200, "out": "13000"}, {"in": 5}]},
                "2": {"id": "13", "owner": "Bob", "removed": "1", "parent": "12", "text": null, "tc": null},
                "3": {"text": "nobody can name me"}
            }}"#,
        )
        .await
        .unwrap();
        let clock = talk.clock.unwrap();
        assert_eq!(clock.source_label(12_200).unwrap(), "01:00:12:05");
        let [first, second] = &talk.comments[..] else { panic!("{:?}", talk.comments) };
        assert_eq!((first.id.as_str(), first.parent.as_deref(), first.owner.as_deref()), ("12", None, Some("ann")));
        assert_eq!(first.times, [TimeSpan { start_ms: 12_200, end_ms: Some(13_000) }, TimeSpan { start_ms: 5, end_ms: None }]);
        assert_eq!((first.text.as_str(), first.created.unwrap().to_rfc3339().as_str()), ("a\nb", "2020-07-07T08:14:21+00:00"));
        assert_eq!((second.parent.as_deref(), second.owner.as_deref(), second.removed), (Some("12"), Some("Bob"), true));
    }

    #[tokio::test]
    async fn what_is_no_film_has_no_clock_and_what_is_no_list_is_an_error() {
        for timecode in ["null", "[]", r#"{"fps": 0}"#, r#"{"source": "00:00:00:00"}"#] {
            let talk = list_comments(&format!(r#"{{"timecode": {timecode}, "comments": [], "map": []}}"#)).await.unwrap();
            assert!(talk.clock.is_none() && talk.comments.is_empty(), "{timecode}");
        }
        assert_eq!(list_comments(r#"{"message": "later"}"#).await.err().unwrap().kind(), Kind::Protocol);
    }

    #[tokio::test]
    async fn a_comment_is_told_whole() {
        let answer = r#"{"id": 14, "text": "x", "tc": []}"#;
        let server = TestServer::in_order(&[(200, answer), (200, answer), (204, "")]).await;
        let host = host(&server);
        let comments: &dyn Comments = &host;
        let times = vec![TimeSpan { start_ms: 40, end_ms: None }];
        let new = NewComment { parent: Some("12".into()), text: "x".into(), times: times.clone() };
        let mut comment = comments.add(&film(), &new).await.unwrap();
        comment.times = vec![TimeSpan { start_ms: 40, end_ms: Some(80) }];
        comments.edit(&film(), &comment).await.unwrap();
        comments.remove("14").await.unwrap();
        assert_eq!(server.lines(), ["POST /api/comment", "PUT /api/comment/14", "DELETE /api/comment/14"]);
        let asked = server.texts();
        assert!(asked[0].ends_with(r#"{"file_id":"61463","text":"x","parent":"12","tc":[{"in":40,"out":40}]}"#), "{}", asked[0]);
        assert!(asked[1].ends_with(r#"{"file_id":"61463","text":"x","tc":[{"in":40,"out":80}]}"#), "{}", asked[1]);
    }
}
