//! The name of the stand-in.

/// The stand-in's name in scripts of faults, in counts and as a remote.
pub const NAME: &str = "giga0";

/// The kinds of requests, as `routes` names them.
pub const KINDS: &[&str] = &[
    "authorize",
    "disable_access_token",
    "account/info",
    "account/package",
    "file/upload",
    "file/download",
    "file/url_upload_add",
    "file/url_upload_status",
    "file/info",
    "file/edit",
    "file/delete",
    "file/move",
    "file/copy",
    "folder/create",
    "folder/listing",
    "folder/info",
    "folder/edit",
    "folder/delete",
    "folder/move",
    "download",
];
