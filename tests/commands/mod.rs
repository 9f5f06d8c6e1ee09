//! What each command does when all goes well.

#[cfg(feature = "sandbox")]
pub(crate) mod cross_remote;
#[cfg(all(unix, feature = "sandbox"))]
pub(crate) mod dry_run;
#[cfg(feature = "sandbox")]
pub(crate) mod get;
#[cfg(feature = "sandbox")]
pub(crate) mod get_named;
#[cfg(feature = "sandbox")]
pub(crate) mod listing;
#[cfg(feature = "sandbox")]
pub(crate) mod media;
#[cfg(feature = "sandbox")]
pub(crate) mod ops;
#[cfg(feature = "sandbox")]
pub(crate) mod output;
#[cfg(all(unix, feature = "sandbox"))]
pub(crate) mod prompts;
#[cfg(feature = "sandbox")]
pub(crate) mod put;
#[cfg(feature = "sandbox")]
pub(crate) mod receipts;
#[cfg(feature = "sandbox")]
pub(crate) mod remote;
#[cfg(all(unix, feature = "sandbox"))]
pub(crate) mod transfers;
