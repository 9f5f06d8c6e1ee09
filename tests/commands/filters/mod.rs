//! `--include`, `--exclude` and their like, on all commands that work off many files.

mod remote;
