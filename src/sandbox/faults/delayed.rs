//! Faults that wait for their turn: the n-th request from now on, whatever kind it turns out to be. So a test walks through
//! an operation request by request without knowing which they are.

use super::{Faults, RequestInfo, ScriptedFault};
use crate::error::Result;
use crate::sandbox::storage::held;

pub(crate) struct Delayed {
    /// Requests to its provider that pass first.
    skip: u64,
    fault: ScriptedFault,
}

impl Faults {
    /// Lets so many requests to the fault's provider pass. One that lasts strikes all that follow, any other the request
    /// whose turn it is, also where it is of the line and has no kind.
    ///
    /// # Errors
    /// `Kind::Usage` names what is wrong with the text.
    pub fn later(&self, requests: u64, fault: &str) -> Result<()> {
        let fault = fault.parse()?;
        held(&self.late).push(Delayed { skip: requests, fault });
        Ok(())
    }

    /// How many wait for their turn.
    pub fn waiting(&self) -> usize {
        held(&self.late).len()
    }

    /// A request has come: what has its turn now may strike it.
    pub(crate) fn turn(&self, asked: RequestInfo<'_>) {
        held(&self.late).retain_mut(|late| {
            if late.fault.provider != asked.provider {
                return true;
            }
            let Some(skip) = late.skip.checked_sub(1) else {
                if late.fault.left.is_some() {
                    late.fault.kind.get_or_insert_with(|| asked.kind.to_owned());
                }
                self.add(late.fault.clone());
                return false;
            };
            late.skip = skip;
            true
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::faults::table::Fault;

    #[test]
    fn each_strikes_when_its_turn_has_come() {
        let faults = Faults::default();
        faults.later(1, "giga0:answer-lost").unwrap();
        faults.later(2, "giga0:500*always").unwrap();
        assert!(faults.later(0, "giga0:nonsense").is_err());
        let ask = |provider, kind| RequestInfo { provider, kind, carries_file: false };
        let struck = |kind| {
            faults.turn(ask("fileago", kind));
            faults.turn(ask("giga0", kind));
            [Fault::AnswerLost, Fault::ServerError].map(|fault| faults.take(ask("giga0", kind), fault).is_some())
        };
        assert_eq!(["a", "b", "c", "d"].map(struck), [[false, false], [true, false], [false, true], [false, true]]);
        assert_eq!(faults.waiting(), 0);
    }
}
