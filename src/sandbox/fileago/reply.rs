//! The envelope of answers (providers.md, 3.2). The form of errors is not documented: here they have the same envelope with a
//! suitable status, or are pages of a proxy.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::NAME;
use super::state::Fileago;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::responses;
use crate::sandbox::responses::Refusal;

pub fn data(msg: &str, data: Value) -> Response {
    responses::ok(json!({ "status": "success", "msg": msg, "data": data }))
}

impl Fileago {
    /// A change is answered with 204; newer versions return data.
    pub(super) fn change_response(&self, msg: &str, node: &str) -> Response {
        match self.shared.faults.hit(NAME, Fault::AnswersData) {
            Some(_) => data(msg, json!({ "uuid": node })),
            None => StatusCode::NO_CONTENT.into_response(),
        }
    }

    pub(super) fn error(&self, status: StatusCode, msg: &str) -> Refusal {
        if self.shared.faults.hit(NAME, Fault::HtmlErrors).is_some() {
            return responses::page(status, status.canonical_reason().unwrap_or("Error")).into();
        }
        responses::json(status, json!({ "status": "error", "msg": msg })).into()
    }

    pub(super) fn absent(&self) -> Refusal {
        self.error(StatusCode::NOT_FOUND, "Node not found")
    }

    pub(super) fn forbidden(&self) -> Refusal {
        self.error(StatusCode::FORBIDDEN, "You do not have permission")
    }
}
