//! The stand-ins, one line each; their names are in [`super::names`].

use super::stand_in::Start;
use super::{fileago, ftp, giga0, iogates, tus};

pub const STAND_INS: &[Start] = &[iogates::start, giga0::start, fileago::start, ftp::start, tus::start];
