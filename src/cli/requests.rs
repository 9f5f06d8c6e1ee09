//! What the commands that carry files are asked to do, as values: made of a command line, or of the note of a command that
//! was killed.

use clap::Args;

use super::filter_args::SelectionArgs;
use super::list_args::ListArgs;
use super::receipt::ReceiptArgs;
use super::transfer_args::{MetadataArgs, TransferArgs};
use crate::model::Address;
use crate::transfer::remote_ops::Op;

/// The options that put, get, cp, mv and sync have in common.
#[derive(Args, Clone)]
pub struct CarryArgs {
    #[command(flatten)]
    pub receipts: ReceiptArgs,
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub list: ListArgs,
    #[command(flatten)]
    pub transfer: TransferArgs,
}

pub struct PutRequest {
    /// Local files and folders, or `-` for standard input.
    pub sources: Vec<String>,
    pub target: Address,
    /// Bytes that standard input is said to have.
    pub stdin_size: Option<u64>,
    pub metadata: MetadataArgs,
    pub options: CarryArgs,
}

pub struct GetRequest {
    pub sources: Vec<Address>,
    /// Where the files go, or `-` for standard output.
    pub local: String,
    /// `*`, `?` and `[` in the paths of the sources are no wildcards.
    pub literal: bool,
    pub options: CarryArgs,
}

/// Of `cp` and `mv`.
pub struct CopyRequest {
    pub way: Op,
    pub from: Vec<Address>,
    pub to: Address,
    /// `*`, `?` and `[` in the paths of the sources are no wildcards.
    pub literal: bool,
    pub options: CarryArgs,
}
