//! The protocols on the wire. A protocol takes endpoint, headers and metadata; it knows no provider.

pub mod ftp;
pub mod http;
pub mod lenient_json;
pub mod multipart;
pub mod plupload;
pub mod proxy;
mod socket;
pub mod tls;
pub mod tus;
