//! The name of the stand-in.

/// The stand-in's name in scripts of faults, in counts and as a remote.
pub const NAME: &str = "iogates";

/// The kinds of requests, as `routes` and `ftp` name them.
pub const KINDS: &[&str] = &[
    "sign-in",
    "auth-info",
    "two-factor",
    "file-create",
    "file",
    "comments",
    "files-create",
    "files",
    "comment",
    "share",
    "download",
    "plupload",
    "tus-options",
    "tus-create",
    "tus-patch",
    "tus-post",
    "tus-head",
    "tus-delete",
    "ftp-connect",
    "ftp-size",
    "ftp-stor",
    "ftp-delete",
    "ftp-rename",
];
