//! The interface between a request and the faults: what the faults know of the request, and the data of a fault.

/// The data of a fault that strikes.
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
    /// True if the body contains a file's bytes. Faults of the connection without a kind strike only such requests.
    pub carries_file: bool,
}
