//! The source as text: layers, lengths, names, where tests lie, and what help and README say.

mod circles;
mod commands;
mod documents;
mod imports;
mod layers;
mod manual;
mod paths;
mod providers;
mod release;
mod source_tree;
