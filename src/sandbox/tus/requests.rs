//! The requests of a TUS 1.0.0 server. It is strict: every error of the protocol is answered with an error.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::state::TusHost;
use crate::sandbox::faults::table::Fault;
use crate::sandbox::tus_append::{TusUploads, append};
use crate::sandbox::tus_headers::{ALGORITHMS, Concat, Creation, Refused, number, text};

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation";

type Host = State<Arc<TusHost>>;

fn answer(status: StatusCode, headers: &[(&'static str, String)]) -> Response {
    let mut response = status.into_response();
    let version = ("tus-resumable", VERSION.to_owned());
    for (name, value) in headers.iter().chain([&version]) {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn refusal_response((status, why): Refused) -> Response {
    let mut response = (status, why).into_response();
    response.headers_mut().insert("tus-resumable", HeaderValue::from_static(VERSION));
    if status == StatusCode::PRECONDITION_FAILED {
        response.headers_mut().insert("tus-version", HeaderValue::from_static(VERSION));
    }
    response
}

/// The intended method: a proxy may pass only POST.
fn method(request: &Request) -> Method {
    let meant = text(request.headers(), "x-http-method-override").filter(|_| request.method() == Method::POST);
    meant.and_then(|method| method.parse().ok()).unwrap_or_else(|| request.method().clone())
}

fn check(host: &TusHost, headers: &HeaderMap) -> Result<(), Refused> {
    if text(headers, "tus-resumable") != Some(VERSION) {
        return Err((StatusCode::PRECONDITION_FAILED, "Tus-Resumable must be 1.0.0"));
    }
    host.check_token(headers)
}

/// The endpoint: OPTIONS and creation.
pub async fn collection(State(host): Host, request: Request) -> Response {
    match method(&request) {
        Method::OPTIONS => describe(&host),
        Method::POST => create(&host, request).await.unwrap_or_else(refusal_response),
        _ => refusal_response((StatusCode::METHOD_NOT_ALLOWED, "method not allowed")),
    }
}

fn describe(host: &TusHost) -> Response {
    if host.hit(Fault::TusNoOptions).is_some() {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let first = if host.hit(Fault::TusConcatFirst).is_some() { ",concatenation-unfinished" } else { "" };
    let mut headers = vec![
        ("tus-version", VERSION.to_owned()),
        ("tus-extension", format!("{EXTENSIONS}{first}")),
        ("tus-checksum-algorithm", ALGORITHMS.to_owned()),
    ];
    let largest = host.state().max_size;
    if largest > 0 {
        headers.push(("tus-max-size", largest.to_string()));
    }
    answer(StatusCode::NO_CONTENT, &headers)
}

async fn create(host: &Arc<TusHost>, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    check(host, headers)?;
    let creation = Creation::read(headers)?;
    if let Concat::Final(parts) = &creation.concat {
        check_parts(host, parts)?;
    }
    let largest = host.state().max_size;
    if largest > 0 && creation.length.is_some_and(|length| length > largest) {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "larger than Tus-Max-Size"));
    }
    let id = host.create(&creation)?;
    let (joins, new) = (host.clone(), id.clone());
    let joined = tokio::task::spawn_blocking(move || joins.join(&new)).await;
    if !matches!(joined, Ok(Ok(()))) {
        return Err((StatusCode::INTERNAL_SERVER_ERROR, "the disk refused"));
    }
    host.hand_over(&id);
    let mut told = Vec::new();
    if number(headers, "content-length")?.unwrap_or(0) > 0 {
        told.push(("upload-offset", append(host, &id, headers, 0, body).await?.to_string()));
    }
    let location = if host.hit(Fault::TusRelative).is_some() { format!("/{id}") } else { format!("{}/{id}", host.origin) };
    told.push(("location", location));
    told.extend(expires(host, &id));
    Ok(answer(StatusCode::CREATED, &told))
}

/// The parts of a final upload must be there; and complete, unless the server says that it waits for them.
fn check_parts(host: &TusHost, parts: &[String]) -> Result<(), Refused> {
    if host.hit(Fault::TusNoConcat).is_some() {
        return Err((StatusCode::NOT_IMPLEMENTED, "concatenation is not offered"));
    }
    let waits = host.hit(Fault::TusConcatFirst).is_some();
    let state = host.state();
    for id in parts {
        let part = state.uploads.get(id).filter(|part| part.concat == Concat::Partial && !part.gone);
        let part = part.ok_or((StatusCode::NOT_FOUND, "a partial upload is not there"))?;
        if !waits && part.length != Some(part.offset()) {
            return Err((StatusCode::BAD_REQUEST, "a partial upload is not complete"));
        }
    }
    Ok(())
}

/// An upload's own address: OPTIONS, HEAD, PATCH, DELETE.
pub async fn upload(State(host): Host, Path(id): Path<String>, request: Request) -> Response {
    match method(&request) {
        Method::OPTIONS => describe(&host),
        method => on_upload(&host, &id, method, request).await.unwrap_or_else(refusal_response),
    }
}

async fn on_upload(host: &Arc<TusHost>, id: &str, method: Method, request: Request) -> Result<Response, Refused> {
    check(host, request.headers())?;
    {
        let mut state = host.state();
        let upload = state.uploads.get_mut(id).ok_or((StatusCode::NOT_FOUND, "no such upload"))?;
        if upload.gone || host.hit(Fault::TusGone).is_some() {
            upload.gone = true;
            return Err((StatusCode::GONE, "the upload is gone"));
        }
    }
    match method {
        Method::HEAD => head(host, id),
        Method::PATCH => {
            let (parts, body) = request.into_parts();
            let offset = number(&parts.headers, "upload-offset")?.ok_or((StatusCode::BAD_REQUEST, "Upload-Offset is missing"))?;
            let mut told = vec![("upload-offset", append(host, id, &parts.headers, offset, body).await?.to_string())];
            told.extend(expires(host, id));
            Ok(answer(StatusCode::NO_CONTENT, &told))
        }
        Method::DELETE => {
            if let Some(upload) = host.state().uploads.get_mut(id) {
                upload.gone = true;
            }
            Ok(answer(StatusCode::NO_CONTENT, &[]))
        }
        _ => Err((StatusCode::METHOD_NOT_ALLOWED, "method not allowed")),
    }
}

fn head(host: &TusHost, id: &str) -> Result<Response, Refused> {
    let state = host.state();
    let upload = state.uploads.get(id).ok_or((StatusCode::NOT_FOUND, "no such upload"))?;
    if upload.busy || host.hit(Fault::TusLocked).is_some() {
        return Err((StatusCode::LOCKED, "another request holds the upload"));
    }
    let length = match upload.length {
        Some(length) => ("upload-length", length.to_string()),
        None => ("upload-defer-length", "1".to_owned()),
    };
    let mut told = vec![("cache-control", "no-store".to_owned())];
    // A final upload that is still to be joined tells neither offset nor length.
    let waits = upload.length.is_none() || host.hit(Fault::TusConcatSlow).is_some();
    if !(waits && matches!(upload.concat, Concat::Final(_))) {
        told.extend([("upload-offset", upload.offset().to_string()), length]);
    }
    told.extend(upload.concat_text.clone().map(|text| ("upload-concat", text)));
    told.extend(upload.metadata_text.clone().map(|text| ("upload-metadata", text)));
    drop(state);
    told.extend(expires(host, id));
    Ok(answer(StatusCode::OK, &told))
}

fn expires(host: &TusHost, id: &str) -> Option<(&'static str, String)> {
    let at = host.state().uploads.get(id).map(|upload| upload.expires)?;
    Some(("upload-expires", at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()))
}
