//! Scripted faults: what the stand-ins do wrong on purpose. The text form is one word for a command line and for tests:
//! `PROVIDER[/KIND]:FAULT[=VALUE][+SKIP][*TIMES]`, for example `iogates/tus-patch:cut=100000*2`, `giga0:429=1`, or
//! `iogates/tus-patch:answer-lost+2` for the third PATCH. Over 300 lines with its tests.

pub(crate) mod canned;
pub(crate) mod delayed;
pub(crate) mod table;

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::faults::canned::Canned;
use super::faults::delayed::Delayed;
use super::faults::table::{Fault, FaultArg, FaultDuration, TABLE};
use super::storage::held;
use crate::error::{Error, Kind, Result};

const PROVIDERS: [&str; 3] = ["iogates", "giga0", "fileago"];

/// A fault, where and how often it happens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScriptedFault {
    pub(super) provider: &'static str,
    /// One kind of request, named as in `Counts::requests`; none = wherever the fault makes sense.
    pub(super) kind: Option<String>,
    fault: Fault,
    number: u64,
    word: &'static str,
    /// Requests (or, for a fault of one place of a stand-in, occasions) that are let through first.
    skip: u64,
    /// Requests that it could have struck so far.
    seen: u64,
    /// How often it still happens; none = always.
    pub(super) left: Option<u64>,
}

impl FromStr for ScriptedFault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: String| {
            Error::new(Kind::Usage, why).with_subject(text.to_owned()).with_hint("write PROVIDER[/KIND]:FAULT[=VALUE][+SKIP][*TIMES]")
        };
        let (place, rest) = text.split_once(':').ok_or_else(|| wrong("a fault begins with the provider and a colon".into()))?;
        let (provider, kind) = match place.split_once('/') {
            Some((provider, kind)) => (provider, Some(kind.to_owned())),
            None => (place, None),
        };
        let provider = PROVIDERS.into_iter().find(|p| *p == provider).ok_or_else(|| wrong(format!("there is no stand-in {provider:?}")))?;
        let (rest, times) = match rest.rsplit_once('*') {
            Some((rest, times)) => (rest, Some(times)),
            None => (rest, None),
        };
        let (rest, skip) = match rest.rsplit_once('+') {
            Some((rest, skip)) => (rest, skip.parse().map_err(|_| wrong(format!("{skip:?} is not a number of requests to skip")))?),
            None => (rest, 0),
        };
        let (name, value) = match rest.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (rest, None),
        };
        let row = TABLE.iter().find(|r| r.name == name).ok_or_else(|| wrong(format!("there is no fault {name:?}")))?;
        if !row.by.contains(&provider) {
            return Err(wrong(format!("{provider} does not know the fault {name:?}")));
        }
        let mut number = 0;
        let mut word = "";
        match (row.takes, value) {
            (FaultArg::Number(_), Some(value)) => number = value.parse().map_err(|_| wrong(format!("{value:?} is not a number")))?,
            (FaultArg::Number(usual), None) => number = usual,
            (FaultArg::Word(words), value) => {
                word =
                    words.iter().find(|w| Some(**w) == value).ok_or_else(|| wrong(format!("{name} takes one of {}", words.join(", "))))?;
            }
            (FaultArg::Nothing, None) => {}
            (FaultArg::Nothing, Some(_)) => return Err(wrong(format!("{name} takes no value"))),
        }
        let left = match (times, row.lasts) {
            (Some("always"), _) | (None, FaultDuration::Always) => None,
            (Some(times), _) => Some(times.parse().map_err(|_| wrong(format!("{times:?} is not a number of times")))?),
            (None, FaultDuration::Once) => Some(1),
        };
        Ok(ScriptedFault { provider, kind, fault: row.fault, number, word, skip, seen: 0, left })
    }
}

impl fmt::Display for ScriptedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.provider)?;
        if let Some(kind) = &self.kind {
            write!(f, "/{kind}")?;
        }
        let Some(row) = TABLE.iter().find(|r| r.fault == self.fault) else { return Ok(()) };
        write!(f, ":{}", row.name)?;
        match row.takes {
            FaultArg::Nothing => {}
            FaultArg::Number(_) => write!(f, "={}", self.number)?,
            FaultArg::Word(_) => write!(f, "={}", self.word)?,
        }
        if self.skip > 0 {
            write!(f, "+{}", self.skip)?;
        }
        match self.left {
            Some(times) => write!(f, "*{times}"),
            None => f.write_str("*always"),
        }
    }
}

impl TryFrom<String> for ScriptedFault {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ScriptedFault> for String {
    fn from(fault: ScriptedFault) -> String {
        fault.to_string()
    }
}

/// What a fault brings along when it strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultHit {
    pub number: u64,
    pub word: &'static str,
}

/// A request as the faults see it.
#[derive(Clone, Copy)]
pub struct RequestInfo<'a> {
    pub provider: &'static str,
    pub kind: &'a str,
    /// Does the body hold a file's bytes? Line faults without a kind strike only there.
    pub carries_file: bool,
}

/// The script. It may be changed while the servers run.
#[derive(Default)]
pub struct Faults {
    script: Mutex<Vec<ScriptedFault>>,
    pub(super) canned: Mutex<Vec<Canned>>,
    pub(super) late: Mutex<Vec<Delayed>>,
}

impl Faults {
    /// Adds faults in their text form; blanks and line ends separate several.
    ///
    /// # Errors
    /// `Kind::Usage` names what is wrong; nothing was added then.
    pub fn script(&self, text: &str) -> Result<()> {
        let faults = text.split_whitespace().map(str::parse).collect::<Result<Vec<ScriptedFault>>>()?;
        held(&self.script).extend(faults);
        Ok(())
    }

    pub fn add(&self, fault: ScriptedFault) {
        held(&self.script).push(fault);
    }

    pub fn clear(&self) {
        held(&self.script).clear();
        held(&self.canned).clear();
        held(&self.late).clear();
    }

    /// What has not struck yet, or goes on for ever. A test that expected a fault finds it used up here.
    pub fn left(&self) -> Vec<ScriptedFault> {
        held(&self.script).clone()
    }

    /// A request has come in: what lets some through first counts it.
    pub(super) fn arrive(&self, asked: RequestInfo<'_>) {
        for fault in held(&self.script).iter_mut().filter(|s| s.fault.is_of_requests() && s.is_there(asked)) {
            fault.seen += 1;
        }
    }

    /// Is the server gone? With its first request a scripted end begins, and then there is nobody for any other.
    pub(super) fn is_gone(&self, asked: RequestInfo<'_>) -> bool {
        let mut script = held(&self.script);
        let Some(end) = script.iter_mut().find(|s| s.strikes(asked, Fault::Gone)) else { return false };
        (end.kind, end.skip) = (None, 0);
        true
    }

    /// Would `fault` strike this request? Uses nothing up.
    pub(super) fn peek(&self, asked: RequestInfo<'_>, fault: Fault) -> Option<FaultHit> {
        held(&self.script).iter().find(|s| s.strikes(asked, fault)).map(ScriptedFault::strike)
    }

    /// Lets `fault` strike this request, once.
    pub(super) fn take(&self, asked: RequestInfo<'_>, fault: Fault) -> Option<FaultHit> {
        let mut script = held(&self.script);
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

    /// For faults that belong to one place of a stand-in and need no kind of request.
    pub(super) fn hit(&self, provider: &'static str, fault: Fault) -> Option<FaultHit> {
        self.take(RequestInfo { provider, kind: "", carries_file: true }, fault)
    }

    /// The same for a fault whose word tells which of several things it spoils.
    pub(super) fn spoils(&self, provider: &'static str, fault: Fault, word: &str) -> bool {
        held(&self.script).iter().any(|s| s.provider == provider && s.fault == fault && s.word == word)
    }
}

impl ScriptedFault {
    fn strikes(&self, asked: RequestInfo<'_>, fault: Fault) -> bool {
        self.fault == fault && self.is_there(asked) && (self.skip == 0 || self.seen > self.skip) && self.left != Some(0)
    }

    fn is_there(&self, asked: RequestInfo<'_>) -> bool {
        let place = match &self.kind {
            Some(kind) => asked.kind.is_empty() || kind == asked.kind,
            None => asked.carries_file || !self.fault.is_of_the_line(),
        };
        self.provider == asked.provider && place
    }

    fn strike(&self) -> FaultHit {
        FaultHit { number: self.number, word: self.word }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_survives_a_round_trip() {
        for (text, full) in [
            ("iogates/tus-patch:cut=100000*2", "iogates/tus-patch:cut=100000*2"),
            ("giga0:429", "giga0:429=1*1"),
            ("giga0/file/upload:429=0+2", "giga0/file/upload:429=0+2*1"),
            ("iogates/tus-patch:cut=7+1*always", "iogates/tus-patch:cut=7+1*always"),
            ("iogates:only-header=token", "iogates:only-header=token*always"),
            ("fileago:html*always", "fileago:html*always"),
        ] {
            let fault: ScriptedFault = text.parse().unwrap();
            assert_eq!(fault.to_string(), full);
            assert_eq!(full.parse::<ScriptedFault>().unwrap(), fault);
            assert_eq!(serde_json::to_string(&fault).unwrap(), format!("\"{full}\""));
        }
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (text, why) in [
            ("cut=1", "begins with the provider"),
            ("dropbox:cut=1", "no stand-in \"dropbox\""),
            ("giga0:cat", "no fault \"cat\""),
            ("giga0:cut=x", "not a number"),
            ("iogates:only-header=cookie", "takes one of"),
            ("giga0:500=3", "takes no value"),
            ("giga0:tus-gone", "giga0 does not know"),
            ("giga0:500*often", "number of times"),
            ("giga0:500+some", "number of requests to skip"),
            ("giga0:500*2+1", "number of times"),
        ] {
            let error = text.parse::<ScriptedFault>().unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
            assert_eq!(error.kind(), Kind::Usage);
        }
    }

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
        assert!(faults.left().is_empty());
    }

    #[test]
    fn a_fault_may_let_some_through_first() {
        let faults = Faults::default();
        faults.script("giga0/file/info:500+2 iogates:tus-conflict+1 fileago/upload:gone+1").unwrap();
        let info = RequestInfo { provider: "giga0", kind: "file/info", carries_file: false };
        let asks = |asked| {
            faults.arrive(asked);
            // Asked for more than once, it is still one request.
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
}
