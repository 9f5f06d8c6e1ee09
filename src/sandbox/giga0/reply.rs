//! The envelope of every answer, and the known forms of errors (providers.md, 2.1).

use axum::http::StatusCode;
use axum::response::Response;
use chrono::Utc;
use serde_json::{Map, Value, json};

use super::NAME;
use super::fields::when;
use super::state::Giga0;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::responses;
use crate::sandbox::responses::Refusal;

/// A success: these fields first, then the status.
pub fn success(members: Value) -> Response {
    let mut body = match members {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    body.insert("_status".to_owned(), json!("success"));
    body.insert("_datetime".to_owned(), json!(when(Utc::now())));
    responses::ok(Value::Object(body))
}

impl Giga0 {
    /// An error with HTTP 200, unless the script selects another form.
    pub(super) fn error(&self, message: &str) -> Refusal {
        let now = when(Utc::now());
        let is = |form: &str| self.shared.faults.spoils(NAME, Fault::ErrorForm, form);
        let body = if is("status") {
            json!({ "status": "error", "response": message, "_datetime": now })
        } else if is("result") {
            json!({ "message": message, "result": false })
        } else if is("success") {
            json!({ "success": false, "message": message })
        } else {
            json!({ "response": message, "_status": "error", "_datetime": now })
        };
        let status = match is("http") {
            true if message.starts_with("Could not validate") => StatusCode::UNAUTHORIZED,
            true if message.starts_with("Could not find") => StatusCode::NOT_FOUND,
            true => StatusCode::BAD_REQUEST,
            false => StatusCode::OK,
        };
        responses::json(status, body).into()
    }

    pub(super) fn missing(&self, param: &str) -> Refusal {
        self.error(&format!("Please provide the {param} param."))
    }
}
