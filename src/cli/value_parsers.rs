//! Values of options as they are typed: sizes, rates, times.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// As [`crate::model::byte_size::parse`].
pub fn size(text: &str) -> Result<u64, String> {
    crate::model::byte_size::parse(text)
}

/// As [`size`], but not nothing.
pub fn some_size(text: &str) -> Result<u64, String> {
    size(text).and_then(|n| if n == 0 { Err("it must be more than 0".to_owned()) } else { Ok(n) })
}

/// As [`size`], of a second: `10M`, `10MB/s`. Bits are refused: `10Mb` means another rate to each reader.
pub fn rate(text: &str) -> Result<u64, String> {
    let bare = text.trim().trim_end_matches("/s").trim_end();
    let is_of_bits = bare.ends_with('b') || ["bps", "bit", "bits"].iter().any(|end| bare.to_lowercase().ends_with(end));
    match is_of_bits && bare.starts_with(|c: char| c.is_ascii_digit()) {
        true => Err(format!("{text:?} may mean bits; write bytes a second: 10M is 10 MiB/s, 10MB is 10,000,000 B/s")),
        false => size(bare).map_err(|_| format!("{text:?} is no rate; write it as 500K, 10M or 10MB/s")),
    }
}

/// As [`rate`], but not nothing.
pub fn some_rate(text: &str) -> Result<u64, String> {
    rate(text).and_then(|n| if n == 0 { Err("it must be more than 0".to_owned()) } else { Ok(n) })
}

/// `60s`, `2m`, `1h30m`; a bare number is seconds.
pub fn time(text: &str) -> Result<Duration, String> {
    let parsed = match text.trim().parse::<u64>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text),
    };
    match parsed {
        Ok(time) if !time.is_zero() => Ok(time),
        Ok(_) => Err("it must be more than 0".to_owned()),
        Err(_) => Err(format!("{text:?} is no time; write it as 30s, 5m or 1h")),
    }
}

/// One of `words`, which completions offer and a typing error is measured against.
pub fn one_of<T, E>(words: &'static [&'static str], parse: fn(&str) -> Result<T, E>) -> impl TypedValueParser<Value = T>
where
    T: Clone + Send + Sync + 'static,
    E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
{
    PossibleValuesParser::new(words).try_map(move |word| parse(&word))
}

/// A count of at least one.
pub fn count(text: &str) -> Result<u32, String> {
    match text.trim().parse() {
        Ok(0) => Err("it must be at least 1".to_owned()),
        Ok(n) => Ok(n),
        Err(_) => Err(format!("{text:?} is no number")),
    }
}

/// Transfers at once.
pub const MAX_JOBS: u32 = 256;

/// As [`count`], up to [`MAX_JOBS`].
pub fn jobs(text: &str) -> Result<u32, String> {
    count(text).and_then(|n| if n > MAX_JOBS { Err(format!("it can be {MAX_JOBS} at most")) } else { Ok(n) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_have_a_bound() {
        assert_eq!((jobs("1"), jobs("256")), (Ok(1), Ok(256)));
        assert!(jobs("0").is_err() && jobs("257").is_err() && jobs("x").is_err());
    }

    #[test]
    fn sizes_are_binary() {
        assert_eq!(size("10M"), Ok(10 << 20));
        assert_eq!(size("1.5k"), Ok(1536));
        assert_eq!(size("10MB"), Ok(10_000_000));
        assert_eq!(size("2GiB"), Ok(2 << 30));
        assert_eq!(size("77"), Ok(77));
        assert!(size("much").is_err() && size("-1").is_err() && some_size("0").is_err());
    }

    #[test]
    fn rates_are_of_bytes() {
        assert_eq!(
            (rate("10M"), rate("10MB/s"), rate("10 MiB/s"), rate("500K/s")),
            (Ok(10 << 20), Ok(10_000_000), Ok(10 << 20), Ok(500 << 10))
        );
        for bits in ["10Mb", "10Mb/s", "10Mbps", "10mbit"] {
            assert!(rate(bits).unwrap_err().contains("may mean bits"), "{bits}");
        }
        assert!(rate("fast").unwrap_err().contains("no rate") && some_rate("0").is_err());
    }

    #[test]
    fn times_and_counts() {
        assert_eq!(time("90"), Ok(Duration::from_secs(90)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert!(time("0").is_err() && time("soon").is_err());
        assert_eq!(count("3"), Ok(3));
        assert!(count("0").is_err() && count("-1").is_err());
    }
}
