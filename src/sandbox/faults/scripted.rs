//! One scripted fault. Its text form is one word for a command line and for tests:
//! `PROVIDER[/KIND]:FAULT[=VALUE][+SKIP][*TIMES]`, for example `iogates/tus-patch:cut=100000*2`, `giga0:429=1`, or
//! `iogates/tus-patch:answer-lost+2` for the third PATCH.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::request::{FaultHit, RequestInfo};
use super::table::{Fault, FaultArg, FaultDuration, TABLE};
use crate::error::{Error, Kind, Result};
use crate::sandbox::names::{NAMES, kinds_of, nearest};

/// A fault, with its place and the number of times.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScriptedFault {
    pub(super) provider: &'static str,
    /// One kind of request, named as in `Counts::requests`; none: every kind that suits the fault.
    pub(super) kind: Option<String>,
    pub(super) fault: Fault,
    number: u64,
    pub(super) word: &'static str,
    /// The number of requests (or, for a fault of one place of a stand-in, of occasions) that are let through first.
    pub(super) skip: u64,
    /// The number of requests so far that the fault could have struck.
    pub(super) seen: u64,
    /// How often the fault still strikes; none: always.
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
        let provider = match NAMES.iter().copied().find(|p| *p == provider) {
            Some(provider) => provider,
            None => return Err(unknown_word_error(wrong(format!("there is no stand-in {provider:?}")), provider, NAMES)),
        };
        if let Some(kind) = kind.as_deref().filter(|kind| !kinds_of(provider).contains(kind)) {
            return Err(unknown_word_error(wrong(format!("{provider} has no requests of the kind {kind:?}")), kind, kinds_of(provider)));
        }
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
        let Some(row) = TABLE.iter().find(|r| r.name == name) else {
            let known: Vec<&str> = TABLE.iter().filter(|row| row.by.contains(&provider)).map(|row| row.name).collect();
            return Err(unknown_word_error(wrong(format!("there is no fault {name:?}")), name, &known));
        };
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

/// Adds the most similar of the known names to the hint, else all of them.
fn unknown_word_error(error: Error, typed: &str, known: &[&str]) -> Error {
    match nearest(typed, known.iter().copied()) {
        Some(near) => error.with_hint(format!("write {near}; `haul sandbox --fault help` lists them all")),
        None => error.with_hint(format!("use one of {}; `haul sandbox --fault help` tells what they do", known.join(", "))),
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

impl ScriptedFault {
    pub(super) fn strikes(&self, asked: RequestInfo<'_>, fault: Fault) -> bool {
        self.fault == fault && self.is_there(asked) && (self.skip == 0 || self.seen > self.skip) && self.left != Some(0)
    }

    pub(super) fn is_there(&self, asked: RequestInfo<'_>) -> bool {
        let place = match &self.kind {
            Some(kind) => asked.kind.is_empty() || kind == asked.kind,
            None => asked.carries_file || !self.fault.is_of_the_line(),
        };
        self.provider == asked.provider && place
    }

    pub(super) fn strike(&self) -> FaultHit {
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
            ("iogates/tus-pacth:500", "no requests of the kind \"tus-pacth\""),
        ] {
            let error = text.parse::<ScriptedFault>().unwrap_err();
            assert!(error.message().contains(why), "{text}: {error}");
            assert_eq!(error.kind(), Kind::Usage);
        }
    }
}
