pub const NAME: &str = "ftp";
