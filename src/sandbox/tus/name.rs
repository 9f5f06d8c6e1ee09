//! The name of the stand-in.

/// The stand-in's name in scripts of faults, in counts and as a remote.
pub const NAME: &str = "tus";

/// The kinds of requests, as `stand_in` names them.
pub const KINDS: &[&str] = &["tus-options", "tus-create", "tus-patch", "tus-post", "tus-head", "tus-delete"];
