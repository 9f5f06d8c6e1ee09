//! The time of an inode's last change (ctime). The system sets it at each change of a file, and no program can put it back
//! as it can put back the time of the content's change: writing with the old time, `cp -p` over the file, an inode that is
//! given again all show in it.

use std::fs::{File, Metadata};
use std::time::{Duration, SystemTime};

/// The step of a file system's clock: two changes within it show the same time. The kernel's tick is 10 ms at most.
const TICK: Duration = Duration::from_millis(20);
/// The step where a file system keeps whole seconds.
const SECOND: Duration = Duration::from_millis(1020);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeTime {
    /// Nanoseconds since 1970: each later change will show another time.
    Settled(i64),
    /// The time is so recent that a change now might show the same time. After this wait a change would show another time.
    Young(Duration),
    /// The file system keeps no such time, or a program can set it.
    Unknown,
}

/// `ctime_ns`: as in [`reported_time`], asked for at or after `now`.
pub fn change_time(changed_ns: Option<i64>, now: SystemTime) -> ChangeTime {
    changed_ns.map_or(ChangeTime::Unknown, |changed| classify(changed, ns_since_1970(now)))
}

/// The time as the file system reports it, however recent; none where it proves nothing.
pub fn reported_time(file: &File, meta: &Metadata) -> Option<i64> {
    ctime_ns(meta).filter(|_| is_kept(file))
}

fn classify(changed: i64, now: i64) -> ChangeTime {
    let step = if changed % 1_000_000_000 == 0 { SECOND } else { TICK };
    let step_ns = i64::try_from(step.as_nanos()).unwrap_or(i64::MAX);
    let age = now.saturating_sub(changed);
    if age >= step_ns {
        ChangeTime::Settled(changed)
    } else if age >= -step_ns {
        ChangeTime::Young(Duration::from_nanos(step_ns.saturating_sub(age).unsigned_abs()))
    } else {
        // The clock of another machine, which is ahead of ours by an unknown time.
        ChangeTime::Unknown
    }
}

pub fn ns_since_1970(time: SystemTime) -> i64 {
    let ns = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()),
        Err(before) => i64::try_from(before.duration().as_nanos()).map(|ns| -ns),
    };
    ns.unwrap_or(0)
}

#[cfg(unix)]
pub fn ctime_ns(meta: &Metadata) -> Option<i64> {
    use std::os::unix::fs::MetadataExt;
    meta.ctime().checked_mul(1_000_000_000)?.checked_add(meta.ctime_nsec())
}

#[cfg(not(unix))]
pub fn ctime_ns(_: &Metadata) -> Option<i64> {
    None
}

/// Does this file system keep the time itself? FAT shows the settable time in its place, file systems in user space show what
/// they like, and images (squashfs, ISO 9660) what their maker wrote. So only known file systems count.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_kept(file: &File) -> bool {
    // From statfs(2): ext2 to ext4, XFS, Btrfs, tmpfs, overlayfs, NFS, F2FS, ZFS, bcachefs, CephFS, JFS, ReiserFS.
    const KEEPING: [i128; 12] = [
        0xEF53,
        0x5846_5342,
        0x9123_683E,
        0x0102_1994,
        0x794C_7630,
        0x6969,
        0xF2F5_2010,
        0x2FC1_2FC1,
        0xCA45_1A4E,
        0x00C3_6400,
        0x3153_464A,
        0x5265_4973,
    ];
    rustix::fs::fstatfs(file).is_ok_and(|system| KEEPING.contains(&i128::from(system.f_type)))
}

#[cfg(target_vendor = "apple")]
fn is_kept(file: &File) -> bool {
    let Ok(system) = rustix::fs::fstatfs(file) else { return false };
    let name: String = system.f_fstypename.iter().take_while(|c| **c != 0).map(|c| char::from(c.unsigned_abs())).collect();
    matches!(name.as_str(), "apfs" | "hfs")
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn is_kept(_: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_when_no_later_change_can_show_the_same() {
        let now = 1_700_000_000_500_000_001;
        assert_eq!(classify(now - 20_000_000, now), ChangeTime::Settled(now - 20_000_000));
        assert_eq!(classify(now - 5_000_000, now), ChangeTime::Young(Duration::from_millis(15)));
        assert_eq!(classify(now + 5_000_000, now), ChangeTime::Young(Duration::from_millis(25)));
        assert_eq!(classify(now + 3_600_000_000_000, now), ChangeTime::Unknown, "another clock");
        let whole = 1_700_000_000_000_000_000;
        assert_eq!(classify(whole, now), ChangeTime::Young(Duration::from_nanos(519_999_999)), "whole seconds");
        assert_eq!(classify(whole, now + 600_000_000), ChangeTime::Settled(whole));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn only_file_systems_that_keep_it_are_asked() {
        let look = |path: &std::path::Path| {
            let file = File::open(path).unwrap();
            let meta = file.metadata().unwrap();
            reported_time(&file, &meta)
        };
        assert_eq!(look("/proc/self/status".as_ref()), None);
        // Here a disk of the machine that builds: ext4, XFS, Btrfs, overlayfs or tmpfs.
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(look(file.path()).is_some());
    }
}
