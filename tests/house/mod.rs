//! The source as text: layers, lengths, names, and what help and README say.

mod circles;
mod documents;
mod layers;
#[cfg(feature = "sandbox")]
mod manual;
#[allow(dead_code)]
mod source_tree;
