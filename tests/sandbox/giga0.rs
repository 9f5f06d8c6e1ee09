//! giga0: the habits of its API.

use crate::support::stand_ins::StandIns;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haul::sandbox::LoginKind;
use serde_json::{Value, json};

use super::{bytes, fixture, md5};

#[tokio::test]
async fn takes_a_file_and_never_overwrites() {
    let fixture = fixture().await;
    let token = fixture.giga0_token().await;
    let auth = [("access_token", token.as_str()), ("account_id", "158642")];
    let with = |more: &[(&'static str, &'static str)]| [&auth[..], more].concat();
    let folder = fixture.giga0("folder/create", &with(&[("folder_name", "Renders")])).await["data"]["id"].as_str().unwrap().to_owned();
    let content = bytes(300_000);
    let upload = fixture.url("giga0", "/api/v2/file/upload");
    let fields = [&auth[..], &[("folder_id", folder.as_str())]].concat();
    for expected in ["a.png", "a (2).png"] {
        let answer: Value = fixture.post_form(&upload, &fields, ("upload_file", "a.png", &content)).await.unwrap().json().await.unwrap();
        let row = &answer["data"][0];
        assert_eq!((&row["name"], &row["size"], &row["hash"]), (&json!(expected), &json!("300000"), &json!(md5(&content))));
        assert_eq!(fixture.read_stored("giga0", &format!("/Renders/{expected}")), content);
    }
    let empty: Value = fixture.post_form(&upload, &auth, ("upload_file", "e", b"")).await.unwrap().json().await.unwrap();
    assert_eq!((&empty["_status"], &empty["response"]), (&json!("error"), &json!("Filesize received was zero.")));
    let list = fixture.giga0("folder/listing", &[&auth[..], &[("parent_folder_id", folder.as_str())]].concat()).await;
    let files = list["data"]["files"].as_array().unwrap();
    assert_eq!((files.len(), &files[0]["fileSize"], &files[0]["status"]), (2, &json!("300000"), &json!("active")));

    let id = [("file_id", files[0]["id"].as_str().unwrap())];
    let blank = fixture.giga0("file/move", &[&auth[..], &id, &[("new_parent_folder_id", "")]].concat()).await;
    assert_eq!(blank["response"], "Please provide the new_parent_folder_id param.");
    let moved = fixture.giga0("file/move", &[&auth[..], &id, &[("new_parent_folder_id", "null")]].concat()).await;
    assert_eq!(moved["data"]["folderId"], Value::Null);
    let url = fixture.giga0("file/download", &[&auth[..], &id].concat()).await["data"]["download_url"].as_str().unwrap().to_owned();
    let rest = fixture.http.get(&url).header("range", "bytes=299000-299001").send().await.unwrap();
    assert_eq!((rest.status().as_u16(), rest.bytes().await.unwrap().to_vec()), (206, content[299_000..].to_vec()));
    assert_eq!(fixture.giga0("file/delete", &[&auth[..], &id].concat()).await["data"]["status"], "trash");
    assert_eq!(fixture.http.get(&url).send().await.unwrap().status(), 302);
    assert_eq!(fixture.sandbox.counts().created_count("giga0"), 2);
}

#[tokio::test]
async fn has_one_live_token_and_reads_forms_only() {
    let fixture = fixture().await;
    let first = fixture.giga0_token().await;
    let second = fixture.giga0_token().await;
    let info = async |token: &str| fixture.giga0("account/info", &[("access_token", token), ("account_id", "158642")]).await;
    assert_eq!(info(&first).await["response"], "Could not validate access_token and account_id, please reauthenticate or try again.");
    assert_eq!(info(&second).await["data"]["username"], "ann");
    let ignored = json!({ "access_token": second, "account_id": "158642" });
    let url = fixture.url("giga0", "/api/v2/account/info");
    let answer = fixture.http.post(&url).json(&ignored).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await.unwrap()["response"], "Please provide the access_token param.");

    fixture.sandbox.faults().script("giga0/account/info:expired giga0/account/info:429=3").unwrap();
    let busy = fixture.http.post(&url).send().await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (429, "3"));
    assert_eq!(info(&second).await["_status"], "error");
    fixture.sandbox.giga0().set(|p| p.login = LoginKind::Keys);
    assert_eq!(fixture.giga0("authorize", &[("username", "ann")]).await["response"], "Please provide the key1 param.");
    let (key1, key2) = fixture.sandbox.giga0().keys();
    assert_eq!(fixture.giga0("authorize", &[("key1", key1), ("key2", key2)]).await["_status"], "success");
    fixture.sandbox.faults().script("giga0:error-form=http").unwrap();
    let refused = fixture.http.post(fixture.url("giga0", "/api/v2/file/info")).send().await.unwrap();
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn imports_from_loopback() {
    let fixture = fixture().await;
    let token = fixture.iogates_token().await;
    let content = bytes(70_000);
    let entry = fixture.iogates_file(&token, "source.bin", &content).await;
    let methods = fixture.iogates(&token, &format!("/api/authinfo/{token}")).await;
    let server = methods["tus"]["server"].as_str().unwrap();
    let url = fixture.tus_create(server, content.len(), entry["upload_filename"].as_str().unwrap()).await;
    fixture.patch(&url, 0, &content).await.unwrap();
    let source = fixture.iogates(&token, &format!("/api/file/{}", entry["id"])).await["download"].as_str().unwrap().to_owned();

    let token = fixture.giga0_token().await;
    let auth = [("access_token", token.as_str()), ("account_id", "158642")];
    let encoded = STANDARD.encode(source);
    let added = fixture.giga0("file/url_upload_add", &[&auth[..], &[("file_url_base64", encoded.as_str())]].concat()).await;
    let id = added["data"]["scheduled_item_id"].to_string();
    let wait = async {
        loop {
            let status = fixture.giga0("file/url_upload_status", &[&auth[..], &[("scheduled_item_id", id.as_str())]].concat()).await;
            if status["data"]["status"] == "complete" {
                return status["data"]["downloaded_file"]["size"].clone();
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap(), 70_000);
    assert_eq!(fixture.sandbox.arrivals()[1].md5, md5(&content));
}
