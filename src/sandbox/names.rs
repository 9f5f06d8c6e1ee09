//! The names of the stand-ins, in the order of [`super::registry::STAND_INS`].

pub const NAMES: &[&str] = &[super::iogates::NAME, super::giga0::NAME, super::fileago::NAME, super::ftp::NAME, super::tus::NAME];
