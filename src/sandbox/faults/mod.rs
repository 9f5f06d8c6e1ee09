//! Scripted faults: the errors that the stand-ins make on purpose.
//! - `table`: every fault, with its name and its effect;
//! - `request`: what the faults know of a request, and the data of a fault;
//! - `scripted`: one fault of a script and its text form;
//! - `canned`: fixed answers in place of a stand-in's own;
//! - `delayed`: faults that wait for a certain request;
//! - `script`: all of them, as the servers use them.

mod canned;
mod delayed;
mod request;
mod script;
mod scripted;
pub(crate) mod table;

pub use canned::Canned;
pub(crate) use request::{FaultHit, RequestInfo};
pub use script::Faults;
pub use scripted::ScriptedFault;
