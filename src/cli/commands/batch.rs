//! `haul batch`: many commands in one process, so many at once, with one sign-in for each remote.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use clap::builder::BoolishValueParser;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::cli::batch_line::{BadLine, BatchLine, BatchLines, ReadLine, is_whole};
use crate::cli::context::{BatchShared, Context};
use crate::cli::line_places::LinePlaces;
use crate::cli::output_file;
use crate::cli::value_parsers;
use crate::cli::verb::Verb;
use crate::error::{Error, Kind, Result};
use crate::model::Report;
use crate::model::escape::shell_word;
use crate::model::report::BatchSummary;
use crate::render::exit;

/// A listing for a line that only reads is requested again after this time.
const KEPT: Duration = Duration::from_secs(10);

/// Run many commands, one a line, in one process
///
/// Examples:
///   haul batch nightly.txt --jobs 8
///   printf '%s\n' 'put a.mov studio:/in/' 'ls -l studio:/in' | haul batch --json
///
/// A line is a command as in a shell, without "haul": quotes, backslashes and "#"
/// comments; or a JSON array: ["put", "a b.mov", "studio:/in/"]. Variables and
/// wildcards are not expanded. Each remote is signed in to once, and puts share
/// their listings.
///
/// --jobs is the number of lines that run at the same time. A line that transfers
/// files sends its share of them at once, unless it has its own --jobs. Lines that
/// use the same place, or a place in another, keep their order; with --jobs 1 all
/// lines do.
///
/// A FILE is read to its end first: a line that is no command ends the batch with
/// status 2 before anything is sent. Lines of standard input run as they come; a
/// line that is no command is a failed line. A failed line does not stop others.
/// With --json each event has the number of its line. These are not possible in a
/// batch: batch, sandbox, login, cat, get to "-", and commands that read standard
/// input. After an interruption run the batch again: complete files are skipped.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct BatchArgs {
    /// The lines; "-" is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: String,
    /// Lines that run at the same time
    #[arg(short, long, value_name = "N", default_value = "4", env = "HAUL_JOBS", value_parser = value_parsers::jobs)]
    pub jobs: u32,
    /// Connections that each of them is given threads for.
    #[arg(skip = 1_u32)]
    pub streams: u32,
    /// Start no further line after the first that fails
    #[arg(long, env = "HAUL_FAIL_FAST", value_parser = BoolishValueParser::new())]
    pub fail_fast: bool,
    /// Write the lines that failed or were not started, in the form that batch reads
    #[arg(long, value_name = "FILE", env = "HAUL_FAILED_TO")]
    pub failed_to: Option<PathBuf>,
}

/// Runs the command of one line.
type RunVerb = for<'a> fn(&'a mut Context, Verb) -> LocalBoxFuture<'a, Result<u8>>;

/// `run_verb` runs every other command.
pub async fn run(context: &mut Context, args: BatchArgs, run_verb: RunVerb) -> Result<u8> {
    let mut lines = BatchLines::open(&args.file, &context.config).await?;
    let source = match is_whole(&args.file) {
        false => LineSource::Coming(Box::new(lines)),
        true => match read_all(context, &mut lines).await? {
            Some(all) => LineSource::Read(all.into_iter()),
            None => return Ok(exit::status(Kind::Usage)),
        },
    };
    let failed_to = args.failed_to.as_deref().map(FailedLines::open).transpose()?;
    let share = args.jobs / args.jobs.min(source.line_count().unwrap_or(args.jobs)).max(1);
    let shared = context.share_between_jobs(args.jobs as usize);
    let mut batch = BatchRun {
        context,
        shared,
        run_verb,
        share: share.max(1),
        fail_fast: args.fail_fast,
        source,
        next: None,
        running: HashMap::new(),
        outcome: Outcome { statuses: Vec::new(), failed: 0, not_run: 0, failed_to },
        listed: Instant::now(),
        is_changed: false,
        begun: Instant::now(),
        is_over: false,
    };
    let read = batch.run().await;
    let status = batch.conclude()?;
    read?;
    Ok(status)
}

/// Returns all lines of a file. None: some lines are not commands, and each of them was reported.
async fn read_all(context: &Context, lines: &mut BatchLines) -> Result<Option<Vec<BatchLine>>> {
    let (mut all, mut is_right) = (Vec::new(), true);
    while let Some(line) = lines.next().await? {
        match line {
            Ok(line) => all.push(line),
            Err(BadLine { number, error, .. }) => {
                is_right = false;
                context.renderer.of_line(number, context.renderer.style().clone()).error(&error);
            }
        }
    }
    Ok(is_right.then_some(all))
}

enum LineSource {
    Read(std::vec::IntoIter<BatchLine>),
    Coming(Box<BatchLines>),
}

impl LineSource {
    async fn next(&mut self) -> Result<Option<ReadLine>> {
        match self {
            LineSource::Read(lines) => Ok(lines.next().map(Ok)),
            LineSource::Coming(lines) => lines.next().await,
        }
    }

    /// How many there are, where that is known.
    fn line_count(&self) -> Option<u32> {
        match self {
            LineSource::Read(lines) => u32::try_from(lines.len()).ok(),
            LineSource::Coming(_) => None,
        }
    }
}

struct BatchRun<'c> {
    context: &'c Context,
    shared: Arc<BatchShared>,
    run_verb: RunVerb,
    /// Files that each line carries at once.
    share: u32,
    fail_fast: bool,
    source: LineSource,
    /// It was read, and its turn has not come.
    next: Option<BatchLine>,
    /// The lines on their way, and what they touch.
    running: HashMap<u64, (LinePlaces, Vec<String>)>,
    outcome: Outcome,
    /// When it was last made sure that nothing old is remembered.
    listed: Instant,
    /// A line has changed, or may have changed, something since.
    is_changed: bool,
    begun: Instant,
    /// How it ended was told.
    is_over: bool,
}

/// An interrupt ends with the summary, too, and what did not come to its end can be run again.
impl Drop for BatchRun<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut on_their_way: Vec<(u64, Vec<String>)> = self.running.drain().map(|(number, (_, words))| (number, words)).collect();
        on_their_way.sort();
        let unfinished = on_their_way.into_iter().map(|(_, words)| words).chain(self.next.take().map(|line| line.words));
        // A list that can't be written is no reason to lose the summary.
        unfinished.collect::<Vec<_>>().iter().for_each(|words| drop(self.report_not_begun(words)));
        drop(self.leave_rest());
        drop(self.conclude());
    }
}

struct Outcome {
    statuses: Vec<u8>,
    failed: u64,
    not_run: u64,
    failed_to: Option<FailedLines>,
}

/// A line that is over: its number, its words, its status.
type Over = (u64, Vec<String>, u8);

impl<'c> BatchRun<'c> {
    /// Fails when no more lines can be read; those that were begun are over then.
    async fn run(&mut self) -> Result<()> {
        let mut flights: FuturesUnordered<LocalBoxFuture<'c, Over>> = FuturesUnordered::new();
        let (mut is_over, mut outcome) = (false, Ok(()));
        loop {
            match self.next.take() {
                Some(line) if self.may_begin(&line, flights.len()) => {
                    self.shared.puts.has_more();
                    flights.push(self.start_line(line).await);
                    continue;
                }
                line => self.next = line,
            }
            self.shared.puts.full(flights.len());
            let waits_for_line = self.next.is_none() && !is_over;
            tokio::select! {
                biased;
                Some((number, words, status)) = flights.next(), if !flights.is_empty() => {
                    self.finish_line(number, &words, status)?;
                    is_over |= self.fail_fast && status != exit::DONE;
                    if is_over && let Some(line) = self.next.take() {
                        self.report_not_begun(&line.words)?;
                    }
                }
                read = self.source.next(), if waits_for_line => match read {
                    Ok(Some(Ok(line))) => self.next = Some(line.with_jobs(self.share)),
                    Ok(Some(Err(bad))) => {
                        self.tell_bad(bad)?;
                        is_over |= self.fail_fast;
                    }
                    Ok(None) => is_over = true,
                    Err(error) => (is_over, outcome) = (true, Err(error)),
                },
                // After the last line, too: when all files wait to be confirmed, nobody waits for more of them.
                () = self.shared.puts.wait_for_change(), if !flights.is_empty() => {}
                else => break,
            }
        }
        self.leave_rest()?;
        outcome
    }

    /// What was read of a file and not begun.
    fn leave_rest(&mut self) -> Result<()> {
        while let LineSource::Read(rest) = &mut self.source
            && let Some(line) = rest.next()
        {
            self.report_not_begun(&line.words)?;
        }
        Ok(())
    }

    /// The last line, and the status of all.
    fn conclude(&mut self) -> Result<u8> {
        self.is_over = true;
        let Outcome { statuses, failed, not_run, failed_to } = &mut self.outcome;
        let (lines, failed, not_run, seconds) = (statuses.len() as u64, *failed, *not_run, self.begun.elapsed().as_secs_f64());
        self.context.renderer.report(&Report::Batch(BatchSummary { lines, failed, not_run, seconds }));
        failed_to.take().map_or(Ok(()), FailedLines::finish)?;
        Ok(exit::merge_statuses(statuses))
    }

    fn may_begin(&self, line: &BatchLine, under_way: usize) -> bool {
        self.shared.puts.has_room(under_way) && !self.running.values().any(|(running, _)| running.touches(&line.places))
    }

    /// The line, on its way.
    async fn start_line(&mut self, line: BatchLine) -> LocalBoxFuture<'c, Over> {
        let BatchLine { number, words, verb, places, .. } = line;
        if !places.is_put() {
            let is_old = self.is_changed || self.listed.elapsed() > KEPT || !places.only_reads();
            if is_old {
                self.shared.forget_listings().await;
                (self.listed, self.is_changed) = (Instant::now(), false);
            }
        }
        self.is_changed |= !places.only_reads();
        self.running.insert(number, (places, words.clone()));
        let (mut context, run_verb) = (self.context.of_line(number, &self.shared), self.run_verb);
        Box::pin(async move {
            let begun = Instant::now();
            let outcome = run_verb(&mut context, verb).await;
            let status = context.end_of_line(outcome);
            let command = words.clone();
            context.renderer.report(&Report::Line { command, status, seconds: begun.elapsed().as_secs_f64() });
            (number, words, status)
        })
    }

    fn finish_line(&mut self, number: u64, words: &[String], status: u8) -> Result<()> {
        let places = self.running.remove(&number).map(|(places, _)| places);
        if let Some(places) = places.filter(|places| !places.only_reads()) {
            self.is_changed = true;
            // What other puts know of its folders is as old as before it.
            if !places.is_put() {
                self.shared.puts.forget_listings();
            }
        }
        self.outcome.add(words, status)
    }

    fn tell_bad(&mut self, BadLine { number, words, error }: BadLine) -> Result<()> {
        let renderer = self.context.renderer.of_line(number, self.context.renderer.style().clone());
        renderer.error(&error);
        let status = exit::status(error.kind());
        renderer.report(&Report::Line { command: words.clone(), status, seconds: 0.0 });
        self.outcome.add(&words, status)
    }

    fn report_not_begun(&mut self, words: &[String]) -> Result<()> {
        self.outcome.not_run += 1;
        self.outcome.record_failed(words)
    }
}

impl Outcome {
    fn add(&mut self, words: &[String], status: u8) -> Result<()> {
        self.statuses.push(status);
        if status == exit::DONE {
            return Ok(());
        }
        self.failed += 1;
        self.record_failed(words)
    }

    fn record_failed(&mut self, words: &[String]) -> Result<()> {
        self.failed_to.as_mut().map_or(Ok(()), |file| file.add(words))
    }
}

/// `--failed-to`
struct FailedLines(PathBuf, File);

impl FailedLines {
    fn open(path: &Path) -> Result<FailedLines> {
        let mut anew = OpenOptions::new();
        anew.create(true).write(true).truncate(true);
        let file = output_file::open(&anew, path).map_err(|e| unwritable(path, e))?;
        Ok(FailedLines(path.to_owned(), file))
    }

    fn add(&mut self, words: &[String]) -> Result<()> {
        let is_plain = words.iter().all(|word| !word.contains(['\n', '\r']));
        let line = match is_plain {
            true => words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" "),
            false => serde_json::json!(words).to_string(),
        };
        self.1.write_all(format!("{line}\n").as_bytes()).map_err(|e| unwritable(&self.0, e))
    }

    fn finish(mut self) -> Result<()> {
        self.1.flush().map_err(|e| unwritable(&self.0, e))
    }
}

fn unwritable(path: &Path, e: std::io::Error) -> Error {
    Error::new(Kind::Local, "it can't be written").on_local(path.display().to_string()).with_cause(e)
}
