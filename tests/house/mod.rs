//! Checks of the source as text: layers, lengths, names, places of tests, and the texts of help and README.

mod circles;
mod commands;
mod documents;
mod function_names;
mod imports;
mod layers;
mod manual;
mod paths;
mod providers;
mod release;
mod source_tree;
mod type_names;
