//! Faults that wait for their turn: the n-th request from now on, whatever kind it turns out to be. So a test walks through
//! an operation request by request without knowing which they are.

use super::request::RequestInfo;
use super::scripted::ScriptedFault;

pub(super) struct Delayed {
    /// Requests to its provider that pass first.
    pub(super) skip: u64,
    pub(super) fault: ScriptedFault,
}

impl Delayed {
    /// A request has come: the fault, when its turn has come too.
    pub(super) fn turn(&mut self, asked: RequestInfo<'_>) -> Option<ScriptedFault> {
        if self.fault.provider != asked.provider {
            return None;
        }
        if let Some(skip) = self.skip.checked_sub(1) {
            self.skip = skip;
            return None;
        }
        let mut fault = self.fault.clone();
        if fault.left.is_some() {
            fault.kind.get_or_insert_with(|| asked.kind.to_owned());
        }
        Some(fault)
    }
}
