pub const NAME: &str = "ftp";

/// The kinds of requests, as the server names them.
pub const KINDS: &[&str] =
    &["ftp-connect", "ftp-size", "ftp-stor", "ftp-delete", "ftp-rename", "ftp-list", "ftp-retr", "ftp-mkd", "ftp-rmd"];
