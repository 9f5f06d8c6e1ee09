//! Comments of files.

use super::{BoxFuture, Result};
use crate::model::Entry;
use crate::model::timecode::{Clock, TimeSpan};

/// A comment of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Comment {
    /// The provider's id of the comment.
    pub id: String,
    /// The comment that this one answers.
    pub parent: Option<String>,
    /// Who wrote the comment.
    pub owner: Option<String>,
    /// The text; its lines are kept.
    pub text: String,
    /// When the comment was written.
    pub created: Option<chrono::DateTime<chrono::Utc>>,
    /// The comment was removed; the server still lists it.
    pub removed: bool,
    /// The spans of the film that the comment is about; empty where it is about the whole file.
    pub times: Vec<TimeSpan>,
}

/// A new comment.
#[derive(Clone, Debug)]
pub struct NewComment {
    /// The id of the comment that this one answers.
    pub parent: Option<String>,
    /// The text; its lines are kept.
    pub text: String,
    /// The spans of the film that the comment is about; empty for the whole file.
    pub times: Vec<TimeSpan>,
}

/// The comments of a file.
pub struct CommentThread {
    /// The comments in the server's order.
    pub comments: Vec<Comment>,
    /// The frame rate and first timecode of the film; none for a file that is no film.
    pub clock: Option<Clock>,
}

/// Reads and changes comments.
pub trait Comments: Send + Sync {
    /// The comments of a file.
    fn list<'a>(&'a self, file: &'a Entry) -> BoxFuture<'a, Result<CommentThread>>;

    /// Adds a comment.
    ///
    /// # Errors
    /// A repetition adds a second comment, so after `Interrupted` the caller checks first.
    fn add<'a>(&'a self, file: &'a Entry, new: &'a NewComment) -> BoxFuture<'a, Result<Comment>>;

    /// Replaces the comment with the id of `comment` by `comment`.
    fn edit<'a>(&'a self, file: &'a Entry, comment: &'a Comment) -> BoxFuture<'a, Result<Comment>>;

    /// Removes the comment of that id.
    fn remove<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<()>>;
}
