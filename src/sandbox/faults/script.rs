//! The script of a sandbox: all faults that are to strike, those that wait for a certain request, and the fixed answers.

use axum::response::Response;
use parking_lot::Mutex;

use super::canned::Canned;
use super::delayed::Delayed;
use super::request::{FaultHit, RequestInfo};
use super::scripted::ScriptedFault;
use super::table::Fault;
use crate::error::Result;

/// The script. It may be changed while the servers run.
#[derive(Default)]
pub struct Faults {
    script: Mutex<Vec<ScriptedFault>>,
    canned: Mutex<Vec<Canned>>,
    late: Mutex<Vec<Delayed>>,
}

impl Faults {
    /// Adds faults in their text form, separated by blanks or line ends.
    ///
    /// # Errors
    /// `Kind::Usage` names what is wrong; then no fault was added.
    pub fn script(&self, text: &str) -> Result<()> {
        let faults = text.split_whitespace().map(str::parse).collect::<Result<Vec<ScriptedFault>>>()?;
        self.script.lock().extend(faults);
        Ok(())
    }

    pub fn add(&self, fault: ScriptedFault) {
        self.script.lock().push(fault);
    }

    /// Lets this number of requests to the fault's provider pass. A fault that lasts then strikes all following requests. Any
    /// other fault strikes the next request, also if it is a fault of the connection without a kind.
    ///
    /// # Errors
    /// `Kind::Usage` names what is wrong with the text.
    pub fn later(&self, requests: u64, fault: &str) -> Result<()> {
        let fault = fault.parse()?;
        self.late.lock().push(Delayed { skip: requests, fault });
        Ok(())
    }

    /// The number of faults that still wait for their request.
    pub fn waiting(&self) -> usize {
        self.late.lock().len()
    }

    /// Adds a fixed answer in place of a stand-in's own.
    pub fn answer(&self, canned: Canned) {
        self.canned.lock().push(canned);
    }

    pub fn clear(&self) {
        self.script.lock().clear();
        self.canned.lock().clear();
        self.late.lock().clear();
    }

    /// The faults that have not struck yet, or that never end. A test that expects a fault checks that it is not here any more.
    pub fn remaining(&self) -> Vec<ScriptedFault> {
        self.script.lock().clone()
    }

    /// Counts a request for the delayed faults; those that are due may strike it.
    pub(crate) fn tick(&self, asked: RequestInfo<'_>) {
        self.late.lock().retain_mut(|late| match late.tick(asked) {
            Some(fault) => {
                self.add(fault);
                false
            }
            None => true,
        });
    }

    /// The fixed answer to this request, if there is one; the request's body is not read then.
    pub(crate) fn take_canned_answer(&self, asked: RequestInfo<'_>) -> Option<Response> {
        self.canned.lock().iter_mut().find(|canned| canned.is_for(asked))?.take()
    }

    /// Counts a request for the faults that let some requests through first.
    pub(crate) fn arrive(&self, asked: RequestInfo<'_>) {
        for fault in self.script.lock().iter_mut().filter(|s| s.fault.is_of_requests() && s.is_there(asked)) {
            fault.seen += 1;
        }
    }

    /// True after a scripted end of the server: its first request starts the end, and every later request is refused.
    pub(crate) fn is_gone(&self, asked: RequestInfo<'_>) -> bool {
        let mut script = self.script.lock();
        let Some(end) = script.iter_mut().find(|s| s.strikes(asked, Fault::Gone)) else { return false };
        (end.kind, end.skip) = (None, 0);
        true
    }

    /// Whether `fault` would strike this request. Does not use the fault up.
    pub(crate) fn peek(&self, asked: RequestInfo<'_>, fault: Fault) -> Option<FaultHit> {
        self.script.lock().iter().find(|s| s.strikes(asked, fault)).map(ScriptedFault::strike)
    }

    /// Lets `fault` strike this request, once.
    pub(crate) fn take(&self, asked: RequestInfo<'_>, fault: Fault) -> Option<FaultHit> {
        let mut script = self.script.lock();
        for waiting in script.iter_mut().filter(|s| s.fault == fault && !fault.is_of_requests() && s.is_there(asked)) {
            waiting.seen += 1;
        }
        let at = script.iter().position(|s| s.strikes(asked, fault))?;
        let found = script.get_mut(at)?;
        let strike = found.strike();
        if let Some(left) = &mut found.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                script.remove(at);
            }
        }
        Some(strike)
    }

    /// For faults that belong to one place of a stand-in and have no kind of request.
    pub(crate) fn hit(&self, provider: &'static str, fault: Fault) -> Option<FaultHit> {
        self.take(RequestInfo { provider, kind: "", carries_file: true }, fault)
    }

    /// The same for a fault whose word selects what the fault affects.
    pub(crate) fn spoils(&self, provider: &'static str, fault: Fault, word: &str) -> bool {
        self.script.lock().iter().any(|s| s.provider == provider && s.fault == fault && s.word == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_it_says_and_only_where_it_says() {
        let faults = Faults::default();
        faults.script("iogates:cut=5*2\ngiga0/file/info:500").unwrap();
        let patch = RequestInfo { provider: "iogates", kind: "tus-patch", carries_file: true };
        let list = RequestInfo { provider: "iogates", kind: "files", carries_file: false };
        assert_eq!(faults.take(list, Fault::Cut), None);
        assert_eq!(faults.take(patch, Fault::Cut), Some(FaultHit { number: 5, word: "" }));
        assert!(faults.take(patch, Fault::Cut).is_some());
        assert_eq!(faults.take(patch, Fault::Cut), None);
        let info = RequestInfo { provider: "giga0", kind: "file/info", carries_file: false };
        assert_eq!(faults.take(RequestInfo { kind: "file/edit", ..info }, Fault::ServerError), None);
        assert!(faults.take(info, Fault::ServerError).is_some());
        assert!(faults.remaining().is_empty());
    }

    #[test]
    fn a_fault_may_let_some_through_first() {
        let faults = Faults::default();
        faults.script("giga0/file/info:500+2 iogates:tus-conflict+1 fileago/upload:gone+1").unwrap();
        let info = RequestInfo { provider: "giga0", kind: "file/info", carries_file: false };
        let asks = |asked| {
            faults.arrive(asked);
            // Two checks for the same request count as one request.
            faults.peek(asked, Fault::ServerError);
            faults.take(asked, Fault::ServerError).is_some()
        };
        assert!(!asks(RequestInfo { kind: "file/edit", ..info }));
        assert_eq!([asks(info), asks(info), asks(info), asks(info)], [false, false, true, false]);
        assert_eq!(
            [faults.hit("iogates", Fault::TusConflict), faults.hit("iogates", Fault::TusConflict)].map(|s| s.is_some()),
            [false, true]
        );

        let upload = RequestInfo { provider: "fileago", kind: "upload", carries_file: true };
        let list = RequestInfo { provider: "fileago", kind: "dirlist", carries_file: false };
        let gone = [list, upload, list, upload, list, upload].map(|asked| {
            faults.arrive(asked);
            faults.is_gone(asked)
        });
        assert_eq!(gone, [false, false, false, true, true, true]);
    }

    #[test]
    fn a_delayed_fault_strikes_when_its_turn_has_come() {
        let faults = Faults::default();
        faults.later(1, "giga0:answer-lost").unwrap();
        faults.later(2, "giga0:500*always").unwrap();
        assert!(faults.later(0, "giga0:nonsense").is_err());
        let ask = |provider, kind| RequestInfo { provider, kind, carries_file: false };
        let struck = |kind| {
            faults.tick(ask("fileago", kind));
            faults.tick(ask("giga0", kind));
            [Fault::AnswerLost, Fault::ServerError].map(|fault| faults.take(ask("giga0", kind), fault).is_some())
        };
        assert_eq!(["a", "b", "c", "d"].map(struck), [[false, false], [true, false], [false, true], [false, true]]);
        assert_eq!(faults.waiting(), 0);
    }
}
