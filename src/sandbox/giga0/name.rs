//! The name of the stand-in.

/// The stand-in's name in scripts of faults, in counts and as a remote.
pub const NAME: &str = "giga0";
