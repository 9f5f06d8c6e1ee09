//! Failures of connections, servers, disks and processes.

#[cfg(unix)]
pub(crate) mod batch_killed;
#[cfg(unix)]
pub(crate) mod crash;
pub(crate) mod cyclic_folders;
pub(crate) mod errors;
pub(crate) mod get;
#[cfg(unix)]
pub(crate) mod hostile_network;
pub(crate) mod listings;
pub(crate) mod outages;
#[cfg(unix)]
pub(crate) mod power_cut;
pub(crate) mod put;
#[cfg(target_os = "linux")]
pub(crate) mod resource_limits;
#[cfg(target_os = "linux")]
pub(crate) mod suspended;
#[cfg(unix)]
pub(crate) mod sync_killed;
pub(crate) mod timeouts;
pub(crate) mod tls_trust;
pub(crate) mod tokens;
#[cfg(unix)]
pub(crate) mod unchanged;
pub(crate) mod verbs;
