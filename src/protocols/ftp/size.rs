//! The size of a file, as the server tells it.

use super::reply::Reply;
use crate::error::{Error, Kind, Result};
use crate::protocols::lenient_json::digits;

/// The answer to `SIZE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Bytes(u64),
    Absent,
    /// The server does not know the command, or refuses it.
    Unknown,
}

impl Size {
    /// True if the server tells another size than this one.
    pub fn differs_from(self, expected: u64) -> bool {
        matches!(self, Size::Bytes(held) if held != expected)
    }

    /// 550 is the answer for a file that does not exist (RFC 3659, 4).
    pub fn parse_size(reply: &Reply) -> Result<Size> {
        match reply.code {
            213 => {
                let told = reply.text.split_whitespace().nth(1).and_then(digits);
                told.map(Size::Bytes).ok_or_else(|| {
                    Error::new(Kind::Protocol, "the server's answer to SIZE makes no sense").with_status(213).with_cause(reply.to_anyhow())
                })
            }
            550 => Ok(Size::Absent),
            400..=499 => Err(reply.refusal("the question for the size")),
            _ => Ok(Size::Unknown),
        }
    }
}
