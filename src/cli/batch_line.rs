//! The lines of a batch: where they come from, how one is divided into words, and what may stand there.

use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::sync::mpsc;

use super::args::{Cli, LineParser};
use super::commands;
use super::line_places::LinePlaces;
use super::verb::Verb;
use crate::config::Config;
use crate::error::{Error, Kind, Result};

/// Bytes of one line. No shell takes as many.
const MAX_LINE: u64 = 1 << 20;
/// Lines read before they can be run.
const READ_AHEAD: usize = 64;

/// A command that can be run.
pub struct BatchLine {
    /// Counted from 1, empty lines and comments too.
    pub number: u64,
    pub words: Vec<String>,
    pub verb: Verb,
    pub places: LinePlaces,
    /// The line itself has `--jobs`.
    has_jobs: bool,
}

/// A line that is no command, or none for a batch.
pub struct BadLine {
    pub number: u64,
    pub words: Vec<String>,
    pub error: Error,
}

pub type ReadLine = std::result::Result<BatchLine, BadLine>;

/// Reads line after line.
pub struct BatchLines {
    /// A task of its own reads the lines, so that no half line is lost when the caller waits for something else too.
    read: mpsc::Receiver<Result<(u64, Vec<u8>)>>,
    parser: LineParser,
    number: u64,
}

impl BatchLines {
    /// `-` is standard input. Fails with `NotFound` or `Local`.
    pub async fn open(file: &str, config: &Config) -> Result<BatchLines> {
        let (to, read) = mpsc::channel(READ_AHEAD);
        if file == "-" {
            tokio::spawn(read_lines(BufReader::new(tokio::io::stdin()), "standard input".to_owned(), to));
        } else {
            let opened = tokio::fs::File::open(file).await.map_err(|e| {
                let kind = if e.kind() == std::io::ErrorKind::NotFound { Kind::NotFound } else { Kind::Local };
                Error::new(kind, "the batch can't be read").on_local(file).with_cause(e)
            })?;
            tokio::spawn(read_lines(BufReader::new(opened), file.to_owned(), to));
        }
        Ok(BatchLines { read, parser: LineParser::new(config), number: 0 })
    }

    /// The next line that holds something; none at the end. Fails with `Local`, or `Usage` for a line without end.
    pub async fn next(&mut self) -> Result<Option<ReadLine>> {
        while let Some(read) = self.read.recv().await {
            let (number, bytes) = read?;
            self.number = number;
            let bad = |words, error: Error| Ok(Some(Err(BadLine { number, words, error })));
            let Ok(text) = String::from_utf8(bytes) else { return bad(Vec::new(), Error::new(Kind::Usage, "this line is not UTF-8")) };
            let text = if number == 1 { text.trim_start_matches('\u{feff}') } else { &text };
            match divide(text) {
                Ok(words) if words.is_empty() => {}
                Ok(words) => return Ok(Some(self.parse_words(words))),
                Err(error) => return bad(vec![text.trim().to_owned()], error),
            }
        }
        Ok(None)
    }

    fn parse_words(&mut self, words: Vec<String>) -> ReadLine {
        let number = self.number;
        let parsed = match self.parser.parse(&words) {
            Ok((cli, matches)) => check(cli, &matches).map(|(verb, named)| {
                let (name, own) = named;
                let places = self.parser.places(name, own);
                let literal = own.try_get_one::<bool>("literal").ok().flatten().copied().unwrap_or(false);
                let has_jobs = is_typed(own, "jobs");
                BatchLine { number, words: words.clone(), verb, places: LinePlaces::of(name, &places, literal), has_jobs }
            }),
            Err(error) => Err(error),
        };
        parsed.map_err(|error| BadLine { number, words, error })
    }
}

async fn read_lines(mut from: impl AsyncBufRead + Unpin, name: String, to: mpsc::Sender<Result<(u64, Vec<u8>)>>) {
    for number in 1.. {
        let mut bytes = Vec::new();
        let line = match (&mut from).take(MAX_LINE).read_until(b'\n', &mut bytes).await {
            Ok(0) => return,
            Ok(read) if read as u64 == MAX_LINE && !bytes.ends_with(b"\n") => {
                Err(Error::new(Kind::Usage, format!("line {number} is longer than {MAX_LINE} bytes")).on_local(&name))
            }
            Ok(_) => Ok((number, bytes)),
            Err(e) => Err(Error::new(Kind::Local, "the rest of the batch can't be read").on_local(&name).with_cause(e)),
        };
        let is_over = line.is_err();
        if to.send(line).await.is_err() || is_over {
            return;
        }
    }
}

impl BatchLine {
    /// How many files the line carries at once, unless it says so itself: the lines beside it have theirs.
    pub fn with_jobs(mut self, share: u32) -> BatchLine {
        let has_jobs = self.has_jobs;
        if let Some(carries) = self.verb.transfer().filter(|_| !has_jobs) {
            carries.jobs = share;
        }
        self
    }
}

/// Words as a shell has them, or as the strings of a JSON array. A leading `haul` is no word of the command.
fn divide(text: &str) -> Result<Vec<String>> {
    let text = text.trim();
    let no_array =
        || Error::new(Kind::Usage, "this is not a JSON array of strings").with_hint(r#"write it as ["put", "a.mov", "studio:/in/"]"#);
    let mut words: Vec<String> = match text.starts_with('[') {
        true => match serde_json::from_str(text) {
            Ok(words) if Vec::is_empty(&words) => return Err(no_array()),
            Ok(words) => words,
            Err(e) => return Err(no_array().with_cause(e)),
        },
        false => shlex::split(text).ok_or_else(|| Error::new(Kind::Usage, "a quote is not closed, or nothing follows a backslash"))?,
    };
    if words.first().is_some_and(|first| first == "haul") {
        words.remove(0);
    }
    Ok(words)
}

/// Options that name a file, or standard input as "-".
const LISTS: &[&str] = &["files_from", "files_from0"];
/// Options that hold for all that is said.
const COMMON_OPTIONS: &[&str] = &["config", "json", "quiet", "verbose", "progress"];

/// The verb, its name and its own arguments. Fails with what can't stand in a batch.
fn check(mut cli: Cli, matches: &ArgMatches) -> Result<(Verb, (&str, &ArgMatches))> {
    let Some((name, own)) = matches.subcommand() else { return Err(Error::new(Kind::Usage, "a command is missing")) };
    if let Some(option) = COMMON_OPTIONS.iter().find(|option| is_typed(matches, option) || is_typed(own, option)) {
        return Err(Error::new(Kind::Usage, format!("--{option} applies to all lines"))
            .with_hint(format!("write it after `haul batch`: --{option}")));
    }
    let is_input = |id: &str| own.try_get_raw(id).ok().flatten().is_some_and(|mut values| values.any(|value| value == "-"));
    if LISTS.iter().any(|id| is_input(id)) {
        return Err(Error::new(Kind::Usage, format!("{name} can't read its list from standard input in a batch")));
    }
    if let Some(why) = refusal(&cli.verb) {
        return Err(Error::new(Kind::Usage, format!("{name} can't be used in a batch: {why}")));
    }
    // A list of each line would be of the last one that wrote it.
    if let Some(receipts) = cli.verb.receipts().filter(|_| !is_typed(own, "failed_to")) {
        receipts.failed_to = None;
    }
    Ok((cli.verb, (name, own)))
}

fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    matches.try_contains_id(id).unwrap_or(false) && matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// Why a command is none for a batch.
fn refusal(verb: &Verb) -> Option<&'static str> {
    const INPUT: &str = "standard input belongs to no single line";
    const OUTPUT: &str = "the bytes of a file can't share standard output with the results";
    let is_pipe = |place: &String| place == "-";
    match verb {
        Verb::Batch(_) => Some("a batch holds no other batch"),
        #[cfg(feature = "sandbox")]
        Verb::Sandbox(_) => Some("it serves until it is stopped"),
        Verb::Completions(_) | Verb::Man(_) => Some("what it prints is a file for another program"),
        Verb::Login(_) => Some("it asks for a password"),
        Verb::Put(args) if args.places.iter().any(is_pipe) => Some(INPUT),
        Verb::Edit(args) if args.folder.folder_password_stdin => Some(INPUT),
        Verb::Mkdir(args) if args.folder.folder_password_stdin => Some(INPUT),
        Verb::Comments(args) if args.reads_input() => Some(INPUT),
        Verb::Cat(_) => Some(OUTPUT),
        Verb::Get(args) if args.places.iter().any(is_pipe) => Some(OUTPUT),
        _ => None,
    }
}

/// Is all of the batch there before its first line is run? What comes from a pipe is run as it comes.
pub fn is_whole(file: &str) -> bool {
    file != "-" && Path::new(file).is_file()
}

/// Kept out of `verb`, which knows no receipts.
impl Verb {
    fn receipts(&mut self) -> Option<&mut super::receipt::ReceiptArgs> {
        use commands::transfers::TransfersVerb;
        match self {
            Verb::Put(args) => Some(&mut args.options.receipts),
            Verb::Get(args) => Some(&mut args.options.receipts),
            Verb::Cp(args) => Some(&mut args.options.receipts),
            Verb::Mv(args) => Some(&mut args.options.receipts),
            Verb::Sync(args) => Some(&mut args.options.receipts),
            Verb::Apply(args) => Some(&mut args.receipts),
            Verb::Transfers(TransfersVerb::Resume(args)) => Some(&mut args.receipts),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_divided_as_a_shell_does() {
        let words = |text: &str| divide(text).map(|words| words.join("|")).unwrap_or_else(|e| e.to_string());
        for (text, divided) in [
            ("put a.mov studio:/in/", "put|a.mov|studio:/in/"),
            (r#"  put "a b" 'c"d' e\ f x:  # and why"#, r#"put|a b|c"d|e f|x:"#),
            ("haul ls x:\r\n", "ls|x:"),
            (r#"["put", "a b", "x:/#1"]"#, "put|a b|x:/#1"),
            ("# nothing", ""),
            ("   ", ""),
            ("put 'a", "a quote is not closed, or nothing follows a backslash"),
            ("put a#b x:", "put|a#b|x:"),
        ] {
            assert_eq!(words(text), divided, "{text}");
        }
        assert!(words("[1]").starts_with("this is not a JSON array of strings: invalid type: integer"));
        assert!(words("[\"put\"").starts_with("this is not a JSON array of strings: EOF"));
    }
}
