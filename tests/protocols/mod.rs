//! Single wire protocols, with real servers and with scripted ones.

#[cfg(unix)]
pub(crate) mod ftp;
#[cfg(unix)]
mod ftp_habits;
#[cfg(unix)]
pub(crate) mod ftp_proxy;
#[cfg(unix)]
pub(crate) mod ftp_remote;
#[cfg(unix)]
pub(crate) mod ftp_replies;
#[cfg(unix)]
pub(crate) mod ftp_resume;
pub(crate) mod ftp_round_trips;
pub(crate) mod http;
#[cfg(unix)]
mod real_servers;
mod tus_concat;
pub(crate) mod tus_remote;
mod tus_rules;
#[cfg(unix)]
mod url_places;
