//! TODO

#[cfg(test)]
pub mod server;

#[cfg(test)]
pub mod arbitrary;
