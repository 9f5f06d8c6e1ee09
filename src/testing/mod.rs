//! TODO

#[cfg(test)]
pub mod arbitrary;
