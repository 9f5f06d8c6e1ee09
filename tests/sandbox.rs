//! The stand-ins, driven by a foreign client: plain requests written by hand, and an FTP client of others.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haul::model::Protocol;
use haul::sandbox::{Arrived, LoginKind, Sandbox};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use suppaftp::tokio::{AsyncRustlsConnector, AsyncRustlsFtpStream};
use suppaftp::types::FileType;
use tokio::io::AsyncWriteExt;

/// A sandbox, its environment and a client.
struct World {
    sandbox: Sandbox,
    env: HashMap<String, String>,
    http: Client,
}

async fn world() -> World {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http =
        Client::builder().no_proxy().tls_backend_preconfigured(trusting(&[])).redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let env = sandbox.env().into_iter().collect();
    World { sandbox, env, http }
}

fn trusting(pem: &[u8]) -> rustls::ClientConfig {
    use rustls::pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    for cert in rustls::pki_types::CertificateDer::pem_slice_iter(pem) {
        roots.add(cert.unwrap()).unwrap();
    }
    rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}

/// Bytes without a short period.
fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn md5(bytes: &[u8]) -> String {
    format!("{:x}", md5::compute(bytes))
}

const BOUNDARY: &str = "----foreign-client";

/// A form with the file last, as all three want it.
fn form(fields: &[(&str, &str)], file: (&str, &str, &[u8])) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    let (name, filename, content) = file;
    body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\n\r\n").bytes());
    body.extend(content);
    body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
    body
}

impl World {
    fn env(&self, key: &str) -> &str {
        &self.env[key]
    }

    fn url(&self, remote: &str, path: &str) -> String {
        format!("{}{path}", self.env(&format!("HAUL_REMOTE_{}_URL", remote.to_uppercase())))
    }

    async fn post_form(&self, url: &str, fields: &[(&str, &str)], file: (&str, &str, &[u8])) -> Result<Response, reqwest::Error> {
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        self.http.post(url).header("content-type", kind).body(form(fields, file)).send().await
    }

    fn stored(&self, provider: &str, path: &str) -> Vec<u8> {
        fs::read(self.sandbox.file(provider, path).unwrap()).unwrap()
    }

    async fn iogates_token(&self) -> String {
        let (username, password) = (self.env("HAUL_REMOTE_IOGATES_USERNAME"), self.env("HAUL_REMOTE_IOGATES_PASSWORD"));
        let login = json!({ "username": username, "password": password });
        let answer = self.http.post(self.url("iogates", "/api/authtoken")).json(&login).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned()
    }

    async fn iogates(&self, token: &str, path: &str) -> Value {
        let answer = self.http.get(self.url("iogates", path)).header("token", token).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn iogates_file(&self, token: &str, name: &str, content: &[u8]) -> Value {
        let wish = json!({ "name": name, "type": "movie", "size": content.len(), "md5": md5(content) });
        let url = self.url("iogates", "/api/file");
        let answer = self.http.post(url).header("Authorisation", format!("Bearer {token}")).json(&wish).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    async fn tus(&self, method: Method, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Response, reqwest::Error> {
        let mut request = self.http.request(method, url).header("Tus-Resumable", "1.0.0");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body).send().await
    }

    async fn tus_create(&self, server: &str, length: usize, filename: &str) -> String {
        let metadata = format!("filename {}", STANDARD.encode(filename));
        let headers = [("Upload-Length", length.to_string()), ("Upload-Metadata", metadata)];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(k, v)| (*k, v.as_str())).collect();
        let made = self.tus(Method::POST, server, &headers, Vec::new()).await.unwrap();
        assert_eq!(made.status(), 201);
        made.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn patch(&self, url: &str, offset: usize, body: &[u8]) -> Result<Response, reqwest::Error> {
        let offset = offset.to_string();
        let headers = [("Upload-Offset", offset.as_str()), ("Content-Type", "application/offset+octet-stream")];
        self.tus(Method::PATCH, url, &headers, body.to_vec()).await
    }

    async fn tus_offset(&self, url: &str) -> usize {
        let answer = self.tus(Method::HEAD, url, &[], Vec::new()).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers()["upload-offset"].to_str().unwrap().parse().unwrap()
    }

    async fn giga0(&self, call: &str, fields: &[(&str, &str)]) -> Value {
        let url = self.url("giga0", &format!("/api/v2/{call}"));
        self.http.post(url).form(fields).send().await.unwrap().json().await.unwrap()
    }

    async fn giga0_token(&self) -> String {
        let (username, password) = (self.env("HAUL_REMOTE_GIGA0_USERNAME"), self.env("HAUL_REMOTE_GIGA0_PASSWORD"));
        let answer = self.giga0("authorize", &[("username", username), ("password", password)]).await;
        answer["data"]["access_token"].as_str().unwrap().to_owned()
    }

    async fn fileago_token(&self) -> (String, String) {
        let (username, password) = (self.env("HAUL_REMOTE_FILEAGO_USERNAME"), self.env("HAUL_REMOTE_FILEAGO_PASSWORD"));
        let login = json!({ "username": username, "password": password }).to_string();
        let answer: Value = self.http.post(self.url("fileago", "/auth")).body(login).send().await.unwrap().json().await.unwrap();
        (answer["token"].as_str().unwrap().to_owned(), answer["fileaccesskey"].as_str().unwrap().to_owned())
    }

    async fn fileago(&self, token: &str, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.http.request(method, self.url("fileago", path)).bearer_auth(token);
        let answer = request.json(&body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or_default())
    }

    async fn fileago_upload(&self, token: &str, node: &str, name: &str, content: &[u8]) -> StatusCode {
        let (_, ticket) = self.fileago(token, Method::GET, &format!("/api/nodes/{node}/upload"), Value::Null).await;
        let url = self.url("fileago", &format!("/upload/{}", ticket["token"].as_str().unwrap()));
        self.post_form(&url, &[], ("file", name, content)).await.unwrap().status()
    }
}

fn arrived(provider: &str, path: &str, content: &[u8], protocol: Protocol) -> Arrived {
    Arrived { provider: provider.into(), path: path.into(), size: content.len() as u64, md5: md5(content), protocol }
}

#[tokio::test]
async fn iogates_takes_a_file_by_tus_through_a_cut_line() {
    let world = world().await;
    let content = bytes(700_000);
    let token = world.iogates_token().await;
    let entry = world.iogates_file(&token, "Show/Day 1/clip.mp4", &content).await;
    assert_eq!((&entry["size"], &entry["download"], &entry["Etag"]), (&Value::Null, &Value::Null, &json!(0)));
    let methods = world.iogates(&token, &format!("/api/authinfo/{token}")).await;
    let url = world.tus_create(methods["tus"]["server"].as_str().unwrap(), content.len(), entry["upload_filename"].as_str().unwrap()).await;

    world.sandbox.faults().script("iogates/tus-patch:cut=200000").unwrap();
    assert!(world.patch(&url, 0, &content[..500_000]).await.is_err());
    assert!(world.sandbox.faults().left().is_empty());
    assert_eq!(world.tus_offset(&url).await, 200_000);
    assert_eq!(world.patch(&url, 7, &content[7..]).await.unwrap().status(), 409);
    assert_eq!(world.patch(&url, 200_000, &content[200_000..]).await.unwrap().status(), 204);

    assert_eq!(world.sandbox.arrived(), [arrived("iogates", "/Show/Day 1/clip.mp4", &content, Protocol::Tus)]);
    assert_eq!(world.stored("iogates", "/Show/Day 1/clip.mp4"), content);
    let upload = entry["upload_filename"].as_str().unwrap();
    assert_eq!(world.sandbox.counts().received("iogates", upload), 700_000);
    assert_eq!(world.sandbox.counts().requests("iogates", "tus-patch"), 3);

    let done = world.iogates(&token, &format!("/api/file/{}", entry["id"])).await;
    assert_eq!((&done["md5"], &done["size"], &done["Etag"]), (&json!(md5(&content)), &Value::Null, &json!(1)));
    let download = done["download"].as_str().unwrap();
    let rest = world.http.get(download).header("range", "bytes=699990-").send().await.unwrap();
    assert_eq!((rest.status().as_u16(), rest.bytes().await.unwrap().to_vec()), (206, content[699_990..].to_vec()));
    let list = world.iogates(&token, "/api/files").await;
    let names: Vec<_> =
        list["files"].as_array().unwrap().iter().map(|f| (f["name"].as_str().unwrap(), f["type"].as_str().unwrap())).collect();
    assert_eq!(names, [("Show", "dir"), ("Day 1", "dir"), ("clip.mp4", "movie")]);
}

#[tokio::test]
async fn iogates_tus_keeps_to_the_protocol() {
    let world = world().await;
    let token = world.iogates_token().await;
    let methods = world.iogates(&token, &format!("/api/authinfo/{token}")).await;
    let server = methods["tus"]["server"].as_str().unwrap();
    let bare = world.http.post(server).header("Upload-Length", "3").send().await.unwrap();
    assert_eq!((bare.status().as_u16(), bare.headers()["tus-version"].to_str().unwrap()), (412, "1.0.0"));
    assert_eq!(world.tus(Method::POST, server, &[("Upload-Length", "3")], Vec::new()).await.unwrap().status(), 400);

    let url = world.tus_create(server, 3, "x").await;
    let offset = ("Upload-Offset", "0");
    assert_eq!(world.tus(Method::PATCH, &url, &[offset], b"abc".to_vec()).await.unwrap().status(), 415);
    let kind = ("Content-Type", "application/offset+octet-stream");
    let checked = |sum: &'static str| [offset, kind, ("Upload-Checksum", sum)];
    assert_eq!(world.tus(Method::PATCH, &url, &checked("crc32 AA=="), b"abc".to_vec()).await.unwrap().status(), 400);
    assert_eq!(world.tus(Method::PATCH, &url, &checked("md5 AA=="), b"abc".to_vec()).await.unwrap().status(), 460);
    assert_eq!(world.tus_offset(&url).await, 0);
    assert_eq!(world.tus(Method::PATCH, &url, &checked("md5 kAFQmDzST7DWlj99KOF/cg=="), b"abc".to_vec()).await.unwrap().status(), 204);
    // Nobody asked for "x", so it is a file of its own.
    assert_eq!(world.sandbox.arrived(), [arrived("iogates", "/x", b"abc", Protocol::Tus)]);

    let url = world.tus_create(server, 9, "y").await;
    world.sandbox.faults().script("iogates:tus-locked iogates:tus-short=4").unwrap();
    assert_eq!(world.tus(Method::HEAD, &url, &[], Vec::new()).await.unwrap().status(), 423);
    let short = world.patch(&url, 0, b"123456789").await.unwrap();
    assert_eq!(short.headers()["upload-offset"], "5");
    assert_eq!(world.tus(Method::DELETE, &url, &[], Vec::new()).await.unwrap().status(), 204);
    assert_eq!(world.tus(Method::HEAD, &url, &[], Vec::new()).await.unwrap().status(), 410);
}

#[tokio::test]
async fn iogates_joins_partial_uploads() {
    let world = world().await;
    let token = world.iogates_token().await;
    let content = bytes(5_000);
    let entry = world.iogates_file(&token, "joined.bin", &content).await;
    let methods = world.iogates(&token, &format!("/api/authinfo/{token}")).await;
    let server = methods["tus"]["server"].as_str().unwrap();
    let mut parts = Vec::new();
    for half in content.chunks(2_500) {
        let headers = [("Upload-Length", "2500"), ("Upload-Concat", "partial")];
        let made = world.tus(Method::POST, server, &headers, Vec::new()).await.unwrap();
        let url = made.headers()["location"].to_str().unwrap().to_owned();
        assert_eq!(world.patch(&url, 0, half).await.unwrap().status(), 204);
        parts.push(url);
    }
    assert!(world.sandbox.arrived().is_empty());
    let concat = format!("final;{}", parts.join(" "));
    let metadata = format!("filename {}", STANDARD.encode(entry["upload_filename"].as_str().unwrap()));
    let headers = [("Upload-Concat", concat.as_str()), ("Upload-Metadata", metadata.as_str())];
    assert_eq!(world.tus(Method::POST, server, &headers, Vec::new()).await.unwrap().status(), 201);
    assert_eq!(world.sandbox.arrived(), [arrived("iogates", "/joined.bin", &content, Protocol::Tus)]);
}

#[tokio::test]
async fn iogates_appends_plupload_chunks_even_when_one_comes_twice() {
    let world = world().await;
    let token = world.iogates_token().await;
    let content = bytes(250_000);
    let methods = world.iogates(&token, &format!("/api/authinfo/{token}")).await;
    let server = methods["plupload"]["server"].as_str().unwrap().to_owned();
    let send = async |name: &str, chunk: usize| {
        let (from, to) = (chunk * 100_000, content.len().min((chunk + 1) * 100_000));
        let number = chunk.to_string();
        let fields = [("name", name), ("chunk", number.as_str()), ("chunks", "3")];
        world.post_form(&server, &fields, ("file", "blob", &content[from..to])).await
    };
    let entry = world.iogates_file(&token, "a.mov", &content).await;
    let name = entry["upload_filename"].as_str().unwrap();
    for chunk in 0..3 {
        let verdict: Value = send(name, chunk).await.unwrap().json().await.unwrap();
        assert_eq!(verdict, json!({ "jsonrpc": "2.0", "result": null, "id": "id" }));
    }
    let expected = arrived("iogates", "/a.mov", &content, Protocol::Plupload);
    assert_eq!(world.sandbox.arrived(), std::slice::from_ref(&expected));

    // The answer to chunk 0 is lost; sent again it doubles, so the entry stays empty.
    let entry = world.iogates_file(&token, "b.mov", &content).await;
    let name = entry["upload_filename"].as_str().unwrap();
    world.sandbox.faults().script("iogates/plupload:answer-lost").unwrap();
    assert!(send(name, 0).await.is_err());
    for chunk in 0..3 {
        assert_eq!(send(name, chunk).await.unwrap().status(), 200);
    }
    assert_eq!(world.sandbox.arrived(), [expected]);
    assert_eq!(world.iogates(&token, &format!("/api/file/{}", entry["id"])).await["download"], Value::Null);

    let stranger = server.replace("token=", "token=x");
    let verdict: Value = world.post_form(&stranger, &[("name", "n")], ("file", "n", b"1")).await.unwrap().json().await.unwrap();
    assert_eq!(verdict["error"]["code"], 105);
}

#[tokio::test]
async fn iogates_takes_a_file_by_ftps_and_resumes_it() {
    let world = world().await;
    let token = world.iogates_token().await;
    let content = bytes(900_000);
    let entry = world.iogates_file(&token, "f.mxf", &content).await;
    let name = entry["upload_filename"].as_str().unwrap();
    let ftp = world.iogates(&token, &format!("/api/authinfo/{token}")).await["ftp"].clone();
    assert_eq!((&ftp["ssl"], &ftp["protocol"]), (&json!(true), &json!("ftps")));
    let address = format!("{}:{}", ftp["server"].as_str().unwrap(), ftp["port"]);
    let (user, password) = (ftp["username"].as_str().unwrap(), ftp["password"].as_str().unwrap());
    let ca = fs::read(world.env("HAUL_REMOTE_IOGATES_CA_FILE")).unwrap();
    let open = async || {
        let tls = AsyncRustlsConnector::from(tokio_rustls::TlsConnector::from(Arc::new(trusting(&ca))));
        let plain = AsyncRustlsFtpStream::connect(&address).await.unwrap();
        plain.into_secure(tls, "127.0.0.1").await.unwrap()
    };
    let mut plain = AsyncRustlsFtpStream::connect(&address).await.unwrap();
    assert!(plain.login(user, password).await.is_err(), "a password in clear must be refused");
    assert!(open().await.login(user, "wrong").await.is_err());

    let temporary = format!("{name}.download");
    world.sandbox.faults().script("iogates:ftp-cut=300000").unwrap();
    let mut session = open().await;
    session.login(user, password).await.unwrap();
    session.transfer_type(FileType::Binary).await.unwrap();
    let mut stream = session.put_with_stream(&temporary).await.unwrap();
    // The server hangs up in the middle: the writer or the end notices.
    let sent = stream.write_all(&content).await;
    assert!(sent.is_err() || stream.finish().await.is_err());

    let mut session = open().await;
    session.login(user, password).await.unwrap();
    session.transfer_type(FileType::Binary).await.unwrap();
    let held = session.size(&temporary).await.unwrap();
    assert_eq!(held, 300_000);
    session.resume_transfer(held).await.unwrap();
    let mut stream = session.put_with_stream(&temporary).await.unwrap();
    stream.write_all(&content[held..]).await.unwrap();
    stream.finish().await.unwrap();
    assert!(world.sandbox.arrived().is_empty());
    session.rename(temporary.as_str(), name).await.unwrap();
    assert_eq!(world.sandbox.arrived(), [arrived("iogates", "/f.mxf", &content, Protocol::Ftps)]);
    assert_eq!(world.stored("iogates", "/f.mxf"), content);
    assert!(session.size(name).await.is_err(), "a file that was taken in leaves the folder");
}

#[tokio::test]
async fn iogates_knows_its_guests() {
    let world = world().await;
    let url = world.url("iogates", "/api/authtoken");
    let wrong = world.http.post(&url).form(&[("username", "ann"), ("password", "no")]).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let token = world.iogates_token().await;
    let list = world.url("iogates", "/api/files");
    world.sandbox.faults().script("iogates:only-header=authorisation").unwrap();
    assert_eq!(world.http.get(&list).header("token", &token).send().await.unwrap().status(), 401);
    let spelled = world.http.get(&list).header("Authorisation", format!("Bearer {token}")).send().await.unwrap();
    assert_eq!(spelled.status(), 200);
    world.sandbox.faults().clear();

    let login = json!({ "url": world.sandbox.iogates().share_url() });
    let share: Value = world.http.post(&url).json(&login).send().await.unwrap().json().await.unwrap();
    let share = share["token"].as_str().unwrap();
    assert_eq!(world.iogates(share, "/api/share").await["permissions"]["upload"], true);
    world.iogates_file(&token, "mine.txt", b"1").await;
    assert_eq!(world.iogates(share, "/api/files").await["files"], json!([]));

    world.sandbox.iogates().set(|s| s.two_factor = true);
    assert_eq!(world.http.get(&list).header("token", &token).send().await.unwrap().status(), 403);
    let sms = world.url("iogates", &format!("/api/apiauth/twofactorsms/{token}"));
    assert_eq!(world.http.get(&sms).send().await.unwrap().status(), 200);
    let code = world.sandbox.iogates().sms_code().unwrap();
    assert_eq!(world.http.post(&sms).form(&[("authcode", "x")]).send().await.unwrap().status(), 401);
    assert_eq!(world.http.post(&sms).form(&[("authcode", &code)]).send().await.unwrap().status(), 200);
    assert_eq!(world.http.get(&list).header("token", &token).send().await.unwrap().status(), 200);
    assert_eq!(world.sandbox.counts().sign_ins("iogates"), 2);
}

#[tokio::test]
async fn giga0_takes_a_file_and_never_overwrites() {
    let world = world().await;
    let token = world.giga0_token().await;
    let auth = [("access_token", token.as_str()), ("account_id", "158642")];
    let with = |more: &[(&'static str, &'static str)]| [&auth[..], more].concat();
    let folder = world.giga0("folder/create", &with(&[("folder_name", "Renders")])).await["data"]["id"].as_str().unwrap().to_owned();
    let content = bytes(300_000);
    let upload = world.url("giga0", "/api/v2/file/upload");
    let fields = [&auth[..], &[("folder_id", folder.as_str())]].concat();
    for expected in ["a.png", "a (2).png"] {
        let answer: Value = world.post_form(&upload, &fields, ("upload_file", "a.png", &content)).await.unwrap().json().await.unwrap();
        let row = &answer["data"][0];
        assert_eq!((&row["name"], &row["size"], &row["hash"]), (&json!(expected), &json!("300000"), &json!(md5(&content))));
        assert_eq!(world.stored("giga0", &format!("/Renders/{expected}")), content);
    }
    let empty: Value = world.post_form(&upload, &auth, ("upload_file", "e", b"")).await.unwrap().json().await.unwrap();
    assert_eq!((&empty["_status"], &empty["response"]), (&json!("error"), &json!("Filesize received was zero.")));
    let list = world.giga0("folder/listing", &[&auth[..], &[("parent_folder_id", folder.as_str())]].concat()).await;
    let files = list["data"]["files"].as_array().unwrap();
    assert_eq!((files.len(), &files[0]["fileSize"], &files[0]["status"]), (2, &json!("300000"), &json!("active")));

    let id = [("file_id", files[0]["id"].as_str().unwrap())];
    let blank = world.giga0("file/move", &[&auth[..], &id, &[("new_parent_folder_id", "")]].concat()).await;
    assert_eq!(blank["response"], "Please provide the new_parent_folder_id param.");
    let moved = world.giga0("file/move", &[&auth[..], &id, &[("new_parent_folder_id", "null")]].concat()).await;
    assert_eq!(moved["data"]["folderId"], Value::Null);
    let url = world.giga0("file/download", &[&auth[..], &id].concat()).await["data"]["download_url"].as_str().unwrap().to_owned();
    let rest = world.http.get(&url).header("range", "bytes=299000-299001").send().await.unwrap();
    assert_eq!((rest.status().as_u16(), rest.bytes().await.unwrap().to_vec()), (206, content[299_000..].to_vec()));
    assert_eq!(world.giga0("file/delete", &[&auth[..], &id].concat()).await["data"]["status"], "trash");
    assert_eq!(world.http.get(&url).send().await.unwrap().status(), 302);
    assert_eq!(world.sandbox.counts().created("giga0"), 2);
}

#[tokio::test]
async fn giga0_has_one_live_token_and_reads_forms_only() {
    let world = world().await;
    let first = world.giga0_token().await;
    let second = world.giga0_token().await;
    let info = async |token: &str| world.giga0("account/info", &[("access_token", token), ("account_id", "158642")]).await;
    assert_eq!(info(&first).await["response"], "Could not validate access_token and account_id, please reauthenticate or try again.");
    assert_eq!(info(&second).await["data"]["username"], "ann");
    let ignored = json!({ "access_token": second, "account_id": "158642" });
    let url = world.url("giga0", "/api/v2/account/info");
    let answer = world.http.post(&url).json(&ignored).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap()["response"], "Please provide the access_token param.");

    world.sandbox.faults().script("giga0/account/info:expired giga0/account/info:429=3").unwrap();
    let busy = world.http.post(&url).send().await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (429, "3"));
    assert_eq!(info(&second).await["_status"], "error");
    world.sandbox.giga0().set(|p| p.login = LoginKind::Keys);
    assert_eq!(world.giga0("authorize", &[("username", "ann")]).await["response"], "Please provide the key1 param.");
    let (key1, key2) = world.sandbox.giga0().keys();
    assert_eq!(world.giga0("authorize", &[("key1", key1), ("key2", key2)]).await["_status"], "success");
    world.sandbox.faults().script("giga0:error-form=http").unwrap();
    let refused = world.http.post(world.url("giga0", "/api/v2/file/info")).send().await.unwrap();
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn giga0_imports_from_loopback() {
    let world = world().await;
    let token = world.iogates_token().await;
    let content = bytes(70_000);
    let entry = world.iogates_file(&token, "source.bin", &content).await;
    let methods = world.iogates(&token, &format!("/api/authinfo/{token}")).await;
    let server = methods["tus"]["server"].as_str().unwrap();
    let url = world.tus_create(server, content.len(), entry["upload_filename"].as_str().unwrap()).await;
    world.patch(&url, 0, &content).await.unwrap();
    let source = world.iogates(&token, &format!("/api/file/{}", entry["id"])).await["download"].as_str().unwrap().to_owned();

    let token = world.giga0_token().await;
    let auth = [("access_token", token.as_str()), ("account_id", "158642")];
    let encoded = STANDARD.encode(source);
    let added = world.giga0("file/url_upload_add", &[&auth[..], &[("file_url_base64", encoded.as_str())]].concat()).await;
    let id = added["data"]["scheduled_item_id"].to_string();
    let wait = async {
        loop {
            let status = world.giga0("file/url_upload_status", &[&auth[..], &[("scheduled_item_id", id.as_str())]].concat()).await;
            if status["data"]["status"] == "complete" {
                return status["data"]["downloaded_file"]["size"].clone();
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap(), 70_000);
    assert_eq!(world.sandbox.arrived()[1].md5, md5(&content));
}

#[tokio::test]
async fn fileago_takes_files_and_revisions() {
    let world = world().await;
    let (token, key) = world.fileago_token().await;
    let (status, _) = world.fileago(&token, Method::POST, "/api/nodes/home", json!({ "new_dir": "Docs" })).await;
    assert_eq!(status, 204);
    let (status, _) = world.fileago(&token, Method::POST, "/api/nodes/home", json!({ "new_dir": "Docs" })).await;
    assert_eq!(status, 409);
    let list =
        async |node: &str| world.fileago(&token, Method::GET, &format!("/api/nodes/{node}/dirlist"), Value::Null).await.1["data"].clone();
    let folder = list("home").await[0]["uuid"].as_str().unwrap().to_owned();
    let content = bytes(400_000);
    assert_eq!(world.fileago_upload(&token, &folder, "a b.txt", &content).await, 200);
    assert_eq!(world.sandbox.arrived(), [arrived("fileago", "/Docs/a b.txt", &content, Protocol::Multipart)]);
    assert_eq!(world.stored("fileago", "/Docs/a b.txt"), content);
    assert_eq!(list("home").await[0]["size"], 1, "a folder's size is its number of items");

    assert_eq!(world.fileago_upload(&token, &folder, "a b.txt", b"other").await, 409);
    let file = list(&folder).await[0]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(world.fileago_upload(&token, &file, "a b.txt", b"other").await, 200);
    let row = list(&folder).await[0].clone();
    assert_eq!((&row["revision"], &row["size"]), (&json!(2), &json!(5)));
    for (revision, expected) in [("1", &content[..]), ("latest", b"other"), ("999999999999999", b"other")] {
        let url = world.url("fileago", &format!("/resources/auth/download/{key}/{file}/{revision}/a%20b.txt"));
        assert_eq!(world.http.get(url).send().await.unwrap().bytes().await.unwrap(), expected);
    }

    assert_eq!(world.fileago(&token, Method::DELETE, &format!("/api/nodes/{file}"), Value::Null).await.0, 204);
    let day = list("trash").await[0]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(list(&day).await[0]["name"], "a b.txt");
    let (status, _) = world.fileago(&token, Method::POST, &format!("/api/nodes/{file}"), json!({ "move_to": "home" })).await;
    assert_eq!(status, 204);
    let (_, path) = world.fileago(&token, Method::GET, &format!("/api/nodes/{file}/path"), Value::Null).await;
    assert_eq!(path["data"], json!([{ "name": "Home", "uuid": "home" }, { "name": "a b.txt", "uuid": file }]));
}

#[tokio::test]
async fn fileago_upload_tokens_work_once_and_sessions_end() {
    let world = world().await;
    let (token, _) = world.fileago_token().await;
    let (_, ticket) = world.fileago(&token, Method::GET, "/api/nodes/home/upload", Value::Null).await;
    let url = world.url("fileago", &format!("/upload/{}", ticket["token"].as_str().unwrap()));
    world.sandbox.faults().script("fileago:cut=1000").unwrap();
    assert!(world.post_form(&url, &[], ("file", "f", &bytes(500_000))).await.is_err());
    assert_eq!(world.post_form(&url, &[], ("file", "f", b"again")).await.unwrap().status(), 403);
    assert!(world.sandbox.arrived().is_empty(), "a cut upload does not land");

    world.sandbox.faults().script("fileago:answer-lost").unwrap();
    let (_, ticket) = world.fileago(&token, Method::GET, "/api/nodes/home/upload", Value::Null).await;
    let url = world.url("fileago", &format!("/upload/{}", ticket["token"].as_str().unwrap()));
    assert!(world.post_form(&url, &[], ("file", "f", b"landed")).await.is_err());
    assert_eq!(world.sandbox.arrived(), [arrived("fileago", "/f", b"landed", Protocol::Multipart)]);

    world.sandbox.faults().script("fileago:expired").unwrap();
    assert_eq!(world.fileago(&token, Method::GET, "/api/nodes/home", Value::Null).await.0, 401);
    let (token, _) = world.fileago_token().await;
    assert_eq!(world.fileago(&token, Method::GET, "/api/nodes/home:someone", Value::Null).await.0, 403);
    let group = format!("/api/nodes/home:{}", world.sandbox.fileago().group());
    let (status, details) = world.fileago(&token, Method::GET, &group, Value::Null).await;
    assert_eq!((status.as_u16(), &details["data"]["owner_type"]), (200, &json!("Group")));
}

#[tokio::test]
async fn nothing_is_left_when_it_stops() {
    let world = world().await;
    let state = world.env("XDG_STATE_HOME").to_owned();
    assert!(fs::metadata(&state).unwrap().is_dir());
    let url = world.url("giga0", "/");
    drop(world.sandbox);
    assert!(fs::metadata(&state).is_err());
    assert!(world.http.get(url).send().await.is_err());
}
