//! Stand-ins of the providers and their upload protocols on loopback. They are a reading of the providers' documents
//! of their own and share no code with the clients.
//! - `handle`: starts and stops them, and tells what came in;
//! - `stand_in`: what each of them must be able to tell; `registry`, `names`: a line for each;
//! - `iogates`, `giga0`, `fileago`, `ftp`, `tus`: the stand-ins; `ftp_session`: what befalls an FTP session of any of them;
//!   `tus_headers`, `tus_append`: what TUS requests say to any of them, and how their bytes are taken in;
//! - `faults`: what they do wrong on purpose;
//! - `server`, `certificate`: the listening side, and what TLS needs;
//! - `middleware`: what every request passes before a stand-in sees the request;
//! - `options`: ports and credentials that stay, a folder that stays (`kept`); `request_log`: a line for each request;
//! - `storage`: the bytes they keep and the record of what arrived;
//! - `responses`, `random`: shapes of answers, ids and secrets.

mod certificate;
mod faults;
mod fileago;
mod ftp;
mod ftp_session;
mod giga0;
mod handle;
mod iogates;
mod kept;
mod middleware;
mod names;
mod options;
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
pub use options::{PortWish, SandboxOptions, stand_in_named};
pub use stand_in::StandIn;
pub use storage::{Arrived, Counts};
pub use tus::TusHost;
