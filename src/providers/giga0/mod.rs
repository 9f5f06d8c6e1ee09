//! giga0
