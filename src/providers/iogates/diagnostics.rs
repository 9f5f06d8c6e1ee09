//! The checks of `remote check`: is the server there, and does each upload protocol accept us? They make nothing on the server.

use super::remote::IoGates;
use super::upload::methods::Method;
use crate::contract::{Error, Kind, Result};
use crate::model::Protocol;
use crate::protocols::ftp;
use crate::protocols::ftp::{FtpTarget, Security};
use crate::protocols::http::host_of;

pub async fn origin(host: &IoGates) -> Result<String> {
    Ok(host.api.access().await?.origin.origin().ascii_serialization())
}

pub async fn reach(host: &IoGates) -> Result<String> {
    host.api.http.reach(&host.api.access().await?.origin).await
}

pub async fn probe(host: &IoGates, protocol: Protocol) -> Result<String> {
    let offers = host.api.offers().await?;
    let offer = offers.find(protocol).ok_or_else(|| Error::new(Kind::Unsupported, format!("the server does not offer {protocol}")))?;
    match &offer.way {
        Method::Tus { endpoint: url, .. } | Method::Plupload { url, .. } => {
            host.api.http.reach(url).await.map_err(|e| e.with_subject(host_of(url)))
        }
        Method::Ftp(server) => {
            // Opening the session signs in. Without a byte and without `finish` no file is made.
            let target = FtpTarget { name: "haul-check".to_owned(), ..FtpTarget::default() };
            ftp::open(&host.pools.of(server), target).await?;
            let how = match server.security {
                Security::Implicit => "implicit TLS",
                Security::Explicit => "explicit TLS",
                Security::Plain => "no TLS",
            };
            Ok(format!("{}:{} lets us in ({how})", server.host, server.port))
        }
    }
}
