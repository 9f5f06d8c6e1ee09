//! What `mkdir`, `cp`, `mv`, `rm`, `edit` and `star` leave on a server after a failed request.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

use super::{BUSY, Fault, LOST, each};
use crate::support::command::Ran;
use crate::support::env::TestEnv;
use crate::support::fixed_answers::one_file_server;
use crate::support::remotes::{hosts, hosts_that_change};
use crate::support::stand_ins::StandIns;

/// `PATH=SIZE` for a file, `PATH/` for a folder, and after a `!` what else is asked for. Each content has a size of its own.
type There = BTreeSet<String>;

#[derive(Clone, Copy)]
struct Verb<'a> {
    remote: &'static str,
    /// `{}` stands for the row's own folder.
    command: &'a str,
    before: &'static str,
    after: &'static str,
}

/// What lies in the folders `t` and `u`.
const TREES: &str = "t/x=1 t/s/y=2 u/z=3";

fn verbs() -> Vec<Verb<'static>> {
    let both = [
        ("mkdir {}/d", "a=1", "a=1 d/"),
        ("mkdir -p {}/d/e", "a=1", "a=1 d/ d/e/"),
        ("cp {}/a {}/d/", "a=1 d/x=2", "a=1 d/ d/a=1 d/x=2"),
        ("cp {}/a {}/b", "a=1", "a=1 b=1"),
        ("cp {}/t {}/u/", TREES, "t/ t/s/ t/s/y=2 t/x=1 u/ u/t/ u/t/s/ u/t/s/y=2 u/t/x=1 u/z=3"),
        ("cp --if-exists replace {}/a {}/d/", "a=1 d/a=2", "a=1 d/ d/a=1"),
        ("mv {}/a {}/b", "a=1", "b=1"),
        ("mv {}/a {}/d/", "a=1 d/x=2", "d/ d/a=1 d/x=2"),
        ("mv {}/a {}/d/b", "a=1 d/x=2", "d/ d/b=1 d/x=2"),
        ("mv {}/t {}/u/new/", TREES, "u/ u/new/ u/new/t/ u/new/t/s/ u/new/t/s/y=2 u/new/t/x=1 u/z=3"),
        ("mv --if-exists replace {}/a {}/d/", "a=1 d/a=2", "d/ d/a=1"),
        ("rm {}/a", "a=1 b=2", "b=2"),
        ("rm -r {}/t", "a=1 t/x=2 t/s/y=3", "a=1"),
        ("edit {}/a --name b", "a=1 c=2", "b=1 c=2"),
    ];
    let giga0 = [("edit {}/t --visibility public", "t/x=1", "t/!public t/x=1")];
    let fileago = [("star {}/a", "a=1", "a=1!starred")];
    let comments = [
        ("comments add {}/a --text new", "a=1", "new"),
        ("comments edit {}/b {id} --text new", "b=1", "new"),
        ("comments rm {}/b {id}", "b=1", ""),
    ];
    let share = [("share {} --with {group}", "a=1", "incoming")];
    let import = [("import --wait {url} {}/in/", "a=1", "a=1 in/ in/film.mov=4")];
    let of = |remote| move |(command, before, after)| Verb { remote, command, before, after };
    let both = hosts_that_change().into_iter().flat_map(|remote| both.map(of(remote)));
    let both = both.chain(giga0.map(of("giga0"))).chain(fileago.map(of("fileago")));
    both.chain(comments.map(of("iogates"))).chain(share.map(of("fileago"))).chain(import.map(of("giga0"))).collect()
}

/// Of these each request meets one, in turns.
const PASSING: [&str; 7] = ["cut=0", "500", "429=0", "slow=3000", "expired", "503=0", "cut=20"];

/// Requests that change something. All others only ask.
const CHANGING: [&str; 12] = [
    "folder/create",
    "file/copy",
    "file/move",
    "file/edit",
    "folder/edit",
    "folder/move",
    "file/delete",
    "folder/delete",
    "file/url_upload_add",
    "change",
    "delete",
    "comment",
];

/// What befalls the request that has so many before it, of the verb of that number.
fn faults(verb: usize, passed: u64, changes: bool) -> Vec<Fault> {
    let turn = verb + passed as usize;
    let mut all = vec![Fault::Passes(LOST), Fault::LostThenStays, Fault::Passes(PASSING[turn % PASSING.len()])];
    match changes {
        true => all.extend([Fault::Nonsense(DONE_PAGE), Fault::Nonsense(PAGE), Fault::Stays(BUSY)]),
        false if turn.is_multiple_of(2) => all.push(Fault::Nonsense(PAGE)),
        false => all.push(Fault::Stays(BUSY)),
    }
    all
}

/// A page with 200: after the request was acted upon, and instead.
const DONE_PAGE: &str = "answer-page";
const PAGE: &str = "html";

struct Row {
    verb: Verb<'static>,
    kind: String,
    /// Requests of the command that pass before the fault.
    passed: u64,
    of: u64,
    /// The request changes something.
    changes: bool,
    fault: Fault,
}

fn set(text: &str) -> There {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Puts what the verb finds into the folder `home`.
fn fill(env: &TestEnv, verb: &Verb, home: &str) {
    for word in verb.before.split(' ') {
        let (path, size) = word.split_once('=').unwrap();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let content = vec![b'x'; size.parse().unwrap()];
        env.sandbox.fill(verb.remote, &format!("/{home}/{folder}"), std::iter::once(name.to_owned()), &content).unwrap();
    }
    if verb.command.contains("{id}") {
        let file = format!("iogates:/{home}/b");
        env.home.run(&["comments", "add", &file, "--text", "old"]).ends_with(0);
        env.home.file(&format!("{home}.id"), comment(env, &file));
    }
}

/// What others have, or what a site does by itself, can't be looked at: a lost answer stays in doubt.
fn is_blind(verb: &Verb) -> bool {
    verb.command.starts_with("share") || verb.command.starts_with("import")
}

/// The one comment that is there before.
fn comment(env: &TestEnv, file: &str) -> String {
    let ran = env.home.run(&["comments", "--json", file]).ends_with(0);
    ran.events("comments").first().map(|comment| comment["id"].as_str().unwrap().to_owned()).unwrap_or("0".to_owned())
}

fn run(env: &TestEnv, verb: &Verb, home: &str, stalls: bool) -> Ran {
    static URL: LazyLock<String> = LazyLock::new(|| format!("http://{}/film.mov", one_file_server(b"film")));
    let command = verb.command.replace("{}", &format!("{}:/{home}", verb.remote)).replace("{url}", &URL);
    let command = command.replace("{group}", env.sandbox.fileago().group());
    let id = std::fs::read_to_string(env.path(&format!("{home}.id"))).unwrap_or_default();
    let command = command.replace("{id}", &id);
    let mut args: Vec<&str> = command.split(' ').collect();
    if stalls {
        args.extend(["--timeout", "1s"]);
    }
    env.home.run(&args)
}

fn there(env: &TestEnv, verb: &Verb, home: &str) -> There {
    if verb.command.starts_with("share") {
        let incoming = format!("fileago:@incoming:{}", env.sandbox.fileago().group());
        let shared = env.home.run(&["ls", "--json", &incoming]).ends_with(0).events("entry");
        return shared.iter().filter(|e| e["name"] == home).enumerate().map(|(n, _)| format!("incoming{}", "!again".repeat(n))).collect();
    }
    if verb.command.starts_with("comments") {
        let file = format!("iogates:/{home}/{}", verb.before.split('=').next().unwrap());
        let said = env.home.run(&["comments", "--json", &file]).ends_with(0).events("comments");
        let text = |(n, comment): (usize, &Value)| format!("{}{}", comment["text"].as_str().unwrap(), "!again".repeat(n));
        return said.iter().enumerate().map(text).collect();
    }
    let ran = env.home.run(&["ls", "-R", "--json", &format!("{}:/{home}", verb.remote)]).ends_with(0);
    let mut there = There::new();
    for entry in ran.events("entry") {
        let path = entry["path"].as_str().unwrap().strip_prefix(&format!("/{home}/")).unwrap().to_owned();
        let mut shown = if entry["kind"] == "folder" { format!("{path}/") } else { format!("{path}={}", entry["size"]) };
        if entry["extra"]["visibility"] == "public" {
            shown += "!public";
        }
        if entry["extra"]["is_starred"] == true {
            shown += "!starred";
        }
        // giga0 lets two of one name lie in one folder.
        while !there.insert(shown.clone()) {
            shown += "!again";
        }
    }
    there
}

/// The contents that both have must be somewhere.
fn missing_contents(there: &There, verb: &Verb) -> Vec<String> {
    let sizes = |set: &There| -> BTreeSet<String> {
        set.iter().filter_map(|word| Some(word.split('!').next()?.split_once('=')?.1.to_owned())).collect()
    };
    let kept = &sizes(&set(verb.before)) & &sizes(&set(verb.after));
    kept.difference(&sizes(there)).cloned().collect()
}

fn check(env: &TestEnv, number: usize, row: &Row) -> Result<(), String> {
    let (verb, home) = (&row.verb, format!("r{number}"));
    fill(env, verb, &home);
    row.fault.script(env, verb.remote, row.passed);
    let ran = run(env, verb, &home, row.fault.stalls());
    let waiting = env.sandbox.faults().waiting();
    env.sandbox.faults().clear();
    let now = there(env, verb, &home);
    let fail = |why: String| {
        let Verb { remote, command, .. } = verb;
        Err(format!(
            "{remote} {command}, request {} of {} ({}), {:?}: {why}\n    status {}, {now:?}\n    {}",
            row.passed + 1,
            row.of,
            row.kind,
            row.fault,
            ran.status,
            ran.stderr.trim_end()
        ))
    };
    let done = now == set(verb.after);
    if waiting > row.fault.follows() {
        return fail("the fault never struck".into());
    }
    if is_blind(verb) && now.iter().any(|word| word.contains("again") || word.contains("(2)")) {
        return fail("done twice".into());
    }
    if ran.stderr.contains("panicked") || !missing_contents(&now, verb).is_empty() {
        return fail("a content is gone, or a panic".into());
    }
    match (row.fault, ran.status) {
        (_, 0) if done => return Ok(()),
        (_, 0) => return fail("said to be done".into()),
        (Fault::Nonsense(_), 11) if row.changes => return fail("nobody looked whether it was done".into()),
        (Fault::Nonsense(page), 13)
            if row.changes && !ran.stderr.contains(if page == PAGE { "Down for maintenance" } else { "try again later" }) =>
        {
            return fail("the server's words are not told".into());
        }
        (_, 13) if is_blind(verb) => return Ok(()),
        (Fault::Nonsense(DONE_PAGE), _) if row.changes => return fail("it was done, and can be seen".into()),
        // Said once more it would stand there twice: status 13 asks for a look.
        (Fault::LostThenStays, 13) if verb.command.starts_with("comments add") => return Ok(()),
        (Fault::Passes(_), _) => return fail("should have passed".into()),
        (Fault::Nonsense(_), 11) | (Fault::Stays(_) | Fault::LostThenStays, 5) | (_, 13) => {}
        (_, 9) if verb.command.contains("/t ") => {}
        _ => return fail("another status was promised".into()),
    }
    let go_on = "--if-exists skip";
    let again = match ran.stderr.contains(go_on) {
        true => run(env, &Verb { command: &verb.command.replacen(' ', &format!(" {go_on} "), 1), ..*verb }, &home, false),
        false => run(env, verb, &home, false),
    };
    let then = there(env, verb, &home);
    // What is told to be left, and where, is the user's to clear away.
    let told = [" (@", " left", "to be named"].iter().any(|words| ran.stderr.contains(words));
    let left: There = now.difference(&set(verb.before)).cloned().collect();
    let ended = match again.status {
        0 => {
            then == set(verb.after)
                || (told && then.difference(&set(verb.after)).all(|word| left.contains(word)) && then.is_superset(&set(verb.after)))
        }
        // Status 5 says that trying again may help.
        3 | 6 if told => missing_contents(&then, verb).is_empty(),
        3 | 6 => done && then == now && ran.status != 5,
        _ => false,
    };
    match ended {
        true => Ok(()),
        false => fail(format!("and again: status {}, {then:?}, {}", again.status, again.stderr.trim_end())),
    }
}

/// The token is there: rows begin with the command's own first request.
fn signed_in(env: &TestEnv) {
    for remote in hosts() {
        env.home.run(&["ls", &format!("{remote}:")]).ends_with(0);
    }
}

/// The kinds of the requests that each command makes when nothing goes wrong, which is checked by the way.
fn count_requests(verbs: Vec<Verb<'static>>) -> Vec<(Verb<'static>, Vec<String>)> {
    let env = TestEnv::new();
    signed_in(&env);
    let count = |(number, verb): (usize, Verb<'static>)| {
        let home = format!("r{number}");
        fill(&env, &verb, &home);
        let before = env.sandbox.request_kinds(verb.remote).len();
        run(&env, &verb, &home, false).ends_with(0);
        let requests = env.sandbox.request_kinds(verb.remote).split_off(before);
        assert_eq!(there(&env, &verb, &home), set(verb.after), "{} {}", verb.remote, verb.command);
        (verb, requests)
    };
    verbs.into_iter().enumerate().map(count).collect()
}

#[test]
fn verbs_end_well_or_say_so() {
    let mut rows = Vec::new();
    for (number, (verb, requests)) in count_requests(verbs()).into_iter().enumerate() {
        let of = requests.len() as u64;
        // Every command begins with a look at the top folder and at the row's own.
        for (passed, kind) in (0..of).zip(&requests).filter(|(passed, _)| *passed != 1) {
            let changes = CHANGING.contains(&kind.as_str());
            rows.extend(faults(number, passed, changes).into_iter().map(|fault| Row {
                verb,
                kind: kind.clone(),
                passed,
                of,
                changes,
                fault,
            }));
        }
    }
    assert!(CHANGING.iter().all(|kind| rows.iter().any(|row| row.changes && row.kind == *kind)));
    each(rows, signed_in, check);
}
