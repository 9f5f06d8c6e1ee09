//! `haul verify`: asks the provider again, on another day or machine, whether what a receipt names is still there.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;

use crate::cli::abilities::{STAT, require};
use crate::cli::connection::ConnectArgs;
use crate::cli::context::Context;
use crate::cli::receipt;
use crate::cli::receipt::ReceiptRow;
use crate::error::{Kind, Result};
use crate::model::report::Failure;
use crate::model::{Entry, Report};
use crate::render::exit;
use crate::render::units;
use crate::transfer::fingerprint::EntryFingerprint;
use crate::transfer::recorded_entries::RecordedEntries;

/// Check that the files of a receipt are still there and unchanged
///
/// Examples:
///   haul verify monday.receipt
///   haul verify --json monday.receipt | jq 'select(.status != "same")'
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct VerifyArgs {
    /// A file that `--receipt` has written
    pub receipt: PathBuf,
    #[command(flatten)]
    pub connection: ConnectArgs,
}

pub async fn run(context: &mut Context, args: VerifyArgs) -> Result<u8> {
    let lines = receipt::read(&args.receipt)?;
    let mut remotes: HashMap<String, RecordedEntries> = HashMap::new();
    let (mut same, mut changed, mut missing, mut failed) = (0, 0, 0, Vec::new());
    // The last line about a path counts, because a file may have been put there several times.
    for line in receipt::latest(lines) {
        if !remotes.contains_key(&line.remote) {
            let remote = context.open(&line.remote, args.connection)?;
            require(&remote, &STAT)?;
            remotes.insert(line.remote.clone(), RecordedEntries::new(context.client(&remote)));
        }
        let Some(asked) = remotes.get_mut(&line.remote) else { continue };
        let there = match asked.find(&line.path, line.id.as_deref()).await {
            // The row of this name can't be read, but the others can.
            Err(error) if error.kind() == Kind::Protocol => {
                failed.push(error.kind());
                context.renderer.report(&Report::Failed(Failure::new(&error).at(line.remote, line.path)));
                continue;
            }
            there => there?,
        };
        let (status, reason) = compare(&line, there.as_ref());
        match status {
            "same" => same += 1,
            "missing" => {
                missing += 1;
                failed.push(Kind::NotFound);
            }
            _ => {
                changed += 1;
                failed.push(Kind::Integrity);
            }
        }
        context.renderer.report(&Report::Verify { remote: line.remote, path: line.path, id: line.id, status, reason });
    }
    let unread = failed.len() as u64 - changed - missing;
    let rest = [(changed, "changed"), (missing, "missing"), (unread, "unreadable")];
    let rest: String = rest.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}")).collect();
    context.renderer.remark(&format!("{same} of {} the same{rest}", units::count(same + failed.len() as u64, "file")));
    Ok(exit::merge(same, &failed))
}

fn compare(line: &ReceiptRow, there: Option<&Entry>) -> (&'static str, Option<String>) {
    let Some(there) = there else { return ("missing", None) };
    let changed = |why: String| ("changed", Some(why));
    if there.is_folder() {
        return changed("a folder has this name now".to_owned());
    }
    if let Some(size) = there.size.filter(|size| *size != line.size) {
        return changed(format!("{size} bytes there, {} then", line.size));
    }
    if let (Some(now), Some(then)) = (&there.md5, &line.md5) {
        return if now.eq_ignore_ascii_case(then) { ("same", None) } else { changed("another MD5".to_owned()) };
    }
    if line.id.as_ref().is_some_and(|id| *id != there.id) {
        return changed(format!("another entry has this name: @{}", there.id));
    }
    if !EntryFingerprint::of(there).matches(&line.entry.to_string()) {
        return changed("it was changed since".to_owned());
    }
    ("same", None)
}
