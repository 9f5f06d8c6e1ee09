//! A command that carries files, as it is noted while it runs.

/// A command that puts, gets, copies or moves, from its first file to its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarryingRun {
    /// The same for the same command, so that one that is typed again takes the place of the one that was killed.
    pub key: String,
    /// The remote's name: that of the target, of a download the first source's.
    pub remote: String,
    /// What is to be typed again, as text.
    pub command: String,
    /// None before they are counted.
    pub files: Option<u64>,
    pub done: u64,
    pub failed: u64,
    pub in_flight: u64,
    /// When it began, in seconds since 1970.
    pub at: i64,
}
