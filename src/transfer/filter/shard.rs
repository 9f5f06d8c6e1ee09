//! `--shard I/N`: one machine's share of the files. The path of a file alone decides which share the file is in, by the same rule on
//! every system and in every version: the first eight bytes of the MD5 of the path, as a number with its highest byte first, modulo
//! N. Share I has the remainder I - 1. The path is relative to the source, its names divided by `/`, in UTF-8 and in Unicode's
//! composed form (NFC), because macOS decomposes names.

use std::fmt;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// Share number `index` of `of` shares, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    index: u64,
    of: u64,
}

impl Shard {
    /// Makes a share. `index` counts from 1.
    ///
    /// # Errors
    /// `Usage` where there is no such share.
    pub fn new(index: u64, of: u64) -> Result<Shard> {
        match index >= 1 && index <= of {
            true => Ok(Shard { index, of }),
            false => Err(Error::new(Kind::Usage, format!("there is no share {index} of {of}"))
                .with_hint("shares are counted from 1: --shard 1/4 to --shard 4/4")),
        }
    }

    /// Is the file at this path in the share? `path` is relative to the source, its names divided by `/`.
    pub fn holds(&self, path: &str) -> bool {
        hash(path) % self.of == self.index - 1
    }

    /// Returns the share that the variables of a job system describe. `env` reads a variable.
    ///
    /// # Errors
    /// `Usage` where no such variable is set, or where the variables describe no share.
    pub fn from_env(env: impl Fn(&str) -> Option<String>) -> Result<Shard> {
        let env = |name: &str| env(name).filter(|value| !value.trim().is_empty());
        if let Some(text) = env("HAUL_SHARD").filter(|text| text != "auto") {
            return text.parse().map_err(|e: Error| e.with_subject("HAUL_SHARD"));
        }
        let number = |name: &'static str| env(name).map(|text| parse_number(name, &text)).transpose();
        if let Some(index) = number("CI_NODE_INDEX")? {
            return within("CI_NODE_INDEX", index, number("CI_NODE_TOTAL")?, "CI_NODE_TOTAL");
        }
        if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
            let (first, step) = (number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0), number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1));
            let index = id.checked_sub(first).map(|at| at / step + 1).unwrap_or(0);
            return within("SLURM_ARRAY_TASK_ID", index, number("SLURM_ARRAY_TASK_COUNT")?, "SLURM_ARRAY_TASK_COUNT");
        }
        for name in ["JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX"] {
            if let Some(index) = number(name)? {
                return within(name, index.saturating_add(1), number("HAUL_SHARDS")?, "HAUL_SHARDS");
            }
        }
        Err(Error::new(Kind::Usage, "--shard auto finds no job index in the environment")
            .with_hint("set HAUL_SHARD=I/N, or name the share: --shard 1/4"))
    }
}

fn parse_number(name: &str, text: &str) -> Result<u64> {
    text.trim().parse().map_err(|_| Error::new(Kind::Usage, format!("{text:?} is no number")).with_subject(name))
}

fn within(name: &str, index: u64, of: Option<u64>, counted_by: &str) -> Result<Shard> {
    let Some(of) = of else {
        return Err(Error::new(Kind::Usage, format!("{name} says which share, but {counted_by} does not say of how many"))
            .with_hint(format!("set {counted_by}")));
    };
    Shard::new(index, of).map_err(|e| e.with_subject(name))
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Shard> {
        let wrong = || Error::new(Kind::Usage, format!("{text:?} is no share")).with_hint("write it as I/N, such as 1/4");
        let (index, of) = text.split_once('/').ok_or_else(wrong)?;
        let number = |part: &str| if part.bytes().all(|b| b.is_ascii_digit()) { part.parse().map_err(|_| wrong()) } else { Err(wrong()) };
        Shard::new(number(index)?, number(of)?)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

fn hash(path: &str) -> u64 {
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(path);
    let md5 = md5::compute(composed.as_bytes());
    md5.0.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `printf %s PATH | md5sum`: these numbers never change.
    #[test]
    fn the_share_of_a_path_is_the_same_everywhere() {
        for (path, md5) in [
            ("", 0xd41d_8cd9_8f00_b204_u64),
            ("a", 0x0cc1_75b9_c0f1_b6a8),
            ("a.txt", 0xa5e5_4d1f_d7bb_69a2),
            ("sub/a.txt", 0x9efd_e022_4eaf_d182),
            ("größe/ü.mov", 0x8151_2d9e_92dc_9757),
        ] {
            assert_eq!(format!("{:016x}", hash(path)), format!("{md5:016x}"), "{path}");
        }
        assert_eq!(hash("gro\u{308}ße/u\u{308}.mov"), hash("größe/ü.mov"), "decomposed, as macOS has it");
    }

    #[test]
    fn shares_as_typed() {
        assert_eq!("2/4".parse::<Shard>().unwrap().to_string(), "2/4");
        for wrong in ["0/4", "5/4", "1/0", "4", "a/b", "-1/4", "+1/4", "1/4/2", "", "1/", "1 / 4"] {
            assert_eq!(wrong.parse::<Shard>().unwrap_err().kind(), Kind::Usage, "{wrong}");
        }
    }

    fn auto(set: &[(&str, &str)]) -> std::result::Result<String, String> {
        let env = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Shard::from_env(env).map(|shard| shard.to_string()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_share_of_a_job() {
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(auto(&[("HAUL_SHARD", "2/8"), ("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "3")]), ok("2/8"));
        assert_eq!(auto(&[("CI_NODE_INDEX", "3"), ("CI_NODE_TOTAL", "3")]), ok("3/3"));
        let slurm = |id, min, count| [("SLURM_ARRAY_TASK_ID", id), ("SLURM_ARRAY_TASK_MIN", min), ("SLURM_ARRAY_TASK_COUNT", count)];
        assert_eq!(auto(&slurm("0", "0", "8")), ok("1/8"));
        assert_eq!(auto(&slurm("12", "5", "8")), ok("8/8"));
        let stepped = [&slurm("6", "0", "4")[..], &[("SLURM_ARRAY_TASK_STEP", "2")]].concat();
        assert_eq!(auto(&stepped), ok("4/4"));
        assert_eq!(auto(&[("JOB_COMPLETION_INDEX", "0"), ("HAUL_SHARDS", "5")]), ok("1/5"));
        assert_eq!(auto(&[("AWS_BATCH_JOB_ARRAY_INDEX", "4"), ("HAUL_SHARDS", "5")]), ok("5/5"));
        assert_eq!(auto(&[("HAUL_SHARD", "auto"), ("JOB_COMPLETION_INDEX", "1"), ("HAUL_SHARDS", "2")]), ok("2/2"));
    }

    #[test]
    fn a_job_that_can_not_be_read_is_refused() {
        for (set, says) in [
            (&[][..], "no job index"),
            (&[("HAUL_SHARD", "0/4")], "no share 0 of 4"),
            (&[("HAUL_SHARD", "")], "no job index"),
            (&[("CI_NODE_INDEX", "1")], "CI_NODE_TOTAL"),
            (&[("JOB_COMPLETION_INDEX", "1")], "HAUL_SHARDS"),
            (&[("JOB_COMPLETION_INDEX", "5"), ("HAUL_SHARDS", "5")], "no share 6 of 5"),
            (&[("SLURM_ARRAY_TASK_ID", "1"), ("SLURM_ARRAY_TASK_MIN", "2"), ("SLURM_ARRAY_TASK_COUNT", "3")], "no share 0 of 3"),
            (&[("SLURM_ARRAY_TASK_ID", "x")], "is no number"),
        ] {
            let error = auto(set).unwrap_err();
            assert!(error.contains(says), "{set:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn every_path_is_in_one_share(path in "\\PC{0,40}", of in 1_u64..50) {
            let holding = (1..=of).filter(|index| Shard::new(*index, of).unwrap().holds(&path)).count();
            prop_assert_eq!(holding, 1);
        }
    }
}
