//! `haul find`: the entries below folders on a remote that fit all conditions.

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use glob::Pattern as Glob;

use crate::cli::abilities::LIST;
use crate::cli::context::{Context, Hit};
use crate::cli::file_times::{FileTimes, WithTimes};
use crate::cli::listing::{Lister, LookArgs};
use crate::cli::value_parsers;
use crate::error::{Kind, Result};
use crate::model::EntryKind;
use crate::render::View;
use crate::transfer::filter::{Conditions, SizeBound, name_pattern};
use crate::transfer::walk::{WalkEvent, is_fatal};

/// Find files and folders on a remote, by name, kind, size and time
///
/// Examples:
///   haul find studio:/incoming --name '*.mov' --size +10G
///   haul find --json cloud: --kind file --newer 2d | jq -r .path
///
/// Conditions that are given must all hold. REMOTE:PATH itself may be among the
/// results. An entry whose size or time the provider doesn't tell fits no size
/// and no time; a warning counts those that fit all else. giga0 tells a file's
/// time only when that file alone is asked for: --newer asks for each file that
/// fits all else, --jobs at once.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct FindArgs {
    /// Where to look; wildcards are taken
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    /// Names that fit a pattern of *, ? and […]
    #[arg(long, value_name = "GLOB", value_parser = |text: &str| Ok::<_, String>(name_pattern(text)))]
    pub name: Option<Glob>,
    /// Only files, or only folders
    #[arg(long, value_enum, value_name = "KIND")]
    pub kind: Option<Kinds>,
    /// Files above +10M, below -1K, or of exactly 1G
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true, value_parser = bound)]
    pub size: Option<SizeBound>,
    /// Changed less than 2d ago, or since a time as in 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub newer: Option<DateTime<Utc>>,
    #[command(flatten)]
    pub look: LookArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Kinds {
    File,
    Folder,
}

impl From<Kinds> for EntryKind {
    fn from(kind: Kinds) -> EntryKind {
        match kind {
            Kinds::File => EntryKind::File,
            Kinds::Folder => EntryKind::Folder,
        }
    }
}

fn bound(text: &str) -> Result<SizeBound, String> {
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => value_parsers::size(rest).map(SizeBound::Above),
        (_, Some(rest)) => value_parsers::size(rest).map(SizeBound::Below),
        _ => value_parsers::size(text).map(SizeBound::Exactly),
    }
}

fn since(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let wrong = || format!("{text:?} is no time; write it as 2d, 12h or 2026-01-31T12:00:00Z");
    let ago = value_parsers::time(text).map_err(|_| wrong())?;
    Utc::now().checked_sub_signed(TimeDelta::from_std(ago).map_err(|_| wrong())?).ok_or_else(wrong)
}

pub async fn run(context: &mut Context, args: FindArgs) -> Result<u8> {
    context.show_as(View::Name, true, false);
    let conditions = Conditions { name: args.name, kind: args.kind.map(EntryKind::from), size: args.size, newer: args.newer };
    let look = Lister::new(args.look, &LIST);
    let dates = FileTimes::new(look.jobs());
    let mut search = Search { context, look, dates, conditions, sizeless: 0, timeless: 0 };
    for found in search.look.find(context, &args.places).await? {
        search.below(found).await?;
    }
    for (number, what, condition) in [(search.sizeless, "size", "--size"), (search.timeless, "time", "--newer")] {
        if number > 0 {
            let entries = if number == 1 { "entry" } else { "entries" };
            context.renderer.warning(&format!("the provider tells no {what} of {number} {entries}, which {condition} left out"));
        }
    }
    Ok(search.look.status())
}

struct Search<'a> {
    context: &'a Context,
    look: Lister,
    dates: FileTimes,
    conditions: Conditions,
    /// Entries that fit all other conditions, and whose size or time nobody tells.
    sizeless: u64,
    timeless: u64,
}

impl Search<'_> {
    async fn below(&mut self, Hit { remote, entry: top }: Hit) -> Result<()> {
        self.look.count();
        self.meet(Hit { remote: remote.clone(), entry: top.clone() }).await?;
        if top.is_folder() {
            let mut scan = self.look.scan(self.context, &remote, top, |_, _| true);
            while let Some(step) = scan.next().await? {
                match step {
                    WalkEvent::Entry { entry, .. } => self.meet(Hit { remote: remote.clone(), entry }).await?,
                    WalkEvent::Left { .. } => {}
                    WalkEvent::Failed { folder, error, .. } => self.look.failed(self.context, &remote, folder.path, &error),
                }
                if self.context.renderer.closed() {
                    return Ok(());
                }
            }
        }
        while let Some(dated) = self.dates.next().await {
            self.settle(dated)?;
        }
        Ok(())
    }

    /// A time that the listing leaves out is asked for last: only where all else fits.
    async fn meet(&mut self, found: Hit) -> Result<()> {
        let entry = &found.entry;
        if !self.conditions.named(entry) || self.conditions.newer(entry) == Some(false) {
            return Ok(());
        }
        match self.conditions.sized(entry) {
            Some(true) => {}
            Some(false) => return Ok(()),
            None => {
                self.sizeless += 1;
                return Ok(());
            }
        }
        if self.conditions.newer.is_none() {
            self.look.show(self.context, &found.remote, found.entry);
            return Ok(());
        }
        match self.dates.add(self.context, found).await {
            Some(dated) => self.settle(dated),
            None => Ok(()),
        }
    }

    fn settle(&mut self, dated: WithTimes) -> Result<()> {
        match dated.entry {
            Ok(entry) => match self.conditions.newer(&entry) {
                Some(true) => self.look.show(self.context, &dated.remote, entry),
                Some(false) => {}
                None => self.timeless += 1,
            },
            Err(error) if is_fatal(error.kind()) => return Err(error),
            // It went while we looked.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => self.look.failed(self.context, &dated.remote, dated.path, &error),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_as_typed() {
        assert_eq!(bound("+10M"), Ok(SizeBound::Above(10 << 20)));
        assert_eq!(bound("-1K"), Ok(SizeBound::Below(1024)));
        assert_eq!(bound("7"), Ok(SizeBound::Exactly(7)));
        assert!(bound("+").is_err() && bound("--1").is_err() && bound("much").is_err());
        assert_eq!(since("2026-01-31T12:00:00+01:00").unwrap().to_rfc3339(), "2026-01-31T11:00:00+00:00");
        let ago = Utc::now() - since("2d").unwrap();
        assert!((172_799..172_860).contains(&ago.num_seconds()), "{ago}");
        for wrong in ["soon", "-2d", "0", "9999999999999y", "2026-13-01T00:00:00Z"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
