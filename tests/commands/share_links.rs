//! What ioGates alone has, as a user runs it against the sandbox: comments, codes by SMS, shares, attributes, entries
//! made together, and the spellings that its documents leave open.

mod access;
mod answer_variants;
mod batches;
mod comments;

use crate::support::env::Play;

/// A sandbox that also knows `shared`: the share's link in place of a user.
fn play() -> Play {
    let mut play = Play::new();
    let key = |key: &str| format!("HAUL_REMOTE_SHARED_{key}");
    let ca = play.sandbox.env().into_iter().find(|(name, _)| name == "HAUL_REMOTE_IOGATES_CA_FILE").unwrap().1;
    let share = play.sandbox.iogates().share_url().to_owned();
    play.home = play.home.env([(key("PROVIDER"), "iogates".to_owned()), (key("SHARE_URL"), share), (key("CA_FILE"), ca)]);
    play
}

/// Requests of one kind that the ioGates stand-in got so far.
fn asked(play: &Play, kind: &str) -> u64 {
    play.sandbox.counts().requests("iogates", kind)
}

fn script(play: &Play, faults: &str) {
    play.sandbox.faults().script(faults).unwrap();
}
