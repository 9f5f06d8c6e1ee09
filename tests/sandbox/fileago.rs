//! FileAgo: nodes, upload tokens and revisions.

use crate::support::stand_ins::StandIns;

use haul::model::Protocol;
use reqwest::Method;
use serde_json::{Value, json};

use super::{arrival, bytes, fixture};

#[tokio::test]
async fn takes_files_and_revisions() {
    let fixture = fixture().await;
    let (token, key) = fixture.fileago_token().await;
    let (status, _) = fixture.fileago(&token, Method::POST, "/api/nodes/home", json!({ "new_dir": "Docs" })).await;
    assert_eq!(status, 204);
    let (status, _) = fixture.fileago(&token, Method::POST, "/api/nodes/home", json!({ "new_dir": "Docs" })).await;
    assert_eq!(status, 409);
    let list =
        async |node: &str| fixture.fileago(&token, Method::GET, &format!("/api/nodes/{node}/dirlist"), Value::Null).await.1["data"].clone();
    let folder = list("home").await[0]["uuid"].as_str().unwrap().to_owned();
    let content = bytes(400_000);
    assert_eq!(fixture.fileago_upload(&token, &folder, "a b.txt", &content).await, 200);
    assert_eq!(fixture.sandbox.arrivals(), [arrival("fileago", "/Docs/a b.txt", &content, Protocol::Multipart)]);
    assert_eq!(fixture.read_stored("fileago", "/Docs/a b.txt"), content);
    assert_eq!(list("home").await[0]["size"], 1, "a folder's size is its number of items");

    assert_eq!(fixture.fileago_upload(&token, &folder, "a b.txt", b"other").await, 409);
    let file = list(&folder).await[0]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(fixture.fileago_upload(&token, &file, "a b.txt", b"other").await, 200);
    let row = list(&folder).await[0].clone();
    assert_eq!((&row["revision"], &row["size"]), (&json!(2), &json!(5)));
    for (revision, expected) in [("1", &content[..]), ("latest", b"other"), ("999999999999999", b"other")] {
        let url = fixture.url("fileago", &format!("/resources/auth/download/{key}/{file}/{revision}/a%20b.txt"));
        assert_eq!(fixture.http.get(url).send().await.unwrap().bytes().await.unwrap(), expected);
    }

    assert_eq!(fixture.fileago(&token, Method::DELETE, &format!("/api/nodes/{file}"), Value::Null).await.0, 204);
    let day = list("trash").await[0]["uuid"].as_str().unwrap().to_owned();
    assert_eq!(list(&day).await[0]["name"], "a b.txt");
    let (status, _) = fixture.fileago(&token, Method::POST, &format!("/api/nodes/{file}"), json!({ "move_to": "home" })).await;
    assert_eq!(status, 204);
    let (_, path) = fixture.fileago(&token, Method::GET, &format!("/api/nodes/{file}/path"), Value::Null).await;
    assert_eq!(path["data"], json!([{ "name": "Home", "uuid": "home" }, { "name": "a b.txt", "uuid": file }]));
}

#[tokio::test]
async fn upload_tokens_work_once_and_sessions_end() {
    let fixture = fixture().await;
    let (token, _) = fixture.fileago_token().await;
    let (_, ticket) = fixture.fileago(&token, Method::GET, "/api/nodes/home/upload", Value::Null).await;
    let url = fixture.url("fileago", &format!("/upload/{}", ticket["token"].as_str().unwrap()));
    fixture.sandbox.faults().script("fileago:cut=1000").unwrap();
    assert!(fixture.post_form(&url, &[], ("file", "f", &bytes(500_000))).await.is_err());
    assert_eq!(fixture.post_form(&url, &[], ("file", "f", b"again")).await.unwrap().status(), 403);
    assert!(fixture.sandbox.arrivals().is_empty(), "a cut upload does not land");

    fixture.sandbox.faults().script("fileago:answer-lost").unwrap();
    let (_, ticket) = fixture.fileago(&token, Method::GET, "/api/nodes/home/upload", Value::Null).await;
    let url = fixture.url("fileago", &format!("/upload/{}", ticket["token"].as_str().unwrap()));
    assert!(fixture.post_form(&url, &[], ("file", "f", b"landed")).await.is_err());
    assert_eq!(fixture.sandbox.arrivals(), [arrival("fileago", "/f", b"landed", Protocol::Multipart)]);

    fixture.sandbox.faults().script("fileago:expired").unwrap();
    assert_eq!(fixture.fileago(&token, Method::GET, "/api/nodes/home", Value::Null).await.0, 401);
    let (token, _) = fixture.fileago_token().await;
    assert_eq!(fixture.fileago(&token, Method::GET, "/api/nodes/home:someone", Value::Null).await.0, 403);
    let group = format!("/api/nodes/home:{}", fixture.sandbox.fileago().group());
    let (status, details) = fixture.fileago(&token, Method::GET, &group, Value::Null).await;
    assert_eq!((status.as_u16(), &details["data"]["owner_type"]), (200, &json!("Group")));
}
