//! Ids and secrets of the stand-ins. They are hard enough to guess for loopback; they protect nothing real.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

const ALNUM: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Each `RandomState` has its own keys, so an empty hash is already a new number.
fn number() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// `length` lower-case hex digits.
pub fn hex(length: usize) -> String {
    let mut text = String::with_capacity(length + 16);
    while text.len() < length {
        text.push_str(&format!("{:016x}", number()));
    }
    text.truncate(length);
    text
}

/// `length` letters and digits.
pub fn alnum(length: usize) -> String {
    (0..length).filter_map(|_| ALNUM.get((number() % 62) as usize)).map(|b| char::from(*b)).collect()
}

/// Decimal digits, for codes sent by SMS.
pub fn digits(length: usize) -> String {
    (0..length).map(|_| char::from(b'0' + (number() % 10) as u8)).collect()
}

pub fn uuid() -> String {
    let mut text = hex(32);
    for at in [20, 16, 12, 8] {
        text.insert(at, '-');
    }
    text
}
