//! The options of a sandbox: fixed ports and credentials, a permanent folder, a log of requests.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use super::names::{NAMES, nearest};
use crate::error::{Error, Kind, Result};

/// See [`super::Sandbox::start_with`]. Every field is optional.
#[derive(Default)]
pub struct SandboxOptions {
    /// The ports to use.
    pub ports: Vec<PortChoice>,
    /// Every password and token is one fixed word.
    pub fixed_credentials: bool,
    /// A folder with a subfolder for each remote: the files in it are on the remotes from the start, and the files of the
    /// remotes are written to it at the end.
    pub data: Option<PathBuf>,
    /// The file that gets a JSON line for each request.
    pub log: Option<File>,
}

/// What `--fixed-credentials` sets. No message of haul contains this word: haul would mask the message.
const FIXED_SECRET: &str = "open-sesame";

/// `8000` for the first stand-in, and the following ports for the next ones; or `giga0=8001` for one of them.
#[derive(Clone, Debug, PartialEq)]
pub enum PortChoice {
    From(u16),
    Of(&'static str, u16),
}

impl FromStr for PortChoice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: String| Error::new(Kind::Usage, why).with_hint("write a number, or REMOTE=NUMBER");
        let number = |text: &str| match text.parse() {
            Ok(port @ 1..) => Ok(port),
            _ => Err(wrong(format!("{text:?} is not a port"))),
        };
        match text.split_once('=') {
            Some((name, port)) => Ok(PortChoice::Of(stand_in_named(name)?, number(port)?)),
            None => Ok(PortChoice::From(number(text)?)),
        }
    }
}

/// The stand-in's name as a static text.
///
/// # Errors
/// `Kind::Usage` for an unknown name.
pub fn stand_in_named(name: &str) -> Result<&'static str> {
    NAMES.iter().copied().find(|known| *known == name).ok_or_else(|| {
        let error = Error::new(Kind::Usage, format!("there is no stand-in {name:?}"));
        match nearest(name, NAMES.iter().copied()) {
            Some(near) => error.with_hint(format!("write {near}")),
            None => error.with_hint(format!("use {}", NAMES.join(", "))),
        }
    })
}

impl SandboxOptions {
    /// The port of a stand-in; 0 for any. The FTP server of ioGates, which needs a second port, takes the last one.
    pub(super) fn port(&self, name: &str) -> u16 {
        let position = NAMES.iter().position(|known| *known == name).unwrap_or(NAMES.len());
        let wished = self.ports.iter().rev().find_map(|wish| match wish {
            PortChoice::Of(of, port) => (*of == name).then_some(*port),
            PortChoice::From(first) => Some(first.saturating_add(u16::try_from(position).unwrap_or(0))),
        });
        wished.unwrap_or(0)
    }

    /// A password or token: `random`, or the fixed one.
    pub(super) fn secret(&self, random: String) -> String {
        if self.fixed_credentials { FIXED_SECRET.to_owned() } else { random }
    }
}

/// A port of 127.0.0.1 that listens; 0 for any.
pub(super) async fn listen(port: u16) -> Result<tokio::net::TcpListener> {
    tokio::net::TcpListener::bind(at(port)).await.map_err(|e| port_in_use(port, e))
}

pub(super) fn at(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

pub(super) fn port_in_use(port: u16, cause: io::Error) -> Error {
    match port {
        0 => Error::new(Kind::Local, "no port of 127.0.0.1 is to be had").with_cause(cause),
        _ => Error::new(Kind::Local, format!("port {port} of 127.0.0.1 can't be had"))
            .with_cause(cause)
            .with_hint("choose another with --port"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_wished_for_in_a_row_and_by_name() {
        let options = |wishes: &[&str]| SandboxOptions {
            ports: wishes.iter().map(|wish| wish.parse().unwrap()).collect(),
            ..SandboxOptions::default()
        };
        let all = options(&["8000", "giga0=9000"]);
        assert_eq!([all.port(NAMES[0]), all.port("giga0"), all.port(NAMES[2]), all.port("its ftp")], [8000, 9000, 8002, 8005]);
        assert_eq!([options(&["giga0=9000"]).port("giga0"), options(&["giga0=9000"]).port("tus")], [9000, 0]);
        for (text, why) in [("0", "is not a port"), ("x", "is not a port"), ("giga0=70000", "is not a port"), ("gigao=1", "write giga0")] {
            let error = text.parse::<PortChoice>().unwrap_err();
            assert!(error.kind() == Kind::Usage && error.to_string().contains(why), "{text}: {error}");
        }
    }
}
