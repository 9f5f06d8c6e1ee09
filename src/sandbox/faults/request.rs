//! What passes between a request and the faults: how the faults see a request, and what a fault brings along.

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
