//! Numbers in a form for people: sizes in IEC units, durations, rates, local times.

use std::fmt::Display;
use std::time::Duration;

use bytesize::ByteSize;
use chrono::{DateTime, TimeZone, Utc};

/// `3.4 GiB`.
pub fn size(bytes: u64) -> String {
    ByteSize::b(bytes).display().iec().to_string()
}

/// `43.0 MiB/s`; `-` when the rate is not known.
pub(crate) fn rate(bytes_per_second: f64) -> String {
    match bytes_per_second.is_finite() && bytes_per_second >= 0.0 {
        true => format!("{}/s", size(bytes_per_second as u64)),
        false => "-".to_owned(),
    }
}

/// `2.3s`, `52s`, `1m20s`, `1day2h`: only the two largest units. `-` for an invalid duration.
pub(crate) fn span(seconds: f64) -> String {
    if (0.0..9.95).contains(&seconds) {
        return format!("{seconds:.1}s");
    }
    match Duration::try_from_secs_f64(seconds.round()) {
        Ok(span) => humantime::format_duration(span).to_string().split(' ').take(2).collect(),
        Err(_) => "-".to_owned(),
    }
}

/// `1 file`, `12 files`.
pub fn count(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// To the minute, in the reader's time zone; `-` when the provider reports no time.
pub(crate) fn moment<Z: TimeZone>(time: Option<DateTime<Utc>>, zone: &Z) -> String
where
    Z::Offset: Display,
{
    match time {
        Some(time) => time.with_timezone(zone).format("%Y-%m-%d %H:%M").to_string(),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::FixedOffset;

    #[test]
    fn sizes_have_one_decimal_and_iec_units() {
        let told = [0, 1023, 1024, 3_650_722_201, u64::MAX].map(size);
        assert_eq!(told, ["0 B", "1023 B", "1.0 KiB", "3.4 GiB", "16.0 EiB"]);
    }

    #[test]
    fn spans_are_short() {
        let told = [0.04, 2.34, 9.96, 52.4, 80.0, 3600.0, 93_784.0, -1.0, f64::NAN, f64::INFINITY, 1e300].map(span);
        assert_eq!(told, ["0.0s", "2.3s", "10s", "52s", "1m20s", "1h", "1day2h", "-", "-", "-", "-"]);
    }

    #[test]
    fn rates_and_counts() {
        assert_eq!(rate(45_088_768.9), "43.0 MiB/s");
        assert_eq!(rate(f64::INFINITY), "-");
        assert_eq!((count(1, "file"), count(0, "file")), ("1 file".to_owned(), "0 files".to_owned()));
    }

    #[test]
    fn times_are_local() {
        let zone = FixedOffset::east_opt(2 * 3600).unwrap();
        let time = DateTime::parse_from_rfc3339("2026-10-01T23:30:10Z").unwrap().with_timezone(&Utc);
        assert_eq!(moment(Some(time), &zone), "2026-10-02 01:30");
        assert_eq!(moment(None, &zone), "-");
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::arbitrary;

    proptest! {
        #![proptest_config(arbitrary::config())]

        #[test]
        fn any_number_has_its_words(bytes in any::<u64>(), float in any::<f64>(), ms in any::<i64>()) {
            let time = DateTime::from_timestamp_millis(ms);
            let shown = [size(bytes), rate(float), span(float), moment(time, &chrono::Local), moment(time, &chrono::FixedOffset::east_opt(86_399).unwrap())];
            for shown in shown {
                prop_assert!(!shown.is_empty() && shown.len() < 60, "{shown}");
            }
        }

        #[test]
        fn the_ends_of_time_can_be_shown(seconds in 0..90_000_i64) {
            for time in [DateTime::<Utc>::MAX_UTC - chrono::TimeDelta::seconds(seconds), DateTime::<Utc>::MIN_UTC + chrono::TimeDelta::seconds(seconds)] {
                moment(Some(time), &chrono::FixedOffset::west_opt(86_399).unwrap());
                moment(Some(time), &chrono::FixedOffset::east_opt(86_399).unwrap());
                moment(Some(time), &chrono::Local);
            }
        }
    }
}
