//! ftps/mod
