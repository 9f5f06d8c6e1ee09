//! `haul comments`: what people said about a file, and where in the film.

use std::io::Read;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::cli::abilities;
use crate::cli::connection::ConnectArgs;
use crate::cli::context::{Context, OpenRemote};
use crate::contract::{Comment, CommentThread, NewComment};
use crate::error::{Error, Kind, Result};
use crate::model::report::CommentLine;
use crate::model::timecode::{Clock, Moment, TimeSpan};
use crate::model::{Address, Entry, Report};
use crate::render::exit::DONE;
use crate::transfer;

/// List or change the comments of a file, with their timecode
///
/// Examples:
///   haul comments studio:/cut/scene-4.mov
///   haul comments add studio:/cut/4.mov --at 00:01:12:05 --text "wrong take"
///
/// Times are counted from the file's first frame: HH:MM:SS:FF, MM:SS.mmm, or
/// seconds as in 72.2. Frames are counted without gaps (non-drop).
#[derive(Args)]
#[command(verbatim_doc_comment, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct CommentsArgs {
    #[command(subcommand)]
    verb: Option<CommentsVerb>,
    /// The file
    #[arg(value_name = "REMOTE:PATH", required = true)]
    file: Option<String>,
    #[command(flatten)]
    connection: ConnectArgs,
}

impl CommentsArgs {
    /// Does the text come from standard input?
    pub fn reads_input(&self) -> bool {
        match &self.verb {
            Some(CommentsVerb::Add(args)) => args.text == "-",
            Some(CommentsVerb::Edit(args)) => args.text.as_deref() == Some("-"),
            _ => false,
        }
    }
}

#[derive(Subcommand)]
enum CommentsVerb {
    List(CommentsListArgs),
    Add(CommentsAddArgs),
    Edit(CommentsEditArgs),
    Rm(CommentsRmArgs),
}

/// List the comments; "list" may be left out
///
/// Examples:
///   haul comments list studio:/a.mov
///   haul comments list --json studio:/a.mov | jq -r .text
#[derive(Args)]
#[command(verbatim_doc_comment)]
struct CommentsListArgs {
    /// The file
    #[arg(value_name = "REMOTE:PATH")]
    file: String,
    #[command(flatten)]
    connection: ConnectArgs,
}

/// Add a comment
///
/// Examples:
///   haul comments add studio:/a.mov --text "great"
///   haul comments add studio:/a.mov --at 12.5 --to 15 --text - < note.txt
#[derive(Args)]
#[command(verbatim_doc_comment)]
struct CommentsAddArgs {
    /// The file
    #[arg(value_name = "REMOTE:PATH")]
    file: String,
    /// The text, or "-" for standard input
    #[arg(long, value_name = "T")]
    text: String,
    #[command(flatten)]
    span: SpanArgs,
    /// The id of the comment that this one answers
    #[arg(long, value_name = "ID")]
    parent: Option<String>,
    #[command(flatten)]
    connection: ConnectArgs,
}

/// Change a comment's text or time; the rest stays
///
/// Examples:
///   haul comments edit studio:/a.mov 61007 --text "great, but short"
///   haul comments edit studio:/a.mov 61007 --at 00:00:14:00
#[derive(Args)]
#[command(verbatim_doc_comment)]
#[group(id = "change", required = true, multiple = true, args = ["text", "at"])]
struct CommentsEditArgs {
    /// The file
    #[arg(value_name = "REMOTE:PATH")]
    file: String,
    /// The comment's id
    #[arg(value_name = "ID")]
    id: String,
    /// The text, or "-" for standard input
    #[arg(long, value_name = "T")]
    text: Option<String>,
    #[command(flatten)]
    span: SpanArgs,
    #[command(flatten)]
    connection: ConnectArgs,
}

/// Remove a comment
///
/// Examples:
///   haul comments rm studio:/a.mov 61007
///   haul comments rm --json studio:/a.mov 61007
#[derive(Args)]
#[command(verbatim_doc_comment)]
struct CommentsRmArgs {
    /// The file
    #[arg(value_name = "REMOTE:PATH")]
    file: String,
    /// The comment's id
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    connection: ConnectArgs,
}

#[derive(Args)]
struct SpanArgs {
    /// Position in the film; without it the comment is about the whole file
    #[arg(long, value_name = "TIME")]
    at: Option<Moment>,
    /// End of that position
    #[arg(long, value_name = "TIME", requires = "at")]
    to: Option<Moment>,
}

impl SpanArgs {
    fn times(&self, clock: Option<&Clock>) -> Result<Vec<TimeSpan>> {
        let Some(at) = self.at else { return Ok(Vec::new()) };
        let start_ms = at.millis(clock)?;
        let end_ms = self.to.map(|to| to.millis(clock)).transpose()?;
        match end_ms {
            Some(end) if end < start_ms => Err(Error::new(Kind::Usage, "--to lies before --at")),
            end_ms => Ok(vec![TimeSpan { start_ms, end_ms }]),
        }
    }
}

pub async fn run(context: &mut Context, args: CommentsArgs) -> Result<u8> {
    match (args.verb, args.file) {
        (Some(CommentsVerb::Add(args)), _) => add(context, args).await,
        (Some(CommentsVerb::Edit(args)), _) => edit(context, args).await,
        (Some(CommentsVerb::Rm(args)), _) => remove(context, args).await,
        (Some(CommentsVerb::List(args)), _) => list(context, &args.file, args.connection).await,
        (None, file) => list(context, &file.unwrap_or_default(), args.connection).await,
    }
}

/// A file, what was said about it, and how to say more.
struct FileComments {
    remote: OpenRemote,
    calls: transfer::RemoteClient,
    file: Entry,
    said: CommentThread,
}

impl FileComments {
    async fn open(context: &Context, address: &str, connection: ConnectArgs) -> Result<FileComments> {
        let address = Address::parse_remote(address)?;
        let remote = context.open(&address.remote, connection)?;
        abilities::require(&remote, &abilities::COMMENTS)?;
        if address.place.path.is_root() && address.folder {
            return Err(no_file(&address));
        }
        let calls = context.client(&remote);
        let file = calls.stat(&address.place).await?;
        if file.is_folder() {
            return Err(no_file(&address));
        }
        let of = &file;
        let said = calls.call(|p| async move { p.abilities().comments()?.list(of).await }).await?;
        Ok(FileComments { remote, calls, file, said })
    }

    fn comment(&self, id: &str) -> Result<Comment> {
        let found = self.said.comments.iter().find(|comment| comment.id == id && !comment.removed);
        found.cloned().ok_or_else(|| {
            Error::new(Kind::NotFound, format!("this file has no comment {id}"))
                .with_subject(Address::text(&self.remote.name, &self.file.path))
                .with_hint("`haul comments REMOTE:PATH` lists them")
        })
    }

    fn report(&self, context: &Context, comment: Comment) {
        let first = comment.times.first().cloned();
        let label = |ms: i64| self.said.clock.as_ref().map(|clock| clock.label(ms));
        context.renderer.report(&Report::Comments(CommentLine {
            remote: self.remote.name.clone(),
            path: Some(self.file.path.to_string()),
            id: comment.id,
            parent: comment.parent,
            owner: comment.owner,
            created: comment.created,
            text: comment.text,
            removed: comment.removed,
            timecode: first.as_ref().and_then(|span| label(span.start_ms)),
            timecode_out: first.as_ref().and_then(|span| label(span.end_ms?)),
            source_timecode: first.as_ref().and_then(|span| self.said.clock.as_ref()?.source_label(span.start_ms)),
            times: comment.times,
        }));
    }
}

async fn list(context: &Context, address: &str, connection: ConnectArgs) -> Result<u8> {
    let mut talk = FileComments::open(context, address, connection).await?;
    for comment in std::mem::take(&mut talk.said.comments) {
        talk.report(context, comment);
    }
    Ok(DONE)
}

async fn add(context: &Context, args: CommentsAddArgs) -> Result<u8> {
    let text = text_of(args.text)?;
    let talk = FileComments::open(context, &args.file, args.connection).await?;
    if let Some(parent) = &args.parent {
        talk.comment(parent)?;
    }
    let new = NewComment { parent: args.parent, text, times: args.span.times(talk.said.clock.as_ref())? };
    let (file, new) = (&talk.file, &new);
    let is_new = |comment: &Comment| talk.said.comments.iter().all(|old| old.id != comment.id);
    let is_ours = &|comment: &Comment| is_new(comment) && comment.text == new.text && comment.parent == new.parent;
    let add = talk.calls.mutate_once(
        Duration::ZERO,
        |p| async move { p.abilities().comments()?.add(file, new).await },
        |p| async move { Ok(p.abilities().comments()?.list(file).await?.comments.into_iter().find(is_ours)) },
    );
    let added = add.await?;
    talk.report(context, added);
    Ok(DONE)
}

async fn edit(context: &Context, args: CommentsEditArgs) -> Result<u8> {
    let text = args.text.map(text_of).transpose()?;
    let talk = FileComments::open(context, &args.file, args.connection).await?;
    let mut comment = talk.comment(&args.id)?;
    if args.span.at.is_some() {
        comment.times = args.span.times(talk.said.clock.as_ref())?;
    }
    comment.text = text.unwrap_or(comment.text);
    let (file, wished) = (&talk.file, &comment);
    let is_made = &|now: &Comment| now.id == wished.id && now.text == wished.text && now.times == wished.times;
    let edit = talk.calls.mutate_once(
        Duration::ZERO,
        |p| async move { p.abilities().comments()?.edit(file, wished).await },
        |p| async move { Ok(p.abilities().comments()?.list(file).await?.comments.into_iter().find(is_made)) },
    );
    let edited = edit.await?;
    talk.report(context, edited);
    Ok(DONE)
}

async fn remove(context: &Context, args: CommentsRmArgs) -> Result<u8> {
    let talk = FileComments::open(context, &args.file, args.connection).await?;
    let comment = talk.comment(&args.id)?;
    let (file, id) = (&talk.file, &comment.id);
    let is_gone = &|other: &Comment| other.id != *id || other.removed;
    let remove = talk.calls.mutate_once(
        Duration::ZERO,
        |p| async move { p.abilities().comments()?.remove(id).await },
        |p| async move { Ok(p.abilities().comments()?.list(file).await?.comments.iter().all(is_gone).then_some(())) },
    );
    remove.await?;
    talk.report(context, Comment { removed: true, ..comment });
    Ok(DONE)
}

fn no_file(address: &Address) -> Error {
    Error::new(Kind::Usage, "only files have comments; this is a folder").with_subject(address.to_string())
}

/// `-` is standard input without its last line end, which `echo` adds.
fn text_of(text: String) -> Result<String> {
    const MAX_TEXT: u64 = 1 << 20;
    let mut said = text;
    if said == "-" {
        said = String::new();
        let read = std::io::stdin().lock().take(MAX_TEXT).read_to_string(&mut said);
        read.map_err(|e| Error::new(Kind::Local, "the text could not be read").with_subject("-").with_cause(e))?;
        let end = said.trim_end_matches(['\n', '\r']).len();
        said.truncate(end);
    }
    if said.trim().is_empty() {
        return Err(Error::new(Kind::Usage, "a comment needs some text"));
    }
    Ok(said)
}
