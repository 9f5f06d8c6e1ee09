//! Which files are meant.
//! - [`Filter`]: the one decider of all commands, by rules, size, time, depth and share;
//! - `rules`: `--include`, `--exclude` and files of patterns; `gitignore`, `ignore_files`: how
//!   and where these are read; `shard`: one machine's share;
//! - [`RemoteFilter`], [`FilteredWalk`]: the filter over what lies on a remote, whose listings may lack times;
//! - `pattern`: paths with wildcards; `conditions`: what `find` asks beside the filter.

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
