//! Faults that wait for the n-th request from now on, of any kind. So a test can break an operation at each of its requests
//! without knowing which requests they are.

use super::request::RequestInfo;
use super::scripted::ScriptedFault;

pub(super) struct Delayed {
    /// The number of requests to the provider that pass first.
    pub(super) skip: u64,
    pub(super) fault: ScriptedFault,
}

impl Delayed {
    /// Counts a request; returns the fault when it is due.
    pub(super) fn tick(&mut self, asked: RequestInfo<'_>) -> Option<ScriptedFault> {
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
