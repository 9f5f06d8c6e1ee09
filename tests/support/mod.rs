//! What tests share: the command in a home of its own, servers, sources. No test lives here.

#[cfg(feature = "sandbox")]
pub(crate) mod command;
#[cfg(feature = "sandbox")]
pub(crate) mod env;
#[cfg(unix)]
pub(crate) mod ftp_servers;
#[cfg(unix)]
pub(crate) mod memory;
pub(crate) mod raw_http;
pub(crate) mod source;
pub(crate) mod web_servers;
