//! Chooses the files of a command.
//! - [`Filter`]: decides for all commands, by rules, size, time, depth, share and list;
//! - `rules`: `--include`, `--exclude` and files of patterns; `gitignore`, `ignore_files`: how
//!   and where these are read; `listed`: the list of a sync; `shard`: one machine's share;
//! - [`RemoteFilter`], [`FilteredWalk`]: the filter for files on a remote, whose listings may lack times;
//! - `pattern`: paths with wildcards; `conditions`: the conditions of `find` beside the filter.

mod conditions;
mod decide;
mod gitignore;
mod ignore_files;
mod listed;
mod pattern;
mod remote;
mod rules;
mod shard;

pub(crate) use self::conditions::{Conditions, NamePattern, SizeBound};
pub use self::decide::{Candidate, Filter, FilterDecision, FilterSpec};
pub use self::listed::PathList;
pub(crate) use self::pattern::{PathPattern, is_pattern};
pub(crate) use self::remote::{FilteredStep, FilteredWalk, RemoteFilter};
pub use self::rules::RuleOption;
pub use self::shard::Shard;
