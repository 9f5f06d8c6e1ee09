//! Positions in a film: milliseconds from its first frame, shown as hours:minutes:seconds:frames. Frames are counted without
//! gaps (non-drop): ioGates does not report whether a source is drop-frame.

use std::str::FromStr;

use serde::Serialize;

use crate::error::{Error, Kind, Result};

/// The part of a film that a comment belongs to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeSpan {
    /// Milliseconds from the first frame.
    pub start_ms: i64,
    /// Milliseconds from the first frame; none for a single frame.
    pub end_ms: Option<i64>,
}

/// Converts milliseconds to frame labels (providers.md 1.8).
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    /// Frames in a second, exactly: 29.97 is 30000/1001.
    fps: f64,
    /// Frames in a labelled second: the nearest whole number.
    whole: i64,
    /// The label of the source's first frame, as a number of frames; none when the label can't be read.
    start: Option<i64>,
    /// The milliseconds to add to a position in the file for its position in the source.
    offset_ms: i64,
}

impl Clock {
    /// `source` is the label of the source's first frame; without a label the source begins at 0. None for a frame rate that no
    /// film has.
    pub fn new(fps: f64, source: Option<&str>, offset_ms: i64) -> Option<Clock> {
        let whole = fps.round();
        if !(1.0..=1000.0).contains(&whole) {
            return None;
        }
        let exact = whole * 1000.0 / 1001.0;
        let fps = if (fps - exact).abs() < 0.005 { exact } else { fps };
        let whole = whole as i64;
        let start = match source {
            None => Some(0),
            Some(text) => Label::read(&text.replace([';', '.', ','], ":")).and_then(|label| label.frames(whole)),
        };
        Some(Clock { fps, whole, start, offset_ms })
    }

    /// The label of the frame that is shown `ms` after the first.
    pub fn label(&self, ms: i64) -> String {
        self.label_of(self.frames(ms))
    }

    /// The label of the same frame in the timecode of the source. The offset counts from the source's own start. Some servers
    /// send that start itself as the offset, in milliseconds: then it counts only once.
    pub fn source_label(&self, ms: i64) -> Option<String> {
        let start = self.start?;
        let by_clock = start.saturating_mul(1000) / self.whole;
        let frame = 1 + 1000 / self.whole;
        let is_start = [by_clock, self.millis(start)].iter().any(|told| told.abs_diff(self.offset_ms) <= frame.unsigned_abs());
        let offset = if is_start { 0 } else { self.offset_ms };
        Some(self.label_of(start.saturating_add(self.frames(ms.saturating_add(offset)))))
    }

    /// Other programs round a frame's start down to whole milliseconds, so the rest of that millisecond belongs to the frame.
    fn frames(&self, ms: i64) -> i64 {
        ((ms as f64 + 0.999) * self.fps / 1000.0).floor() as i64
    }

    /// The first whole millisecond of a frame.
    fn millis(&self, frames: i64) -> i64 {
        (frames as f64 * 1000.0 / self.fps).ceil() as i64
    }

    fn label_of(&self, frames: i64) -> String {
        let sign = if frames < 0 { "-" } else { "" };
        let (all, whole) = (frames.unsigned_abs(), self.whole.unsigned_abs());
        let seconds = all / whole;
        format!("{sign}{:02}:{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60, all % whole)
    }
}

/// A position in a film as the user types it: `HH:MM:SS:FF`, `[HH:]MM:SS.mmm`, `12.5` (seconds), `12500ms`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// A time from the first frame, in milliseconds.
    Millis(i64),
    /// A timecode with frames.
    Frame(Label),
}

/// A timecode as it is written: `HH:MM:SS:FF`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Label {
    seconds: i64,
    frame: i64,
}

impl Label {
    fn read(text: &str) -> Option<Label> {
        let parts: Vec<i64> = text.split(':').map(digits).collect::<Option<_>>()?;
        let [hours, minutes, seconds, frame] = parts[..] else { return None };
        (minutes < 60 && seconds < 60).then_some(Label { seconds: hours * 3600 + minutes * 60 + seconds, frame })
    }

    fn frames(self, whole: i64) -> Option<i64> {
        (self.frame < whole).then_some(self.seconds * whole + self.frame)
    }
}

/// Parses at most six digits, so that no product of such numbers overflows.
fn digits(text: &str) -> Option<i64> {
    let fits = (1..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| fits)
}

impl Moment {
    /// Milliseconds from the first frame.
    ///
    /// # Errors
    /// `Usage` for a timecode where the clock is unknown, or for a frame that a second does not have.
    pub fn millis(self, clock: Option<&Clock>) -> Result<i64> {
        let label = match self {
            Moment::Millis(ms) => return Ok(ms),
            Moment::Frame(label) => label,
        };
        let clock = clock.ok_or_else(|| {
            Error::new(Kind::Usage, "this file has no frames that could be counted").with_hint("give the time in seconds, as in 12.5")
        })?;
        let frames = label.frames(clock.whole).ok_or_else(|| {
            let why = format!("there is no frame {} in a second of {} frames", label.frame, clock.whole);
            Error::new(Kind::Usage, why).with_hint("count frames from 0, or give the time in seconds, as in 12.5")
        })?;
        Ok(clock.millis(frames))
    }
}

impl FromStr for Moment {
    type Err = Error;
    fn from_str(text: &str) -> Result<Moment> {
        let parsed = match text.matches(':').count() {
            3 => Label::read(text).map(Moment::Frame),
            _ => millis_of(text).map(Moment::Millis),
        };
        parsed.ok_or_else(|| {
            let why = if text.contains(';') { "drop-frame timecode is not known here" } else { "this is no time" };
            Error::new(Kind::Usage, why).with_subject(text).with_hint("write HH:MM:SS:FF, MM:SS.mmm, or seconds as in 12.5")
        })
    }
}

fn millis_of(text: &str) -> Option<i64> {
    if let Some(ms) = text.strip_suffix("ms") {
        return ms.parse().ok().filter(|ms| (0..=MAX_SECONDS * 1000).contains(ms));
    }
    let (before, seconds) = text.rsplit_once(':').unwrap_or(("", text));
    let minutes = match before.split(':').map(digits).collect::<Option<Vec<_>>>() {
        _ if before.is_empty() && !text.contains(':') => 0,
        Some(parts) => match parts[..] {
            [minutes] => minutes,
            [hours, minutes] if minutes < 60 => hours * 60 + minutes,
            _ => return None,
        },
        None => return None,
    };
    let seconds = seconds.strip_suffix('s').filter(|_| before.is_empty()).unwrap_or(seconds);
    let plain = seconds.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let seconds: f64 = seconds.parse().ok().filter(|s| plain && *s <= MAX_SECONDS as f64)?;
    (before.is_empty() || seconds < 60.0).then_some(minutes * 60_000 + (seconds * 1000.0).round() as i64)
}

/// In seconds: no film is so long.
const MAX_SECONDS: i64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(fps: f64, source: &str, offset_ms: i64) -> Clock {
        Clock::new(fps, Some(source), offset_ms).unwrap()
    }

    fn moment(text: &str) -> i64 {
        text.parse::<Moment>().unwrap().millis(Some(&clock(25.0, "00:00:00:00", 0))).unwrap()
    }

    #[test]
    fn milliseconds_become_frames() {
        let pal = clock(25.0, "00:00:00:00", 0);
        for (ms, label) in
            [(0, "00:00:00:00"), (39, "00:00:00:00"), (40, "00:00:00:01"), (3_661_000, "01:01:01:00"), (90_000_000, "25:00:00:00")]
        {
            assert_eq!(pal.label(ms), label, "{ms}");
        }
        assert_eq!(clock(24.0, "00:00:00:00", 0).label(41), "00:00:00:01", "41.67 ms, cut");
        assert_eq!(clock(29.97, "00:00:00:00", 0).label(60_060), "00:01:00:00", "labels without gaps are late by a thousandth");
        assert!(pal.label(i64::MAX).len() > 20, "nothing overflows");
        assert_eq!(pal.label(-500), "-00:00:00:13");
    }

    #[test]
    fn every_frame_is_found_again() {
        for fps in [23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0, 119.88, 12.5, 17.3] {
            let clock = Clock::new(fps, None, 0).unwrap();
            for frame in (0..2000).chain(2_000_000..2_002_000) {
                let label = clock.label_of(frame);
                let ms = label.parse::<Moment>().unwrap().millis(Some(&clock)).unwrap();
                assert_eq!(clock.label(ms), label, "{fps}");
                assert_eq!(clock.frames(ms), frame, "{fps}");
            }
        }
    }

    #[test]
    fn the_source_s_timecode() {
        let source = |fps, start, offset| clock(fps, start, offset).source_label(12_200).unwrap();
        assert_eq!(source(25.0, "00:00:00:00", 0), "00:00:12:05");
        assert_eq!(source(25.0, "01:00:00:00", 0), "01:00:12:05");
        assert_eq!(source(25.0, "00:00:00:00", 3_600_000), "01:00:12:05");
        assert_eq!(source(25.0, "01:00:00:00", 3_600_000), "01:00:12:05", "the start told twice counts once");
        assert_eq!(source(29.97, "01:00:00:00", 3_603_600), "01:00:12:05", "and so it does in real time");
        assert_eq!(source(29.97, "01:00:00;00", 3_600_000), "01:00:12:05");
        assert_eq!(source(25.0, "10:00:00:00", 5_000), "10:00:17:05");
        assert_eq!(source(25.0, "10:00:00:00", -2_000), "10:00:10:05");
        assert_eq!(clock(25.0, "around noon", 0).source_label(0), None);
        assert_eq!(clock(25.0, "00:00:00:25", 0).source_label(0), None);
        assert_eq!(Clock::new(25.0, None, 0).unwrap().source_label(40).unwrap(), "00:00:00:01");
        assert!(clock(25.0, "999999:00:00:00", i64::MIN).source_label(i64::MAX).is_some());
    }

    #[test]
    fn no_film_has_such_frames() {
        for fps in [0.0, -25.0, 0.4, f64::NAN, f64::INFINITY, 1e9] {
            assert_eq!(Clock::new(fps, None, 0), None, "{fps}");
        }
    }

    #[test]
    fn times_as_they_are_typed() {
        for (text, ms) in [
            ("00:00:12:05", 12_200),
            ("12.2", 12_200),
            ("12.2s", 12_200),
            ("12200ms", 12_200),
            ("0", 0),
            ("90", 90_000),
            ("1:30", 90_000),
            ("01:00:01.5", 3_601_500),
        ] {
            assert_eq!(moment(text), ms, "{text}");
        }
        for text in
            ["", "-1", "1e3", "inf", "00:61:00:00", "0:60", "a:b:c:d", ":30", "1::2", "00:00:12;05", "1:2:3:4:5", "99999999999", "-5ms"]
        {
            assert_eq!(text.parse::<Moment>().unwrap_err().kind(), Kind::Usage, "{text}");
        }
    }

    #[test]
    fn frames_need_a_film_that_has_them() {
        let label: Moment = "00:00:00:25".parse().unwrap();
        assert!(label.millis(Some(&clock(25.0, "00:00:00:00", 0))).unwrap_err().to_string().contains("no frame 25 in a second of 25"));
        assert_eq!(label.millis(Some(&clock(30.0, "00:00:00:00", 0))).unwrap(), 834);
        assert_eq!(label.millis(None).unwrap_err().kind(), Kind::Usage);
        assert_eq!("2.5".parse::<Moment>().unwrap().millis(None).unwrap(), 2500);
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
        fn any_clock_tells_any_time(
            fps in prop_oneof![any::<f64>(), 0.5..1000.0_f64],
            source in prop::option::of(prop_oneof![arbitrary::text(), "[0-9]{1,6}:[0-9]{2}:[0-9]{2}[:;.][0-9]{1,6}"]),
            offset in any::<i64>(),
            ms in any::<i64>(),
        ) {
            if let Some(clock) = Clock::new(fps, source.as_deref(), offset) {
                for label in [Some(clock.label(ms)), clock.source_label(ms)].into_iter().flatten() {
                    prop_assert!(label.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '-')), "{label}");
                }
            }
        }

        #[test]
        fn a_label_leads_back_to_its_frame(fps in 1.0..200.0_f64, ms in 0..100_000_000_i64) {
            let clock = Clock::new(fps, None, 0).unwrap();
            let label = clock.label(ms);
            let again = label.parse::<Moment>().unwrap().millis(Some(&clock)).unwrap();
            prop_assert_eq!(clock.label(again), label);
        }

        #[test]
        fn times_that_are_typed(text in prop_oneof![arbitrary::text(), "[0-9:.ms]{0,20}"], fps in 1.0..200.0_f64) {
            let clock = Clock::new(fps, None, 0).unwrap();
            match text.parse::<Moment>().and_then(|moment| moment.millis(Some(&clock))) {
                Ok(ms) => prop_assert!(ms >= 0),
                Err(error) => arbitrary::assert_escaped(&error.to_string()),
            }
        }
    }
}
