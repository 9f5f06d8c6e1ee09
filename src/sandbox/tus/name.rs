//! The name of the stand-in.

/// In scripts of faults, in counts and as a remote.
pub const NAME: &str = "tus";

/// How the requests are called, as `stand_in` names them.
pub const KINDS: &[&str] = &["tus-options", "tus-create", "tus-patch", "tus-post", "tus-head", "tus-delete"];
