//! The envelope of a refusal.

use axum::http::StatusCode;
use serde_json::json;

use crate::sandbox::responses;
use crate::sandbox::responses::Refusal;

/// No error body is documented; this is the form of the 2FA answers (providers.md 1.11).
pub fn refusal(status: StatusCode, message: &str) -> Refusal {
    responses::json(status, json!({ "message": message })).into()
}
