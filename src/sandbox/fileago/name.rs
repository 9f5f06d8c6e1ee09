//! The name of the stand-in.

/// The stand-in's name in scripts of faults, in counts and as a remote.
pub const NAME: &str = "fileago";

/// The kinds of requests, as `routes` names them.
pub const KINDS: &[&str] =
    &["sign-in", "groups", "details", "change", "delete", "dirlist", "path", "myaccess", "upload-token", "upload", "download"];
