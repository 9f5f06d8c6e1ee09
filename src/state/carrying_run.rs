//! A command that carries files, as it is noted while it runs.

/// A command that puts, gets, copies or moves, from its first file to its last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarryingRun {
    /// The key is the same for the same command, so that a command that is typed again replaces the killed one.
    pub key: String,
    /// The name of the target's remote, or for a download of the first source's.
    pub remote: String,
    /// The command as it is to be typed again.
    pub command: String,
    /// The number of files; none before they are counted.
    pub files: Option<u64>,
    pub done: u64,
    pub failed: u64,
    pub in_flight: u64,
    /// The time when the command began, in seconds since 1970.
    pub at: i64,
}
