//! The options that all verbs which carry files share, and what they lead to.

use std::str::FromStr;
use std::sync::Arc;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::{Deserialize, Serialize};

use super::abilities::{METADATA, require};
use super::connection::ConnectArgs;
use super::context::OpenRemote;
use super::value_parsers;
use crate::contract::{Events, Metadata};
use crate::error::{Error, Kind, Result};
use crate::model::Protocol;
use crate::transfer::filter::Filter;
use crate::transfer::get::GetOptions;
use crate::transfer::put::{ChecksumMode, PutOptions};
use crate::transfer::rate_limit::RateLimiter;
use crate::transfer::{IfExists, RemoteClient, RetryPolicy};

/// What a provider keeps about a file besides its bytes (ioGates).
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Metadata")]
pub struct MetadataArgs {
    /// An attribute for every file, if the provider has attributes; can be repeated
    #[arg(long, value_name = "NAME=VALUE", env = "HAUL_ATTR", value_parser = attribute)]
    pub attr: Vec<(String, String)>,
    /// A MIME type, or movie, audio, image or other; from the file's name unless given
    #[arg(long = "type", value_name = "T", env = "HAUL_TYPE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub kind: Option<String>,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

impl MetadataArgs {
    /// Fails with `Unsupported` when `remote` would not keep it.
    pub fn for_remote(self, remote: &OpenRemote) -> Result<Arc<Metadata>> {
        let metadata = Metadata { kind: self.kind, attributes: self.attr };
        if !metadata.is_empty() {
            require(remote, &METADATA)?;
        }
        Ok(Arc::new(metadata))
    }
}

/// Options of all transfers.
#[derive(Args, Clone)]
#[command(next_help_heading = "Transfer")]
pub struct TransferArgs {
    /// Files at the same time; fewer if the account allows fewer, or the server is busy
    #[arg(short, long, value_name = "N", default_value = "8", env = "HAUL_JOBS", value_parser = value_parsers::jobs)]
    pub jobs: u32,
    /// Connections for one large file, if the protocol supports that
    #[arg(long, value_name = "N", default_value = "1", env = "HAUL_STREAMS", value_parser = value_parsers::jobs)]
    pub streams: u32,
    #[arg(long, value_name = "P", default_value = "auto", env = "HAUL_PROTOCOL", hide_possible_values = true, help = protocol_help(), value_parser = protocols())]
    pub protocol: AnyProtocol,
    /// Bytes in one request, at most what the server allows
    #[arg(long, value_name = "SIZE", env = "HAUL_CHUNK_SIZE", value_parser = value_parsers::some_size)]
    pub chunk_size: Option<u64>,
    /// update (replace unless provably the same), replace, skip, rename or fail [default: update]
    #[arg(long, value_name = "P", env = "HAUL_IF_EXISTS", hide_possible_values = true, value_parser = value_parsers::one_of(IF_EXISTS, if_exists))]
    pub if_exists: Option<IfExists>,
    /// MD5: before the first byte, after the last, auto or none
    #[arg(long, value_name = "M", default_value = "auto", env = "HAUL_CHECKSUM", hide_possible_values = true, value_parser = value_parsers::one_of(CHECKSUM, checksum))]
    pub checksum: ChecksumMode,
    /// Limit of all transfers together, in bytes a second; 10M is 10 MiB
    #[arg(long, value_name = "RATE", env = "HAUL_BWLIMIT", value_parser = value_parsers::some_rate)]
    pub bwlimit: Option<u64>,
    #[command(flatten)]
    pub connection: ConnectArgs,
    /// A transfer slower than this for a minute is cut and resumed
    #[arg(long, value_name = "RATE", default_value = "1K", env = "HAUL_MIN_RATE", value_parser = value_parsers::rate)]
    pub min_rate: u64,
    /// Show what would be done, and do nothing
    #[arg(short = 'n', long, env = "HAUL_DRY_RUN", value_parser = clap::builder::BoolishValueParser::new())]
    pub dry_run: bool,
    /// Stop at the first failed file
    #[arg(long, env = "HAUL_FAIL_FAST", value_parser = clap::builder::BoolishValueParser::new())]
    pub fail_fast: bool,
}

/// Wildcards in the places of a command, or none.
#[derive(Args, Clone)]
pub struct LiteralArgs {
    /// Don't expand *, ? and [ in paths
    #[arg(long, env = "HAUL_LITERAL", value_parser = clap::builder::BoolishValueParser::new())]
    pub literal: bool,
}

impl TransferArgs {
    /// For a put to `remote`, or a copy to it.
    pub fn put_options(&self, remote: &OpenRemote, filter: &Arc<Filter>) -> Result<PutOptions> {
        Ok(PutOptions {
            if_exists: self.if_exists.unwrap_or(IfExists::Update),
            size_only: false,
            checksum: self.checksum,
            protocol: remote.protocol(self.protocol.0)?,
            chunk_size: self.chunk_size,
            streams: self.streams as usize,
            copies_on_server: false,
            jobs: self.jobs as usize,
            dry_run: self.dry_run,
            fail_fast: self.fail_fast,
            stdin_size: None,
            metadata: Arc::default(),
            filter: filter.clone(),
        })
    }

    pub fn get_options(&self, filter: &Arc<Filter>) -> GetOptions {
        GetOptions {
            several: false,
            if_exists: self.if_exists.unwrap_or(IfExists::Update),
            size_only: false,
            checksum: self.checksum,
            jobs: self.jobs as usize,
            streams: self.streams as usize,
            dry_run: self.dry_run,
            fail_fast: self.fail_fast,
            filter: filter.clone(),
        }
    }
}

/// What a sync may do besides bringing files.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[command(next_help_heading = "Sync")]
pub struct SyncOptionArgs {
    /// Delete at TO what FROM lacks; after all files have arrived
    #[arg(long, env = "HAUL_DELETE", value_parser = clap::builder::BoolishValueParser::new())]
    pub delete: bool,
    /// Delete nothing if more than N files would be deleted [default: half of the files at TO]
    #[arg(long, value_name = "N", env = "HAUL_MAX_DELETE")]
    pub max_delete: Option<u64>,
    /// Move files at TO that were moved or renamed at FROM, if the content is provably the same
    #[arg(long, env = "HAUL_TRACK_RENAMES", value_parser = clap::builder::BoolishValueParser::new())]
    pub track_renames: bool,
    /// Treat files of equal size as equal
    #[arg(long, env = "HAUL_SIZE_ONLY", value_parser = clap::builder::BoolishValueParser::new())]
    pub size_only: bool,
}

fn protocols() -> impl TypedValueParser<Value = AnyProtocol> {
    let names = std::iter::once("auto").chain(Protocol::UPLOADS.map(Protocol::name));
    PossibleValuesParser::new(names.collect::<Vec<_>>()).try_map(|word| protocol(&word))
}

fn protocol_help() -> String {
    format!("auto, {}; auto takes the best one that works", Protocol::upload_names(" or "))
}

const IF_EXISTS: &[&str] = &["update", "replace", "skip", "rename", "fail"];
const CHECKSUM: &[&str] = &["auto", "before", "after", "none"];

/// `--protocol`: none = auto.
#[derive(Clone, Copy, Debug)]
pub struct AnyProtocol(pub Option<Protocol>);

fn protocol(text: &str) -> Result<AnyProtocol> {
    match text {
        "auto" => Ok(AnyProtocol(None)),
        other => Protocol::from_str(other).map(|p| AnyProtocol(Some(p))),
    }
}

fn if_exists(text: &str) -> Result<IfExists> {
    text.parse()
}

fn checksum(text: &str) -> Result<ChecksumMode, String> {
    Ok(match text {
        "auto" => ChecksumMode::Auto,
        "before" => ChecksumMode::Before,
        "after" => ChecksumMode::After,
        "none" => ChecksumMode::None,
        _ => return Err("use auto, before, after or none".to_owned()),
    })
}

pub(crate) fn transfer_client(args: &TransferArgs, remote: &OpenRemote, events: Events) -> RemoteClient {
    let ConnectArgs { retries: tries, timeout } = args.connection;
    let policy = RetryPolicy { tries, timeout, min_rate: args.min_rate };
    let limit = args.bwlimit.map(|rate| Arc::new(RateLimiter::new(rate)));
    let client = RemoteClient::new(remote.name.clone(), remote.provider.clone(), policy, events);
    client.with_limit(limit).with_learned(remote.learned_names())
}

/// The last place is the target. `usage`: how the command is written.
pub(crate) fn from_and_to<'a>(places: &'a [String], usage: &str) -> Result<(&'a [String], &'a str)> {
    match places.split_last() {
        Some((target, sources)) if !sources.is_empty() => Ok((sources, target)),
        _ => Err(Error::new(Kind::Usage, "a source and a target are needed").with_hint(format!("write it as haul {usage}"))),
    }
}
