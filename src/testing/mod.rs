//! What unit tests share: a server on loopback that answers as a function says, and input made at random.

#[cfg(test)]
pub mod server;

#[cfg(test)]
pub mod arbitrary;
