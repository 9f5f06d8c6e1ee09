//! The form of single values in answers (providers.md, 2.1).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// `Y-m-d H:i:s`, without a zone.
pub fn when(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Most numbers are strings.
pub fn text(value: impl ToString) -> Value {
    Value::String(value.to_string())
}

pub fn text_or_null(value: Option<impl ToString>) -> Value {
    value.map_or(Value::Null, |v| json!(v.to_string()))
}

pub fn time_or_null(value: Option<DateTime<Utc>>) -> Value {
    value.map_or(Value::Null, |v| json!(when(v)))
}
