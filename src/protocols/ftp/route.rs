//! How connections reach the server: directly, or through a proxy.

use std::net::IpAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::reply;
use crate::error::{Error, Kind, Result};
use crate::protocols::proxy::{Proxy, connect};

#[derive(Clone, Debug)]
pub struct Route {
    host: String,
    pub proxy: Option<Proxy>,
    /// The address of the control connection.
    peer: Option<IpAddr>,
}

impl Route {
    /// `host` is without the brackets of an IPv6 address.
    pub fn to(host: &str, port: u16) -> Result<Route> {
        Ok(Route { host: host.to_owned(), proxy: Proxy::for_ftp(host, port)?, peer: None })
    }

    /// Data connections go to the same address as `control`, because a name may stand for several machines. Behind a proxy only
    /// the name is known.
    pub fn of_data(mut self, control: &TcpStream) -> Result<Route> {
        if self.proxy.is_none() {
            self.peer = Some(control.peer_addr().map_err(reply::connection_lost_error)?.ip());
        }
        Ok(self)
    }

    pub async fn connect(&self, port: u16, wait: Duration) -> Result<TcpStream> {
        let host = self.peer.map_or_else(|| self.host.clone(), |peer| peer.to_string());
        connect(self.proxy.as_ref(), &host, port, wait).await.map_err(unreachable)
    }

    /// Connects to that port of the server: the address in a PASV reply is often a private one.
    pub async fn dial(&self, port: u16, wait: Duration) -> Result<TcpStream> {
        self.connect(port, wait).await.map_err(|e| {
            Error::new(Kind::Unreachable, format!("the data connection to port {port} can't be made"))
                .with_cause(anyhow::anyhow!("{}", e.message()))
                .with_hint("look for a firewall that lets only the FTP port through")
        })
    }
}

/// The error of a proxy is kept as it is.
pub fn unreachable(cause: std::io::Error) -> Error {
    match cause.downcast::<Error>() {
        Ok(ours) => ours,
        Err(cause) => Error::new(Kind::Unreachable, "the server can't be reached").with_cause(cause),
    }
}
