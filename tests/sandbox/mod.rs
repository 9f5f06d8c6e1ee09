//! The stand-ins with other clients: plain requests written by hand, and a third-party FTP client.

mod faults;
mod fileago;
mod giga0;
mod iogates;

use std::collections::HashMap;
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haul::model::Protocol;
use haul::sandbox::{Arrived, Sandbox};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

/// A sandbox, its environment and a client.
struct Fixture {
    sandbox: Sandbox,
    env: HashMap<String, String>,
    http: Client,
}

async fn fixture() -> Fixture {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http =
        Client::builder().no_proxy().tls_backend_preconfigured(trusting(&[])).redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let sandbox = Sandbox::start().await.unwrap();
    let env = sandbox.env().into_iter().collect();
    Fixture { sandbox, env, http }
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

impl Fixture {
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

    fn read_stored(&self, provider: &str, path: &str) -> Vec<u8> {
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

fn arrival(provider: &str, path: &str, content: &[u8], protocol: Protocol) -> Arrived {
    Arrived { provider: provider.into(), path: path.into(), size: content.len() as u64, md5: md5(content), protocol }
}
