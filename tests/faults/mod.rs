//! What happens when something breaks: lines, servers, disks, processes.

#[cfg(all(unix, feature = "sandbox"))]
pub(crate) mod crash;
#[cfg(feature = "sandbox")]
pub(crate) mod cyclic_folders;
#[cfg(feature = "sandbox")]
pub(crate) mod errors;
#[cfg(feature = "sandbox")]
pub(crate) mod get;
#[cfg(all(unix, feature = "sandbox"))]
pub(crate) mod hostile_network;
#[cfg(feature = "sandbox")]
pub(crate) mod listings;
#[cfg(feature = "sandbox")]
pub(crate) mod outages;
#[cfg(feature = "sandbox")]
pub(crate) mod put;
#[cfg(all(target_os = "linux", feature = "sandbox"))]
pub(crate) mod resource_limits;
#[cfg(feature = "sandbox")]
pub(crate) mod timeouts;
#[cfg(feature = "sandbox")]
pub(crate) mod tls_trust;
#[cfg(feature = "sandbox")]
pub(crate) mod tokens;
#[cfg(all(unix, feature = "sandbox"))]
pub(crate) mod unchanged;
#[cfg(feature = "sandbox")]
pub(crate) mod verbs;
