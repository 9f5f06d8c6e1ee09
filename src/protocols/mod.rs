//! How bytes are framed on the wire. A protocol takes endpoint, headers and metadata; it never names a provider.

pub mod ftp;
pub mod http;
pub mod lenient_json;
pub mod multipart;
pub mod plupload;
pub mod proxy;
mod socket;
pub mod tls;
pub mod tus;
