//! The name of the stand-in.

/// In scripts of faults, in counts and as a remote.
pub const NAME: &str = "tus";
