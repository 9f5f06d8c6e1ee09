//! Every fault at every request of an upload, once and always, and the same command again afterwards. The rows come from the
//! requests of an upload without faults, so that a new request can't be forgotten.

use std::collections::VecDeque;
use std::io::Write;
use std::ops::RangeInclusive;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::rules::{GoesOn, Request, Route, Stage, What, requests};
use crate::support::command::Ran;
use crate::support::env::{Content, TestEnv, bytes};

pub const SIZE: u64 = 30_000;
pub const CHUNK: u64 = 10_000;
const OLDER: &[u8] = b"the older file";
/// Stand-ins at once: a row is mostly waiting for its next try.
const WORKERS: usize = 14;

/// Where the bytes come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum From {
    File,
    /// Standard input, whose size nobody knows.
    Pipe,
    /// Standard input with `--size`.
    SizedPipe,
}

/// One fault, and what must come of it.
pub struct Row<'a> {
    pub route: &'a Route,
    pub name: String,
    pub script: String,
    pub from: From,
    pub tries: &'static str,
    pub timeout: &'static str,
    pub statuses: Vec<i32>,
    pub stage: Stage,
    /// Bytes that may arrive at most when it ends with 0.
    pub most: u64,
    /// Entries that may have been made then.
    pub entries: RangeInclusive<u64>,
    /// Bytes that may arrive at most when the command is typed again after a failure.
    pub again: u64,
}

impl<'a> Row<'a> {
    fn of(route: &'a Route, request: &Request, what: What, lasts: bool, from: From) -> Row<'a> {
        let Request { kind, nth, of, stage } = request;
        let (skip, times) = (nth - 1, if lasts { "always" } else { "1" });
        let how = [(lasts, " for ever"), (from != From::File, " from standard input"), (route.replaces, " replacing")];
        let how: String = how.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        let mut statuses = if lasts { route.lasting(request, what) } else { route.once(request, what) }.to_vec();
        let whole_again = route.goes_on != GoesOn::AtTheOffset || kind == "ftp-stor";
        if from == From::SizedPipe && route.carries(request) || from == From::Pipe && kind == "ftp-stor" {
            // What the pipe has given away can't be sent again: an honest failure.
            statuses.push(12);
        }
        let again = match stage {
            _ if from != From::File => SIZE,
            Stage::Finishing | Stage::Looking | Stage::Replacing => 0,
            // A definite no: what was half there is removed.
            _ if what == What::TooLarge || whole_again => SIZE,
            Stage::Carrying | Stage::LastCarrier => SIZE - skip * CHUNK,
            Stage::Before => SIZE,
        };
        Row {
            route,
            name: format!("{kind} {nth} of {of} ({stage:?}), {}{how}", what.script()),
            script: format!("{}/{kind}:{}+{skip}*{times}", route.remote, what.script()),
            from,
            // More where a slow machine may meet the time-out of a request that the fault does not mean.
            tries: match what {
                What::Stall if lasts && *stage > Stage::Before => "3",
                _ if lasts && statuses != [0] => "2",
                What::Stall => "4",
                _ => "3",
            },
            timeout: if what == What::Stall && !route.carries(request) { "2s" } else { "20s" },
            statuses,
            stage: *stage,
            most: route.most(request, what, SIZE, CHUNK, if lasts { 3 } else { 1 }),
            entries: route.entries(request, what, if lasts { 3 } else { 1 }),
            again,
        }
    }
}

/// A stand-in and a home, used by row after row: each has a folder and a state of its own.
struct Worker {
    env: TestEnv,
    rows: u32,
}

struct Target {
    folder: String,
    state: String,
}

impl Worker {
    fn new() -> Worker {
        let env = TestEnv::new();
        env.home.file("film.bin", content().0);
        Worker { env, rows: 0 }
    }

    fn target(&mut self, route: &Route) -> Target {
        self.rows += 1;
        let target = Target { folder: format!("/box-{}", self.rows), state: format!("state-{}", self.rows) };
        if route.replaces {
            self.env.sandbox.fill(route.remote, &target.folder, ["film.bin".to_owned()].into_iter(), OLDER).unwrap();
        }
        target
    }

    fn put(&self, route: &Route, target: &Target, tries: &str, timeout: &str, from: From) -> Ran {
        let (chunk, size) = (CHUNK.to_string(), SIZE.to_string());
        let address = format!("{}:{}/film.bin", route.remote, target.folder);
        let if_exists = if route.replaces { "replace" } else { "update" };
        let mut args = vec!["put", "--json", "--timeout", timeout, "--retries", tries, "--chunk-size", &chunk];
        args.extend(["--protocol", route.protocol, "--if-exists", if_exists]);
        if from == From::SizedPipe {
            args.extend(["--size", &size]);
        }
        args.extend([if from == From::File { "film.bin" } else { "-" }, &address]);
        let state = self.env.home.file(&format!("{}/here", target.state), "");
        let mut command = self.env.home.command(&args);
        command.env("XDG_STATE_HOME", state.parent().unwrap());
        match from {
            From::File => Ran::of(command.output().unwrap()),
            _ => run_with_input(command, content().0),
        }
    }

    /// Names and MD5s of what is whole in the folder.
    fn whole(&self, route: &Route, target: &Target) -> Vec<(String, String)> {
        self.env.sandbox.entries(route.remote, &target.folder).into_iter().filter_map(|(name, md5)| Some((name, md5?))).collect()
    }

    fn check(&mut self, row: &Row) -> Result<(), String> {
        let (route, target) = (row.route, self.target(row.route));
        let before = self.count_requests(route);
        self.env.sandbox.faults().script(&row.script).unwrap();
        let ran = self.put(route, &target, row.tries, row.timeout, row.from);
        let unspent = self.env.sandbox.faults().remaining();
        self.env.sandbox.faults().clear();
        let after = self.count_requests(route);
        let (received, created) = (after.0 - before.0, after.1 - before.1);

        let ensure = |holds: bool, why: String| if holds { Ok(()) } else { Err(format!("{why}\n{}{}", ran.stdout, ran.stderr)) };
        let (promise, most, entries) = (&row.statuses, row.most, &row.entries);
        // The FTP library of the stand-ins mixes up the answers to commands that are sent together, more so on a busy machine. They are
        // sent one by one then, or the file is sent under its own name: a request more or less than in the run without faults.
        let may_differ =
            route.protocol == "ftps" && ["ftp-size", "ftp-rename", "iogates:ftp-no-rename"].iter().any(|f| row.name.starts_with(f));
        let goes_another_way = may_differ && ran.status == 0;
        let most = if goes_another_way { most.max(2 * SIZE) } else { most };
        let is_struck = unspent.iter().all(|left| left.to_string().ends_with("*always"));
        ensure(is_struck || goes_another_way, "the fault never struck".into())?;
        // The same question may come before the rename or after it.
        let is_early = may_differ && row.name.starts_with("ftp-size") && ran.status == 5;
        ensure(promise.contains(&ran.status) || goes_another_way || is_early, format!("status {}, {promise:?} was promised", ran.status))?;
        ensure(!ran.stderr.contains("panicked"), "a panic".into())?;
        let there = self.whole(route, &target);
        if ran.status == 0 {
            ensure(there == [name_and_md5("film.bin", &ours())], format!("exit 0, and there are {there:?}"))?;
            ensure((SIZE..=most).contains(&received), format!("{received} bytes arrived, at most {most} were promised"))?;
            // FileAgo's file gets a revision.
            let revised = route.replaces && route.remote == "fileago";
            return ensure(revised || entries.contains(&created), format!("{created} entries were made, {entries:?} were promised"));
        }
        ensure(ran.events("uploaded").is_empty(), "a failure that says uploaded".into())?;
        ensure(ran.stderr.lines().any(|line| line.starts_with("haul: ")), "a failure without a message".into())?;
        let (has_arrived, swapping) = (there.iter().any(|e| e.1 == ours()), row.stage == Stage::Replacing);
        let arrived = if is_early { has_arrived } else { row.stage >= Stage::Looking };
        ensure(arrived == has_arrived, format!("it is there, or not: {there:?}"))?;
        ensure(
            arrived || !route.replaces || there == [name_and_md5("film.bin", &older())],
            format!("the older one is not whole: {there:?}"),
        )?;
        ensure(!swapping || ran.stderr.contains("the new copy is complete"), "which copy is whole is not told".into())?;
        // What came from a pipe is known to nobody: whether it is there must be looked at by hand, as the status says.
        let most = if is_early { SIZE } else { row.again };
        if row.from == From::File || !arrived { self.again(row, &target, most) } else { Ok(()) }
    }

    /// The fault has passed, and the same command is typed again.
    fn again(&self, row: &Row, target: &Target, most: u64) -> Result<(), String> {
        let before = self.count_requests(row.route).0;
        let ran = self.put(row.route, target, "3", "20s", row.from);
        let received = self.count_requests(row.route).0 - before;
        let ensure =
            |holds: bool, why: String| if holds { Ok(()) } else { Err(format!("typed again {why}\n{}{}", ran.stdout, ran.stderr)) };
        ensure(ran.status == 0, format!("it ends with {}", ran.status))?;
        let there = self.whole(row.route, target);
        ensure(there == [name_and_md5("film.bin", &ours())], format!("there are {there:?}"))?;
        ensure(received <= most, format!("{received} bytes arrived, at most {most} were promised"))
    }

    fn count_requests(&self, route: &Route) -> (u64, u64) {
        let counts = self.env.sandbox.counts();
        (counts.all_received_bytes(route.remote), counts.created_count(route.remote))
    }
}

fn content() -> Content {
    bytes(SIZE as usize, 7)
}

fn ours() -> String {
    format!("{:x}", md5::compute(&content().0))
}

fn older() -> String {
    format!("{:x}", md5::compute(OLDER))
}

fn name_and_md5(name: &str, md5: &str) -> (String, String) {
    (name.to_owned(), md5.to_owned())
}

/// Runs it with standard input; one that leaves early closes the pipe, as it may.
fn run_with_input(mut command: Command, input: Vec<u8>) -> Ran {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran::of(output)
}

/// The requests of an upload without faults.
fn clean(route: &Route, from: From) -> Vec<String> {
    let mut worker = Worker::new();
    let target = worker.target(route);
    let ran = worker.put(route, &target, "3", "20s", from).ends_with(0);
    assert_eq!(ran.events("uploaded").len(), 1);
    worker.env.sandbox.request_kinds(route.remote)
}

/// Every request that `wanted` keeps meets each of the faults; its third argument: does the fault stay?
pub fn rows<'a>(route: &'a Route, whats: &[What], from: From, wanted: impl Fn(&Request, What, bool) -> bool) -> Vec<Row<'a>> {
    let asked = clean(route, from);
    let mut rows = Vec::new();
    for request in requests(route, &asked) {
        for what in whats.iter().copied().filter(|what| route.meets(&request, *what)) {
            let lasting = [false, true].into_iter().filter(|lasts| wanted(&request, what, *lasts));
            rows.extend(lasting.map(|lasts| Row::of(route, &request, what, lasts, from)));
        }
    }
    assert!(rows.len() > 2, "{asked:?}");
    rows
}

pub fn walk(rows: Vec<Row>) {
    let (rows, wrong) = (Mutex::new(VecDeque::from(rows)), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let mut worker = Worker::new();
                loop {
                    let Some(row) = rows.lock().unwrap().pop_front() else { return };
                    if let Err(why) = worker.check(&row) {
                        wrong.lock().unwrap().push(format!("{} {}: {}: {why}", row.route.remote, row.route.protocol, row.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} rows:\n{}", wrong.len(), wrong.join("\n"));
}
