//! Sizes as users type them.

use bytesize::ByteSize;

/// Parses a size in bytes. `10M` = 10 MiB, as in other tools of file transfer; `10MB` = 10,000,000; a number without a unit is
/// bytes.
///
/// # Errors
/// What is wrong with the text, and how a size is written.
pub fn parse(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    let binary = match trimmed.chars().last() {
        Some(unit @ ('k' | 'K' | 'm' | 'M' | 'g' | 'G' | 't' | 'T')) => {
            let digits = trimmed.get(..trimmed.len() - 1).unwrap_or_default();
            format!("{digits}{}iB", unit.to_ascii_uppercase())
        }
        _ => trimmed.to_owned(),
    };
    binary.parse::<ByteSize>().map(|b| b.as_u64()).map_err(|_| format!("{text:?} is no size; write it as 500K, 32M or 1G"))
}
