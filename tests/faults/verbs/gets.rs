//! What `get` and `cat` leave here after a failed request: the whole file or none under its name, a part that the same command
//! resumes, and never a wrong byte on standard output.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{BUSY, Fault, LOST, each};
use crate::support::command::Ran;
use crate::support::env::{Content, TestEnv, bytes, text};
use crate::support::remotes::hosts;

#[derive(Clone, Copy, Debug, PartialEq)]
enum GetForm {
    File,
    Folder,
    Streams,
    Cat,
}

const CUT: u64 = 150_000;

/// What befalls one request; of the passing ones each request meets one more, in turns.
fn faults(way: GetForm, passed: u64, of: u64) -> Vec<Fault> {
    let passing = ["cut=0", "500", "slow=3000", "429=0", "expired", "503=0"];
    let also = Fault::Passes(passing[(passed as usize + way as usize) % passing.len()]);
    let cut = if way == GetForm::Streams { Fault::Passes("cut=3000000") } else { Fault::Passes("cut=150000") };
    let mut faults = vec![Fault::Passes(LOST), Fault::Nonsense("html"), Fault::Stays(BUSY), also];
    // The bytes come last.
    if matches!(way, GetForm::Streams | GetForm::Folder) || passed + 1 == of {
        faults.push(cut);
        faults.extend((way != GetForm::Streams).then_some(Fault::CutThenStays(CUT)));
    }
    faults
}

struct Row {
    remote: &'static str,
    way: GetForm,
    passed: u64,
    of: u64,
    fault: Fault,
}

static SMALL: LazyLock<Content> = LazyLock::new(|| bytes(2 * CUT as usize, 21));
/// Just enough for two streams.
static LARGE: LazyLock<Content> = LazyLock::new(|| Content(SMALL.0.repeat((16 << 20) / SMALL.0.len() + 1)));

fn content(way: GetForm) -> Content {
    if way == GetForm::Streams { LARGE.clone() } else { SMALL.clone() }
}

/// Their paths here, below the row's own folder.
fn names(way: GetForm) -> &'static [&'static str] {
    if way == GetForm::Folder { &["in/a", "in/b", "in/deep/c"] } else { &["f.bin"] }
}

fn fill(env: &TestEnv, remote: &str, way: GetForm, home: &str) {
    for name in names(way) {
        let (folder, name) = name.rsplit_once('/').unwrap_or(("", name));
        env.sandbox.fill(remote, &format!("/{home}/{folder}"), std::iter::once(name.to_owned()), &content(way).0).unwrap();
    }
}

fn run(env: &TestEnv, remote: &str, way: GetForm, home: &str, stalls: bool) -> std::process::Output {
    let (file, folder, here) = (format!("{remote}:/{home}/f.bin"), format!("{remote}:/{home}/in"), format!("{home}/"));
    let mut args = match way {
        GetForm::File => vec!["get", "--json", "--if-exists", "replace", &file, &here],
        GetForm::Streams => vec!["get", "--json", "--if-exists", "replace", "--streams", "2", &file, &here],
        GetForm::Folder => vec!["get", "--json", "-j", "1", &folder, &here],
        GetForm::Cat => vec!["cat", &file],
    };
    if stalls {
        args.extend(["--timeout", "1s"]);
    }
    env.home.command(&args).output().unwrap()
}

fn check(env: &TestEnv, number: usize, row: &Row) -> Result<(), String> {
    let Row { remote, way, passed, of, fault } = *row;
    let home = format!("r{number}");
    fill(env, remote, way, &home);
    let older = matches!(way, GetForm::File | GetForm::Streams);
    if older {
        env.home.file(&format!("{home}/f.bin"), "older");
    }
    fault.script(env, remote, passed);
    let output = run(env, remote, way, &home, fault.stalls());
    let waiting = env.sandbox.faults().waiting();
    env.sandbox.faults().clear();
    let (status, said) = (output.status.code(), String::from_utf8_lossy(&output.stderr).trim_end().to_owned());
    let fail =
        |why: &str| Err(format!("{remote} get {way:?}, request {} of {of}, {fault:?}: {why}\n    status {status:?}, {said}", passed + 1));
    if waiting > fault.follows() {
        return fail("the fault never struck");
    }
    let promised = match (fault, status) {
        (_, Some(0)) => true,
        (Fault::Nonsense(_), Some(11)) | (Fault::Stays(_) | Fault::CutThenStays(_), Some(5)) => true,
        (_, Some(9)) => way == GetForm::Folder && !matches!(fault, Fault::Passes(_)),
        _ => false,
    };
    if !promised || said.contains("panicked") {
        return fail("another status was promised");
    }
    if way == GetForm::Cat {
        let whole = content(way);
        return match whole.0.starts_with(&output.stdout) && (status == Some(0)) == (whole.0.len() == output.stdout.len()) {
            true => Ok(()),
            false => fail("wrong bytes on standard output"),
        };
    }
    let whole: BTreeMap<_, _> = names(way).iter().map(|name| ((*name).to_owned(), content(way))).collect();
    let mut here = env.local_or_none(&home);
    if status == Some(0) {
        return if here == whole { Ok(()) } else { fail("not what was promised is here") };
    }
    if older && here.remove("f.bin") != Some(text("older")) {
        return fail("the older file is no more what it was");
    }
    let (parts, complete): (BTreeMap<_, _>, BTreeMap<_, _>) = here.into_iter().partition(|(name, _)| name.contains(".haul-part"));
    if complete.iter().any(|(name, content)| whole.get(name) != Some(content)) {
        return fail("something that is not the file has its name");
    }
    let came = parts.get(".f.bin.haul-part").map_or(0, |part| part.0.len() as u64);
    let again = Ran::of(run(env, remote, way, &home, false));
    if again.status != 0 || env.local(&home) != whole {
        return fail(&format!("and again: {}{}", again.stdout, again.stderr));
    }
    if way == GetForm::File && again.events("downloaded")[0]["resumed_from"] != came {
        return fail(&format!("{came} bytes had come: {}", again.stdout));
    }
    Ok(())
}

fn signed_in(env: &TestEnv) {
    for remote in hosts() {
        env.home.run(&["ls", &format!("{remote}:")]).ends_with(0);
    }
}

#[test]
fn gets_end_whole_or_can_be_resumed() {
    let env = TestEnv::new();
    signed_in(&env);
    let mut rows = Vec::new();
    for remote in hosts() {
        for (number, way) in [GetForm::File, GetForm::Folder, GetForm::Streams, GetForm::Cat].into_iter().enumerate() {
            let home = format!("r{number}");
            fill(&env, remote, way, &home);
            let before = env.sandbox.counts().all_requests(remote);
            assert!(run(&env, remote, way, &home, false).status.success());
            let of = env.sandbox.counts().all_requests(remote) - before;
            // The large file is for what only it has: the requests for its bytes.
            let first = if way == GetForm::Streams { of - 2 } else { 0 };
            for passed in first..of {
                rows.extend(faults(way, passed, of).into_iter().map(|fault| Row { remote, way, passed, of, fault }));
            }
        }
    }
    each(rows, signed_in, check);
}
