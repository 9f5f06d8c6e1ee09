//! ioGates: the API, TUS, plupload and FTPS.

use crate::support::stand_ins::StandIns;

use std::fs;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haul::model::Protocol;
use reqwest::Method;
use serde_json::{Value, json};
use suppaftp::tokio::{AsyncRustlsConnector, AsyncRustlsFtpStream};
use suppaftp::types::FileType;
use tokio::io::AsyncWriteExt;

use super::{arrival, bytes, fixture, md5, trusting};

#[tokio::test]
async fn takes_a_file_by_tus_through_a_cut_line() {
    let fixture = fixture().await;
    let content = bytes(700_000);
    let token = fixture.iogates_token().await;
    let entry = fixture.iogates_file(&token, "Show/Day 1/clip.mp4", &content).await;
    assert_eq!((&entry["size"], &entry["download"], &entry["Etag"]), (&Value::Null, &Value::Null, &json!(0)));
    let methods = fixture.iogates(&token, &format!("/api/authinfo/{token}")).await;
    let url =
        fixture.tus_create(methods["tus"]["server"].as_str().unwrap(), content.len(), entry["upload_filename"].as_str().unwrap()).await;

    fixture.sandbox.faults().script("iogates/tus-patch:cut=200000").unwrap();
    assert!(fixture.patch(&url, 0, &content[..500_000]).await.is_err());
    assert!(fixture.sandbox.faults().remaining().is_empty());
    assert_eq!(fixture.tus_offset(&url).await, 200_000);
    assert_eq!(fixture.patch(&url, 7, &content[7..]).await.unwrap().status(), 409);
    assert_eq!(fixture.patch(&url, 200_000, &content[200_000..]).await.unwrap().status(), 204);

    assert_eq!(fixture.sandbox.arrivals(), [arrival("iogates", "/Show/Day 1/clip.mp4", &content, Protocol::Tus)]);
    assert_eq!(fixture.read_stored("iogates", "/Show/Day 1/clip.mp4"), content);
    let upload = entry["upload_filename"].as_str().unwrap();
    assert_eq!(fixture.sandbox.counts().received_bytes("iogates", upload), 700_000);
    assert_eq!(fixture.sandbox.counts().requests("iogates", "tus-patch"), 3);

    let done = fixture.iogates(&token, &format!("/api/file/{}", entry["id"])).await;
    assert_eq!((&done["md5"], &done["size"], &done["Etag"]), (&json!(md5(&content)), &Value::Null, &json!(1)));
    let download = done["download"].as_str().unwrap();
    let rest = fixture.http.get(download).header("range", "bytes=699990-").send().await.unwrap();
    assert_eq!((rest.status().as_u16(), rest.bytes().await.unwrap().to_vec()), (206, content[699_990..].to_vec()));
    let list = fixture.iogates(&token, "/api/files").await;
    let names: Vec<_> =
        list["files"].as_array().unwrap().iter().map(|f| (f["name"].as_str().unwrap(), f["type"].as_str().unwrap())).collect();
    assert_eq!(names, [("Show", "dir"), ("Day 1", "dir"), ("clip.mp4", "movie")]);
}

#[tokio::test]
async fn tus_keeps_to_the_protocol() {
    let fixture = fixture().await;
    let token = fixture.iogates_token().await;
    let methods = fixture.iogates(&token, &format!("/api/authinfo/{token}")).await;
    let server = methods["tus"]["server"].as_str().unwrap();
    let bare = fixture.http.post(server).header("Upload-Length", "3").send().await.unwrap();
    assert_eq!((bare.status().as_u16(), bare.headers()["tus-version"].to_str().unwrap()), (412, "1.0.0"));
    assert_eq!(fixture.tus(Method::POST, server, &[("Upload-Length", "3")], Vec::new()).await.unwrap().status(), 400);

    let url = fixture.tus_create(server, 3, "x").await;
    let offset = ("Upload-Offset", "0");
    assert_eq!(fixture.tus(Method::PATCH, &url, &[offset], b"abc".to_vec()).await.unwrap().status(), 415);
    let kind = ("Content-Type", "application/offset+octet-stream");
    let checked = |sum: &'static str| [offset, kind, ("Upload-Checksum", sum)];
    assert_eq!(fixture.tus(Method::PATCH, &url, &checked("crc32 AA=="), b"abc".to_vec()).await.unwrap().status(), 400);
    assert_eq!(fixture.tus(Method::PATCH, &url, &checked("md5 AA=="), b"abc".to_vec()).await.unwrap().status(), 460);
    assert_eq!(fixture.tus_offset(&url).await, 0);
    assert_eq!(fixture.tus(Method::PATCH, &url, &checked("md5 kAFQmDzST7DWlj99KOF/cg=="), b"abc".to_vec()).await.unwrap().status(), 204);
    // Nobody asked for "x", so it is a file of its own.
    assert_eq!(fixture.sandbox.arrivals(), [arrival("iogates", "/x", b"abc", Protocol::Tus)]);

    let url = fixture.tus_create(server, 9, "y").await;
    fixture.sandbox.faults().script("iogates:tus-locked iogates:tus-short=4").unwrap();
    assert_eq!(fixture.tus(Method::HEAD, &url, &[], Vec::new()).await.unwrap().status(), 423);
    let short = fixture.patch(&url, 0, b"123456789").await.unwrap();
    assert_eq!(short.headers()["upload-offset"], "5");
    assert_eq!(fixture.tus(Method::DELETE, &url, &[], Vec::new()).await.unwrap().status(), 204);
    assert_eq!(fixture.tus(Method::HEAD, &url, &[], Vec::new()).await.unwrap().status(), 410);
}

#[tokio::test]
async fn joins_partial_uploads() {
    let fixture = fixture().await;
    let token = fixture.iogates_token().await;
    let content = bytes(5_000);
    let entry = fixture.iogates_file(&token, "joined.bin", &content).await;
    let methods = fixture.iogates(&token, &format!("/api/authinfo/{token}")).await;
    let server = methods["tus"]["server"].as_str().unwrap();
    let mut parts = Vec::new();
    for half in content.chunks(2_500) {
        let headers = [("Upload-Length", "2500"), ("Upload-Concat", "partial")];
        let made = fixture.tus(Method::POST, server, &headers, Vec::new()).await.unwrap();
        let url = made.headers()["location"].to_str().unwrap().to_owned();
        assert_eq!(fixture.patch(&url, 0, half).await.unwrap().status(), 204);
        parts.push(url);
    }
    assert!(fixture.sandbox.arrivals().is_empty());
    let concat = format!("final;{}", parts.join(" "));
    let metadata = format!("filename {}", STANDARD.encode(entry["upload_filename"].as_str().unwrap()));
    let headers = [("Upload-Concat", concat.as_str()), ("Upload-Metadata", metadata.as_str())];
    assert_eq!(fixture.tus(Method::POST, server, &headers, Vec::new()).await.unwrap().status(), 201);
    assert_eq!(fixture.sandbox.arrivals(), [arrival("iogates", "/joined.bin", &content, Protocol::Tus)]);
}

#[tokio::test]
async fn appends_plupload_chunks_even_when_one_comes_twice() {
    let fixture = fixture().await;
    let token = fixture.iogates_token().await;
    let content = bytes(250_000);
    let methods = fixture.iogates(&token, &format!("/api/authinfo/{token}")).await;
    let server = methods["plupload"]["server"].as_str().unwrap().to_owned();
    let send = async |name: &str, chunk: usize| {
        let (from, to) = (chunk * 100_000, content.len().min((chunk + 1) * 100_000));
        let number = chunk.to_string();
        let fields = [("name", name), ("chunk", number.as_str()), ("chunks", "3")];
        fixture.post_form(&server, &fields, ("file", "blob", &content[from..to])).await
    };
    let entry = fixture.iogates_file(&token, "a.mov", &content).await;
    let name = entry["upload_filename"].as_str().unwrap();
    for chunk in 0..3 {
        let verdict: Value = send(name, chunk).await.unwrap().json().await.unwrap();
        assert_eq!(verdict, json!({ "jsonrpc": "2.0", "result": null, "id": "id" }));
    }
    let expected = arrival("iogates", "/a.mov", &content, Protocol::Plupload);
    assert_eq!(fixture.sandbox.arrivals(), std::slice::from_ref(&expected));

    // The answer to chunk 0 is lost; sent again it doubles, so the entry stays empty.
    let entry = fixture.iogates_file(&token, "b.mov", &content).await;
    let name = entry["upload_filename"].as_str().unwrap();
    fixture.sandbox.faults().script("iogates/plupload:answer-lost").unwrap();
    assert!(send(name, 0).await.is_err());
    for chunk in 0..3 {
        assert_eq!(send(name, chunk).await.unwrap().status(), 200);
    }
    assert_eq!(fixture.sandbox.arrivals(), [expected]);
    assert_eq!(fixture.iogates(&token, &format!("/api/file/{}", entry["id"])).await["download"], Value::Null);

    let stranger = server.replace("token=", "token=x");
    let verdict: Value = fixture.post_form(&stranger, &[("name", "n")], ("file", "n", b"1")).await.unwrap().json().await.unwrap();
    assert_eq!(verdict["error"]["code"], 105);
}

#[tokio::test]
async fn takes_a_file_by_ftps_and_resumes_it() {
    let fixture = fixture().await;
    let token = fixture.iogates_token().await;
    let content = bytes(900_000);
    let entry = fixture.iogates_file(&token, "f.mxf", &content).await;
    let name = entry["upload_filename"].as_str().unwrap();
    let ftp = fixture.iogates(&token, &format!("/api/authinfo/{token}")).await["ftp"].clone();
    assert_eq!((&ftp["ssl"], &ftp["protocol"]), (&json!(true), &json!("ftps")));
    let address = format!("{}:{}", ftp["server"].as_str().unwrap(), ftp["port"]);
    let (user, password) = (ftp["username"].as_str().unwrap(), ftp["password"].as_str().unwrap());
    let ca = fs::read(fixture.env("HAUL_REMOTE_IOGATES_CA_FILE")).unwrap();
    let open = async || {
        let tls = AsyncRustlsConnector::from(tokio_rustls::TlsConnector::from(Arc::new(trusting(&ca))));
        let plain = AsyncRustlsFtpStream::connect(&address).await.unwrap();
        plain.into_secure(tls, "127.0.0.1").await.unwrap()
    };
    let mut plain = AsyncRustlsFtpStream::connect(&address).await.unwrap();
    assert!(plain.login(user, password).await.is_err(), "a password in clear must be refused");
    assert!(open().await.login(user, "wrong").await.is_err());

    let temporary = format!("{name}.download");
    fixture.sandbox.faults().script("iogates:ftp-cut=300000").unwrap();
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
    assert!(fixture.sandbox.arrivals().is_empty());
    session.rename(temporary.as_str(), name).await.unwrap();
    assert_eq!(fixture.sandbox.arrivals(), [arrival("iogates", "/f.mxf", &content, Protocol::Ftps)]);
    assert_eq!(fixture.read_stored("iogates", "/f.mxf"), content);
    assert!(session.size(name).await.is_err(), "a file that was taken in leaves the folder");
}

#[tokio::test]
async fn knows_its_guests() {
    let fixture = fixture().await;
    let url = fixture.url("iogates", "/api/authtoken");
    let wrong = fixture.http.post(&url).form(&[("username", "ann"), ("password", "no")]).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let token = fixture.iogates_token().await;
    let list = fixture.url("iogates", "/api/files");
    fixture.sandbox.faults().script("iogates:only-header=authorisation").unwrap();
    assert_eq!(fixture.http.get(&list).header("token", &token).send().await.unwrap().status(), 401);
    let spelled = fixture.http.get(&list).header("Authorisation", format!("Bearer {token}")).send().await.unwrap();
    assert_eq!(spelled.status(), 200);
    fixture.sandbox.faults().clear();

    let login = json!({ "url": fixture.sandbox.iogates().share_url() });
    let share: Value = fixture.http.post(&url).json(&login).send().await.unwrap().json().await.unwrap();
    let share = share["token"].as_str().unwrap();
    assert_eq!(fixture.iogates(share, "/api/share").await["permissions"]["upload"], true);
    fixture.iogates_file(&token, "mine.txt", b"1").await;
    assert_eq!(fixture.iogates(share, "/api/files").await["files"], json!([]));

    fixture.sandbox.iogates().set(|s| s.two_factor = true);
    assert_eq!(fixture.http.get(&list).header("token", &token).send().await.unwrap().status(), 403);
    let sms = fixture.url("iogates", &format!("/api/apiauth/twofactorsms/{token}"));
    assert_eq!(fixture.http.get(&sms).send().await.unwrap().status(), 200);
    let code = fixture.sandbox.iogates().sms_code().unwrap();
    assert_eq!(fixture.http.post(&sms).form(&[("authcode", "x")]).send().await.unwrap().status(), 401);
    assert_eq!(fixture.http.post(&sms).form(&[("authcode", &code)]).send().await.unwrap().status(), 200);
    assert_eq!(fixture.http.get(&list).header("token", &token).send().await.unwrap().status(), 200);
    assert_eq!(fixture.sandbox.counts().sign_ins("iogates"), 2);
}

#[tokio::test]
async fn keeps_comments_and_shares() {
    let fixture = fixture().await;
    let token = fixture.iogates_token().await;
    let id = fixture.iogates_file(&token, "a.mp4", b"1").await["id"].clone();
    let send = async |method: Method, path: String, body: Value| {
        let answer = fixture.http.request(method, fixture.url("iogates", &path)).header("token", &token).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let text = json!({ "file_id": id, "text": "one\ntwo", "tc": [{ "in": 40, "out": 80 }] });
    let (status, comment) = send(Method::POST, "/api/comment".into(), text).await;
    assert_eq!((status, &comment["text"], &comment["tc"][0]["in"]), (200, &json!("one\ntwo"), &json!(40)));
    let (_, listed) = send(Method::GET, format!("/api/file/{id}/comments"), Value::Null).await;
    assert_eq!((&listed["timecode"]["fps"], &listed["comments"][0]), (&json!(25.0), &comment));
    assert_eq!(listed["map"], json!({ comment["id"].to_string(): 0 }));
    let at = format!("/api/comment/{}", comment["id"]);
    assert_eq!(send(Method::PUT, at.clone(), json!({ "text": "three" })).await.1["text"], "three");
    assert_eq!(send(Method::DELETE, at.clone(), Value::Null).await.0, 200);
    assert_eq!(send(Method::GET, at, Value::Null).await.0, 404);

    let (status, share) = send(Method::POST, "/api/share".into(), json!({ "receiver": "x@y.z", "file_id": id })).await;
    assert_eq!((status, &share["file_id"]), (200, &id));
    assert_eq!(send(Method::GET, format!("/api/share/{}", share["id"]), Value::Null).await.1, share);
    assert_eq!(send(Method::POST, "/api/share".into(), json!({ "file_id": id })).await.0, 400);
}
