//! The sign-in, the upload methods, and the second factor (providers.md, 1.4, 1.5 and 1.11).

use std::collections::HashMap;

use axum::Form;
use axum::extract::{FromRequest, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use chrono::{Duration, Utc};
use serde_json::{Map, Value, json};

use super::NAME;
use super::entries::when;
use super::model::{Access, FtpElsewhere, Root};
use super::reply::refusal;
use super::state::{Host, Iogates};
use crate::sandbox::faults::table::Fault;
use crate::sandbox::random;
use crate::sandbox::responses;
use crate::sandbox::responses::HandlerResult;

/// Fields of a body that may be JSON or a form.
async fn fields(request: Request) -> HandlerResult<Map<String, Value>> {
    let json = request.headers().get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/json"));
    let unreadable = || refusal(StatusCode::BAD_REQUEST, "The request could not be read");
    if json {
        return match axum::Json::<Value>::from_request(request, &()).await {
            Ok(axum::Json(Value::Object(fields))) => Ok(fields),
            _ => Err(unreadable()),
        };
    }
    let Form(pairs) = Form::<Vec<(String, String)>>::from_request(request, &()).await.map_err(|_| unreadable())?;
    Ok(pairs.into_iter().map(|(k, v)| (k, Value::String(v))).collect())
}

fn text(fields: &Map<String, Value>, key: &str) -> Option<String> {
    fields.get(key).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned)
}

pub async fn sign_in(State(host): Host, request: Request) -> HandlerResult<Response> {
    let fields = fields(request).await?;
    let share = text(&fields, "url").is_some_and(|url| host.is_share(&url));
    let user = text(&fields, "username").as_deref() == Some(&host.username) && text(&fields, "password").as_deref() == Some(&host.password);
    if !share && !user {
        return Err(refusal(StatusCode::UNAUTHORIZED, "Invalid login"));
    }
    let access = Access {
        token: format!("123-{}", random::alnum(36)),
        root: if share { Root::Share } else { Root::Account },
        upload_key: random::hex(10),
        ftp_user: format!("t{}", random::hex(8)),
        ftp_password: random::alnum(16),
        device: text(&fields, "deviceId"),
    };
    let token = access.token.clone();
    host.shared.store.count_sign_in(NAME);
    let mut state = host.state();
    state.access.push(access);
    Ok(responses::ok(json!({
        "token": token,
        "profile": profile(if share { "Shared with you" } else { &host.username }),
        "max_file_size": state.settings.max_file_size,
        "available_storage": state.settings.available_storage,
    })))
}

pub fn profile(name: &str) -> Value {
    json!({
        "id": 7, "username": name, "realname": "Ann Example", "accountname": "Example Studio", "email": "ann@example.com",
        "address": null, "mobile": null, "expires": null, "status": "Active", "logo": null,
    })
}

/// The token is in the path and also in a header.
pub async fn methods(State(host): Host, Path(token): Path<String>, headers: HeaderMap) -> HandlerResult<Response> {
    let access = host.guest(&headers)?;
    if access.token != token {
        return Err(refusal(StatusCode::FORBIDDEN, "The token in the path is another one"));
    }
    host.may_upload(&access)?;
    let settings = host.state().settings.clone();
    let faults = &host.shared.faults;
    let blank = |method: &str, server: String| if faults.spoils(NAME, Fault::ServerBlank, method) { String::new() } else { server };
    let web = |server: String| json!({ "server": server, "chunk_size": settings.chunk_size, "max_file_size": settings.max_file_size, "protocol": "http" });
    let plupload = format!("{}/handlers/upload.php?token={}", host.origin, access.upload_key);
    let own = format!("{}/upload/tus/{}", host.origin, access.upload_key);
    let tus = settings.tus_elsewhere.clone().unwrap_or(own);
    let own = FtpElsewhere { port: host.ftp_port, username: access.ftp_user, password: access.ftp_password };
    let ftp = settings.ftp_elsewhere.clone().unwrap_or(own);
    let described = [
        (
            "ftp",
            json!({
                "server": blank("ftp", "127.0.0.1".to_owned()), "port": ftp.port, "ssl": true,
                "username": ftp.username, "password": ftp.password, "protocol": "ftps",
            }),
        ),
        ("plupload", web(blank("plupload", plupload))),
        ("tus", web(blank("tus", tus))),
    ];
    let mut shown = json!({
        "available": settings.available,
        "default": settings.default,
        "max_file_size": settings.max_file_size,
        "available_storage": settings.available_storage,
    });
    for (method, description) in described {
        let offered = settings.available.iter().any(|m| m == method);
        if offered && !faults.spoils(NAME, Fault::ServerAbsent, method) {
            shown[method] = description;
        }
    }
    Ok(responses::ok(shown))
}

/// The request sends the code. Here no SMS is sent: `Iogates::sms_code` returns the code. A newer document says GET for
/// entering the code, too.
pub async fn send_code(
    State(host): Host,
    Path(token): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> HandlerResult<Response> {
    if let Some(code) = query.get("authcode").filter(|_| host.hit(Fault::CodeByGet).is_some()) {
        return accept(&host, token, code);
    }
    let Some(access) = host.access(|a| a.token == token) else { return Err(refusal(StatusCode::UNAUTHORIZED, "Invalid token")) };
    let mut state = host.state();
    let required = state.settings.two_factor;
    let code = random::digits(4);
    state.sms = Some(code.clone());
    state.codes.insert(access.token, code);
    let expiry = when(Utc::now() + Duration::minutes(5));
    Ok(responses::ok(json!({ "message": "Code sent", "type": "sms", "auth_required": required, "expiry": expiry })))
}

pub async fn check_code(State(host): Host, Path(token): Path<String>, request: Request) -> HandlerResult<Response> {
    if host.hit(Fault::CodeByGet).is_some() {
        return Err(refusal(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"));
    }
    let fields = fields(request).await?;
    let Some(code) = text(&fields, "authcode") else { return Err(refusal(StatusCode::BAD_REQUEST, "Code missing")) };
    accept(&host, token, &code)
}

fn accept(host: &Iogates, token: String, code: &str) -> HandlerResult<Response> {
    let Some(access) = host.access(|a| a.token == token) else { return Err(refusal(StatusCode::UNAUTHORIZED, "Invalid token")) };
    let mut state = host.state();
    if host.hit(Fault::CodeTooOld).is_some() {
        state.codes.remove(&token);
        return Err(refusal(StatusCode::FORBIDDEN, "The code has expired"));
    }
    match state.codes.get(&token) {
        None => return Err(refusal(StatusCode::NOT_FOUND, "No codes found")),
        Some(sent) if sent != code => return Err(refusal(StatusCode::UNAUTHORIZED, "Wrong code")),
        Some(_) => {}
    }
    state.codes.remove(&token);
    // Noted for the device, or for the token if there is no device.
    state.passed.push(access.device.unwrap_or(token));
    Ok(responses::ok(json!({ "message": "Accepted" })))
}
