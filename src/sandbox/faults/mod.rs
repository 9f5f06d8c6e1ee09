//! Scripted faults: what the stand-ins do wrong on purpose.
//! - `table`: every fault, with its name and what the fault does;
//! - `request`: how the faults see a request, and what a fault brings along;
//! - `scripted`: one fault of a script and its text form;
//! - `canned`: answers in place of a stand-in's own;
//! - `delayed`: faults that wait for their turn;
//! - `script`: all of them, as the servers ask for them.

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
