//! Every fault at every request of a command: after a transient fault the change is done exactly once, a lasting fault is
//! reported and does no harm, and the same command then succeeds. Rows are data; the result of each follows from the fault, not
//! from the observed behaviour.

mod gets;
mod matrix;
#[cfg(unix)]
mod names;
mod wrong_answers;

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::support::env::TestEnv;

/// What goes wrong, in the script's words, and how the command must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It passes: the command tries again, and ends well.
    Passes(&'static str),
    /// Something that is no answer: told with status 11 where the request only asks. Where it changes something a look tells: 0,
    /// or 13 where the change does not show.
    Nonsense(&'static str),
    /// From this request on nothing goes.
    Stays(&'static str),
    /// The request was acted upon, its answer is lost, and from then on nothing goes.
    LostThenStays,
    /// A long answer breaks off after so many bytes, and from then on nothing goes.
    CutThenStays(u64),
}

const LOST: &str = "answer-lost";
const BUSY: &str = "503=0*always";

impl Fault {
    /// Puts it into the script of a stand-in, for the request that has so many before it.
    pub fn script(self, env: &TestEnv, remote: &str, before: u64) {
        let later = |n: u64, words: &str| env.sandbox.faults().later(n, &format!("{remote}:{words}")).unwrap();
        match self {
            Fault::Passes(words) | Fault::Nonsense(words) | Fault::Stays(words) => later(before, words),
            Fault::LostThenStays => {
                later(before, LOST);
                later(before + 1, BUSY);
            }
            Fault::CutThenStays(bytes) => {
                later(before, &format!("cut={bytes}"));
                later(before + 1, BUSY);
            }
        }
    }

    /// How many of its faults wait for requests that a command may never make.
    pub fn follows(self) -> usize {
        usize::from(matches!(self, Fault::LostThenStays | Fault::CutThenStays(_)))
    }

    /// Waits longer than the command does.
    pub fn stalls(self) -> bool {
        matches!(self, Fault::Passes(words) if words.starts_with("slow"))
    }
}

/// Works rows off, some at a time: most of a row is waiting for the next try. Each worker has stand-ins of its own. All
/// rows are tried, and those that fail are told together.
pub fn each<R: Send>(rows: Vec<R>, begin: impl Fn(&TestEnv) + Sync, check: impl Fn(&TestEnv, usize, &R) -> Result<(), String> + Sync) {
    const WORKERS: usize = 12;
    let count = rows.len();
    let rows: Mutex<VecDeque<(usize, R)>> = Mutex::new(rows.into_iter().enumerate().collect());
    let wrong: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS.min(count) {
            scope.spawn(|| {
                let env = TestEnv::new();
                begin(&env);
                loop {
                    let Some((number, row)) = rows.lock().unwrap().pop_front() else { return };
                    let outcome = check(&env, number, &row);
                    env.sandbox.faults().clear();
                    wrong.lock().unwrap().extend(outcome.err());
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {count} rows:\n{}", wrong.len(), wrong.join("\n"));
}
