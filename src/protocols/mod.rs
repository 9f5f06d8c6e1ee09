//! How bytes are framed on the wire. A protocol takes endpoint, headers and metadata; it never names a provider.

mod cookies;
pub mod ftps;
pub mod http;
pub mod long;
pub mod loose;
pub mod multipart;
pub mod plupload;
pub mod proxy;
pub mod range;
pub mod reply;
mod reuse;
pub mod rows;
#[cfg(test)]
pub mod scripted;
mod socket;
pub mod tls;
pub mod tus;
mod via;
mod words;
