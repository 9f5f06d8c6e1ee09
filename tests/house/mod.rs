//! The source as text: layers, lengths, names, and what help and README say.

mod circles;
mod documents;
mod layers;
mod manual;
#[allow(dead_code)]
mod source_tree;
