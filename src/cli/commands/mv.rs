//! `haul mv`: move or rename on the server.

use clap::Args;

use super::cp::{IF_EXISTS, run_job};
use crate::cli::context::Context;
use crate::cli::requests::CarryArgs;
use crate::cli::transfer_args::LiteralArgs;
use crate::error::Result;
use crate::transfer::remote_ops::Op;

/// Move or rename on the server
///
/// Examples:
///   haul mv cloud:/draft.pdf cloud:/final.pdf
///   haul mv work:@trash/plan.dwg work:/plans/
///
/// TO is a folder when it ends in "/", names an existing folder, or when there
/// are several sources; missing folders are made. Otherwise TO is the new name.
///
/// From one remote to another each file streams through this machine. The original
/// is removed when its copy is complete and verified: by MD5 if both sides report
/// it, else by size. Skipped files stay; a folder is removed when it is empty.
/// After an interruption run the same command again: it resumes.
///
/// With a filter only matching files are moved, one by one, and a folder that is
/// not empty then stays.
#[derive(Args)]
#[command(verbatim_doc_comment, override_usage = "haul mv [OPTIONS] <FROM>... <TO>")]
#[command(mut_arg("if_exists", |arg| arg.help(IF_EXISTS)))]
pub struct MvArgs {
    /// Sources; and last, the target
    #[arg(required = true, value_name = "REMOTE:PATH")]
    pub places: Vec<String>,
    #[command(flatten)]
    pub literal: LiteralArgs,
    #[command(flatten)]
    pub options: CarryArgs,
}

pub async fn run(context: &mut Context, args: MvArgs) -> Result<u8> {
    let MvArgs { places, literal, options } = args;
    run_job(context, Op::Move, places, literal, options).await
}
