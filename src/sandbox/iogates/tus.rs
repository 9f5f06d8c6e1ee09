//! The TUS server of the ioGates stand-in: version 1.0.0 with the extensions of the older Auth Info article (creation,
//! creation-defer-length, expiration, checksum, termination, concatenation). It is strict: every error of the protocol is
//! answered with an error.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Duration, Utc};
use parking_lot::Mutex;

use super::model::{Access, TusUpload};
use super::state::{Host, Iogates};
use crate::sandbox::faults::table::Fault;
use crate::sandbox::random;
use crate::sandbox::storage::UploadFile;
use crate::sandbox::tus_append::{TusUploads, append};
use crate::sandbox::tus_headers::{ALGORITHMS, Concat, Creation, Refused, number, text};

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-defer-length,expiration,checksum,termination,concatenation";

/// How long an unfinished upload is kept.
const KEPT: Duration = Duration::hours(24);

struct Answer(Response);

impl Answer {
    fn new(status: StatusCode) -> Self {
        Answer(status.into_response()).with("tus-resumable", VERSION)
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
            self.0.headers_mut().insert(HeaderName::from_static(name), value);
        }
        self
    }

    fn maybe(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn refusal_response((status, why): Refused) -> Response {
        let answer = Answer((status, why).into_response()).with("tus-resumable", VERSION);
        if status == StatusCode::PRECONDITION_FAILED { answer.with("tus-version", VERSION).0 } else { answer.0 }
    }
}

/// The intended method: a proxy may pass only POST.
fn method(request: &Request) -> Method {
    let meant = text(request.headers(), "x-http-method-override").filter(|_| request.method() == Method::POST);
    meant.and_then(|m| m.parse().ok()).unwrap_or_else(|| request.method().clone())
}

fn check_headers(headers: &HeaderMap) -> Result<(), Refused> {
    if text(headers, "tus-resumable") == Some(VERSION) {
        return Ok(());
    }
    Err((StatusCode::PRECONDITION_FAILED, "Tus-Resumable must be 1.0.0"))
}

/// `tus.server` of Auth Info: OPTIONS and creation.
pub async fn collection(State(host): Host, Path(key): Path<String>, request: Request) -> Response {
    match method(&request) {
        Method::OPTIONS => describe(&host),
        Method::POST => create(&host, &key, request).await.unwrap_or_else(Answer::refusal_response),
        _ => Answer::refusal_response((StatusCode::METHOD_NOT_ALLOWED, "method not allowed")),
    }
}

fn describe(host: &Iogates) -> Response {
    if host.hit(Fault::TusNoOptions).is_some() {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let largest = Some(host.state().settings.max_file_size).filter(|m| *m > 0);
    let with_upload = if host.hit(Fault::TusWithUpload).is_some() { ",creation-with-upload" } else { "" };
    Answer::new(StatusCode::NO_CONTENT)
        .with("tus-version", VERSION)
        .with("tus-extension", format!("{EXTENSIONS}{with_upload}"))
        .with("tus-checksum-algorithm", ALGORITHMS)
        .maybe("tus-max-size", largest)
        .0
}

async fn create(host: &Arc<Iogates>, key: &str, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let headers = &parts.headers;
    check_headers(headers)?;
    let access = host.access(|a| a.upload_key == key).ok_or((StatusCode::FORBIDDEN, "unknown upload token"))?;
    if host.may_upload(&access).is_err() {
        return Err((StatusCode::FORBIDDEN, "the token has no upload capability"));
    }
    let carries_bytes = number(headers, "content-length")?.unwrap_or(0) > 0;
    if carries_bytes && host.hit(Fault::TusWithUpload).is_none() {
        return Err((StatusCode::BAD_REQUEST, "creation-with-upload is not supported"));
    }
    let creation = Creation::read(headers)?;
    let largest = host.state().settings.max_file_size;
    if largest > 0 && creation.length.is_some_and(|l| l > largest) {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "larger than Tus-Max-Size"));
    }
    let upload = match &creation.concat {
        Concat::Final(parts) => join_parts(host, &access, &creation, parts.clone(), headers).await?,
        Concat::Partial => fresh(host, &access, &creation, Some("partial"))?,
        Concat::No => fresh(host, &access, &creation, None)?,
    };
    if !upload.is_partial() && upload.filename.is_none() {
        return Err((StatusCode::BAD_REQUEST, "the filename metadata is required"));
    }
    // The vendor's client chooses the id itself.
    let id = creation.metadata("uuid").map_or_else(|| random::hex(32), str::to_owned);
    let (expires, upload_is_empty) = (upload.expires, upload.length == Some(0));
    host.state().tus.insert(id.clone(), upload);
    let waits = upload_is_empty && host.hit(Fault::TusEmptyWaits).is_some();
    if !waits {
        host.hand_over(&id);
    }
    let offset = if carries_bytes { Some(append(host, &id, headers, 0, body).await?) } else { None };
    let path = format!("/upload/tus/{key}/{id}");
    let location = if host.hit(Fault::TusRelative).is_some() { path } else { format!("{}{path}", host.origin) };
    Ok(Answer::new(StatusCode::CREATED)
        .with("location", location)
        .with("upload-expires", http_date(expires))
        .maybe("upload-offset", offset)
        .0)
}

fn fresh(host: &Iogates, access: &Access, creation: &Creation, concat: Option<&str>) -> Result<TusUpload, Refused> {
    let bytes = host.shared.store.grow().map_err(|_| (StatusCode::INTERNAL_SERVER_ERROR, "the disk refused"))?;
    Ok(TusUpload {
        key: access.upload_key.clone(),
        root: access.root,
        filename: creation.metadata("filename").filter(|n| !n.is_empty()).map(str::to_owned),
        length: creation.length,
        metadata_text: creation.metadata_text.clone(),
        concat: concat.map(str::to_owned),
        bytes: Arc::new(Mutex::new(bytes)),
        expires: Utc::now() + KEPT,
        busy: false,
        gone: false,
        done: false,
    })
}

/// The final upload of a concatenation. Its name comes from its own metadata or, for the vendor's client, from the metadata of
/// the first part.
async fn join_parts(
    host: &Arc<Iogates>,
    access: &Access,
    creation: &Creation,
    parts: Vec<String>,
    headers: &HeaderMap,
) -> Result<TusUpload, Refused> {
    let mut upload = fresh(host, access, creation, text(headers, "upload-concat"))?;
    let mut paths = Vec::new();
    {
        let state = host.state();
        for id in &parts {
            let part = state.tus.get(id).filter(|p| p.is_partial() && !p.gone && p.key == access.upload_key);
            let part = part.ok_or((StatusCode::BAD_REQUEST, "a part is unknown"))?;
            if part.length != Some(part.offset()) {
                return Err((StatusCode::BAD_REQUEST, "a part is not complete"));
            }
            paths.push(part.bytes.lock().path().to_owned());
            upload.filename = upload.filename.or_else(|| part.filename.clone());
        }
    }
    let bytes = upload.bytes.clone();
    let joining = tokio::task::spawn_blocking(move || {
        let mut whole = bytes.lock();
        paths.iter().try_for_each(|p| UploadFile::append_file(&mut whole, p))
    });
    match joining.await {
        Ok(Ok(())) => {}
        _ => return Err((StatusCode::INTERNAL_SERVER_ERROR, "the disk refused")),
    }
    upload.length = Some(upload.offset());
    Ok(upload)
}

/// An upload's own URL: OPTIONS, HEAD, PATCH, DELETE.
pub async fn upload(State(host): Host, Path((key, id)): Path<(String, String)>, request: Request) -> Response {
    let method = method(&request);
    if method == Method::OPTIONS {
        return describe(&host);
    }
    match on_upload(&host, &key, &id, method, request).await {
        Ok(response) => response,
        Err(refused) => Answer::refusal_response(refused),
    }
}

async fn on_upload(host: &Arc<Iogates>, key: &str, id: &str, method: Method, request: Request) -> Result<Response, Refused> {
    check_headers(request.headers())?;
    let chunk_size = {
        let mut state = host.state();
        let chunk_size = state.settings.chunk_size;
        let upload = state.tus.get_mut(id).filter(|u| u.key == key).ok_or((StatusCode::NOT_FOUND, "no such upload"))?;
        if upload.gone || host.hit(Fault::TusGone).is_some() {
            upload.gone = true;
            return Err((StatusCode::GONE, "the upload is gone"));
        }
        chunk_size
    };
    match method {
        Method::HEAD => head(host, id),
        Method::PATCH => {
            let (parts, body) = request.into_parts();
            if chunk_size > 0 && number(&parts.headers, "content-length")?.is_some_and(|n| n > chunk_size) {
                return Err((StatusCode::PAYLOAD_TOO_LARGE, "larger than chunk_size"));
            }
            let from = number(&parts.headers, "upload-offset")?.ok_or((StatusCode::BAD_REQUEST, "Upload-Offset is missing"))?;
            let offset =
                append(host, id, &parts.headers, from, body).await? + host.hit(Fault::TusOverfull).map_or(0, |strike| strike.number);
            let expires = host.state().tus.get(id).map(|u| http_date(u.expires));
            Ok(Answer::new(StatusCode::NO_CONTENT).with("upload-offset", offset).maybe("upload-expires", expires).0)
        }
        Method::DELETE => {
            if let Some(upload) = host.state().tus.get_mut(id) {
                upload.gone = true;
            }
            Ok(Answer::new(StatusCode::NO_CONTENT).0)
        }
        _ => Err((StatusCode::METHOD_NOT_ALLOWED, "method not allowed")),
    }
}

fn head(host: &Iogates, id: &str) -> Result<Response, Refused> {
    let state = host.state();
    let upload = state.tus.get(id).ok_or((StatusCode::NOT_FOUND, "no such upload"))?;
    if upload.busy || host.hit(Fault::TusLocked).is_some() {
        return Err((StatusCode::LOCKED, "another request holds the upload"));
    }
    let deferred = upload.length.is_none().then_some("1");
    let more = host.hit(Fault::TusOverfull).map_or(0, |strike| strike.number);
    let less = host.hit(Fault::TusTrails).map_or(0, |strike| strike.number);
    Ok(Answer::new(StatusCode::OK)
        .with("upload-offset", (upload.offset() + more).saturating_sub(less))
        .maybe("upload-length", upload.length)
        .maybe("upload-defer-length", deferred)
        .maybe("upload-metadata", upload.metadata_text.as_ref())
        .maybe("upload-concat", upload.concat.as_ref())
        .with("upload-expires", http_date(upload.expires))
        .with("cache-control", "no-store")
        .0)
}

fn http_date(time: DateTime<Utc>) -> String {
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
