//! Stand-ins of the providers and their upload protocols on loopback. They are written from the providers' documents and share
//! no code with the clients.
//! - `handle`: starts and stops them, and reports what arrived;
//! - `stand_in`: the interface of each stand-in; `registry`, `names`: a line for each;
//! - `iogates`, `giga0`, `fileago`, `ftp`, `tus`: the stand-ins; `ftp_session`: the FTP sessions of any of them; `tus_headers`,
//! `tus_append`: the headers and bodies of TUS requests for any of them;
//! - `faults`: the errors that they make on purpose;
//! - `server`, `certificate`: the HTTP listener, and the certificates for TLS;
//! - `middleware`: the steps of every request before its handler;
//! - `options`: fixed ports and credentials, a permanent folder (`permanent_folder`); `request_log`: a line for each request;
//! - `storage`: the stored bytes and the record of what arrived;
//! - `responses`, `random`: forms of answers, ids and secrets.

mod certificate;
mod faults;
mod fileago;
mod ftp;
mod ftp_session;
mod giga0;
mod handle;
mod iogates;
mod middleware;
mod names;
mod options;
mod permanent_folder;
mod random;
mod registry;
mod request_log;
mod responses;
mod server;
mod stand_in;
mod storage;
mod tus;
mod tus_append;
mod tus_headers;

pub use faults::table::{Fault, FaultArg, FaultDuration, FaultSpec, TABLE as FAULTS};
pub use faults::{Canned, Faults, ScriptedFault};
pub use fileago::Fileago;
pub use giga0::{Giga0, LoginKind, Package};
pub use handle::Sandbox;
pub use iogates::{FtpElsewhere, Iogates, Settings as IogatesSettings};
pub use names::{NAMES, kinds_of};
pub use options::{PortChoice, SandboxOptions, stand_in_named};
pub use stand_in::StandIn;
pub use storage::{Arrived, Counts};
pub use tus::TusHost;
