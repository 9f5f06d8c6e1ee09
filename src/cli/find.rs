//! `haul find`: the entries below folders on a remote that fit all conditions.

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use glob::Pattern as Glob;

use super::desk::{Desk, OpenRemote};
use super::expand::name_pattern;
use super::look::{Found, Look, LookArgs};
use super::values;
use crate::error::Result;
use crate::model::{Entry, EntryKind};
use crate::render::View;
use crate::transfer::scan::Step;

/// Find files and folders on a remote, by name, kind, size and time
///
/// Examples:
///   haul find studio:/incoming --name '*.mov' --size +10G
///   haul find --json cloud: --kind file --newer 2d | jq -r .path
///
/// Conditions that are given must all hold. REMOTE:PATH itself may be among the
/// results. An entry whose size or time the provider doesn't tell fits no size
/// and no time.
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
    pub size: Option<Bound>,
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

/// `--size`, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    Above(u64),
    Below(u64),
    Exactly(u64),
}

fn bound(text: &str) -> Result<Bound, String> {
    match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => values::size(rest).map(Bound::Above),
        (_, Some(rest)) => values::size(rest).map(Bound::Below),
        _ => values::size(text).map(Bound::Exactly),
    }
}

fn since(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.to_utc());
    }
    let wrong = || format!("{text:?} is no time; write it as 2d, 12h or 2026-01-31T12:00:00Z");
    let ago = values::time(text).map_err(|_| wrong())?;
    Utc::now().checked_sub_signed(TimeDelta::from_std(ago).map_err(|_| wrong())?).ok_or_else(wrong)
}

struct Conditions {
    name: Option<Glob>,
    kind: Option<Kinds>,
    size: Option<Bound>,
    newer: Option<DateTime<Utc>>,
}

pub async fn run(desk: &mut Desk, args: FindArgs) -> Result<u8> {
    desk.show_as(View::Name, true, false);
    let conditions = Conditions { name: args.name, kind: args.kind, size: args.size, newer: args.newer };
    let mut look = Look::new(args.look);
    for Found { remote, entry } in look.find(desk, &args.places).await? {
        search(desk, &mut look, &remote, entry, &conditions).await?;
    }
    Ok(look.status())
}

async fn search(desk: &Desk, look: &mut Look, remote: &OpenRemote, top: Entry, conditions: &Conditions) -> Result<()> {
    look.count();
    if conditions.hold(&top) {
        look.show(desk, remote, top.clone());
    }
    if !top.is_folder() {
        return Ok(());
    }
    let mut scan = look.scan(desk, remote, top, |_, _| true);
    while let Some(step) = scan.next().await? {
        match step {
            Step::Entry { entry, .. } if conditions.hold(&entry) => look.show(desk, remote, entry),
            Step::Entry { .. } | Step::Left { .. } => {}
            Step::Failed { folder, error, .. } => look.failed(desk, remote, folder.path, &error),
        }
        if desk.renderer.closed() {
            break;
        }
    }
    Ok(())
}

impl Conditions {
    fn hold(&self, entry: &Entry) -> bool {
        let kind = self.kind.is_none_or(|kind| match kind {
            Kinds::File => entry.kind == EntryKind::File,
            Kinds::Folder => entry.kind == EntryKind::Folder,
        });
        let size = self.size.is_none_or(|bound| match (bound, entry.size) {
            (Bound::Above(limit), Some(size)) => size > limit,
            (Bound::Below(limit), Some(size)) => size < limit,
            (Bound::Exactly(wanted), Some(size)) => size == wanted,
            (_, None) => false,
        });
        let newer = self.newer.is_none_or(|since| entry.modified.is_some_and(|time| time > since));
        kind && size && newer && self.name.as_ref().is_none_or(|name| name.matches(&entry.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RemotePath;

    #[test]
    fn sizes_and_times_as_typed() {
        assert_eq!(bound("+10M"), Ok(Bound::Above(10 << 20)));
        assert_eq!(bound("-1K"), Ok(Bound::Below(1024)));
        assert_eq!(bound("7"), Ok(Bound::Exactly(7)));
        assert!(bound("+").is_err() && bound("--1").is_err() && bound("much").is_err());
        assert_eq!(since("2026-01-31T12:00:00+01:00").unwrap().to_rfc3339(), "2026-01-31T11:00:00+00:00");
        let ago = Utc::now() - since("2d").unwrap();
        assert!((172_799..172_860).contains(&ago.num_seconds()), "{ago}");
        for wrong in ["soon", "-2d", "0", "9999999999999y", "2026-13-01T00:00:00Z"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_told_fits_no_condition() {
        let mut entry = Entry::new(EntryKind::File, "1", RemotePath::parse("/a.mov").unwrap());
        let none = || Conditions { name: None, kind: None, size: None, newer: None };
        let below = Conditions { size: Some(Bound::Below(10)), ..none() };
        let newer = Conditions { newer: Some(DateTime::UNIX_EPOCH), ..none() };
        assert!(none().hold(&entry) && !below.hold(&entry) && !newer.hold(&entry));
        entry.size = Some(9);
        entry.modified = Some(Utc::now());
        assert!(below.hold(&entry) && newer.hold(&entry));
        let named = |pattern: &str| Conditions { name: Some(name_pattern(pattern)), ..none() }.hold(&entry);
        assert!(named("*.mov") && !named("*.MOV") && !named("mov"));
    }
}
